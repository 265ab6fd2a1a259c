//! Small random logs: rows out of order, of one moment, more than once, taken back, at the ends of time.

use thalweg_engine::keyed::EpochTime;
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::Diff;

use crate::aggregate::laws::Draws;
use crate::aggregate::tests::laws::Row;

/// Epochs of signed rows, with the times that hold in each.
pub(super) type Log = Vec<(EpochTime, Vec<(Row, Diff)>)>;

/// Where rows lie in time.
#[derive(Clone)]
pub(super) struct Times {
    /// The first moment of most.
    pub(super) origin: EventTime,
    /// Rows lie a few steps from the watermark on, or next to a step.
    pub(super) step_us: i64,
    /// Moments that rows and watermarks are to meet exactly, beside the steps.
    pub(super) edges: Vec<EventTime>,
}

/// What may come that sources never send.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unruly {
    /// Nothing: what is taken back is there at the end of the epoch.
    Never,
    /// Retractions, epochs before their rows.
    Retractions,
    /// Rows from behind the watermark, as from a join that is repaired.
    Rows,
}

/// A log under construction.
struct Writer<'a> {
    draws: &'a mut Draws,
    times: &'a Times,
    unruly: Unruly,
    watermark: EventTime,
    /// How many steps from the watermark on rows lie.
    ahead: u64,
    /// Whether some rows lie at the ends of time.
    any_far: bool,
    /// Rows that most are copies of, if there are any.
    alike: Vec<Row>,
    rows: Vec<(Row, Diff)>,
    later: Vec<(Row, Diff)>,
    /// Moments of rows: watermarks are to meet them exactly, for what lies there may still be taken back.
    moments: Vec<EventTime>,
}

impl Writer<'_> {
    fn oldest(&self) -> EventTime {
        self.watermark.max(self.times.origin)
    }

    /// A moment that is not behind the watermark.
    fn moment(&mut self) -> EventTime {
        let step_us = self.times.step_us;
        if self.any_far && self.draws.below(4) == 0 {
            let away = self.draws.below(3 * step_us as u64) as i64;
            let (first, last) = (EventTime::MIN + 1 + away, WATERMARK_END - 1 - away);
            let is_first = self.watermark == WATERMARK_NONE && self.draws.below(2) == 0;
            return if is_first { first } else { last };
        }
        let oldest = self.oldest();
        let near = if self.draws.below(3) == 0 && !self.times.edges.is_empty() {
            self.draws.one_of(&self.times.edges)
        } else {
            oldest + self.draws.below(self.ahead) as i64 * step_us
        };
        (near + self.draws.below(3) as i64 - 1).max(oldest)
    }

    fn row(&mut self) -> Row {
        if self.alike.is_empty() {
            let mut row = self.draws.row();
            row.at = self.moment();
            return row;
        }
        let place = self.draws.below(self.alike.len() as u64) as usize;
        if self.alike[place].at < self.oldest() || self.draws.below(6) == 0 {
            self.alike[place].at = self.moment();
        }
        self.alike[place].clone()
    }

    /// Adds a row, and what becomes of it.
    fn add(&mut self) {
        let (mut row, copies) = (self.row(), self.draws.one_of(&[1, 1, 1, 2, 3]));
        self.moments.push(row.at);
        match self.draws.below(8) {
            0 => {
                self.rows.push((row.clone(), -copies));
                self.rows.push((row, copies));
            }
            1 => {
                self.rows.push((row.clone(), -1));
                self.rows.push((row, copies + 1));
            }
            2..=4 => {
                self.later
                    .push((row.clone(), -self.draws.one_of(&[1, copies])));
                self.rows.push((row, copies));
            }
            5 if self.unruly == Unruly::Retractions => {
                let come = copies + self.draws.below(2) as i64;
                self.later.push((row.clone(), come));
                self.rows.push((row, -copies));
            }
            6 if self.unruly == Unruly::Rows && self.watermark != WATERMARK_NONE => {
                let back = self.draws.below(4 * self.times.step_us as u64) as i64;
                row.at = self.watermark - 1 - back;
                self.rows.push((row, copies));
            }
            _ => self.rows.push((row, copies)),
        }
    }

    /// Lets some of what was put off come, and drops what would be late.
    fn let_come(&mut self) {
        for (row, diff) in std::mem::take(&mut self.later) {
            if row.at >= self.watermark {
                let comes = self.draws.below(2) == 0;
                let to = if comes {
                    &mut self.rows
                } else {
                    &mut self.later
                };
                to.push((row, diff));
            }
        }
    }

    fn risen(&mut self) -> EventTime {
        let oldest = self.oldest();
        let until = oldest + 4 * self.times.step_us;
        let near = self.moments.iter().chain(&self.times.edges);
        let near: Vec<_> = near.filter(|at| (oldest..until).contains(*at)).collect();
        if self.draws.below(2) == 0 && !near.is_empty() {
            return *self.draws.one_of(&near);
        }
        oldest + self.draws.below(4) as i64 * self.times.step_us
    }
}

/// From one to ten epochs of none to some forty rows; every source ends in the last.
pub(super) fn log(draws: &mut Draws, times: &Times, unruly: Unruly) -> Log {
    let rows = draws.one_of(&[0, 1, 2, 6, 12, 20, 30, 40]);
    let epochs = 1 + draws.below(10);
    let first_risen = draws.below(4);
    let few = [draws.row(), draws.row()];
    let mut writer = Writer {
        ahead: draws.one_of(&[2, 4, 8]),
        any_far: draws.below(8) == 0,
        alike: if draws.below(4) == 0 {
            few.to_vec()
        } else {
            Vec::new()
        },
        draws,
        times,
        unruly,
        watermark: WATERMARK_NONE,
        rows: Vec::new(),
        later: Vec::new(),
        moments: Vec::new(),
    };
    for row in &mut writer.alike {
        row.at = EventTime::MIN;
    }
    let (mut log, mut time) = (Log::new(), EpochTime::default());
    for epoch in 1..=epochs {
        writer.let_come();
        let ours = if epoch == epochs {
            rows % epochs + rows / epochs
        } else {
            rows / epochs
        };
        (0..ours).for_each(|_| writer.add());
        let mut rows = std::mem::take(&mut writer.rows);
        writer.draws.shuffle(&mut rows);
        time.epoch = epoch;
        time.watermark_before = writer.watermark;
        if epoch > first_risen && writer.draws.below(3) > 0 {
            writer.watermark = writer.risen();
            time.as_of = writer.watermark;
        }
        time.watermark = if epoch == epochs {
            WATERMARK_END
        } else {
            writer.watermark
        };
        log.push((time, rows));
    }
    log
}
