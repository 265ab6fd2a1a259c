//! Windows as of the moments of labels: brute force at every epoch in each mode, and in the end in any order; moments of
//! whole numbers and of floats, and aggregates of any kind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_net, once};
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{Net, REAL, RolledRow, WHOLE, admitted, assert_same, net, rolling_at};
use tests::sliding::{SlidRow, sliding_at};
use thalweg::connectors::memory::Collect;
use thalweg::engine::time::{WATERMARK_END, WATERMARK_NONE};
use thalweg::operators::window::at::{Features, PointInTime};
use thalweg::prelude::*;

use crate::{for_seeds, jobs, sliding};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Finals,
    Corrections,
    AsKnown,
    AsKnownBy,
}

/// What labels ask for.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// Of whole numbers.
    Moments,
    /// Of floats.
    Reals,
    Aggregates,
}

/// What a label is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Told {
    Moments(RolledRow),
    Aggregates(SlidRow),
}

/// Labels with what they are told.
type Answers = Net<(Event, Told)>;

/// Events and labels on one time line.
#[derive(Clone, Debug)]
struct Sides {
    events: Case,
    labels: Case,
    /// How far before its own time every second label asks.
    behind_us: i64,
}

impl Sides {
    fn draw(dice: &mut Dice) -> Self {
        let events = Case::draw(dice, 120, Retractions::Anywhere);
        let mut labels = Case::draw(dice, 60, Retractions::Anywhere);
        // Labels that were drawn around another time would meet no events.
        let first = |case: &Case| case.rows().first().map_or(0, |row| row.0.at);
        let shift = first(&events) - first(&labels);
        let rows = labels.partitions.iter_mut().flatten();
        rows.for_each(|(label, _)| label.at += shift);
        let behind_us = events.grain_us * dice.pick(&[0, 0, 5, 20]);
        Self {
            events,
            labels,
            behind_us,
        }
    }

    fn asks_at(&self, label: &Event) -> i64 {
        label.at - i64::from(label.id % 2) * self.behind_us
    }

    fn job(
        &self,
        (of, mode): (Of, Mode),
        lap: &Lap,
        witnesses: &[Witness; 2],
        out: Collect<(Event, Told)>,
    ) -> Job {
        let (sides, lap, witnesses) = (self.clone(), *lap, witnesses.clone());
        Job::new("point in time", move |g| {
            let events = g.source("events", sides.events.source(&lap))?;
            let labels = g.source("labels", sides.labels.source(&lap))?;
            witnesses[0].watch(&events);
            witnesses[1].watch(&labels);
            let asking = sides.clone();
            let labels = labels
                .key_by(|label| label.key)
                .event_time(move |label| asking.asks_at(label));
            let told = match of {
                Of::Moments => {
                    let features = jobs::whole(&events, &sides.events)?.at(&labels);
                    let read = |row| Told::Moments(jobs::read(row));
                    sides.told(features, mode, read)
                }
                Of::Reals => {
                    let features = jobs::floats(&events, &sides.events)?.at(&labels);
                    let read = |row| Told::Moments(jobs::read(row));
                    sides.told(features, mode, read)
                }
                Of::Aggregates => {
                    let keyed = events.key_by(|event| event.key);
                    let windows = keyed.event_time(|event| event.at);
                    let windows = windows.rolling(sides.events.widths())?;
                    let features = windows.aggregate("facts", sliding::facts()).at(&labels);
                    let read = |row| Told::Aggregates(sliding::read(&row));
                    sides.told(features, mode, read)
                }
            };
            told.sink("out", out.clone())
        })
    }

