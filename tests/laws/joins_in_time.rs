//! Joins in time against nested loops, at every epoch: two sources, late rows, rows taken back before they come.

use std::time::Duration;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch_appends, assert_every_epoch_nets, once};
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{Net, admitted, assert_same, net};
use thalweg::connectors::memory::Collect;
use thalweg::engine::time::WATERMARK_END;
use thalweg::prelude::*;

use crate::for_seeds;

type Pair = (Event, Option<Event>);

/// A join in time, as it is drawn.
#[derive(Clone, Copy, Debug)]
enum Join {
    /// The newest at or before, at most this far away, in µs.
    Backward(Option<i64>),
    /// The oldest at or after.
    Forward(Option<i64>),
    /// The closer of both.
    Nearest(Option<i64>),
    /// Valid from its time on, for as many steps of time as `other` says.
    History(i64),
    /// All from the one offset to the other; with those that have none.
    Interval(i64, i64, bool),
    /// All in one window of this width; with those that have none.
    Window(i64, bool),
}

impl Join {
    fn draw(dice: &mut Dice, grain_us: i64) -> Self {
        let steps = |dice: &mut Dice| dice.up_to(8) * grain_us;
        let tolerance = dice.chance(60).then(|| steps(dice));
        match dice.below(6) {
            0 => Self::Backward(tolerance),
            1 => Self::Forward(tolerance),
            2 => Self::Nearest(tolerance),
            3 => Self::History(grain_us),
            4 => {
                let lower = steps(dice) - 4 * grain_us;
                Self::Interval(lower, lower + steps(dice), dice.chance(50))
            }
            _ => Self::Window(1 + steps(dice), dice.chance(50)),
        }
    }

