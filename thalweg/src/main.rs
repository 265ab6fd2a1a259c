//! The one binary: `thalweg demo`, `thalweg get`.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | it went well, also after one Ctrl-C |
//! | 1 | it failed, or nothing was found |
//! | 2 | wrong use |
//! | 101 | a panic: a bug |
//! | 130 | ended by a second Ctrl-C |

mod cli;
mod screen;

use std::process::ExitCode;

use thalweg::demo::{self, DemoError, Style};
use thalweg::engine::env::{Env, StopHandle};
use thalweg::engine::error::JobError;

use crate::cli::{Command, DemoArgs, GetArgs, Instead};

const FAILED: u8 = 1;
const WRONG_USE: u8 = 2;
const PANICKED: u8 = 101;
const INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    let done = match cli::read() {
        Ok(cli) => match cli.command {
            Command::Demo(args) => run_demo(args),
            Command::Get(args) => run_get(args),
        },
        Err(Instead::Show(text)) => {
            screen::show(&text);
            return ExitCode::SUCCESS;
        }
        Err(Instead::Refuse(text)) => {
            screen::complain(&text);
            return ExitCode::from(WRONG_USE);
        }
    };
    done.unwrap_or_else(|(code, text)| {
        screen::complain(&format!("thalweg: {text}\n"));
        ExitCode::from(code)
    })
}

/// An exit code, and what to say about it.
type Failed = (u8, String);

fn run_demo(args: DemoArgs) -> Result<ExitCode, Failed> {
    let env = Env::default();
    stop_on_interrupt(env.stop.clone())?;
    let ran =
        demo::run(args.demo(), &env, true).map_err(|error| (code_of(&error), error.to_string()))?;
    let style = Style {
        width: screen::width(),
        program: std::env::args().next().unwrap_or_else(|| "thalweg".into()),
    };
    screen::show(&ran.page(&style));
    Ok(ExitCode::SUCCESS)
}

fn run_get(args: GetArgs) -> Result<ExitCode, Failed> {
    let json = args.json;
    let got = args
        .get()
        .run(&Env::default())
        .map_err(|error| (FAILED, error.to_string()))?;
    let text = if json {
        got.json_lines()
    } else {
        got.tables(screen::width())
    };
    screen::show(&text);
    if let Some(hint) = got.hint() {
        screen::complain(&format!("thalweg: {hint}\n"));
    }
    Ok(ExitCode::from(if got.any() { 0 } else { FAILED }))
}

fn code_of(error: &DemoError) -> u8 {
    match error {
        DemoError::Plan(_) | DemoError::Job(JobError::Wrong(_)) => WRONG_USE,
        DemoError::Job(JobError::Panicked { .. }) => PANICKED,
        _ => FAILED,
    }
}

/// The first Ctrl-C asks the job to stop: it drains, writes out and reports. The second ends the process.
fn stop_on_interrupt(stop: StopHandle) -> Result<(), Failed> {
    ctrlc::set_handler(move || {
        if stop.is_stopping() {
            screen::complain(
                "thalweg: ended at once; files that were not complete were not published\n",
            );
            std::process::exit(INTERRUPTED);
        }
        stop.stop();
        screen::complain(
            "\nthalweg: stopping; what has come in is being written (Ctrl-C again ends at once)\n",
        );
    })
    .map_err(|error| (FAILED, format!("cannot listen for Ctrl-C: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_apart_from_wrong_use_and_from_what_failed() {
        let panicked = JobError::Panicked {
            worker: 0,
            message: "a bug".into(),
        };
        for (error, code) in [
            (panicked, 101),
            (JobError::Wrong("no".into()), 2),
            (JobError::System("no thread".into()), 1),
        ] {
            assert_eq!(code_of(&DemoError::Job(error)), code);
        }
    }
}
