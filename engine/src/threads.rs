//! The real front end: a thread per worker, which parks only here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use timely::communication::Config as Communication;
use timely::communication::allocator::generic::AllocatorBuilder;
use timely::worker::{Config as WorkerConfig, Worker};

use crate::allocate;
use crate::driver::{Driver, Turn};
use crate::env;
use crate::error::JobError;
use crate::front::Front;
use crate::graph::Graph;
use crate::job::Build;
use crate::shared::Shared;

/// The longest that a worker with nothing to do parks: readers, writers and other workers wake it before.
const PARK_MAX: Duration = Duration::from_millis(2);

/// Runs the job on threads, until it has ended on all of them.
pub(crate) fn run(build: &Arc<Build>, shared: &Arc<Shared>) -> Result<(), JobError> {
    let workers = shared.config.worker_count();
    let communication = match workers {
        1 => Communication::Thread,
        _ => Communication::Process(workers),
    };
    let (allocators, _guard) = communication.try_build().map_err(JobError::System)?;
    let threads: Vec<JoinHandle<()>> = allocators
        .into_iter()
        .enumerate()
        .map(|(index, allocator)| {
            let (build, shared) = (Arc::clone(build), Arc::clone(shared));
            std::thread::Builder::new()
                .name(format!("worker {index}"))
                .spawn(move || guarded(index, allocator, &*build, &shared))
                .map_err(|error| {
                    JobError::System(format!("could not start worker {index}: {error}"))
                })
        })
        .collect::<Result<_, _>>()?;
    for thread in threads {
        // A worker catches its own panics, so that none is left waiting for it.
        let _ = thread.join();
    }
    shared.writers.cut();
    shared.take_failure().map_or(Ok(()), Err)
}

/// Runs one worker; a panic or an error ends the job on all of them.
fn guarded(index: usize, allocator: AllocatorBuilder, build: &Build, shared: &Arc<Shared>) {
    let ran = catch_unwind(AssertUnwindSafe(|| work(allocator, build, shared)));
    match ran {
        Ok(Ok(())) => {}
        Ok(Err(error)) => shared.fail(error),
        Err(panic) => shared.fail(JobError::Panicked {
            worker: index,
            message: panic_text(&*panic),
        }),
    }
}

/// What a panic said, where it said something.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

fn work(allocator: AllocatorBuilder, build: &Build, shared: &Arc<Shared>) -> Result<(), JobError> {
    let allocator = allocate::build(allocator)?;
    let mut worker = Worker::new(
        WorkerConfig::default(),
        allocator,
        Some(env::worker_begins()),
    );
    let outcome = turn_until_done(&mut worker, build, shared);
    if outcome.is_err() || shared.has_failed() {
        // The dataflow is in the middle of an epoch: dropping it would run its operators' destructors in a state
        // that timely does not expect. The process is about to end, or the job to be thrown away.
        std::mem::forget(worker);
    }
    outcome
}

fn turn_until_done(
    worker: &mut Worker,
    build: &Build,
    shared: &Arc<Shared>,
) -> Result<(), JobError> {
    let mut driver = build_graph(
        worker,
        build,
        shared,
        Front::Threads(std::thread::current()),
    )?;
    loop {
        if shared.has_failed() {
            return Ok(());
        }
        let turn = driver.drive()?;
        if !worker.step() {
            break;
        }
        if let Turn::Idle(time) = turn {
            let park = time.map_or(PARK_MAX, |time| time.min(PARK_MAX));
            worker.step_or_park(Some(park));
        }
    }
    driver.finish();
    while !driver.is_finished()? {
        if shared.has_failed() {
            return Ok(());
        }
        std::thread::park_timeout(PARK_MAX);
    }
    Ok(())
}

/// Builds the job's graph on a worker.
pub(crate) fn build_graph(
    worker: &mut Worker,
    build: &Build,
    shared: &Arc<Shared>,
    front: Front,
) -> Result<Driver, JobError> {
    worker.dataflow(|scope| {
        let graph = Graph::new(scope, front, Arc::clone(shared));
        build(&graph)?;
        graph.into_driver()
    })
}