    fn run<'s>(
        self,
        left: &Table<'s, Event>,
        right: &Table<'s, Event>,
        finals: bool,
    ) -> Result<Table<'s, Pair>, JobError> {
        let keyed = |table: &Table<'s, Event>| table.key_by(|event| event.key);
        let timed = |table: &Table<'s, Event>| keyed(table).event_time(|event| event.at);
        let (left, others) = (timed(left), timed(right));
        let us = |us: i64| Duration::from_micros(us.unsigned_abs());
        let asof = |tolerance: Option<i64>| {
            let asof = left.asof("asof", &others);
            tolerance.map_or(asof.clone(), |most| asof.tolerance(us(most)))
        };
        let pairs = match self {
            Self::Backward(tolerance) => return Ok(mode(&asof(tolerance), finals)),
            Self::Forward(tolerance) => return Ok(mode(&asof(tolerance).forward(), finals)),
            Self::Nearest(tolerance) => return Ok(mode(&asof(tolerance).nearest(), finals)),
            Self::History(grain_us) => {
                let valid = move |event: &Event| event.at..end_of(event, grain_us);
                let found = left.lookup_asof("history", &keyed(right), valid);
                return Ok(if finals {
                    found.finals()
                } else {
                    found.latest()
                });
            }
            Self::Interval(lower, upper, _) => {
                left.interval_join("interval", &others, lower..=upper)?
            }
            Self::Window(width, _) => left.windowed_join("window", &others, us(width))?,
        };
        let some = |(left, right)| (left, Some(right));
        Ok(match (self.keeps_unmatched(), finals) {
            (true, true) => pairs.left().finals(),
            (true, false) => pairs.left().latest(),
            (false, true) => pairs.finals().map(some),
            (false, false) => pairs.latest().map(some),
        })
    }

    fn keeps_unmatched(self) -> bool {
        !matches!(self, Self::Interval(.., false) | Self::Window(_, false))
    }

    /// The pairs of one left row among the right rows of its key that are there.
    fn pairs(self, at: i64, rights: &[(Event, i64)]) -> Vec<(Option<Event>, i64)> {
        let best = |belongs: &dyn Fn(i64) -> bool, most: Option<i64>| {
            let near = rights.iter().map(|(row, _)| *row).filter(|row| {
                belongs(row.at) && most.is_none_or(|most| (row.at - at).abs() <= most)
            });
            near.min_by_key(|row| ((row.at - at).abs(), row.at, std::cmp::Reverse(*row)))
        };
        let all = |belongs: &dyn Fn(i64) -> bool| {
            let near = rights.iter().filter(|(row, _)| belongs(row.at));
            near.map(|(row, n)| (Some(*row), *n)).collect::<Vec<_>>()
        };
        let mut pairs = match self {
            Self::Backward(most) => vec![(best(&|other| other <= at, most), 1)],
            Self::Forward(most) => vec![(best(&|other| other >= at, most), 1)],
            Self::Nearest(most) => vec![(best(&|_| true, most), 1)],
            Self::History(grain_us) => {
                let newest = best(&|other| other <= at, None);
                vec![(newest.filter(|row| end_of(row, grain_us) > at), 1)]
            }
            Self::Interval(lower, upper, _) => {
                all(&|other| at + lower <= other && other <= at + upper)
            }
            Self::Window(width, _) => all(&|other| other.div_euclid(width) == at.div_euclid(width)),
        };
        if pairs.is_empty() && self.keeps_unmatched() {
            pairs.push((None, 1));
        }
        pairs
    }

    /// Whether no right row from `watermark` on can change the pairs of a left row with those that have come.
    fn is_settled(self, at: i64, rights: &[(Event, i64)], watermark: i64) -> bool {
        if watermark == WATERMARK_END || watermark <= at {
            return watermark == WATERMARK_END;
        }
        let after = match self {
            Self::Backward(_) | Self::History(_) => at,
            Self::Interval(_, upper, _) => at.max(at + upper),
            Self::Window(width, _) => at.div_euclid(width) * width + width - 1,
            Self::Forward(_) | Self::Nearest(_) => {
                let known = rights.iter().filter(|(row, _)| row.at < watermark);
                let mut known: Vec<_> = known.copied().collect();
                let before = self.pairs(at, &known);
                // Of all that may come none is closer than a row of the watermark's own time.
                let at_watermark = Event {
                    at: watermark,
                    ..Event::default()
                };
                known.push((at_watermark, 1));
                return self.pairs(at, &known) == before;
            }
        };
        watermark > after
    }

    /// Nested loops over what came in on both sides.
    fn nested_loops(self, input: &Net<Event>, chosen: impl Fn(i64) -> bool) -> Net<Pair> {
        self.loops_over(input, |_, _, count| chosen(count))
    }

    /// The same of the left rows that are chosen by their times, the right rows of their key, and their numbers.
    fn loops_over(
        self,
        input: &Net<Event>,
        chosen: impl Fn(i64, &[(Event, i64)], i64) -> bool,
    ) -> Net<Pair> {
        let lefts = input.iter().filter(|(row, _)| is_left(row));
        net(lefts.flat_map(|(left, count)| {
            let rights = input.iter().map(|(row, n)| (*row, *n));
            let rights: Vec<_> = rights
                .filter(|(row, n)| !is_left(row) && row.key == left.key && *n > 0)
                .collect();
            if !chosen(left.at, &rights, *count) {
                return Vec::new();
            }
            let pairs = self.pairs(left.at, &rights).into_iter();
            let pairs = pairs.map(|(right, n)| ((*left, right), n * count));
            pairs.collect::<Vec<_>>()
        }))
    }
}

fn mode<'s>(
    asof: &thalweg::operators::join::asof::Asof<'s, Event, Event, i64>,
    finals: bool,
) -> Table<'s, Pair> {
    if finals { asof.finals() } else { asof.latest() }
}

/// When a row of a history ends: some of them never, some at once.
fn end_of(event: &Event, grain_us: i64) -> i64 {
    event
        .other
        .map_or(i64::MAX, |steps| event.at + (steps + 2) * grain_us)
}

fn is_left(event: &Event) -> bool {
    event.id.is_multiple_of(2)
}

