//! Examples that need no data: answers printed and held to what they must be, and how such a program ends.

use std::fmt::{Debug, Display};
use std::process::ExitCode;

use thalweg::connectors::memory::Collect;

/// Prints an answer's rows.
///
/// # Panics
/// If they are not the rows expected, once each.
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
pub fn show<D: Clone + Ord + Debug>(what: &str, answer: &Collect<D>, expected: &[D]) {
    let rows = answer.net();
    println!("{what}");
    rows.iter().for_each(|(row, _)| println!("  {row:?}"));
    let expected: Vec<_> = expected.iter().map(|row| (row.clone(), 1)).collect();
    assert_eq!(rows, expected, "{what}");
}

/// The exit code of a program that did its work, or could not and says why.
#[expect(clippy::print_stderr, reason = "an example says what went wrong")]
pub fn ended(ran: Result<(), impl Display>) -> ExitCode {
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
