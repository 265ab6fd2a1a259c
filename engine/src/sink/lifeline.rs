//! What ties the threads of the writers to their run: when it is over they drop their writers, and are waited for.
//!
//! ```text
//! run over ─▶ lifeline cut ─▶ each thread ends its write in hand and drops its writer ─▶ all gone, or patience at end
//! ```
//!
//! A worker that fails keeps its dataflow, and with it the channels to its writers. Without the line they would wait
//! for orders until the process ends, and leave behind what they had begun.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crossbeam::channel::{Receiver, Sender, bounded};

/// How long a run that is over waits for its writers: time to end a write and remove a file, but not to sit out an
/// outage that a writer is retrying.
const PATIENCE: Duration = Duration::from_secs(5);

/// The run's end of the line. Nothing is ever sent: what counts is which ends are still held.
pub(crate) struct Lifeline {
    held: Mutex<Option<Held>>,
    over: Receiver<Infallible>,
    all_gone: Receiver<Infallible>,
}

struct Held {
    _run: Sender<Infallible>,
    thread: Sender<Infallible>,
}

/// A thread's end of the line, held for as long as the thread has its writer.
pub(crate) struct Tie {
    /// Disconnected once the run is over.
    pub(crate) over: Receiver<Infallible>,
    _thread: Option<Sender<Infallible>>,
}

impl Lifeline {
    pub(crate) fn new() -> Self {
        let (run, over) = bounded(0);
        let (thread, all_gone) = bounded(0);
        let held = Mutex::new(Some(Held { _run: run, thread }));
        Self {
            held,
            over,
            all_gone,
        }
    }

    pub(crate) fn tie(&self) -> Tie {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        Tie {
            over: self.over.clone(),
            _thread: held.as_ref().map(|held| held.thread.clone()),
        }
    }

    /// Lets every writer go, and waits until they have been dropped.
    pub(crate) fn cut(&self) {
        drop(
            self.held
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        // Disconnected, as it should be, or a writer that takes longer: then it is left to itself.
        let _ = self.all_gone.recv_timeout(PATIENCE);
    }
}
