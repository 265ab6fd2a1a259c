//! A user's windows as of every tenth payment: the rolling loop, which reads only where a label asks.

use crate::data::Payment;
use crate::loops::Out;
use crate::loops::reorder::{Event, Reorder};
use crate::loops::rolling::{Users, finish};

/// Stands for a label, and sorts it after its user's payments of the same moment.
const LABEL: u32 = u32::MAX;

/// Runs the loop; the digest is the sum of all means and standard deviations.
#[must_use]
pub fn point_in_time(rows: &[Payment]) -> (u64, f64) {
    let mut users = Users::<1>::new(rows);
    let mut out = Out::<(u32, u32, [f64; 18])>::new();
    let mut digest = 0.0;
    let mut release = |second: &mut Vec<Event>| {
        for (i, event) in second.iter().enumerate() {
            if let Some(ahead) = second.get(i + 6) {
                users.prefetch(ahead.1);
            }
            let (at, user, cents) = *event;
            if cents != LABEL {
                users.insert(*event);
                continue;
            }
            let row = finish(&users.read(at, user));
            digest += (0..3).map(|w| row[w * 6 + 2] + row[w * 6 + 5]).sum::<f64>();
            out.push((user, at, row));
        }
    };
    let mut reorder = Reorder::new();
    for (i, row) in rows.iter().enumerate() {
        reorder.push(row, &mut release);
        if i % 10 == 0 {
            let label = Payment {
                cents: i64::from(LABEL),
                ..*row
            };
            reorder.push(&label, &mut release);
        }
    }
    reorder.finish(&mut release);
    (out.written(), digest)
}
