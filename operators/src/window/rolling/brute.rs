//! For tests: windows by brute force, and what a state has written so far.

use std::collections::BTreeMap;
use std::fmt::Debug;

use thalweg_engine::keyed::{Emitter, EpochTime};
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::{Fixed, Moments};
use crate::window::rolling::event::Windows;

/// Windows `[end − width, end]` over the events that are there: moment, number, how often.
pub(in crate::window) fn windows<const W: usize>(
    events: impl Iterator<Item = (EventTime, i64, i64)> + Clone,
    end: EventTime,
    widths: [i64; W],
) -> Windows<Fixed<0>, 1, W> {
    Array(widths.map(|width| {
        let mut moments = Moments::EMPTY;
        for (at, number, copies) in events.clone() {
            let copies = if (end - width..=end).contains(&at) {
                copies
            } else {
                0
            };
            (0..copies).for_each(|_| moments.add(number));
        }
        Array([moments])
    }))
}

/// How often each row is there, rows as their text: floats and moments have no order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::window) struct Net(BTreeMap<String, i64>);

impl Net {
    pub(in crate::window) fn new() -> Self {
        Self::default()
    }

    pub(in crate::window) fn add(&mut self, row: String, diff: i64) {
        let count = self.0.entry(row).or_insert(0);
        *count += diff;
        self.0.retain(|_, count| *count != 0);
    }
}

/// What an epoch writes.
pub(in crate::window) fn collect<O: Debug>(
    time: &EpochTime,
    run: impl FnOnce(&mut Emitter<'_, O>),
) -> Vec<(String, i64)> {
    let (mut buffer, mut passed_on) = (Vec::new(), Vec::new());
    let mut pass_on = |full: &mut Vec<_>| passed_on.append(full);
    let mut out = Emitter::new(time.epoch, &mut buffer, &mut pass_on);
    run(&mut out);
    out.finish();
    let all = passed_on.into_iter().chain(buffer);
    all.map(|(row, _, diff)| (format!("{row:?}"), diff))
        .collect()
}

/// Whether no row is written with both signs.
pub(in crate::window) fn is_net(written: &[(String, i64)]) -> bool {
    let signs = |row: &str, sign: i64| {
        let mut written = written.iter();
        written.any(|(other, diff)| other == row && diff.signum() == sign)
    };
    !written
        .iter()
        .any(|(row, _)| signs(row, 1) && signs(row, -1))
}
