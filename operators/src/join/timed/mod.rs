//! What joins in time share: each left row with the right rows of its key that a rule finds by their times.
//!
//! ```text
//! left  (row, epoch, ±n) ──┐            key ─▶ slot ┌ rights by time ─ oldest ──────── newest
//!                          ├─ by key ─▶             └ lefts by time, those that may still change
//! right (row, epoch, ±n) ──┘                 │
//!                                            ├─▶ −old +new wherever a match changes       (latest)
//!                                            └─▶ one answer when nothing can change it    (finals)
//! ```
//!
//! Left rows carry their own sign into the output, so that a left row that is taken back before it comes is there −1
//! times until it does. Right rows are there or not: one that is taken back before it comes is nothing until then.
//!
//! Rows of an epoch are never below the watermark of the epoch before: so it is with sources, and with whatever writes
//! its rows when the watermark reaches their time, such as a window's row under the time of its end.
//!
//! # Invariants
//! 1. After every epoch the accumulated `latest` output is brute force over both inputs so far.
//! 2. What an epoch writes is net: no row comes and goes in it.
//! 3. `finals` writes a left row when the watermark has passed the moment after which nothing can change its matches,
//!    and never takes anything back.
//!
//! # Cost
//! Per row one hash lookup and a place in a run of its key, looked for from its newest end. A run is one piece of memory:
//! a row that comes late moves what is newer, which for a key of a hundred thousand rows is slow. State: the left rows that may
//! still change and the right rows that one of them, or a left row to come, may match. What the watermark has freed is
//! dropped when its key is touched next, and by a sweep that passes over all keys bit by bit. Once the right side has
//! ended, as a dimension does before any timed row comes, `latest` keeps no left rows at all.

pub(super) mod changes;
mod repair;
pub(super) mod run;
pub(super) mod side;
mod slot;
mod state;
#[cfg(test)]
pub(super) mod tests;
mod upkeep;
pub(super) mod waiting;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::PairedState;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::key_by::Timeline;

pub(super) use run::{Held, prefix};
use side::Side;
use state::Timed;

/// When an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// At once, and again whenever it changes.
    Latest,
    /// Once, when nothing can change it any more.
    Final,
}

/// Which right rows a left row meets. Runs of right rows are by time, then by row; some may not be there.
pub(super) trait Rule<R>: 'static {
    /// Whether a right row matches whatever other right rows there are; otherwise each match counts once.
    const PAIRWISE: bool;

    /// Whether a left row without a match goes out alone.
    fn keeps_unmatched(&self) -> bool;

    /// Where the matches of a left row at `at` stand; those of them that are there are its matches.
    fn matches<'a>(&self, rights: &'a [Held<R>], at: EventTime) -> &'a [Held<R>];

    /// The first and the last time of left rows whose matches a right row at `at` may change by coming or going.
    fn touched(&self, rights: &[Held<R>], at: EventTime) -> (EventTime, EventTime);

    /// The moment that the watermark must have passed before nothing can change the matches of a left row at `at`:
    /// never before `at`, and the last moment of all where only the end can tell.
    fn settled_after(&self, rights: &[Held<R>], at: EventTime) -> EventTime;

    /// How many of the oldest right rows no left row from `from` on can match, whatever comes.
    fn spent(&self, rights: &[Held<R>], from: EventTime) -> usize;
}

/// Runs a join in time over two timelines.
pub(super) fn join<'s, L: Data + Ord, R: Data + Ord, K: Key, U: Rule<R>>(
    left: &Timeline<'s, L, K>,
    right: &Timeline<'s, R, K>,
    name: &str,
    mode: Mode,
    rule: U,
) -> Table<'s, (L, Option<R>)> {
    let state = Timed::new(Side::of(left), Side::of(right), rule, mode);
    run(left, right, name, mode, state)
}

/// Runs a state over two timelines.
pub(super) fn run<'s, L: Data, R: Data, K: Key, S: PairedState<Left = L, Right = R>>(
    left: &Timeline<'s, L, K>,
    right: &Timeline<'s, R, K>,
    name: &str,
    mode: Mode,
    state: S,
) -> Table<'s, S::Out> {
    let name = match mode {
        Mode::Latest => format!("{name} latest"),
        Mode::Final => format!("{name} final"),
    };
    left.keyed.table.keyed_with(
        &name,
        left.keyed.tags.clone(),
        &right.keyed.table,
        right.keyed.tags.clone(),
        state,
    )
}

/// Shows the matches of a left row at `at`, each with how often it is one.
#[inline(always)]
fn show_matches<R, U: Rule<R>>(
    rule: &U,
    rights: &[Held<R>],
    at: EventTime,
    mut show: impl FnMut(Option<&R>, Diff),
) {
    let mut unmatched = rule.keeps_unmatched();
    for right in rule.matches(rights, at) {
        if right.is_present() {
            unmatched = false;
            show(Some(&right.row), if U::PAIRWISE { right.count } else { 1 });
        }
    }
    if unmatched {
        show(None, 1);
    }
}
