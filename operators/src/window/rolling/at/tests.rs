//! Labels against brute force after every epoch, in all modes, and saved and loaded.

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::array::Array;
use crate::laws::{Epochs, Row, Side, Sided, assert_continues, log, side_tag};
use crate::value::Fixed;
use crate::window::rolling::brute::{Net, collect, is_net, windows};
use crate::window::rolling::form::{Compact, WithoutExtremes};
use crate::window::rolling::widths::Widths;

type Asked = Side<Event<i64, 1, ()>, Label<i64, u32>>;

/// Labels come up to so many steps behind the watermark.
const HISTORY_STEPS: i64 = 9;

/// A log of events and labels, some of which are behind.
fn sides(seed: u64, step_us: i64) -> Epochs<Asked> {
    log(seed, step_us, |row: Row| {
        let behind = if row.id.is_multiple_of(2) {
            HISTORY_STEPS
        } else {
            0
        };
        match row.id % 5 {
            0 | 1 => Side::Right(
                row.key.tag(),
                Label {
                    at: row.at - behind * step_us,
                    key: row.key,
                    label: row.id % 32,
                },
            ),
            _ => Side::Left(
                row.key.tag(),
                Event {
                    key: row.key,
                    at: row.at,
                    lanes: Array([row.value]),
                    payload: (),
                },
            ),
        }
    })
}

/// What has come so far, and what `as_known` has told.
#[derive(Default)]
struct World {
    events: BTreeMap<Event<i64, 1, ()>, i64>,
    labels: BTreeMap<Label<i64, u32>, i64>,
    told: BTreeMap<Label<i64, u32>, String>,
    widths: [i64; 2],
    /// Whether windows keep no extremes.
    bare: bool,
}

impl World {
    fn take(&mut self, rows: &[(Asked, i64)]) {
        for (row, diff) in rows {
            match row {
                Side::Left(_, event) => *self.events.entry(event.clone()).or_insert(0) += diff,
                Side::Right(_, label) => *self.labels.entry(label.clone()).or_insert(0) += diff,
            }
        }
        for (label, count) in &self.labels {
            if *count <= 0 {
                self.told.remove(label);
            } else if !self.told.contains_key(label) {
                self.told.insert(label.clone(), self.answer(label));
            }
        }
    }

    fn answer(&self, label: &Label<i64, u32>) -> String {
        let of_key = self
            .events
            .iter()
            .filter(|(event, _)| event.key == label.key);
        let numbers = of_key.map(|(event, n)| (event.at, event.lanes[0], *n));
        let mut rolled = Rolled {
            key: label.key,
            at: label.at,
            windows: windows(numbers, label.at, self.widths),
        };
        if self.bare {
            let windows = rolled.windows.iter_mut().flat_map(|lanes| lanes.iter_mut());
            windows.for_each(|window| *window = window.without_extremes(std::iter::empty()));
        }
        format!("{:?}", (label.label, Some(rolled)))
    }

    fn answers(&self, passed: EventTime) -> Net {
        let mut answers = Net::new();
        for (label, count) in self.labels.iter().filter(|(label, _)| label.at < passed) {
            answers.add(self.answer(label), *count);
        }
        answers
    }

    fn told(&self) -> Net {
        let mut answers = Net::new();
        for (label, answer) in &self.told {
            answers.add(answer.clone(), self.labels[label]);
        }
        answers
    }
}

/// Runs a state over logs, and holds its output to `expected` after every epoch.
fn holds<S, O: std::fmt::Debug>(
    bare: bool,
    make: impl Fn(Widths<2>, i64) -> S,
    expected: impl Fn(&World, EventTime) -> Net,
) where
    S: PairedState<Left = Event<i64, 1, ()>, Right = Label<i64, u32>, Out = O>,
{
    for (seed, step_us) in (0..300).zip([1_i64, 60_000_000].into_iter().cycle()) {
        let widths_us = [
            3 * step_us,
            [4, 20, 200][usize::try_from(seed % 3).unwrap()] * step_us,
        ];
        let widths = Widths::new(widths_us.map(|us| Duration::from_micros(us.unsigned_abs())));
        // A row is drawn up to a µs after its step.
        let mut state = make(widths.unwrap(), HISTORY_STEPS * step_us);
        let mut output = Net::new();
        let mut world = World {
            widths: widths_us,
            bare,
            ..World::default()
        };
        for (index, (time, rows)) in sides(seed, step_us).iter().enumerate() {
            world.take(rows);
            let (mut events, mut labels) = (Vec::new(), Vec::new());
            for (row, diff) in rows.iter().cloned() {
                match row {
                    Side::Left(_, event) => events.push((event, time.epoch, diff)),
                    Side::Right(_, label) => labels.push((label, time.epoch, diff)),
                }
            }
            let written = collect(time, |out| {
                state.epoch(time, events.into(), labels.into(), out);
            });
            assert!(is_net(&written), "seed {seed}, epoch {index}: {written:?}");
            written
                .into_iter()
                .for_each(|(row, diff)| output.add(row, diff));
            let expected = expected(&world, time.watermark);
            assert_eq!(output, expected, "seed {seed}, epoch {index}");
        }
    }
}

