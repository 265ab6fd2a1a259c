//! The run itself: progress bars, a time limit, the CPU time that it took.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use cpu_time::ProcessTime;
use thalweg_engine::env::{Env, StopHandle};
use thalweg_engine::error::JobError;
use thalweg_engine::job::Report;

use crate::demo::plan::Plan;
use crate::demo::{DemoError, job};

/// How a run went.
pub(super) struct Run {
    pub(super) report: Report,
    pub(super) cpu_s: f64,
}

/// Runs the job of a plan to its end.
pub(super) fn run(plan: &Plan, env: &Env, progress: bool) -> Result<Run, DemoError> {
    let job = job::job(plan)?;
    let config = plan.config()?.env(env.clone()).progress(progress);
    let limit = plan.demo.seconds.map(Duration::from_secs);
    let alarm = limit
        .map(|limit| Alarm::set(limit, env.stop.clone()))
        .transpose()?;
    let cpu = ProcessTime::now();
    let report = job.run(config)?;
    drop(alarm);
    Ok(Run {
        report,
        cpu_s: cpu.elapsed().as_secs_f64(),
    })
}

/// Asks the job to stop after some time, unless it is dropped before.
struct Alarm {
    _unset: Sender<()>,
}

impl Alarm {
    fn set(limit: Duration, stop: StopHandle) -> Result<Self, JobError> {
        let (unset, dropped) = channel();
        std::thread::Builder::new()
            .name("alarm".into())
            .spawn(move || {
                if dropped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                    stop.stop();
                }
            })
            .map_err(|error| {
                JobError::System(format!("could not start the alarm's thread: {error}"))
            })?;
        Ok(Self { _unset: unset })
    }
}
