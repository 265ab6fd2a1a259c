//! Rolling 1 h, 24 h and 7 d, a row per event as it arrives, and −old +new of the rows that a late one changes.
//!
//! A user's last eight days lie sorted in one array. Rows in order are read from running sums and monotonic queues; a
//! late row reads its successors by walking the sums back, and the extremes by a scan of the window.

use thalweg::engine::state::prefetch;

use crate::data::{Payment, START_US};
use crate::loops::Out;
use crate::loops::rolling::{Sums, finish, widths_ms};

const WIDTHS_MS: [u32; 3] = widths_ms(1);

/// What a user keeps beyond the widest window, so that a late row's windows are whole: an hour, and as much again.
const KEPT_MS: u32 = WIDTHS_MS[2] + 7_200_000;

#[derive(Clone, Default)]
struct User {
    events: Vec<(u32, u32)>,
    sums: [i64; 3],
    squares: [i64; 3],
    heads: [usize; 3],
    low: Vec<(u32, u32)>,
    high: Vec<(u32, u32)>,
}

impl User {
    fn append(&mut self, at: u32, cents: u32) {
        self.events.push((at, cents));
        while self.low.last().is_some_and(|last| last.1 >= cents) {
            self.low.pop();
        }
        self.low.push((at, cents));
        while self.high.last().is_some_and(|last| last.1 <= cents) {
            self.high.pop();
        }
        self.high.push((at, cents));
        let cents = i64::from(cents);
        for window in 0..3 {
            self.sums[window] += cents;
            self.squares[window] += cents * cents;
        }
    }

    /// The windows at the newest event.
    fn read(&mut self, at: u32) -> [Sums; 3] {
        std::array::from_fn(|window| {
            let start = at.saturating_sub(WIDTHS_MS[window]);
            while self.events[self.heads[window]].0 < start {
                let cents = i64::from(self.events[self.heads[window]].1);
                self.sums[window] -= cents;
                self.squares[window] -= cents * cents;
                self.heads[window] += 1;
            }
            let first = |queue: &[(u32, u32)]| queue[queue.partition_point(|e| e.0 < start)].1;
            let n = (self.events.len() - self.heads[window]) as u32;
            let (sum, squares) = (self.sums[window], self.squares[window]);
            (n, sum, squares, first(&self.low), first(&self.high))
        })
    }

    /// The windows of the events from `place` on, newest first: sums walk back, extremes are scanned.
    fn read_back(&self, place: usize, mut row: impl FnMut(u32, [Sums; 3])) {
        let (mut sums, mut squares, mut heads) = (self.sums, self.squares, self.heads);
        for i in (place..self.events.len()).rev() {
            let (at, cents) = self.events[i];
            let windows = std::array::from_fn(|window| {
                let start = at.saturating_sub(WIDTHS_MS[window]);
                while heads[window] > 0 && self.events[heads[window] - 1].0 >= start {
                    heads[window] -= 1;
                    let cents = i64::from(self.events[heads[window]].1);
                    sums[window] += cents;
                    squares[window] += cents * cents;
                }
                let inside = &self.events[heads[window]..=i];
                let least = inside.iter().map(|e| e.1).min().unwrap_or(0);
                let greatest = inside.iter().map(|e| e.1).max().unwrap_or(0);
                let n = inside.len() as u32;
                (n, sums[window], squares[window], least, greatest)
            });
            row(at, windows);
            let cents = i64::from(cents);
            for window in 0..3 {
                sums[window] -= cents;
                squares[window] -= cents * cents;
            }
        }
    }

    fn insert(&mut self, place: usize, at: u32, cents: u32) {
        self.events.insert(place, (at, cents));
        for window in 0..3 {
            if place < self.heads[window] {
                self.heads[window] += 1;
            } else {
                self.sums[window] += i64::from(cents);
                self.squares[window] += i64::from(cents) * i64::from(cents);
            }
        }
        insert_extreme(&mut self.low, at, cents, |a, b| a <= b);
        insert_extreme(&mut self.high, at, cents, |a, b| a >= b);
    }

    /// Drops what no late row can need, once that is half of all.
    fn evict(&mut self) {
        let cut = self
            .events
            .last()
            .map_or(0, |last| last.0.saturating_sub(KEPT_MS));
        let old = self.events.partition_point(|event| event.0 < cut);
        if old * 2 > self.events.len() && old > 8 {
            self.events.drain(..old);
            self.heads.iter_mut().for_each(|head| *head -= old);
            self.low.retain(|event| event.0 >= cut);
            self.high.retain(|event| event.0 >= cut);
        }
    }
}

fn insert_extreme(queue: &mut Vec<(u32, u32)>, at: u32, cents: u32, wins: fn(u32, u32) -> bool) {
    let place = queue.partition_point(|event| event.0 <= at);
    if queue.get(place).is_some_and(|next| wins(next.1, cents)) {
        return;
    }
    let mut first = place;
    while first > 0 && wins(cents, queue[first - 1].1) {
        first -= 1;
    }
    queue.splice(first..place, [(at, cents)]);
}

/// Runs the loop; the digest is the sum of all means and standard deviations that stand in the end.
#[must_use]
pub fn corrections(rows: &[Payment]) -> (u64, f64) {
    let count = rows.iter().map(|row| row.user).max().unwrap_or(0) as usize + 1;
    let mut users = vec![User::default(); count];
    let mut out = Out::<(u32, u32, i32, [f64; 18])>::new();
    let mut digest = 0.0;
    let mut emit = |user: u32, at: u32, sums: &[Sums; 3], sign: i32| {
        let row = finish(sums);
        let look: f64 = (0..3).map(|w| row[w * 6 + 2] + row[w * 6 + 5]).sum();
        digest += look * f64::from(sign);
        out.push((user, at, sign, row));
    };
    for (i, row) in rows.iter().enumerate() {
        if let Some(ahead) = rows.get(i + 16) {
            prefetch(&users, ahead.user as usize);
        }
        if let Some(ahead) = rows.get(i + 8) {
            let events = &users[ahead.user as usize].events;
            prefetch(events, events.len().saturating_sub(1));
        }
        let (id, cents) = (row.user as u32, row.cents as u32);
        let at = ((row.at - START_US) / 1_000) as u32;
        let user = &mut users[row.user as usize];
        if user.events.last().is_none_or(|last| last.0 < at) {
            user.append(at, cents);
            emit(id, at, &user.read(at), 1);
            user.evict();
            continue;
        }
        let (peers, place) = (
            user.events.partition_point(|event| event.0 < at),
            user.events.partition_point(|event| event.0 <= at),
        );
        user.read_back(peers, |at, sums| emit(id, at, &sums, -1));
        user.insert(place, at, cents);
        user.read_back(peers, |at, sums| emit(id, at, &sums, 1));
    }
    (out.written(), digest)
}
