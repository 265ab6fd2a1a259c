//! Joins in time against brute force, for every rule: both modes, after every epoch, with late rows, ties, and rows
//! that are taken back before and after they come.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Range;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{EpochTime, PairedState};
use thalweg_engine::time::{EventTime, WATERMARK_END};
use thalweg_engine::update::Diff;

use super::side::Side;
use super::state::Timed;
use super::{Mode, Rule};
use crate::laws::{self, Epochs, Row, Sided, assert_continues, log, side_tag};

type Sides = laws::Side<Row, Row>;
type Net<D> = BTreeMap<D, Diff>;
type Answer = (Row, Option<Row>);

/// A state that joins rows of the log.
pub(in crate::join) trait Joins:
    PairedState<Left = Row, Right = Row, Out = Answer>
{
}

impl<S: PairedState<Left = Row, Right = Row, Out = Answer>> Joins for S {}

/// The furthest that a rule under test looks ahead of a row without looking at all that lies between.
const BOUND_MAX: i64 = 6;

/// Both sides in one log: a third of the rows is left.
fn both_sides(seed: u64, step_us: i64) -> Epochs<Sides> {
    log(seed, step_us, |mut row| {
        let is_left = row.id.is_multiple_of(3);
        // Ties between rows of one time, and rows that are there several times.
        row.id %= if seed.is_multiple_of(2) { 4 } else { 1_000 };
        match is_left {
            true => laws::Side::Left(row.key.tag(), row),
            false => laws::Side::Right(row.key.tag(), row),
        }
    })
}

/// One side of the log.
pub(in crate::join) fn side() -> Side<Row, i64> {
    Side::new(|row: &Row| row.key, |row: &Row| row.at)
}

/// The general state under a rule.
pub(in crate::join) fn state<U: Rule<Row> + Clone>(rule: &U, mode: Mode) -> impl Joins {
    Timed::<i64, _, _, _>::new(side(), side(), rule.clone(), mode)
}

fn add<D: Ord>(net: &mut Net<D>, row: D, diff: Diff) {
    let count = net.entry(row).or_default();
    *count += diff;
    if *count == 0 {
        net.retain(|_, count| *count != 0);
    }
}

/// What a left row has, by the definition, over the right rows that are there.
type Defined<'a> = &'a dyn Fn(&[(Row, Diff)], EventTime) -> Vec<(Option<Row>, Diff)>;

fn brute_force(lefts: &Net<Row>, rights: &Net<Row>, defined: Defined<'_>) -> Net<Answer> {
    let mut answers = Net::new();
    for (left, count) in lefts {
        let of_key = rights.iter().map(|(row, count)| (*row, *count));
        let of_key: Vec<_> = of_key
            .filter(|(row, count)| row.key == left.key && *count > 0)
            .collect();
        for (right, copies) in defined(&of_key, left.at) {
            add(&mut answers, (*left, right), count * copies);
        }
    }
    answers
}

/// Runs the logs of some seeds in both modes and holds every epoch to the definition.
pub(in crate::join) fn assert_brute_force<S: Joins>(
    seeds: Range<u64>,
    empty: impl Fn(Mode) -> S,
    defined: impl Fn(&[(Row, Diff)], EventTime) -> Vec<(Option<Row>, Diff)>,
) {
    for seed in seeds {
        let epochs = both_sides(seed, [1, 3, 60_000_000][usize::try_from(seed % 3).unwrap()]);
        let latest = || Sided(empty(Mode::Latest));
        assert_latest(seed, &epochs, latest(), &defined);
        let until = with_rights_until(epochs.clone(), 15);
        assert_latest(seed, &until, latest(), &defined);
        assert_finals(seed, &epochs, Sided(empty(Mode::Final)), &defined);
    }
}

/// The same epochs, with right rows in the first ones alone.
fn with_rights_until(mut epochs: Epochs<Sides>, last: usize) -> Epochs<Sides> {
    for (_, rows) in epochs.iter_mut().skip(last) {
        rows.retain(|(row, _)| matches!(row, laws::Side::Left(..)));
    }
    epochs
}

fn take_in(rows: &[(Sides, Diff)], lefts: &mut Net<Row>, rights: &mut Net<Row>) {
    for (row, diff) in rows {
        match row {
            laws::Side::Left(_, row) => add(lefts, *row, *diff),
            laws::Side::Right(_, row) => add(rights, *row, *diff),
        }
    }
}

