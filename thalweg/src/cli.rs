//! The command line: what may be said, with examples, and wrong use in one clear line.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use thalweg::demo::{Demo, EVENTS_MAX};
use thalweg::get::Get;
use thalweg::store::Place;

/// The folder that the demo writes to and that `get` looks in.
const DIR: &str = "./thalweg-demo";

const EXAMPLES: &str = "\
Examples:
  thalweg demo                            two million payments through the whole system, then a page of results
  thalweg demo --rate 5000 --seconds 60   a minute of a paced stream
  thalweg get spend 42                    what the demo's online store serves for user 42
  thalweg help get                        more about one command";

const DEMO_EXAMPLES: &str = "\
Examples:
  thalweg demo                                      two million payments, as fast as this machine can
  thalweg demo --events 200000 --dir /tmp/demo      a smaller one, somewhere else
  thalweg demo --rate 5000 --seconds 60             a stream of 5,000 payments per second, for a minute
  thalweg demo --online redis://127.0.0.1:6379/1    online features into Redis, for an hour

Ctrl-C stops the reading, writes out what has come in, and shows the results; a second one ends at once.";

const GET_EXAMPLES: &str = "\
Examples:
  thalweg get spend 42                        user 42 of the demo in ./thalweg-demo
  thalweg get spend 42 43 --json              two users, a JSON object each
  thalweg get spend 42 --store redis://127.0.0.1:6379/1

The exit code is 0 when any was found, 1 when none was, 2 for wrong use.";

/// Streaming features: batch and stream as one incremental dataflow graph.
#[derive(Debug, Parser)]
#[command(name = "thalweg", version, after_help = EXAMPLES, max_term_width = 110)]
#[command(arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a whole payments job on embedded defaults and show what came out
    ///
    /// Generated payments, with late ones, cancellations and a drift, meet their merchants; each user's spending over
    /// 1 hour, 24 hours and 7 days goes to an online store, and with each payment to Parquet; hours are counted by
    /// country, and judged for drift. Nothing has to be installed or started.
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(DemoArgs),
    /// Look up what an online store serves for some entities
    #[command(after_help = GET_EXAMPLES)]
    Get(GetArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// How many payments [default: 2,000,000; with --seconds, as many as come]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = events)]
    events: Option<u64>,
    /// At most so many payments per second [default: as many as possible]
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Stop after so many seconds
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// How many workers [default: 2, or the machine's cores if fewer]
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// The folder to write to; made if it is missing
    #[arg(long, value_name = "D", default_value = DIR)]
    dir: PathBuf,
    /// The online store: `embedded` or redis://…
    #[arg(long, value_name = "STORE", default_value = "embedded")]
    online: Place,
}

/// A number of payments that a demo takes.
fn events(text: &str) -> Result<u64, String> {
    let within = |events: &u64| (1..=EVENTS_MAX).contains(events);
    let said = text.parse().ok().filter(within);
    said.ok_or_else(|| "a demo takes 1 to 1,000,000,000,000 payments, in digits alone".to_owned())
}

impl DemoArgs {
    /// The demo, with as many workers as the machine has cores, two at most, where nothing is said.
    pub(crate) fn demo(self) -> Demo {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Demo {
            events: self.events,
            rate: self.rate,
            seconds: self.seconds,
            workers: self.workers.unwrap_or(cores.min(2)),
            dir: self.dir,
            online: self.online,
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct GetArgs {
    /// The view, such as `spend`
    view: String,
    /// The entities, such as user numbers
    #[arg(required = true, value_name = "ENTITY")]
    entities: Vec<String>,
    /// The folder with the embedded store
    #[arg(long, value_name = "D", default_value = DIR)]
    dir: PathBuf,
    /// Another store: redis://…
    #[arg(long, value_name = "STORE", conflicts_with = "dir")]
    store: Option<Place>,
    /// A JSON object per entity instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

impl GetArgs {
    pub(crate) fn get(self) -> Get {
        Get {
            view: self.view,
            entities: self.entities,
            place: self.store.unwrap_or(Place::Embedded),
            dir: self.dir,
        }
    }
}

/// What the command line asks for instead of a command.
pub(crate) enum Instead {
    /// Help or the version, for standard output.
    Show(String),
    /// Wrong use, in one line; the help where nothing was said at all.
    Refuse(String),
}

/// Reads the command line.
pub(crate) fn read() -> Result<Cli, Instead> {
    Cli::try_parse().map_err(|error| {
        let text = error.render().to_string();
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Instead::Show(text),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Instead::Refuse(text),
            _ => Instead::Refuse(format!("{}\n", one_line(&text))),
        }
    })
}

/// Clap says what is wrong, then perhaps a list after a colon, then a tip, then the usage: all but that in one line.
fn one_line(text: &str) -> String {
    let said = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
        .filter(|line| !line.is_empty());
    let (mut line, mut listed) = (String::new(), false);
    for part in said {
        let between = match (line.is_empty(), line.ends_with(':'), listed) {
            (true, ..) => "",
            (_, true, _) => " ",
            (_, _, true) if part.starts_with(['<', '-', '[']) => ", ",
            _ => "; ",
        };
        listed = between == " " || between == ", ";
        line += between;
        line += part;
    }
    let line = line.replacen("error: ", "thalweg: ", 1);
    format!("{line} (see thalweg --help)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clap_says_is_one_line_with_lists_as_lists_and_tips_apart() {
        let said = |args: &[&str]| match Cli::try_parse_from(args) {
            Err(error) => one_line(&error.render().to_string()),
            Ok(_) => panic!("{args:?} is right"),
        };
        assert_eq!(
            said(&["thalweg", "get"]),
            "thalweg: the following required arguments were not provided: <VIEW>, <ENTITY>... (see thalweg --help)"
        );
        let tip = said(&["thalweg", "demo", "--evnts", "3"]);
        assert!(tip.contains("'--evnts' found; tip: "), "{tip}");
        for events in ["-5", "0", "1000000000001", "99999999999999999999999", "1e6"] {
            let refused = said(&["thalweg", "demo", "--events", events]);
            assert!(
                refused.contains("a demo takes 1 to 1,000,000,000,000 payments"),
                "{refused}"
            );
        }
        assert_eq!(events("1000000000000"), Ok(EVENTS_MAX));
    }
}