    fn told<'s, R: Features<'s, Of = Event>>(
        &self,
        features: PointInTime<'s, R, Event>,
        mode: Mode,
        read: impl Fn(R::Row) -> Told + 'static,
    ) -> Table<'s, (Event, Told)> {
        let features = features.history(Duration::from_micros(self.behind_us.unsigned_abs()));
        let sides = self.clone();
        let answers = match mode {
            Mode::Finals => features.finals(),
            Mode::Corrections => features.corrections(),
            Mode::AsKnown => features.as_known(),
            Mode::AsKnownBy => features.as_known_by(move |event| sides.events.arrived(event)),
        };
        answers.map(move |(label, row)| (label, read(row.expect("no label is too late"))))
    }

    /// The answers to the labels that ask before `passed`, over the events that count for their moment.
    fn answers(
        &self,
        of: Of,
        (events, labels): (&Net<Event>, &Net<Event>),
        passed: i64,
        counts: impl Fn(&Event, i64) -> bool,
    ) -> Answers {
        let widths = &self.events.widths_us;
        let mut answers = Net::new();
        for (label, copies) in labels {
            let at = self.asks_at(label);
            if at >= passed {
                continue;
            }
            let counted = events.iter().filter(|(event, _)| counts(event, at));
            let counted = counted.map(|(event, copies)| (*event, *copies)).collect();
            let asked = [((*label, at), *copies)];
            let moments = |lanes| {
                let rows = rolling_at(&counted, asked, widths, lanes).into_iter();
                rows.map(|((label, row), n)| ((label, Told::Moments(row)), n))
            };
            match of {
                Of::Moments => answers.extend(moments(&WHOLE)),
                Of::Reals => answers.extend(moments(&REAL)),
                Of::Aggregates => answers.extend(
                    sliding_at(&counted, asked, widths)
                        .into_iter()
                        .map(|((label, row), n)| ((label, Told::Aggregates(row)), n)),
                ),
            }
        }
        answers
    }

    /// What `finals` and `as_known_by` hold under a watermark.
    fn settled(
        &self,
        (of, mode): (Of, Mode),
        input: (&Net<Event>, &Net<Event>),
        watermark: i64,
    ) -> Answers {
        match mode {
            Mode::AsKnownBy => {
                let is_end = watermark == WATERMARK_END;
                let history = if is_end { 0 } else { self.behind_us };
                let passed = watermark.saturating_sub(history);
                let arrived = |event: &Event, at: i64| self.events.arrived(event) <= at;
                self.answers(of, input, passed, arrived)
            }
            _ => self.answers(of, input, watermark, |_, _| true),
        }
    }
}

/// What labels were told when they came, while they are there.
#[derive(Default)]
struct ByComing(BTreeMap<Event, Answers>);

impl ByComing {
    fn tell(&mut self, sides: &Sides, of: Of, (events, labels): (&Net<Event>, &Net<Event>)) {
        self.0
            .retain(|label, _| labels.get(label).is_some_and(|copies| *copies > 0));
        for (label, copies) in labels.iter().filter(|(_, copies)| **copies > 0) {
            let told = self.0.entry(*label).or_insert_with(|| {
                let one = Net::from([(*label, 1)]);
                sides.answers(of, (events, &one), WATERMARK_END, |_, _| true)
            });
            told.values_mut().for_each(|count| *count = *copies);
        }
    }

    fn answers(&self) -> Answers {
        net(self.0.values().flatten().map(|(row, n)| (row.clone(), *n)))
    }
}

fn holds_at_every_epoch(seeds: std::ops::Range<u64>, of: Of, mode: Mode) {
    for_seeds(seeds, |seed| {
        let mut dice = Dice::new(seed);
        let (sides, lap) = (Sides::draw(&mut dice), Lap::draw(&mut dice));
        let witnesses = [Witness::default(), Witness::default()];
        let written = once(&lap, |out| sides.job((of, mode), &lap, &witnesses, out));
        let seen = [0, 1].map(|side: usize| witnesses[side].seen());
        let mut epochs: BTreeSet<u64> = written.iter().map(|(_, epoch, _)| *epoch).collect();
        epochs.extend(seen.iter().flat_map(|seen| seen.times.keys()));
        let (mut events, mut labels, mut output) = (Net::new(), Net::new(), Net::new());
        let (mut watermark, mut told) = (WATERMARK_NONE, ByComing::default());
        for epoch in epochs {
            let [new_events, new_labels] = [0, 1].map(|side: usize| {
                let rows = seen[side].rows.get(&epoch).cloned();
                rows.unwrap_or_default()
            });
            events = net(events.into_iter().chain(new_events));
            labels = net(labels.into_iter().chain(new_labels));
            let times = seen.iter().filter_map(|seen| seen.times.get(&epoch));
            let risen = times.flatten().map(|time| time.watermark).max();
            watermark = risen.map_or(watermark, |risen| risen.max(watermark));
            let rows = written.iter().filter(|update| update.1 == epoch);
            let rows: Vec<_> = rows.map(|(row, _, diff)| (row.clone(), *diff)).collect();
            let context = (seed, epoch, mode, &lap, &sides);
            assert_net(&context, epoch, &rows);
            output = net(output.into_iter().chain(rows));
            let input = (&events, &labels);
            let expected = match mode {
                Mode::Finals | Mode::AsKnownBy => sides.settled((of, mode), input, watermark),
                Mode::Corrections => sides.answers(of, input, WATERMARK_END, |_, _| true),
                Mode::AsKnown => {
                    told.tell(&sides, of, input);
                    told.answers()
                }
            };
            assert_same(&output, &expected, &context);
        }
    });
}