fn assert_latest<S: Joins>(
    seed: u64,
    epochs: &Epochs<Sides>,
    mut state: Sided<S>,
    defined: Defined<'_>,
) {
    let (mut lefts, mut rights, mut found) = (Net::new(), Net::new(), Net::new());
    let is_right = |(row, _): &(Sides, Diff)| matches!(row, laws::Side::Right(..));
    let last_rights = epochs
        .iter()
        .rposition(|(_, rows)| rows.iter().any(is_right));
    for (place, (time, rows)) in epochs.iter().enumerate() {
        take_in(rows, &mut lefts, &mut rights);
        if last_rights.is_none_or(|last| place >= last) {
            state.0.right_has_ended();
        }
        let written = laws::step(&mut state, time, rows);
        let mut net = Net::new();
        for (answer, diff) in &written {
            add(&mut net, *answer, *diff);
            add(&mut found, *answer, *diff);
        }
        let sizes = |diffs: &mut dyn Iterator<Item = Diff>| diffs.map(Diff::abs).sum::<Diff>();
        let (net, all) = (
            sizes(&mut net.values().copied()),
            sizes(&mut written.iter().map(|(_, diff)| *diff)),
        );
        assert_eq!(
            net, all,
            "seed {seed}, epoch {}: a row came and went",
            time.epoch
        );
        assert_same(&found, &brute_force(&lefts, &rights, defined), (seed, time));
    }
}

fn assert_finals<S: Joins>(
    seed: u64,
    epochs: &Epochs<Sides>,
    mut state: Sided<S>,
    defined: Defined<'_>,
) {
    let (mut lefts, mut rights, mut found) = (Net::new(), Net::new(), Net::new());
    for (time, rows) in epochs {
        take_in(rows, &mut lefts, &mut rights);
        for (answer, diff) in laws::step(&mut state, time, rows) {
            assert!(
                diff > 0,
                "seed {seed}: a final row was taken back: {answer:?}"
            );
            add(&mut found, answer, diff);
        }
        // A left row is there as soon as no change of the right rows from the watermark on can matter to it, and not
        // before: that is what it takes for an answer to be final.
        let mut settled = lefts.clone();
        settled.retain(|left, count| *count > 0 && is_settled(left, &rights, time, defined));
        assert_same(
            &found,
            &brute_force(&settled, &rights, defined),
            (seed, time),
        );
    }
}

/// Tries whether the matches of a left row still depend on the right rows from the watermark on: without them, and with
/// another at each moment near it.
fn is_settled(left: &Row, rights: &Net<Row>, time: &EpochTime, defined: Defined<'_>) -> bool {
    if time.watermark == WATERMARK_END {
        return true;
    }
    if left.at >= time.watermark {
        return false;
    }
    let of_key = rights
        .iter()
        .filter(|(row, n)| row.key == left.key && **n > 0);
    let of_key: Vec<_> = of_key.map(|(row, count)| (*row, *count)).collect();
    let passed = of_key.iter().filter(|(row, _)| row.at < time.watermark);
    let passed: Vec<_> = passed.copied().collect();
    let now = defined(&passed, left.at);
    // A row as great as can be wins every tie.
    let greatest = |at| Row {
        key: left.key,
        at,
        value: i64::MAX,
        id: u32::MAX,
    };
    (0..=BOUND_MAX).all(|ahead| {
        let mut more = passed.clone();
        more.push((greatest(time.watermark + ahead), 1));
        defined(&more, left.at) == now
    })
}

/// What was saved continues, in both modes.
pub(in crate::join) fn assert_saves<S: Joins>(seeds: Range<u64>, empty: impl Fn(Mode) -> S) {
    for seed in seeds {
        for mode in [Mode::Latest, Mode::Final] {
            let epochs = both_sides(seed, 2);
            assert_continues(|| Sided(empty(mode)), side_tag, &epochs);
        }
    }
}

fn assert_same(found: &Net<Answer>, expected: &Net<Answer>, context: impl Debug) {
    let more: Vec<_> = found
        .iter()
        .filter(|(row, n)| expected.get(row) != Some(n))
        .collect();
    let less: Vec<_> = expected
        .iter()
        .filter(|(row, n)| found.get(row) != Some(n))
        .collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "written {more:#?}\nbrute force {less:#?}\nin {context:?}"
    );
}
