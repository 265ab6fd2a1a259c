//! Each label with its user's newest payment as of the label: a reorder buffer, and a pair per user.

use thalweg::engine::state::prefetch;

use crate::asof::{is_label, label_of};
use crate::data::Payment;
use crate::loops::Out;
use crate::loops::reorder::{Event, Reorder};

/// Stands for the amount of a label, which has none; sorts after the payments of its user and moment.
const LABEL: u32 = u32::MAX;

/// Stands for the amount of a user without payments.
const NONE: u32 = u32::MAX;

/// Events that are worked on together, so that their users can be fetched ahead.
const TOGETHER: usize = 1_024;

/// Runs the loop; the digest is the sum of the amounts that were found.
#[must_use]
pub fn asof(rows: &[Payment]) -> (u64, f64) {
    let users = rows.iter().map(|row| row.user).max().unwrap_or(0) as usize + 2;
    let mut newest = vec![(0_u32, NONE); users];
    let mut out = Out::<(u32, u32, u32, u32)>::new();
    let mut digest = 0_u64;
    let mut work = |events: &mut Vec<Event>| {
        for (i, (at, user, cents)) in events.iter().enumerate() {
            if let Some(ahead) = events.get(i + 16) {
                prefetch(&newest, ahead.1 as usize);
            }
            let newest = &mut newest[*user as usize];
            if *cents == LABEL {
                digest += u64::from(newest.1) * u64::from(newest.1 != NONE);
                out.push((*user, *at, newest.0, newest.1));
            } else {
                *newest = (*at, *cents);
            }
        }
        events.clear();
    };
    let mut together = Vec::with_capacity(2 * TOGETHER);
    let mut release = |second: &mut Vec<Event>| {
        together.append(second);
        if together.len() >= TOGETHER {
            work(&mut together);
        }
    };
    let mut reorder = Reorder::new();
    for row in rows {
        reorder.push(row, &mut release);
        if is_label(row) {
            let label = label_of(row);
            let cents = i64::from(LABEL);
            reorder.push(&Payment { cents, ..label }, &mut release);
        }
    }
    reorder.finish(&mut release);
    work(&mut together);
    (out.written(), digest as f64)
}
