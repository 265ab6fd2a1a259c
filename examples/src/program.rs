//! An example as a program: progress while it runs, Ctrl-C that ends it in order, a report, an exit code.

use std::io::{self, Write};
use std::process::ExitCode;

use thalweg::engine::env::{Env, StopHandle};
use thalweg::engine::sink::SinkError;
use thalweg::engine::source::SourceError;
use thalweg::prelude::*;

use crate::options::Options;
use crate::places::Places;

/// The job ran and failed.
const FAILED: u8 = 1;
/// The job was asked for something that cannot be, and did not run.
const WRONG: u8 = 2;
/// A worker panicked: a bug.
const PANICKED: u8 = 101;
/// The job was stopped by Ctrl-C: 128 + SIGINT, as shells have it.
const STOPPED: u8 = 130;

/// Runs the job that `job` builds, as the options say.
pub fn run(options: &Options, job: impl FnOnce(Places) -> Job) -> ExitCode {
    let env = Env::default();
    let stop = env.stop.clone();
    let ran = options.config().and_then(|config| {
        ctrlc::set_handler(move || interrupted(&stop))
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
            ExitCode::from(code_of(&error))
        }
    }
}

/// The first Ctrl-C ends the job in order. The second, for whoever cannot wait for that, ends the process.
fn interrupted(stop: &StopHandle) {
    if stop.is_stopping() {
        say(
            &mut io::stderr(),
            &"ended at once; no answer that was not complete was published",
        );
        std::process::exit(STOPPED.into());
    }
    stop.stop();
    say(
        &mut io::stderr(),
        &"\nstopping; what has come in is being worked off (Ctrl-C again ends at once)",
    );
}

fn code_of(error: &JobError) -> u8 {
    match error {
        JobError::Panicked { .. } => PANICKED,
        JobError::Wrong(_)
        | JobError::Source {
            error: SourceError::Wrong(_),
            ..
        }
        | JobError::Sink {
            error: SinkError::Wrong(_),
            ..
        } => WRONG,
        _ => FAILED,
    }
}

/// Writes a line; where nobody reads any more there is nothing to be done.
fn say(to: &mut impl Write, text: &impl std::fmt::Display) {
    let _ = writeln!(to, "{text}");
}
