//! Trailing windows that wait to be told what to compute: moments ([`rolling`]) or any aggregates
//! ([`sliding`](super::sliding)).

use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::update::Data;

use crate::aggregate::Aggregate;
use crate::key_by::Timeline;
use crate::value::{IntoLane, Lane};
use crate::window::rolling::widths::Widths;
use crate::window::rolling::{self, Expiry, Rolling, Wide, WithoutExtremes};
use crate::window::sliding::Sliding;

impl<'s, D: Data, K: Key> Timeline<'s, D, K> {
    /// Trailing windows of these widths: `[at − width, at]`, closed at both ends.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when there is no width or one is zero.
    pub fn rolling<const W: usize>(
        &self,
        widths: [Duration; W],
    ) -> Result<RollingWindows<'s, D, K, W>, JobError> {
        Ok(RollingWindows {
            timeline: self.clone(),
            widths: rolling::checked(widths)?,
        })
    }
}

/// Rolling windows that wait to be told what to compute.
#[derive(Clone)]
pub struct RollingWindows<'s, D: Data, K: Key, const W: usize> {
    timeline: Timeline<'s, D, K>,
    widths: Widths<W>,
}

impl<'s, D: Data, K: Key, const W: usize> RollingWindows<'s, D, K, W> {
    /// Count, sum, mean, min, max, variance and stddev of one number per row. The name shows in the metrics.
    #[must_use]
    pub fn moments<V: IntoLane>(
        &self,
        name: &str,
        value: impl Fn(&D) -> V + 'static,
    ) -> Rolling<'s, D, K, V::Lane, 1, W> {
        self.lanes(name, move |row| [value(row).into_lane()])
    }

    /// The same of `N` numbers per row, in one pass.
    #[must_use]
    pub fn moments_of<V: IntoLane, const N: usize>(
        &self,
        name: &str,
        values: impl Fn(&D) -> [V; N] + 'static,
    ) -> Rolling<'s, D, K, V::Lane, N, W> {
        self.lanes(name, move |row| values(row).map(V::into_lane))
    }

    /// Count, sum, mean, variance and stddev of one number per row, without its least and greatest: a key of many events
    /// holds nothing for its extremes, and is read and changed without them.
    #[must_use]
    pub fn totals<V: IntoLane>(
        &self,
        name: &str,
        value: impl Fn(&D) -> V + 'static,
    ) -> Rolling<'s, D, K, V::Lane, 1, W, WithoutExtremes<Wide>> {
        self.moments(name, value).of_form()
    }

    /// The same of `N` numbers per row, in one pass.
    #[must_use]
    pub fn totals_of<V: IntoLane, const N: usize>(
        &self,
        name: &str,
        values: impl Fn(&D) -> [V; N] + 'static,
    ) -> Rolling<'s, D, K, V::Lane, N, W, WithoutExtremes<Wide>> {
        self.moments_of(name, values).of_form()
    }

    /// Any aggregates, such as `(count(), distinct(|p| Some(p.merchant)))`: what moments cannot say, more slowly.
    #[must_use]
    pub fn aggregate<A: Aggregate<D>>(&self, name: &str, aggregate: A) -> Sliding<'s, D, K, A, W>
    where
        D: Ord,
    {
        Sliding {
            timeline: self.timeline.clone(),
            widths: self.widths,
            aggregate,
            name: name.to_owned(),
            expiry: Expiry::default(),
        }
    }

    fn lanes<L: Lane, const N: usize>(
        &self,
        name: &str,
        lanes: impl Fn(&D) -> [i64; N] + 'static,
    ) -> Rolling<'s, D, K, L, N, W> {
        Rolling {
            table: self.timeline.keyed.table.clone(),
            key: Rc::clone(&self.timeline.keyed.key),
            at: Rc::clone(&self.timeline.at),
            lanes: Rc::new(lanes),
            widths: self.widths,
            name: name.to_owned(),
            expiry: Expiry::default(),
            lane: PhantomData,
        }
    }
}
