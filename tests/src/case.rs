//! Logs of signed events, drawn from a seed: few keys, ties, lateness, retractions, nulls, extremes.

use std::time::Duration;

use thalweg::connectors::memory::Log;
use thalweg::prelude::{SourceExt, SourceSpec};

use crate::dice::Dice;
use crate::event::{Dimension, Event, ODD, ODD_FROM, REAL_UNITS, Signed};
use crate::lap::Lap;

/// Steps after which an event arrives, by its own word: before it happened, at once, up to beyond the widest window.
const ARRIVAL_STEPS: [i64; 7] = [0, 0, -3, 1, 4, 12, 40];

/// What kind of log is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retractions {
    /// A retraction follows its event in the event's own partition: counts never go below zero.
    InOrder,
    /// A retraction may come first, or in another partition: it may be late where its event is not, and vice versa.
    Anywhere,
}

/// A log in its partitions, with how late its rows may be and what widths suit it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The rows of each partition, in order.
    pub partitions: Vec<Signed<Event>>,
    /// How late rows may be; `None` is without limit.
    pub lateness_us: Option<i64>,
    /// Three widths, in any order and perhaps equal.
    pub widths_us: [i64; 3],
    /// The step of time that the log was drawn in.
    pub grain_us: i64,
}

impl Case {
    /// A log of up to `rows_max` rows.
    #[must_use]
    pub fn draw(dice: &mut Dice, rows_max: usize, retractions: Retractions) -> Self {
        // Timers are kept in buckets of about a second, the calendar in buckets of about a minute: steps on either side.
        let grain_us = dice.pick(&[1, 1_000, 1 << 19, 1_000_000, 60_000_000]);
        let late_steps = dice.up_to(7);
        let partitions = 1 + dice.below(3);
        let rows = dice.below(rows_max + 1);
        let mut drawer = Drawer::new(dice, grain_us, late_steps);
        let mut places: Vec<(i64, usize, Event, i64)> = Vec::new();
        for index in 0..rows {
            let event = drawer.event(dice, index);
            let copies = if dice.chance(8) { 2 } else { 1 };
            let (order, partition) = (index as i64 * 16, dice.below(partitions));
            places.push((order, partition, event, copies));
            if dice.chance(25) {
                let taken = if dice.chance(50) { 1 } else { copies };
                let after = 8 + 16 * dice.up_to(40);
                let (order, partition) = match retractions {
                    Retractions::InOrder => (order + after, partition),
                    Retractions::Anywhere if dice.chance(25) => {
                        (order - 16 * dice.up_to(12), dice.below(partitions))
                    }
                    Retractions::Anywhere => (order + after, dice.below(partitions)),
                };
                places.push((order, partition, event, -taken));
            }
        }
        places.sort_by_key(|place| place.0);
        let mut dealt = vec![Vec::new(); partitions];
        for (_, partition, event, diff) in places {
            dealt[partition].push((event, diff));
        }
        Self {
            partitions: dealt,
            lateness_us: Some(late_steps * grain_us),
            widths_us: std::array::from_fn(|_| grain_us * dice.pick(&[1, 3, 4, 10, 30])),
            grain_us,
        }
    }

    /// The same rows with no limit to lateness.
    #[must_use]
    pub fn unlimited(mut self) -> Self {
        self.lateness_us = None;
        self
    }

    /// The same log from another moment on and at another pace, the spread of its moments kept in steps.
    #[must_use]
    pub fn paced(mut self, from_us: i64, grain_us: i64) -> Self {
        let old_us = std::mem::replace(&mut self.grain_us, grain_us);
        let events = || self.partitions.iter().flatten().map(|(event, _)| event.at);
        let first = events().min().unwrap_or(0);
        let paced = |at: i64| {
            let after_us = i128::from(at - first) * i128::from(grain_us) / i128::from(old_us);
            from_us + after_us as i64
        };
        for (event, _) in self.partitions.iter_mut().flatten() {
            event.at = paced(event.at);
        }
        self.lateness_us = self.lateness_us.map(|us| us / old_us * grain_us);
        self.widths_us = self.widths_us.map(|us| us / old_us * grain_us);
        self
    }

    /// The same rows in any order, dealt to any number of partitions.
    #[must_use]
    pub fn shuffled(&self, dice: &mut Dice) -> Self {
        let mut rows = self.rows();
        dice.shuffle(&mut rows);
        let mut dealt = vec![Vec::new(); 1 + dice.below(3)];
        for row in rows {
            let partition = dice.below(dealt.len());
            dealt[partition].push(row);
        }
        Self {
            partitions: dealt,
            ..self.clone()
        }
    }

