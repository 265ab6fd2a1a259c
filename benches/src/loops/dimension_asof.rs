//! Each payment at its merchant's rate of the moment, and the merchant's trailing 24 h of it: a reorder buffer, sorted
//! rates, a deque with a running sum per merchant.

use std::collections::VecDeque;

use crate::asof::rates;
use crate::data::{MERCHANTS, Payment, START_US};
use crate::loops::Out;
use crate::loops::reorder::{Event, Reorder};

const DAY_MS: u32 = 86_400_000;

#[derive(Clone, Default)]
struct Merchant {
    /// From when, in ms, and what.
    rates: Vec<(u32, i64)>,
    events: VecDeque<(u32, i64)>,
    sum: i64,
}

/// Runs the loop; the digest is the sum of the means.
#[must_use]
pub fn dimension_asof(rows: &[Payment]) -> (u64, f64) {
    let mut merchants = vec![Merchant::default(); MERCHANTS as usize + 1];
    for rate in rates() {
        let from_ms = ((rate.from - START_US) / 1_000) as u32;
        let merchant = &mut merchants[rate.merchant as usize];
        merchant.rates.push((from_ms, rate.percent));
    }
    let mut out = Out::<(u32, u32, f64)>::new();
    let mut digest = 0.0;
    let mut release = |second: &mut Vec<Event>| {
        let peers = second.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
        for peers in peers {
            let (at, of, _) = peers[0];
            let merchant = &mut merchants[of as usize];
            let rate = merchant.rates.partition_point(|rate| rate.0 <= at);
            let percent = merchant.rates[rate.max(1) - 1].1;
            for (_, _, cents) in peers {
                let amount = i64::from(*cents) * percent;
                merchant.events.push_back((at, amount));
                merchant.sum += amount;
            }
            while let Some((old, amount)) = merchant.events.front() {
                if old + DAY_MS >= at {
                    break;
                }
                merchant.sum -= amount;
                merchant.events.pop_front();
            }
            let mean = merchant.sum as f64 / merchant.events.len() as f64;
            for _ in peers {
                digest += mean;
                out.push((of, at, mean));
            }
        }
    };
    let mut reorder = Reorder::new();
    for row in rows {
        let user = u64::from(row.merchant);
        reorder.push(&Payment { user, ..*row }, &mut release);
    }
    reorder.finish(&mut release);
    (out.written(), digest)
}
