//! The events that a line holds, in their two parts, and the windows over them.

use std::ops::Index;

use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::{Lane, Moments};
use crate::window::rolling::event::Windows;
use crate::window::rolling::form::{Form, Stored, unpack};
use crate::window::rolling::widths::Widths;

/// A key's events, by time: the older in its line, the newer elsewhere.
pub(in crate::window::rolling) struct Held<'a, L, const N: usize, F: Form> {
    anchor: u32,
    near: &'a [Stored<F, N>],
    far: &'a [Stored<F, N>],
    lane: std::marker::PhantomData<L>,
}

impl<L, const N: usize, F: Form> Clone for Held<'_, L, N, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L, const N: usize, F: Form> Copy for Held<'_, L, N, F> {}

impl<'a, L: Lane, const N: usize, F: Form> Held<'a, L, N, F> {
    #[inline(always)]
    pub(super) const fn new(
        anchor: u32,
        near: &'a [Stored<F, N>],
        far: &'a [Stored<F, N>],
    ) -> Self {
        Self {
            anchor,
            near,
            far,
            lane: std::marker::PhantomData,
        }
    }

    #[inline(always)]
    const fn len(&self) -> usize {
        self.near.len() + self.far.len()
    }

    #[inline(always)]
    pub(super) fn iter(self) -> impl DoubleEndedIterator<Item = &'a Stored<F, N>> {
        self.near.iter().chain(self.far)
    }

    /// The newest event, and those before it.
    #[inline(always)]
    fn split_last(self) -> Option<(&'a Stored<F, N>, Self)> {
        if let Some((last, far)) = self.far.split_last() {
            return Some((last, Self { far, ..self }));
        }
        let (last, near) = self.near.split_last()?;
        Some((last, Self { near, ..self }))
    }

    #[inline(always)]
    fn time(&self, event: &Stored<F, N>) -> EventTime {
        F::time(self.anchor, event.0)
    }

    /// How many events there are before a moment.
    pub(super) fn before(self, cut: EventTime) -> usize {
        let is_old = |event: &&Stored<F, N>| self.time(event) < cut;
        self.iter().take_while(is_old).count()
    }

    /// The events, by time, written out in full.
    pub(in crate::window::rolling) fn events(
        self,
    ) -> impl Iterator<Item = (EventTime, Array<i64, N>)> {
        self.iter()
            .map(move |event| unpack::<F, L, N>(self.anchor, event))
    }

    /// The events up to a moment, itself included.
    #[inline(always)]
    fn until(mut self, limit: EventTime) -> Self {
        while let Some((last, older)) = self.split_last()
            && self.time(last) > limit
        {
            self = older;
        }
        self
    }

    /// The newest event time up to `limit`.
    #[inline(always)]
    pub(in crate::window::rolling) fn newest(self, limit: EventTime) -> Option<EventTime> {
        let (last, _) = self.until(limit).split_last()?;
        Some(self.time(last))
    }

    /// The windows that end at `end`.
    #[inline(always)]
    pub(in crate::window::rolling) fn fill<const W: usize>(
        self,
        end: EventTime,
        widths: &Widths<W>,
        windows: &mut Windows<L, N, W>,
    ) {
        let inside = self.until(end);
        let (mut older, mut moments) = (inside, Array([Moments::EMPTY; N]));
        for window in widths.widest_first().iter().rev() {
            let start = end.saturating_sub(widths.as_given()[*window]);
            while let Some((last, before)) = older.split_last()
                && self.time(last) >= start
            {
                for (moments, value) in moments.iter_mut().zip(last.1.iter()) {
                    moments.add(F::number::<L>(*value));
                }
                older = before;
            }
            windows[*window] = moments;
            if !F::KEEPS_EXTREMES {
                for (lane, moments) in windows[*window].iter_mut().enumerate() {
                    let held = inside.iter().skip(older.len());
                    let numbers = held.map(|event| F::number::<L>(event.1[lane]));
                    *moments = moments.without_extremes(numbers);
                }
            }
        }
    }

    /// The moment after which the first event leaves one of the windows that end at `end`.
    pub(in crate::window::rolling) fn next_expiry<const W: usize>(
        self,
        end: EventTime,
        widths: &Widths<W>,
    ) -> Option<EventTime> {
        let first_of = |width: &i64| {
            let start = end.saturating_sub(*width);
            let mut times = self.iter().map(|event| self.time(event));
            let first = times.find(|at| *at >= start)?;
            Some(first.saturating_add(*width))
        };
        widths.as_given().iter().filter_map(first_of).min()
    }
}

impl<L: Lane, const N: usize, F: Form> Index<usize> for Held<'_, L, N, F> {
    type Output = Stored<F, N>;

    #[inline(always)]
    fn index(&self, place: usize) -> &Stored<F, N> {
        match place.checked_sub(self.near.len()) {
            None => &self.near[place],
            Some(place) => &self.far[place],
        }
    }
}