    /// The rows that `belongs` holds for, and the others, each in the partition and the order of the whole.
    #[must_use]
    pub fn split(&self, belongs: impl Fn(&Event) -> bool) -> [Self; 2] {
        [true, false].map(|wanted| {
            let ours = |rows: &Signed<Event>| {
                let ours = rows.iter().filter(|(event, _)| belongs(event) == wanted);
                ours.copied().collect()
            };
            Self {
                partitions: self.partitions.iter().map(ours).collect(),
                ..self.clone()
            }
        })
    }

    /// When an event arrived, by its own word.
    #[must_use]
    pub fn arrived(&self, event: &Event) -> i64 {
        let steps = ARRIVAL_STEPS[event.id as usize % ARRIVAL_STEPS.len()];
        event.at + steps * self.grain_us
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> Signed<Event> {
        self.partitions.concat()
    }

    /// The widths as a job names them.
    #[must_use]
    pub fn widths(&self) -> [Duration; 3] {
        self.widths_us
            .map(|width| Duration::from_micros(width.unsigned_abs()))
    }

    /// The log as a source, in reads of the lap's size.
    #[must_use]
    pub fn source(&self, lap: &Lap) -> SourceSpec<Event> {
        let log = Log::partitions(self.partitions.clone()).batch_rows(lap.batch_rows);
        let spec = log.event_time(|event| event.at);
        match self.lateness_us {
            Some(lateness) => spec.lateness(Duration::from_micros(lateness.unsigned_abs())),
            None => spec,
        }
    }
}

/// Draws one event after another.
struct Drawer {
    now: i64,
    grain_us: i64,
    late_steps: i64,
    keys: usize,
    busy_percent: u64,
    last: Event,
}

impl Drawer {
    fn new(dice: &mut Dice, grain_us: i64, late_steps: i64) -> Self {
        Self {
            now: dice.pick(&[0, -7 * grain_us, 1_700_000_000_000_000]),
            grain_us,
            late_steps,
            keys: 1 + dice.below(40),
            busy_percent: dice.pick(&[0, 50, 90]),
            last: Event::default(),
        }
    }

    fn event(&mut self, dice: &mut Dice, index: usize) -> Event {
        if index > 0 && dice.chance(5) {
            return self.last;
        }
        if dice.chance(55) {
            self.now += dice.up_to(3) * self.grain_us;
        }
        if dice.chance(2) {
            self.now += 35 * self.grain_us;
        }
        let mut at = self.now;
        if dice.chance(30) {
            at -= dice.up_to(2 * self.late_steps + 1) * self.grain_us;
        }
        if dice.chance(20) {
            at += dice.up_to(3) - 1;
        }
        let busy = dice.chance(self.busy_percent);
        self.last = Event {
            key: if busy {
                7
            } else {
                dice.below(self.keys) as i64
            },
            at,
            id: index as u32,
            value: whole(dice),
            other: (!dice.chance(20)).then(|| dice.up_to(5) - 2),
            real: real(dice),
        };
        self.last
    }
}

fn whole(dice: &mut Dice) -> Option<i64> {
    match dice.below(20) {
        0 => None,
        1 => Some(dice.pick(&[i64::MAX, i64::MIN + 1, i64::MIN, 0])),
        2 => Some(dice.bits() as i64),
        3..=5 => Some(dice.up_to(2_000_000) - 1_000_000),
        _ => Some(dice.up_to(7) - 3),
    }
}

fn real(dice: &mut Dice) -> Option<i64> {
    match dice.below(16) {
        0 => None,
        1 => Some(ODD_FROM + dice.below(ODD.len()) as i64),
        2 => Some((dice.bits() >> 12) as i64 - (1 << 51)),
        3..=8 => Some(dice.up_to(200 * REAL_UNITS) - 100 * REAL_UNITS),
        _ => Some((dice.up_to(5) - 2) * REAL_UNITS / 2),
    }
}

/// Partitions of a dimension: several rows for some keys, some of them taken back.
#[must_use]
pub fn dimension(dice: &mut Dice) -> Vec<Signed<Dimension>> {
    let mut dealt = vec![Vec::new(); 1 + dice.below(3)];
    for name in 0..dice.below(60) as u32 {
        let row = Dimension {
            key: dice.up_to(40),
            name: name % 17,
        };
        let partition = dice.below(dealt.len());
        dealt[partition].push((row, 1));
        if dice.chance(30) {
            let partition = dice.below(dealt.len());
            let place = dice.below(dealt[partition].len() + 1);
            dealt[partition].insert(place, (row, -1));
        }
    }
    dealt
}
