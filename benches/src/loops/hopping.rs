//! Hopping 6 h every 1 h per user, count and sum: hours as lists, and one running table that each hour enters and, six
//! hours later, leaves.

use std::collections::VecDeque;

use crate::data::{LATENESS_US, Payment, START_US};
use crate::digest::weight;
use crate::loops::Out;

const STEP_US: i64 = 3_600_000_000;
const STEPS: usize = 6;
/// How far ahead of its use a user's sums are asked for, in rows.
const AHEAD: usize = 16;

type Hour = Vec<(u32, i64)>;

/// A user's rows in the six hours that end with the one that has just been closed.
#[derive(Clone, Copy, Default)]
struct Running {
    count: u32,
    sum: i64,
}

struct Windows {
    users: Vec<Running>,
    live: Vec<u32>,
    closed: VecDeque<Hour>,
    out: Out<(u32, i64, Running)>,
    digest: i64,
}

impl Windows {
    /// Lets an hour in, writes the window that it completes, and lets the window's first hour out.
    fn close(&mut self, number: i64, hour: Hour) -> Hour {
        for (place, (user, cents)) in hour.iter().enumerate() {
            if let Some(ahead) = hour.get(place + AHEAD) {
                thalweg::engine::state::prefetch(&self.users, ahead.0 as usize);
            }
            let running = &mut self.users[*user as usize];
            if running.count == 0 {
                self.live.push(*user);
            }
            running.count += 1;
            running.sum += cents;
        }
        self.closed.push_back(hour);
        let start = START_US + (number + 1 - STEPS as i64) * STEP_US;
        let weight = weight(start);
        for user in &self.live {
            let running = self.users[*user as usize];
            self.digest += (i64::from(running.count) + running.sum) * weight;
            self.out.push((*user, start, running));
        }
        if self.closed.len() < STEPS {
            return Hour::new();
        }
        let mut gone = self.closed.pop_front().unwrap_or_default();
        for (user, cents) in gone.drain(..) {
            let running = &mut self.users[user as usize];
            running.count -= 1;
            running.sum -= cents;
        }
        let users = &self.users;
        self.live.retain(|user| users[*user as usize].count > 0);
        gone
    }
}

/// Runs the loop; the digest is the sum of counts and sums, weighted by windows.
#[must_use]
pub fn hopping(rows: &[Payment]) -> (u64, f64) {
    let users = rows.iter().map(|row| row.user).max().unwrap_or(0) as usize;
    let mut windows = Windows {
        users: vec![Running::default(); users + 1],
        live: Vec::new(),
        closed: VecDeque::new(),
        out: Out::new(),
        digest: 0,
    };
    let (mut open, mut spare) = (VecDeque::<Hour>::new(), Vec::<Hour>::new());
    let (mut first, mut newest) = (0, i64::MIN);
    for row in rows {
        let hour = (row.at - START_US) / STEP_US;
        if row.at > newest {
            newest = row.at;
            while !open.is_empty() && first < (newest - LATENESS_US - START_US) / STEP_US {
                let hour = open.pop_front().unwrap_or_default();
                spare.push(windows.close(first, hour));
                first += 1;
            }
        }
        while (open.len() as i64) <= hour - first {
            open.push_back(spare.pop().unwrap_or_default());
        }
        open[(hour - first) as usize].push((row.user as u32, row.cents));
    }
    open.extend((1..STEPS).map(|_| Hour::new()));
    for (number, hour) in (first..).zip(open) {
        windows.close(number, hour);
    }
    (windows.out.written(), windows.digest as f64)
}
