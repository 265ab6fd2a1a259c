//! Sessions with a gap of 30 min per user, count and sum: rows in order of time, an open session per user in an array.

use crate::data::{Payment, START_US};
use crate::digest::weight;
use crate::loops::Out;
use crate::loops::reorder::{Event, Reorder};

const GAP_MS: u32 = 1_800_000;
/// How far ahead of its use a user's session is asked for, in rows.
const AHEAD: usize = 8;

#[derive(Clone, Copy, Default)]
struct Open {
    start: u32,
    last: u32,
    count: u32,
    sum: i64,
}

/// User, start, last, count, sum.
type Row = (u32, u32, u32, u32, i64);

fn written(user: u32, session: &Open) -> Row {
    let Open {
        start,
        last,
        count,
        sum,
    } = *session;
    (user, start, last, count, sum)
}

/// Its count and sum, weighted by when it begins.
fn weighted(session: &Open) -> i64 {
    let start_us = START_US + i64::from(session.start) * 1_000;
    (i64::from(session.count) + session.sum) * weight(start_us)
}

/// Runs the loop; the digest is the sum of counts and sums, weighted by sessions.
#[must_use]
pub fn session(rows: &[Payment]) -> (u64, f64) {
    let users = rows.iter().map(|row| row.user).max().unwrap_or(0) as usize;
    let mut open = vec![Open::default(); users + 1];
    let mut out = Out::<Row>::new();
    let mut digest = 0;
    let mut release = |events: &mut Vec<Event>| {
        for (place, (ms, user, cents)) in events.iter().enumerate() {
            if let Some(ahead) = events.get(place + AHEAD) {
                thalweg::engine::state::prefetch(&open, ahead.1 as usize);
            }
            let session = &mut open[*user as usize];
            if session.count > 0 && ms - session.last > GAP_MS {
                digest += weighted(session);
                out.push(written(*user, session));
                session.count = 0;
            }
            if session.count == 0 {
                *session = Open {
                    start: *ms,
                    ..Open::default()
                };
            }
            session.last = *ms;
            session.count += 1;
            session.sum += i64::from(*cents);
        }
    };
    let mut reorder = Reorder::new();
    for row in rows {
        reorder.push(row, &mut release);
    }
    reorder.finish(&mut release);
    for (user, session) in (0..).zip(&open).filter(|(_, session)| session.count > 0) {
        digest += weighted(session);
        out.push(written(user, session));
    }
    (out.written(), digest as f64)
}
