//! An example as a program: progress while it runs, Ctrl-C that ends it in order, a report, an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use thalweg::engine::env::Env;
use thalweg::engine::sink::SinkError;
use thalweg::engine::source::SourceError;
use thalweg::prelude::*;

use crate::options::Options;
use crate::places::Places;

/// The job ran and failed.
const FAILED: u8 = 1;
/// The job was asked for something that cannot be, and did not run.
const WRONG: u8 = 2;
/// The job was stopped by Ctrl-C: 128 + SIGINT, as shells have it.
const STOPPED: u8 = 130;

/// Runs the job that `job` builds, as the options say.
pub fn run(options: &Options, job: impl FnOnce(Places) -> Job) -> ExitCode {
    let env = Env::default();
    let stop = env.stop.clone();
    let ran = options.config().and_then(|config| {
        ctrlc::set_handler(move || stop.stop())
            .map_err(|error| JobError::System(format!("could not listen for Ctrl-C: {error}")))?;
        job(options.places()).run(config.progress(true).env(env))
    });
    match ran {
        Ok(report) => {
            say(&mut io::stdout(), &report);
            if !report.stopped {
                return ExitCode::SUCCESS;
            }
            let remark = "stopped before the end: the answers are known only there, so that none was written and older \
                          ones stay; an online store holds what was read so far";
            say(&mut io::stderr(), &remark);
            ExitCode::from(STOPPED)
        }
        Err(error) => {
            say(&mut io::stderr(), &format_args!("error: {error}"));
            ExitCode::from(if is_wrong(&error) { WRONG } else { FAILED })
        }
    }
}

/// Whether nothing ran because the job was asked for something that cannot be.
fn is_wrong(error: &JobError) -> bool {
    matches!(
        error,
        JobError::Wrong(_)
            | JobError::Source {
                error: SourceError::Wrong(_),
                ..
            }
            | JobError::Sink {
                error: SinkError::Wrong(_),
                ..
            }
    )
}

/// Writes a line; where nobody reads any more there is nothing to be done.
fn say(to: &mut impl Write, text: &impl std::fmt::Display) {
    let _ = writeln!(to, "{text}");
}
