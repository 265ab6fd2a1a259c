//! Joins: a lookup in a dimension that is read whole, and the joins of the differential island, against nested loops.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use tests::case::{Case, Retractions, dimension};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch_nets, once};
use tests::event::{Dimension, Event, Signed};
use tests::lap::Lap;
use tests::oracle::{Net, admitted, assert_same, net};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::engine::sim::Sim;
use thalweg::prelude::*;

use crate::for_seeds;

type Found = (Event, Option<Dimension>);

fn lookup(
    case: &Case,
    rows: &[Signed<Dimension>],
    lap: &Lap,
    facts_first: bool,
    out: Collect<Found>,
) -> Job {
    let (case, lap, rows) = (case.clone(), *lap, rows.to_vec());
    Job::new("lookup", move |g| {
        let log = || Log::partitions(rows.clone()).batch_rows(lap.batch_rows);
        // The order in which sources are named must not matter.
        let (facts, dimension) = if facts_first {
            let facts = g.source("facts", case.source(&lap))?;
            (facts, g.source("dimension", log().untimed())?)
        } else {
            let dimension = g.source("dimension", log().untimed())?;
            (g.source("facts", case.source(&lap))?, dimension)
        };
        let keyed = dimension.key_by(|row| row.key);
        let found = facts.key_by(|event| event.key).lookup("names", &keyed);
        found.sink("out", out.clone())
    })
}

#[test]
fn a_lookup_in_an_untimed_dimension_meets_the_whole_of_it() {
    for_seeds(0..120, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 150, Retractions::InOrder);
        let rows = dimension(&mut dice);
        let present = net(rows.concat());
        for facts_first in [true, false] {
            let lap = Lap::draw(&mut dice);
            let (written, _) = lap.simulate(|out| lookup(&case, &rows, &lap, facts_first, out));
            let expected = net(admitted(&case).rows.into_iter().map(|(event, diff)| {
                let of_key = present
                    .iter()
                    .filter(|(row, count)| row.key == event.key && **count > 0);
                ((event, of_key.map(|(row, _)| *row).max()), diff)
            }));
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, &lap, &case));
        }
    });
}

/// A lookup of events in events, which may change as time passes, both watched.
fn lookup_as_of(
    facts: &Case,
    dimension: &Case,
    timed: bool,
    lap: &Lap,
    witnesses: &[Witness; 2],
    out: Collect<(Event, Option<Event>)>,
) -> Job {
    let (facts, dimension, lap) = (facts.clone(), dimension.clone(), *lap);
    let witnesses = witnesses.clone();
    Job::new("lookup as of", move |g| {
        let rows = if timed {
            g.source("dimension", dimension.source(&lap))?
        } else {
            let log = Log::partitions(dimension.partitions.clone());
            g.source("dimension", log.batch_rows(lap.batch_rows).untimed())?
        };
        let facts = g.source("facts", facts.source(&lap))?;
        witnesses[0].watch(&facts);
        witnesses[1].watch(&rows);
        let found = facts
            .key_by(|event| event.key)
            .lookup("events", &rows.key_by(|event| event.key));
        found.sink("out", out.clone())
    })
}

#[test]
fn a_lookup_meets_at_every_epoch_the_dimension_as_of_that_epoch() {
    for_seeds(2_000..2_240, |seed| {
        let mut dice = Dice::new(seed);
        let (facts, dimension) = (
            Case::draw(&mut dice, 120, Retractions::Anywhere),
            Case::draw(&mut dice, 60, Retractions::Anywhere),
        );
        let (lap, timed) = (Lap::draw(&mut dice), dice.chance(70));
        let witnesses = [Witness::default(), Witness::default()];
        let written = once(&lap, |out| {
            lookup_as_of(&facts, &dimension, timed, &lap, &witnesses, out)
        });
        let [facts_seen, rows_seen] = [0, 1].map(|side: usize| witnesses[side].seen().rows);
        let mut epochs: BTreeSet<u64> = written.iter().map(|(_, epoch, _)| *epoch).collect();
        epochs.extend(facts_seen.keys());
        for epoch in epochs {
            let so_far = rows_seen.range(..=epoch).flat_map(|(_, rows)| rows);
            let present = net(so_far.copied());
            let find = |key: i64| {
                let of_key = present.iter().filter(|(row, n)| row.key == key && **n > 0);
                of_key.map(|(row, _)| *row).max()
            };
            let here = facts_seen.get(&epoch).into_iter().flatten();
            let expected = net(here.map(|(event, diff)| ((*event, find(event.key)), *diff)));
            let found = written.iter().filter(|(_, at, _)| *at == epoch);
            let found = net(found.map(|(row, _, diff)| (*row, *diff)));
            let context = (seed, epoch, &lap, &facts, &dimension);
            assert_same(&found, &expected, &context);
        }
    });
}

