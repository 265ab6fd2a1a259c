//! Examples that need no data: answers printed and held to what they must be, and how such a program ends.

use std::fmt::{Debug, Display};
use std::process::ExitCode;

use thalweg::connectors::memory::Collect;
use thalweg::engine::time::Epoch;
use thalweg::engine::update::Diff;

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

/// What an epoch changed of an answer, as `−row +row`: what goes before what comes, each by the order of the rows. Rows
/// without a text are left out.
///
/// # Panics
/// If a row comes or goes more than once.
#[must_use]
pub fn changed<D: Clone + Ord>(
    answer: &Collect<D>,
    epoch: Epoch,
    text: impl Fn(&D) -> Option<String>,
) -> String {
    let updates = answer.updates().into_iter();
    let mut changes: Vec<(Diff, D)> = updates
        .filter(|(_, when, _)| *when == epoch)
        .map(|(row, _, diff)| (diff, row))
        .collect();
    changes.sort_unstable();
    assert!(
        changes.iter().all(|(diff, _)| diff.abs() == 1),
        "a row comes and goes once"
    );
    let texts = changes
        .iter()
        .filter_map(|(diff, row)| text(row).map(|row| signed(*diff, &row)));
    texts.collect::<Vec<_>>().join(" ")
}

/// A row with the sign of its change.
#[must_use]
pub fn signed(diff: Diff, row: &str) -> String {
    let sign = if diff < 0 { '−' } else { '+' };
    format!("{sign}{row}")
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
