//! The rest of the family: operators of which no speed is asked, so that each has its row in the table.
//!
//! | module | workloads |
//! |---|---|
//! | [`aggregates`] | each of them per country and day |
//! | [`modes`] | windows whose rows are repaired: tumbling, hopping, sessions, rolling windows of any aggregate |
//! | [`windows`] | days, weeks, months, lifetime, last rows, fading sums, rolling totals, windows of any aggregate |
//! | [`by_row`] | last rows and fading sums with a row per payment, final and repaired |
//! | [`labels`] | windows as of labels: repaired, as known, as known by arrival, of any aggregate, and by number |
//! | [`open`] | windows that hold a label, up to it: of the clock and the calendar, sessions, lifetimes, fading sums |
//! | [`joins`] | as of the next and of the nearest, in a history, in an interval, in a window, and on the key alone |
//! | [`island`] | a join and a distinct count on differential dataflow |
//! | [`transforms`] | scaling that is fitted as it goes, target encoding, encodings of a row by itself |
//! | [`fits`] | every other kind that is fitted, per country; rows through what was fitted to a sample |
//! | [`frozen`] | rows through transforms that were frozen to files |
//!
//! Beside each stands what its output must add up to, by brute force; there is no loop that one would write by hand.

pub mod aggregates;
pub mod by_row;
pub mod fits;
pub mod frozen;
pub mod island;
pub mod joins;
pub mod labels;
pub mod modes;
pub mod open;
pub mod transforms;
pub mod windows;

use std::collections::BTreeMap;

use crate::data::Payment;
use crate::workload::Workload;

/// All of them.
#[must_use]
pub fn all() -> Vec<Workload> {
    let parts = [
        windows::all(),
        by_row::all(),
        modes::all(),
        labels::all(),
        open::all(),
        aggregates::all(),
        joins::all(),
        island::all(),
        transforms::all(),
        fits::all(),
        frozen::all(),
    ];
    parts.into_iter().flatten().collect()
}

/// The payments of each key, in order of time; no two of a key have one time.
fn by_key<K: Ord>(rows: &[Payment], key: impl Fn(&Payment) -> K) -> BTreeMap<K, Vec<Payment>> {
    let mut keyed = BTreeMap::<K, Vec<Payment>>::new();
    for row in rows {
        keyed.entry(key(row)).or_default().push(*row);
    }
    let sort = |rows: &mut Vec<Payment>| rows.sort_by_key(|row| row.at);
    keyed.values_mut().for_each(sort);
    keyed
}

/// The quantile of the amounts at a share of them, between its neighbours in a straight line.
fn quantile_of(rows: &[Payment], share: f64) -> f64 {
    let mut amounts: Vec<f64> = rows.iter().map(|row| row.cents as f64).collect();
    amounts.sort_by(f64::total_cmp);
    let place = share * (amounts.len() - 1) as f64;
    let [below, above] = [place.floor(), place.ceil()].map(|place| amounts[place as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use thalweg::prelude::*;

    use super::*;
    use crate::digest::Digest;
    use crate::{data, expected};

    #[test]
    fn every_workload_comes_to_what_brute_force_says_on_any_number_of_workers() {
        let rows = Arc::new(data::payments(20_000, 500));
        for workload in all() {
            for workers in [1, 2] {
                let digest = Digest::default();
                let config = Config::workers(workers).unwrap();
                let job = (workload.job)(Arc::clone(&rows), workers, digest.clone());
                job.run(config.epoch_rows(700).unwrap()).unwrap();
                let (ours, brute) = (digest.sum(), workload.expected.unwrap()(&rows));
                let name = workload.name;
                assert!(brute != 0.0, "{name}");
                assert!(expected::agree(ours, brute), "{name}: {ours} and {brute}");
            }
        }
    }
}