#[test]
fn labels_are_answered_in_the_epoch_in_which_the_watermark_passes_them() {
    holds_at_every_epoch(0..256, Of::Moments, Mode::Finals);
    holds_at_every_epoch(20_000..20_256, Of::Reals, Mode::Finals);
    holds_at_every_epoch(10_000..10_100, Of::Aggregates, Mode::Finals);
}

#[test]
fn labels_are_answered_at_once_and_repaired_at_every_epoch() {
    holds_at_every_epoch(1_000..1_256, Of::Moments, Mode::Corrections);
    holds_at_every_epoch(21_000..21_256, Of::Reals, Mode::Corrections);
    holds_at_every_epoch(11_000..11_100, Of::Aggregates, Mode::Corrections);
}

#[test]
fn labels_keep_at_every_epoch_what_they_were_told_when_they_came() {
    holds_at_every_epoch(2_000..2_256, Of::Moments, Mode::AsKnown);
    holds_at_every_epoch(22_000..22_256, Of::Reals, Mode::AsKnown);
    holds_at_every_epoch(12_000..12_100, Of::Aggregates, Mode::AsKnown);
}

#[test]
fn labels_are_told_at_every_epoch_what_had_arrived_by_their_moment() {
    holds_at_every_epoch(4_000..4_256, Of::Moments, Mode::AsKnownBy);
    holds_at_every_epoch(24_000..24_256, Of::Reals, Mode::AsKnownBy);
    holds_at_every_epoch(14_000..14_100, Of::Aggregates, Mode::AsKnownBy);
}

#[test]
fn all_modes_but_one_are_brute_force_in_the_end_in_any_order() {
    for_seeds(3_000..3_080, |seed| {
        let mut dice = Dice::new(seed);
        let mut sides = Sides::draw(&mut dice);
        sides.events = sides.events.unlimited();
        sides.labels = sides.labels.unlimited();
        let rows = |case: &Case| net(admitted(case).rows);
        let (events, labels) = (rows(&sides.events), rows(&sides.labels));
        let of = dice.pick(&[Of::Moments, Of::Reals, Of::Aggregates]);
        for mode in [Mode::Finals, Mode::Corrections, Mode::AsKnownBy] {
            let expected = sides.settled((of, mode), (&events, &labels), WATERMARK_END);
            sides.events = sides.events.shuffled(&mut dice);
            sides.labels = sides.labels.shuffled(&mut dice);
            let lap = Lap::draw(&mut dice);
            let quiet = [Witness::default(), Witness::default()];
            let (written, _) = lap.simulate(|out| sides.job((of, mode), &lap, &quiet, out));
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, mode, &lap, &sides));
        }
    });
}

/// What `as_known` cannot promise: its answers are those of the epochs in which rows come.
#[test]
fn what_had_arrived_depends_on_no_epochs_reads_or_workers() {
    for_seeds(5_000..5_080, |seed| {
        let mut dice = Dice::new(seed);
        let sides = Sides::draw(&mut dice);
        let rows = |case: &Case| net(admitted(case).rows);
        let input = (&rows(&sides.events), &rows(&sides.labels));
        let asked = (
            dice.pick(&[Of::Moments, Of::Reals, Of::Aggregates]),
            Mode::AsKnownBy,
        );
        let expected = sides.settled(asked, input, WATERMARK_END);
        for _ in 0..3 {
            let (lap, quiet) = (
                Lap::draw(&mut dice),
                [Witness::default(), Witness::default()],
            );
            let written = once(&lap, |out| sides.job(asked, &lap, &quiet, out));
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, &lap, &sides));
        }
    });
}
