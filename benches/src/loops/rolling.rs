//! Rolling 1 h, 24 h and 7 d, five moments, one finished row per event in order of event time.
//!
//! Users with up to seven events in a week lie in one cache line and are added up anew; only busier ones own deques
//! with running sums and monotonic queues. Lines of coming events are prefetched.

use std::collections::VecDeque;

use thalweg::engine::state::prefetch;

use crate::data::Payment;
use crate::loops::Out;
use crate::loops::reorder::{Event, Reorder};

const WEEK_MS: u32 = 604_800_000;

/// The windows, the widest of so many weeks.
pub(super) const fn widths_ms(weeks: u32) -> [u32; 3] {
    [3_600_000, 86_400_000, weeks * WEEK_MS]
}

const BUSY: u32 = 8;

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line {
    n: u32,
    busy: u32,
    events: [(u32, u32); 7],
}

/// Count, sum, sum of squares, min, max.
pub(super) type Sums = (u32, i64, i64, u32, u32);

#[derive(Default)]
struct Busy {
    events: VecDeque<(u32, u32)>,
    low: VecDeque<(u32, u32)>,
    high: VecDeque<(u32, u32)>,
    sums: [i64; 3],
    squares: [i64; 3],
    heads: [usize; 3],
}

impl Busy {
    #[inline(always)]
    fn push(&mut self, at: u32, cents: u32) {
        self.events.push_back((at, cents));
        while self.low.back().is_some_and(|last| last.1 >= cents) {
            self.low.pop_back();
        }
        self.low.push_back((at, cents));
        while self.high.back().is_some_and(|last| last.1 <= cents) {
            self.high.pop_back();
        }
        self.high.push_back((at, cents));
        let cents = i64::from(cents);
        for window in 0..3 {
            self.sums[window] += cents;
            self.squares[window] += cents * cents;
        }
    }

    #[inline(always)]
    fn read(&mut self, at: u32, widths: &[u32; 3]) -> [Sums; 3] {
        let mut sums = [(0, 0, 0, 0, 0); 3];
        let (mut low, mut high) = (0, 0);
        for window in (0..3).rev() {
            let start = at.saturating_sub(widths[window]);
            while self.events[self.heads[window]].0 < start {
                let cents = i64::from(self.events[self.heads[window]].1);
                self.sums[window] -= cents;
                self.squares[window] -= cents * cents;
                self.heads[window] += 1;
            }
            while self.low[low].0 < start {
                low += 1;
            }
            while self.high[high].0 < start {
                high += 1;
            }
            let n = (self.events.len() - self.heads[window]) as u32;
            sums[window] = (
                n,
                self.sums[window],
                self.squares[window],
                self.low[low].1,
                self.high[high].1,
            );
        }
        let expired = self.heads[2];
        self.events.drain(..expired);
        self.heads.iter_mut().for_each(|head| *head -= expired);
        let start = at.saturating_sub(widths[2]);
        while self.low.front().is_some_and(|first| first.0 < start) {
            self.low.pop_front();
        }
        while self.high.front().is_some_and(|first| first.0 < start) {
            self.high.pop_front();
        }
        sums
    }
}

/// Users with the events of their last `WEEKS`.
pub(super) struct Users<const WEEKS: u32> {
    lines: Vec<Line>,
    busy: Vec<Busy>,
}

impl<const WEEKS: u32> Users<WEEKS> {
    const WIDTHS_MS: [u32; 3] = widths_ms(WEEKS);

    pub(super) fn new(rows: &[Payment]) -> Self {
        let users = rows.iter().map(|row| row.user).max().unwrap_or(0) as usize + 1;
        let empty = Line {
            n: 0,
            busy: 0,
            events: [(0, 0); 7],
        };
        Self {
            lines: vec![empty; users],
            busy: Vec::new(),
        }
    }

    #[inline(always)]
    pub(super) fn prefetch(&self, user: u32) {
        prefetch(&self.lines, user as usize);
    }