/// The epochs that rows of a dimension came in, and those of facts.
type Epochs = Arc<Mutex<(Vec<u64>, Vec<u64>)>>;

fn epochs_of(case: &Case, rows: &[Signed<Dimension>], lap: &Lap, epochs: &Epochs) -> Job {
    let (case, lap, rows) = (case.clone(), *lap, rows.to_vec());
    let epochs = Arc::clone(epochs);
    Job::new("epochs", move |g| {
        let (first, second) = (Arc::clone(&epochs), Arc::clone(&epochs));
        let log = Log::partitions(rows.clone()).batch_rows(lap.batch_rows);
        let facts = g.source("facts", case.source(&lap))?;
        let facts = facts.inspect(move |_, epoch, _| second.lock().unwrap().1.push(epoch));
        let dimension = g.source("dimension", log.untimed())?;
        let dimension = dimension.inspect(move |_, epoch, _| first.lock().unwrap().0.push(epoch));
        let names = dimension.map(|row| row.key);
        names
            .union(&facts.map(|event| event.key))
            .sink("out", Collect::new())
    })
}

#[test]
fn timed_rows_come_in_later_epochs_than_every_row_of_a_dimension() {
    for_seeds(500..600, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 100, Retractions::InOrder);
        let rows = dimension(&mut dice);
        let (lap, epochs) = (Lap::draw(&mut dice), Epochs::default());
        let job = epochs_of(&case, &rows, &lap, &epochs);
        Sim::new(seed, lap.config().unwrap()).run(&job).unwrap();
        let (dimension, facts) = epochs.lock().unwrap().clone();
        if let (Some(last), Some(first)) = (dimension.iter().max(), facts.iter().min()) {
            assert!(
                last < first,
                "seed {seed}, {lap:?}: {last} is not before {first}"
            );
        }
    });
}

fn join(
    case: &Case,
    rows: &[Signed<Dimension>],
    lap: &Lap,
    out: Collect<(Event, Dimension)>,
) -> Job {
    let (case, lap, rows) = (case.clone(), *lap, rows.to_vec());
    Job::new("join", move |g| {
        let facts = g.source("facts", case.source(&lap))?;
        // Timed, so that both sides change in the same epochs and differential repairs the past.
        let log = Log::partitions(rows.clone()).batch_rows(lap.batch_rows);
        let names = g.source("names", log.event_time(|row| row.key))?;
        let names = names.map(|row| (row.key, row)).collection();
        let facts = facts.map(|event| (event.key, event));
        let joined = facts.differential(|facts| facts.join(names).map(|(_, pair)| pair));
        joined.sink("out", out.clone())
    })
}

#[test]
fn a_differential_join_is_nested_loops_over_the_net_of_both_sides() {
    for_seeds(1_000..1_080, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 100, Retractions::Anywhere).unlimited();
        let rows = dimension(&mut dice);
        let present = net(rows.concat());
        let expected = net(net(case.rows()).iter().flat_map(|(event, copies)| {
            let of_key = present.iter().filter(|(row, _)| row.key == event.key);
            of_key
                .map(|(row, count)| ((*event, *row), copies * count))
                .collect::<Vec<_>>()
        }));
        for case in [case.clone(), case.shuffled(&mut dice)] {
            let lap = Lap::draw(&mut dice);
            let (written, _) = lap.simulate(|out| join(&case, &rows, &lap, out));
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, &lap, &case));
        }
    });
}

/// A join without bounds in time.
#[derive(Clone, Copy, Debug)]
enum Unbounded {
    Inner,
    Left,
    Full,
    Semi,
    Anti,
}

type Sides = (Option<Event>, Option<Event>);

impl Unbounded {
    const ALL: [Self; 5] = [Self::Inner, Self::Left, Self::Full, Self::Semi, Self::Anti];

