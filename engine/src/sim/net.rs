//! The simulated network: timely's own allocators in one thread, with links that deliver when the dice say so.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use timely::communication::allocator::generic::Allocator;
use timely::communication::allocator::zero_copy::bytes_exchange::QueueEntry;
use timely::communication::allocator::zero_copy::bytes_slab::BytesRefill;
use timely::communication::allocator::zero_copy::spill::SpillPolicy;
use timely::communication::{Config, Hooks};

use crate::allocate;
use crate::error::JobError;
use crate::sim::{Dice, Trace};

/// Of 100 messages that could be delivered, how many are at once.
const DELIVERED_AT_ONCE: u64 = 70;

thread_local! {
    /// Which worker's allocator this thread builds, and how many of its incoming links exist already.
    static BUILDING: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The receiving end of one link: messages wait on the wire, in order.
struct Link {
    dice: Dice,
    trace: Trace,
    from: usize,
    to: usize,
    wire: VecDeque<QueueEntry>,
}

impl SpillPolicy for Link {
    fn apply(&mut self, queue: &mut VecDeque<QueueEntry>) {
        self.wire.extend(queue.drain(..));
        while !self.wire.is_empty() {
            if self.from != self.to && !self.dice.chance(DELIVERED_AT_ONCE) {
                break;
            }
            self.trace.note(&[self.from as u64, self.to as u64]);
            queue.extend(self.wire.pop_front());
        }
    }
}

/// The sending end does nothing.
struct Untouched;

impl SpillPolicy for Untouched {
    fn apply(&mut self, _: &mut VecDeque<QueueEntry>) {}
}

/// The 1 MiB buffers of finished runs: every link asks for one, and a fresh one costs more than the run.
static BUFFERS: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A buffer that goes back to the pool.
struct Pooled(Vec<u8>);

impl std::ops::Deref for Pooled {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::ops::DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        BUFFERS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(std::mem::take(&mut self.0));
    }
}

fn pooled() -> BytesRefill {
    let logic = Arc::new(|size| {
        let kept = BUFFERS.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let buffer = kept
            .filter(|buffer| buffer.len() == size)
            .unwrap_or_else(|| vec![0; size]);
        Box::new(Pooled(buffer)) as Box<_>
    });
    BytesRefill { logic, limit: None }
}

/// An allocator on its way from the thread that built it to the thread that runs all workers.
struct Moved(Allocator);

// SAFETY: an allocator is not `Send` because of the `Rc`s inside it. Each is built on a short-lived thread only
// because building waits for its peers. Every `Rc` in it is reachable from that one allocator alone, the whole of it
// is moved, and joining the thread orders all that was done to it before all that follows.
#[expect(
    unsafe_code,
    reason = "timely builds allocators only on threads of their own"
)]
unsafe impl Send for Moved {}

/// One allocator per worker, all usable from this thread.
pub(crate) fn allocators(
    workers: usize,
    dice: &Dice,
    trace: &Trace,
) -> Result<Vec<Allocator>, JobError> {
    if workers == 1 {
        return Ok(vec![Allocator::Thread(
            timely::communication::allocator::Thread::default(),
        )]);
    }
    let (dice, trace) = (dice.clone(), trace.clone());
    let hooks = Hooks {
        refill: pooled(),
        spill: Some(Arc::new(move || {
            let (to, from) = BUILDING.with(|building| {
                let (worker, peer) = building.get();
                building.set((worker, peer + 1));
                (worker, peer)
            });
            let link = Link {
                dice: dice.clone(),
                trace: trace.clone(),
                from,
                to,
                wire: VecDeque::new(),
            };
            (
                Box::new(Untouched) as Box<dyn SpillPolicy>,
                Box::new(link) as Box<dyn SpillPolicy>,
            )
        })),
        ..Hooks::default()
    };
    let (builders, _) = Config::ProcessBinary(workers)
        .try_build_with(hooks)
        .map_err(JobError::System)?;
    let threads: Vec<_> = builders
        .into_iter()
        .enumerate()
        .map(|(worker, builder)| {
            std::thread::spawn(move || {
                BUILDING.with(|building| building.set((worker, 0)));
                allocate::build(builder).map(Moved)
            })
        })
        .collect();
    threads
        .into_iter()
        .map(|thread| match thread.join() {
            Ok(moved) => moved.map(|moved| moved.0),
            Err(_) => Err(JobError::System(
                "a simulated worker's allocator could not be built".into(),
            )),
        })
        .collect()
}