    #[inline(always)]
    pub(super) fn insert(&mut self, (at, user, cents): Event) {
        let line = &mut self.lines[user as usize];
        if line.n == BUSY {
            self.busy[line.busy as usize].push(at, cents);
            return;
        }
        let start = at.saturating_sub(Self::WIDTHS_MS[2]);
        let mut kept = 0;
        for i in 0..line.n as usize {
            line.events[kept] = line.events[i];
            kept += usize::from(line.events[i].0 >= start);
        }
        line.n = kept as u32;
        if kept < 7 {
            line.events[kept] = (at, cents);
            line.n += 1;
            return;
        }
        let mut busy = Busy::default();
        line.events
            .iter()
            .for_each(|event| busy.push(event.0, event.1));
        busy.push(at, cents);
        line.busy = self.busy.len() as u32;
        line.n = BUSY;
        self.busy.push(busy);
    }

    #[inline(always)]
    pub(super) fn read(&mut self, at: u32, user: u32) -> [Sums; 3] {
        let line = &self.lines[user as usize];
        if line.n == BUSY {
            return self.busy[line.busy as usize].read(at, &Self::WIDTHS_MS);
        }
        let mut sums = [(0, 0, 0, u32::MAX, 0); 3];
        for (window, sum) in sums.iter_mut().enumerate() {
            let start = at.saturating_sub(Self::WIDTHS_MS[window]);
            for (time, cents) in &line.events[..line.n as usize] {
                if *time >= start {
                    let c = i64::from(*cents);
                    *sum = (
                        sum.0 + 1,
                        sum.1 + c,
                        sum.2 + c * c,
                        sum.3.min(*cents),
                        sum.4.max(*cents),
                    );
                }
            }
        }
        sums
    }
}

/// Runs the loop; the digest is the sum of all means and standard deviations.
#[must_use]
pub fn rolling(rows: &[Payment]) -> (u64, f64) {
    rolling_weeks::<1>(rows)
}

/// The same with a widest window of two weeks.
#[must_use]
pub fn rolling_two_weeks(rows: &[Payment]) -> (u64, f64) {
    rolling_weeks::<2>(rows)
}

fn rolling_weeks<const WEEKS: u32>(rows: &[Payment]) -> (u64, f64) {
    let mut users = Users::<WEEKS>::new(rows);
    let mut out = Out::<(u32, u32, [f64; 18])>::new();
    let mut digest = 0.0;
    let mut release = |second: &mut Vec<Event>| {
        let mut i = 0;
        while i < second.len() {
            if let Some(ahead) = second.get(i + 6) {
                users.prefetch(ahead.1);
            }
            let (at, user, _) = second[i];
            let first = i;
            while i < second.len() && second[i].0 == at && second[i].1 == user {
                users.insert(second[i]);
                i += 1;
            }
            let row = finish(&users.read(at, user));
            for _ in first..i {
                digest += (0..3).map(|w| row[w * 6 + 2] + row[w * 6 + 5]).sum::<f64>();
                out.push((user, at, row));
            }
        }
    };
    let mut reorder = Reorder::new();
    rows.iter().for_each(|row| reorder.push(row, &mut release));
    reorder.finish(&mut release);
    (out.written(), digest)
}

/// Count, sum, mean, min, max and sample standard deviation of every window.
#[inline(always)]
pub(super) fn finish(sums: &[Sums; 3]) -> [f64; 18] {
    let mut row = [0.0; 18];
    for (window, (n, sum, squares, min, max)) in sums.iter().enumerate() {
        let (n, sum) = (f64::from(*n), *sum as f64);
        let variance = if n > 1.0 {
            (*squares as f64 - sum * sum / n) / (n - 1.0)
        } else {
            0.0
        };
        let values = [
            n,
            sum,
            sum / n,
            f64::from(*min),
            f64::from(*max),
            variance.max(0.0).sqrt(),
        ];
        row[window * 6..window * 6 + 6].copy_from_slice(&values);
    }
    row
}
