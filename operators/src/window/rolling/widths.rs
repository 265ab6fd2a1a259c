//! The widths of a set of rolling windows, checked once.

use std::time::Duration;

use thalweg_engine::error::JobError;
use thalweg_engine::time::micros_of;

/// `W` window widths in µs: in the order given, and which of them come from widest to narrowest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Widths<const W: usize> {
    given: [i64; W],
    widest_first: [usize; W],
}

impl<const W: usize> Widths<W> {
    /// Checks the widths: at least one, each from 1 µs to 292,000 years.
    pub(crate) fn new(widths: [Duration; W]) -> Result<Self, JobError> {
        let given = widths.map(micros_of);
        if W == 0 || given.iter().any(|width| *width <= 0 || *width == i64::MAX) {
            return Err(JobError::Wrong(format!(
                "rolling windows need at least one width, each from 1 µs to 292,000 years: got {widths:?}"
            )));
        }
        let mut widest_first = std::array::from_fn(|index| index);
        widest_first.sort_by_key(|index: &usize| std::cmp::Reverse(given[*index]));
        Ok(Self {
            given,
            widest_first,
        })
    }

    #[inline(always)]
    pub(crate) fn as_given(&self) -> &[i64; W] {
        &self.given
    }

    /// Window numbers from the widest to the narrowest.
    #[inline(always)]
    pub(crate) fn widest_first(&self) -> &[usize; W] {
        &self.widest_first
    }

    #[inline(always)]
    pub(crate) fn widest(&self) -> i64 {
        self.given[self.widest_first[0]]
    }
}