    /// Nested loops over what came in on both sides.
    fn nested_loops(self, input: &Net<Event>) -> Net<Sides> {
        let (lefts, rights): (Signed<Event>, Signed<Event>) = input
            .iter()
            .map(|(row, n)| (*row, *n))
            .partition(|(row, _)| is_left(row));
        let meets = |row: &Event, others: &Signed<Event>| {
            let of_key = others.iter().filter(|(other, _)| other.key == row.key);
            of_key.map(|(_, n)| n).sum::<i64>() > 0
        };
        let mut all = Vec::new();
        for (left, n) in &lefts {
            let is_met = meets(left, &rights);
            let alone = ((Some(*left), None), *n);
            match self {
                Self::Semi => all.extend(is_met.then_some(alone)),
                Self::Anti => all.extend((!is_met).then_some(alone)),
                Self::Inner => {}
                Self::Left | Self::Full => all.extend((!is_met).then_some(alone)),
            }
            if matches!(self, Self::Inner | Self::Left | Self::Full) {
                let pairs = rights.iter().filter(|(right, _)| right.key == left.key);
                all.extend(pairs.map(|(right, m)| ((Some(*left), Some(*right)), n * m)));
            }
        }
        if matches!(self, Self::Full) {
            let alone = rights.iter().filter(|(right, _)| !meets(right, &lefts));
            all.extend(alone.map(|(right, n)| ((None, Some(*right)), *n)));
        }
        net(all)
    }
}

fn is_left(event: &Event) -> bool {
    event.id.is_multiple_of(3)
}

fn unbounded(
    cases: &[Case; 2],
    join: Unbounded,
    lap: &Lap,
    witness: &Witness,
    out: Collect<Sides>,
) -> Job {
    let (cases, lap, witness) = (cases.clone(), *lap, witness.clone());
    Job::new("unbounded", move |g| {
        let left = g.source("left", cases[0].source(&lap))?;
        let right = g.source("right", cases[1].source(&lap))?;
        witness.watch(&left);
        witness.watch(&right);
        let (left, right) = (
            left.key_by(|event| event.key),
            right.key_by(|event| event.key),
        );
        let pairs = match join {
            Unbounded::Inner => {
                let pairs = left.join("inner", &right);
                pairs.map(|(left, right)| (Some(left), Some(right)))
            }
            Unbounded::Left => {
                let pairs = left.left_join("left", &right);
                pairs.map(|(left, right)| (Some(left), right))
            }
            Unbounded::Full => left.full_join("full", &right),
            Unbounded::Semi => left
                .semi_join("semi", &right)
                .map(|left| (Some(left), None)),
            Unbounded::Anti => left
                .anti_join("anti", &right)
                .map(|left| (Some(left), None)),
        };
        pairs.sink("out", out.clone())
    })
}

fn holds_at_every_epoch(seeds: std::ops::Range<u64>, join: Unbounded) {
    for_seeds(seeds, |seed| {
        let mut dice = Dice::new(seed);
        let cases = Case::draw(&mut dice, 80, Retractions::Anywhere).split(is_left);
        let (lap, witness) = (Lap::draw(&mut dice), Witness::default());
        let written = once(&lap, |out| unbounded(&cases, join, &lap, &witness, out));
        assert_every_epoch_nets(
            &(seed, lap, join, &cases),
            &witness.seen(),
            &written,
            |input, _| join.nested_loops(input),
        );
    });
}

#[test]
fn inner_joins_are_nested_loops_at_every_epoch() {
    holds_at_every_epoch(3_000..3_080, Unbounded::Inner);
}

#[test]
fn left_joins_are_nested_loops_at_every_epoch() {
    holds_at_every_epoch(3_100..3_180, Unbounded::Left);
}

#[test]
fn full_joins_are_nested_loops_at_every_epoch() {
    holds_at_every_epoch(3_200..3_280, Unbounded::Full);
}

#[test]
fn semi_joins_are_nested_loops_at_every_epoch() {
    holds_at_every_epoch(3_300..3_380, Unbounded::Semi);
}

#[test]
fn anti_joins_are_nested_loops_at_every_epoch() {
    holds_at_every_epoch(3_400..3_480, Unbounded::Anti);
}

#[test]
fn joins_without_bounds_in_time_come_to_nested_loops_for_any_workers_slicing_and_order() {
    for_seeds(4_000..4_060, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 80, Retractions::Anywhere).unlimited();
        let reordered = case.shuffled(&mut dice);
        let input = net(admitted(&case).rows);
        for join in Unbounded::ALL {
            let expected = join.nested_loops(&input);
            let few_and_many = [(&case, 1 + dice.below(2)), (&reordered, 3 + dice.below(2))];
            for (case, workers) in few_and_many {
                let cases = case.split(is_left);
                let lap = Lap {
                    workers,
                    ..Lap::draw(&mut dice)
                };
                let quiet = Witness::default();
                let (written, _) = lap.simulate(|out| unbounded(&cases, join, &lap, &quiet, out));
                let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
                assert_same(&found, &expected, &(seed, join, &lap, &cases));
            }
        }
    });
}
