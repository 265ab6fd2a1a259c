//! Windows as of the moments of labels: brute force at every epoch in each mode, and in the end in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_net, once};
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{Net, RolledRow, WHOLE, admitted, assert_same, net, rolling_at};
use thalweg::connectors::memory::Collect;
use thalweg::engine::time::{WATERMARK_END, WATERMARK_NONE};
use thalweg::prelude::*;

use crate::{for_seeds, jobs};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Finals,
    Corrections,
    AsKnown,
}

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
        mode: Mode,
        lap: &Lap,
        witnesses: &[Witness; 2],
        out: Collect<(Event, RolledRow)>,
    ) -> Job {
        let (sides, lap, witnesses) = (self.clone(), *lap, witnesses.clone());
        Job::new("point in time", move |g| {
            let events = g.source("events", sides.events.source(&lap))?;
            let labels = g.source("labels", sides.labels.source(&lap))?;
            witnesses[0].watch(&events);
            witnesses[1].watch(&labels);
            let history = Duration::from_micros(sides.behind_us.unsigned_abs());
            let asking = sides.clone();
            let labels = labels
                .key_by(|label| label.key)
                .event_time(move |label| asking.asks_at(label));
            let features = jobs::whole(&events, &sides.events)?;
            let features = features.at(&labels).history(history);
            let answers = match mode {
                Mode::Finals => features.finals(),
                Mode::Corrections => features.corrections(),
                Mode::AsKnown => features.as_known(),
            };
            let read = |(label, row): (Event, Option<_>)| {
                (label, jobs::read(row.expect("no label is too late")))
            };
            answers.map(read).sink("out", out.clone())
        })
    }

    /// The answers to the labels that ask before `passed`.
    fn answers(
        &self,
        events: &Net<Event>,
        labels: &Net<Event>,
        passed: i64,
    ) -> Net<(Event, RolledRow)> {
        let asking = labels
            .iter()
            .map(|(label, copies)| ((*label, self.asks_at(label)), *copies));
        let asking = asking.filter(|((_, at), _)| *at < passed);
        rolling_at(events, asking, &self.events.widths_us, &WHOLE)
    }
}

/// What labels were told when they came, while they are there.
#[derive(Default)]
struct Told(BTreeMap<Event, Net<(Event, RolledRow)>>);

impl Told {
    fn tell(&mut self, sides: &Sides, events: &Net<Event>, labels: &Net<Event>) {
        self.0
            .retain(|label, _| labels.get(label).is_some_and(|copies| *copies > 0));
        for (label, copies) in labels.iter().filter(|(_, copies)| **copies > 0) {
            let told = self.0.entry(*label).or_insert_with(|| {
                let one = Net::from([(*label, 1)]);
                sides.answers(events, &one, WATERMARK_END)
            });
            told.values_mut().for_each(|count| *count = *copies);
        }
    }

    fn answers(&self) -> Net<(Event, RolledRow)> {
        net(self.0.values().flatten().map(|(row, n)| (row.clone(), *n)))
    }
}

fn holds_at_every_epoch(seeds: std::ops::Range<u64>, mode: Mode) {
    for_seeds(seeds, |seed| {
        let mut dice = Dice::new(seed);
        let (sides, lap) = (Sides::draw(&mut dice), Lap::draw(&mut dice));
        let witnesses = [Witness::default(), Witness::default()];
        let written = once(&lap, |out| sides.job(mode, &lap, &witnesses, out));
        let seen = [0, 1].map(|side: usize| witnesses[side].seen());
        let mut epochs: BTreeSet<u64> = written.iter().map(|(_, epoch, _)| *epoch).collect();
        epochs.extend(seen.iter().flat_map(|seen| seen.times.keys()));
        let (mut events, mut labels, mut output) = (Net::new(), Net::new(), Net::new());
        let (mut watermark, mut told) = (WATERMARK_NONE, Told::default());
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
            let expected = match mode {
                Mode::Finals => sides.answers(&events, &labels, watermark),
                Mode::Corrections => sides.answers(&events, &labels, WATERMARK_END),
                Mode::AsKnown => {
                    told.tell(&sides, &events, &labels);
                    told.answers()
                }
            };
            assert_same(&output, &expected, &context);
        }
    });
}

#[test]
fn labels_are_answered_in_the_epoch_in_which_the_watermark_passes_them() {
    holds_at_every_epoch(0..200, Mode::Finals);
}

#[test]
fn labels_are_answered_at_once_and_repaired_at_every_epoch() {
    holds_at_every_epoch(1_000..1_200, Mode::Corrections);
}

#[test]
fn labels_keep_at_every_epoch_what_they_were_told_when_they_came() {
    holds_at_every_epoch(2_000..2_200, Mode::AsKnown);
}

#[test]
fn finals_and_corrections_are_brute_force_in_the_end_in_any_order() {
    for_seeds(3_000..3_080, |seed| {
        let mut dice = Dice::new(seed);
        let mut sides = Sides::draw(&mut dice);
        sides.events = sides.events.unlimited();
        sides.labels = sides.labels.unlimited();
        let rows = |case: &Case| net(admitted(case).rows);
        let (events, labels) = (rows(&sides.events), rows(&sides.labels));
        let expected = sides.answers(&events, &labels, WATERMARK_END);
        for mode in [Mode::Finals, Mode::Corrections] {
            sides.events = sides.events.shuffled(&mut dice);
            sides.labels = sides.labels.shuffled(&mut dice);
            let lap = Lap::draw(&mut dice);
            let quiet = [Witness::default(), Witness::default()];
            let (written, _) = lap.simulate(|out| sides.job(mode, &lap, &quiet, out));
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, mode, &lap, &sides));
        }
    });
}
