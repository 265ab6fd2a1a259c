//! Fading sums as of the moments of labels.
//!
//! ```text
//!   ──●─────●──────●───▲──●──▶ event time      the rows up to the label's moment ▲, that moment itself included, each
//!                    label                      times its weight as of it
//! ```

use std::marker::PhantomData;
use std::rc::Rc;

use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::{Data, Diff};

use crate::key_by::Timeline;
use crate::value::{IntoLane, Lane, NULL};
use crate::window::at::kept::{Kept, MOMENTS_MORE, View};
use crate::window::at::{Features, PointInTime, Sealed};
use crate::window::decayed::fading::HalfLives;
use crate::window::decayed::settled::Settled;
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

impl<'s, D: Data, K: Key> Decayed<'s, D, K> {
    /// Count, sum and mean of the numbers as of the moments of labels, another table by the same key: the bits of
    /// [`Decayed::finals`] where a row stands at the label's moment, and faded further where it is later than the key's
    /// newest number. A row's `at` is the label's moment.
    ///
    /// In [`as_known_by`](PointInTime::as_known_by) all numbers are kept: one that is known late belongs before those that
    /// were known earlier, and sums of half-lives are put together in order.
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

impl<'s, D: Data, K: Key, L: Lane> Features<'s> for AskedDecayed<'s, D, K, L> {}

impl<'s, D: Data, K: Key, L: Lane> Sealed<'s> for AskedDecayed<'s, D, K, L> {
    type Of = D;
    type Row = DecayedRow<K>;
    type Past = Kept<K, i64, Fades<L>>;

    fn name(&self) -> &str {
        &self.name
    }

    fn past(&self) -> Self::Past {
        Kept::new(Fades::new(self.decayed.half_life_us))
    }

    fn events<E: Data>(&self, see: impl Fn(&D, Placed<K, i64>) -> E + 'static) -> Table<'s, E> {
        let lane = Rc::clone(&self.lane);
        self.decayed
            .timeline
            .seen_as(&self.name, move |row| lane(row), see)
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

/// A key's numbers, given as their lanes: those that may change one by one, and the sums of all before.
pub struct Slot {
    events: Events<i64>,
    passed: Settled,
    /// From so many moments on there is a look for old ones.
    look_from: usize,
}

/// The numbers of some moments that are there, in order.
fn there(events: &Events<i64>, until: EventTime) -> impl Iterator<Item = (EventTime, i64, Diff)> {
    let moments = events.range(..=until);
    let numbers = moments.flat_map(|(at, moment)| moment.iter().map(|(lane, n)| (*at, *lane, *n)));
    numbers.filter(|(_, _, count)| present(*count) > 0)
}

impl<L: Lane> View<i64> for Fades<L> {
    type Slot = Slot;
    type Base = Settled;
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

    fn empty(&self) -> Slot {
        self.restore(Settled::default(), Events::new())
    }

    fn events(slot: &Slot) -> &Events<i64> {
        &slot.events
    }

    fn base(slot: &Slot) -> &Settled {
        &slot.passed
    }

    fn is_empty(slot: &Slot) -> bool {
        slot.events.is_empty() && slot.passed.is_empty()
    }

    fn change(&self, slot: &mut Slot, at: EventTime, lane: &i64, diff: Diff) {
        if *lane != NULL {
            events::add(&mut slot.events, at, lane, diff);
        }
    }

    fn let_go(&self, slot: &mut Slot, settled: EventTime) {
        if slot.events.len() >= slot.look_from {
            self.trim(slot, settled);
            slot.look_from = slot.events.len() + MOMENTS_MORE;
        }
    }

    /// Puts together what has settled.
    fn trim(&self, slot: &mut Slot, settled: EventTime) {
        for (at, lane, copies) in there(&slot.events, settled) {
            slot.passed.add::<L>(&self.lives, at, lane, copies);
        }
        events::evict(&mut slot.events, settled.saturating_add(1));
    }

    fn read(&self, slot: &mut Slot, at: EventTime) -> (f64, f64) {
        let mut sums = slot.passed;
        for (at, lane, copies) in there(&slot.events, at) {
            sums.add::<L>(&self.lives, at, lane, copies);
        }
        sums.running.read::<L>(&self.lives, at)
    }

    fn restore(&self, passed: Settled, events: Events<i64>) -> Slot {
        Slot {
            events,
            passed,
            look_from: MOMENTS_MORE,
        }
    }
}
