//! Fading sums as of the moments of labels.
//!
//! ```text
//!   ──●─────●──────●───▲──●──▶ event time      the rows up to the label's moment ▲, that moment itself included, each
//!                    label                      times its weight as of it
//! ```

use std::marker::PhantomData;
use std::ops::Bound::{Excluded, Unbounded};
use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::key_by::Timeline;
use crate::value::{IntoLane, Lane, NULL};
use crate::window::at::kept::{Kept, MOMENTS_MORE, View};
use crate::window::at::{Features, PointInTime, Sealed};
use crate::window::decayed::fading::{ByHalfLife, HalfLives, Running};
use crate::window::decayed::settled::Numbered;
use crate::window::decayed::{Decayed, DecayedRow};
use crate::window::events::{self, Events, present};
use crate::window::placed::Placed;

/// Fading sums, and what labels ask of them.
#[derive(Clone)]
pub struct AskedDecayed<'s, D: Data, K: Key, L: Lane> {
    decayed: Decayed<'s, D, K>,
    name: String,
    lane: Rc<dyn Fn(&D) -> i64>,
    of: PhantomData<L>,
}

impl<'s, D: Data + Ord, K: Key> Decayed<'s, D, K> {
    /// Count, sum and mean of the numbers as of the moments of labels, another table by the same key: the bits of
    /// [`Decayed::finals`] where a row stands at the label's moment, and faded further where it is later than the key's
    /// newest number. A row's `at` is the label's moment.
    ///
    /// A row that the watermark and the [history](PointInTime::history) have passed stands for good: a table that is
    /// repaired behind them is not followed. In [`as_known_by`](PointInTime::as_known_by) all rows are kept: one that is
    /// known late belongs before those that were known earlier, and sums of half-lives are put together in order.
    /// [`Decayed::refreshed`] says nothing here.
    #[must_use]
    pub fn at<B: Data + Ord, V: IntoLane>(
        &self,
        name: &str,
        number: impl Fn(&D) -> V + 'static,
        labels: &Timeline<'s, B, K>,
    ) -> PointInTime<'s, AskedDecayed<'s, D, K, V::Lane>, B> {
        let asked = AskedDecayed {
            decayed: self.clone(),
            name: name.to_owned(),
            lane: Rc::new(move |row| number(row).into_lane()),
            of: PhantomData,
        };
        PointInTime::new(&asked, labels)
    }
}

impl<'s, D: Data + Ord, K: Key, L: Lane> Features<'s> for AskedDecayed<'s, D, K, L> {}

impl<'s, D: Data + Ord, K: Key, L: Lane> Sealed<'s> for AskedDecayed<'s, D, K, L> {
    type Of = D;
    type Row = DecayedRow<K>;
    type Past = Kept<K, Numbered<D>, Fades<L>>;

    fn name(&self) -> &str {
        &self.name
    }

    fn past(&self) -> Self::Past {
        Kept::new(Fades::new(self.decayed.half_life_us))
    }

    fn events<E: Data>(
        &self,
        see: impl Fn(&D, Placed<K, Numbered<D>>) -> E + 'static,
    ) -> Table<'s, E> {
        let lane = Rc::clone(&self.lane);
        let numbered = move |row: &D| (row.clone(), lane(row));
        self.decayed.timeline.seen_as(&self.name, numbered, see)
    }
}

/// How numbers fade.
pub struct Fades<L> {
    lives: HalfLives,
    of: PhantomData<L>,
}

impl<L: Lane> Fades<L> {
    pub(in crate::window) fn new(half_life_us: i64) -> Self {
        Self {
            lives: HalfLives::new(half_life_us),
            of: PhantomData,
        }
    }
}

/// A key's numbers: the rows that may change, and the sums of all rows.
pub struct Slot<D> {
    events: Events<Numbered<D>>,
    sums: ByHalfLife,
    /// From so many moments on there is a look for old ones.
    look_from: usize,
}

impl<D: Data + Ord, L: Lane> View<Numbered<D>> for Fades<L> {
    type Slot = Slot<D>;
    type Base = ByHalfLife;
    type Windows = (f64, f64);
    type Row<K: Key> = DecayedRow<K>;
    const TAKES_LATE: bool = false;

    fn row<K: Key>(key: K, at: EventTime, (count, sum): (f64, f64)) -> DecayedRow<K> {
        DecayedRow {
            key,
            at,
            count,
            sum,
        }
    }

    fn widest(&self) -> Option<i64> {
        None
    }

    fn empty(&self) -> Slot<D> {
        self.restore(ByHalfLife::default(), Events::new())
    }

    fn events(slot: &Slot<D>) -> &Events<Numbered<D>> {
        &slot.events
    }

    fn base(slot: &Slot<D>) -> &ByHalfLife {
        &slot.sums
    }

    fn is_empty(slot: &Slot<D>) -> bool {
        slot.events.is_empty() && slot.sums.is_empty()
    }

    fn change(&self, slot: &mut Slot<D>, at: EventTime, row: &Numbered<D>, diff: Diff) {
        if row.1 != NULL {
            let change = events::add(&mut slot.events, at, row, diff);
            slot.sums.add(self.lives.sums::<L>(at, row.1, change));
        }
    }

    fn let_go(&self, slot: &mut Slot<D>, settled: EventTime) {
        if slot.events.len() >= slot.look_from {
            self.trim(slot, settled);
            slot.look_from = slot.events.len() + MOMENTS_MORE;
        }
    }

    /// Puts together what has settled.
    fn trim(&self, slot: &mut Slot<D>, settled: EventTime) {
        let first = settled.saturating_add(1);
        events::evict(&mut slot.events, first);
        slot.sums.settle(self.lives.number(first));
    }

    /// All rows of the half-lives before the moment's, and of that one what is not after it.
    fn read(&self, slot: &mut Slot<D>, at: EventTime) -> (f64, f64) {
        let last = self.lives.number(at);
        let after = slot.events.range((Excluded(at), Unbounded));
        let after = after.take_while(|(at, _)| self.lives.number(**at) == last);
        let after = after.flat_map(|(at, moment)| moment.iter().map(move |row| (*at, row)));
        let less = after.filter(|(_, (_, count))| present(**count) > 0);
        let less = less.map(|(at, (row, count))| self.lives.sums::<L>(at, row.1, *count).1);
        let sums = slot.sums.until(Running::default(), last, less);
        sums.read::<L>(&self.lives, at)
    }

    fn restore(&self, sums: ByHalfLife, events: Events<Numbered<D>>) -> Slot<D> {
        Slot {
            events,
            sums,
            look_from: MOMENTS_MORE,
        }
    }
}
