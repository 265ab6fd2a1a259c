//! Each payment at its merchant's rate of the moment, and the mean of the merchant's trailing 24 h of it, once nothing can
//! change it: a reorder buffer, sorted rates, a deque with a running sum per merchant. In microseconds, as the job.

use std::collections::VecDeque;

use crate::asof::rates;
use crate::data::{MERCHANTS, Payment, START_US};
use crate::loops::Out;
use crate::loops::reorder::Reorder;

const DAY_US: i64 = 86_400_000_000;

/// µs since the start, merchant, cents.
type Event = (i64, u32, u32);

#[derive(Clone, Default)]
struct Merchant {
    /// From when, in µs since the start, and what.
    rates: Vec<(i64, i64)>,
    events: VecDeque<(i64, i64)>,
    sum: i64,
}

/// Runs the loop; the digest is the sum of the means.
#[must_use]
pub fn dimension_asof(rows: &[Payment]) -> (u64, f64) {
    let mut merchants = vec![Merchant::default(); MERCHANTS as usize + 1];
    for rate in rates() {
        let merchant = &mut merchants[rate.merchant as usize];
        let percent = i64::from(rate.percent);
        merchant.rates.push((rate.from - START_US, percent));
    }
    let mut out = Out::<(u32, i64, f64)>::new();
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
                if old + DAY_US >= at {
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
        let at = row.at - START_US;
        let event = (at, row.merchant, row.cents as u32);
        reorder.put((at / 1_000_000) as usize, event, &mut release);
    }
    reorder.finish(&mut release);
    (out.written(), digest)
}