#[test]
fn a_label_is_answered_when_the_watermark_has_passed_it() {
    fn check<F: Form>() {
        let make = finals::Finals::<_, Fixed<0>, _, 1, 2, F>::new;
        holds(!F::KEEPS_EXTREMES, make, World::answers);
    }
    check::<Wide>();
    check::<WithoutExtremes<Wide>>();
}

#[test]
fn a_label_is_answered_at_once_and_repaired() {
    fn check<F: Form>() {
        let make = corrections::Corrections::<_, Fixed<0>, _, 1, 2, F>::new;
        holds(!F::KEEPS_EXTREMES, make, |world, _| {
            world.answers(EventTime::MAX)
        });
    }
    check::<Compact>();
    check::<WithoutExtremes<Compact>>();
}

#[test]
fn a_label_is_told_what_was_known_when_it_came() {
    fn check<F: Form>() {
        let make = known::AsKnown::<_, Fixed<0>, _, 1, 2, F>::new;
        holds(!F::KEEPS_EXTREMES, make, |world, _| world.told());
    }
    check::<Compact>();
    check::<WithoutExtremes<Compact>>();
}

#[test]
fn a_label_further_behind_than_the_history_is_passed_on_without_an_answer() {
    let widths = Widths::new([Duration::from_micros(5)]).unwrap();
    let label = |at| Label {
        at,
        key: 1_i64,
        label: (),
    };
    let time = thalweg_engine::keyed::EpochTime {
        watermark_before: 100,
        watermark: 100,
        ..Default::default()
    };
    let labels = || vec![(label(89), 1, 1), (label(90), 1, 1)];
    let expected = [1, 0].map(|answered| answered == 0);
    let answered = |written: Vec<(String, i64)>| {
        let mut has_answer: Vec<bool> = written.iter().map(|row| row.0.contains("Some")).collect();
        has_answer.sort_unstable();
        has_answer
    };
    let mut state = finals::Finals::<_, Fixed<0>, _, 1, 1, Wide>::new(widths, 10);
    let written = collect(&time, |out| {
        state.epoch(&time, Vec::new().into(), labels().into(), out);
    });
    assert_eq!(answered(written), expected);
    let mut state = corrections::Corrections::<_, Fixed<0>, _, 1, 1, Wide>::new(widths, 10);
    let written = collect(&time, |out| {
        state.epoch(&time, Vec::new().into(), labels().into(), out);
    });
    assert_eq!(answered(written), expected);
    let mut state = known::AsKnown::<_, Fixed<0>, _, 1, 1, Wide>::new(widths, 10);
    let written = collect(&time, |out| {
        state.epoch(&time, Vec::new().into(), labels().into(), out);
    });
    assert_eq!(answered(written), expected);
}

/// A law test found it: what is fetched ahead of its use was looked for under the handle of a key, and there was none.
#[test]
fn many_labels_of_keys_without_any_event_have_empty_windows() {
    let widths = Widths::new([Duration::from_micros(5)]).unwrap();
    let time = thalweg_engine::keyed::EpochTime {
        watermark: 100,
        ..Default::default()
    };
    let label = |key: i64| Label {
        at: key,
        key,
        label: (),
    };
    let labels: Vec<_> = (0..50).map(|key| (label(key), 1, 1)).collect();
    let mut state = finals::Finals::<_, Fixed<0>, _, 1, 1, Wide>::new(widths, 0);
    let written = collect(&time, |out| {
        state.epoch(&time, Vec::new().into(), labels.into(), out);
    });
    assert_eq!(written.len(), 50);
    assert!(written.iter().all(|row| row.0.contains("events: 0")));
}

#[test]
fn saved_labels_continue_in_every_mode_as_if_never_interrupted() {
    for (seed, step_us) in (0..40).zip([1_i64, 60_000_000].into_iter().cycle()) {
        let width = |steps| Duration::from_micros(step_us.unsigned_abs() * steps);
        let widths = Widths::new([width(3), width(20)]).unwrap();
        let (epochs, history) = (sides(seed, step_us), HISTORY_STEPS * step_us);
        type Finals = finals::Finals<i64, Fixed<0>, u32, 1, 2, Compact>;
        assert_continues(|| Sided(Finals::new(widths, history)), side_tag, &epochs);
        type Corrections = corrections::Corrections<i64, Fixed<0>, u32, 1, 2, Compact>;
        assert_continues(
            || Sided(Corrections::new(widths, history)),
            side_tag,
            &epochs,
        );
        type AsKnown = known::AsKnown<i64, Fixed<0>, u32, 1, 2, Compact>;
        assert_continues(|| Sided(AsKnown::new(widths, history)), side_tag, &epochs);
    }
}