/// Both sources, told apart by their numbers.
fn job(
    cases: &[Case; 2],
    join: Join,
    finals: bool,
    lap: &Lap,
    witness: &Witness,
    out: Collect<Pair>,
) -> Job {
    let (cases, lap, witness) = (cases.clone(), *lap, witness.clone());
    Job::new("join in time", move |g| {
        let left = g.source("left", cases[0].source(&lap))?;
        let right = g.source("right", cases[1].source(&lap))?;
        let left = left.map(|event| numbered(event, 0));
        let right = right.map(|event| numbered(event, 1));
        witness.watch(&left);
        witness.watch(&right);
        join.run(&left, &right, finals)?.sink("out", out.clone())
    })
}

fn numbered(event: Event, side: u32) -> Event {
    Event {
        id: event.id * 2 + side,
        ..event
    }
}

/// One log in two sources, and a join that suits it.
fn draw(dice: &mut Dice) -> ([Case; 2], Join) {
    let case = Case::draw(dice, 150, Retractions::Anywhere);
    let join = Join::draw(dice, case.grain_us);
    (case.split(|event| event.id.is_multiple_of(3)), join)
}

#[test]
fn pairs_are_nested_loops_at_every_epoch() {
    for_seeds(0..360, |seed| {
        let mut dice = Dice::new(seed);
        let (cases, join) = draw(&mut dice);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| job(&cases, join, false, &lap, &witness, out));
        assert_every_epoch_nets(
            &(seed, lap, join, &cases),
            &witness.seen(),
            &written,
            |input, _| join.nested_loops(input, |_| true),
        );
    });
}

#[test]
fn final_pairs_come_once_in_the_epoch_in_which_nothing_can_change_them_any_more() {
    for_seeds(1_000..1_360, |seed| {
        let mut dice = Dice::new(seed);
        let (cases, join) = draw(&mut dice);
        finals_hold(seed, &cases, join, &mut dice);
    });
}

/// Forward and nearest wait for what comes after the label, and how long depends on what has come.
#[test]
fn labels_that_look_ahead_are_final_in_the_epoch_from_which_nothing_can_come_closer() {
    for_seeds(3_000..4_024, |seed| {
        let mut dice = Dice::new(seed);
        let (cases, _) = draw(&mut dice);
        let tolerance = (seed % 4 < 2).then(|| dice.up_to(8) * cases[0].grain_us);
        let join = if seed.is_multiple_of(2) {
            Join::Forward(tolerance)
        } else {
            Join::Nearest(tolerance)
        };
        finals_hold(seed, &cases, join, &mut dice);
    });
}

/// Runs a join in mode final, and holds every epoch to the pairs that are settled by then.
fn finals_hold(seed: u64, cases: &[Case; 2], join: Join, dice: &mut Dice) {
    let (lap, witness) = (Lap::draw(dice), Witness::default());
    let written = once(&lap, |out| job(cases, join, true, &lap, &witness, out));
    assert_every_epoch_appends(
        &(seed, lap, join, cases),
        &witness.seen(),
        &written,
        |input, time| {
            join.loops_over(input, |at, rights, count| {
                count > 0 && join.is_settled(at, rights, time.watermark)
            })
        },
    );
}

#[test]
fn both_modes_come_to_nested_loops_in_any_order_and_for_any_slicing() {
    for_seeds(2_000..2_200, |seed| {
        let mut dice = Dice::new(seed);
        let (cases, join) = draw(&mut dice);
        let cases = cases.map(|case| case.unlimited());
        let shuffled = [&cases[0], &cases[1]].map(|case| case.shuffled(&mut dice));
        let sides = (0..).zip(&cases);
        let rows = sides.flat_map(|(side, case)| {
            let rows = admitted(case).rows.into_iter();
            rows.map(move |(event, diff)| (numbered(event, side), diff))
        });
        let input = net(rows);
        for cases in [&cases, &shuffled] {
            for finals in [false, true] {
                let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
                let (written, _) = lap.simulate(|out| job(cases, join, finals, &lap, &quiet, out));
                let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
                let expected = join.nested_loops(&input, |count| !finals || count > 0);
                assert_same(&found, &expected, &(seed, finals, &lap, join, cases));
            }
        }
    });
}
