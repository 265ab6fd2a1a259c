//! Rolling windows, one row per key: the online store's mode.
//!
//! ```text
//! (key, at, numbers) @ epoch × ±n ─▶ −old row, +new row per key whose row changed in the epoch
//! ```
//!
//! # Invariants
//! 1. After every epoch the accumulated output is, per key with an event in a window, the row by brute force over all
//!    of the key's events: windows `[end − width, end]`, where `end` is the key's newest event, or the watermark where
//!    that is later (with [`Expiry::AtWatermark`]).
//! 2. A row that did not change is not emitted, unless whoever takes the rows replaces: a store is told the row of every
//!    key that an event has touched, whether it reads the same or not.
//!
//! # Cost
//! Per event: its turn in the epoch (`turns.rs`), and one line (or ring, sums and stacks) touched; per changed row two
//! updates, in no order that is promised. State: the events of the widest
//! window and the lateness, 16 bytes each and up (8 in the compact form), freed as the watermark passes; a key without
//! events is forgotten.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{
    Emitter, EpochTime, KeyGroup, KeyedState, Place, StateError, StateSize,
};
use thalweg_engine::state::prefetch;
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::{Diff, Updates};

use crate::array::Array;
use crate::codec;
use crate::value::{Lane, Moments};
use crate::window::rolling::event::{Event, Rolled, Windows};
use crate::window::rolling::form::Form;
use crate::window::rolling::lines::UNARMED;
use crate::window::rolling::store::{AHEAD, SavedKey, Store};
use crate::window::rolling::timers::Timers;
use crate::window::rolling::turns::Turns;
use crate::window::rolling::widths::Widths;

/// Whether a row falls as time passes, with no new event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// Windows end at the watermark once it has passed the key's newest event: an event at `e` leaves the row when the
    /// watermark passes `e + width`, and a row without events goes.
    #[default]
    AtWatermark,
    /// Windows end at the key's newest event: a row changes only with its events.
    AtNextEvent,
}

/// A row that stood before the epoch: its time, and where it is taken back, unless whoever takes the rows replaces.
type Old = (EventTime, Option<Place>);

/// The state of rolling windows in mode `latest`.
pub(crate) struct Latest<K: Key, L: Lane, const N: usize, const W: usize, F: Form> {
    store: Store<K, L, N, W, F>,
    timers: Timers,
    expiry: Expiry,
    /// Whether new rows go out alone: whoever takes them replaces.
    replaces: bool,
    /// The newest watermark that is a moment: what rows are as of.
    as_of: EventTime,
    turns: Turns,
    due: Vec<u32>,
}

impl<K: Key, L: Lane, const N: usize, const W: usize, F: Form> Latest<K, L, N, W, F> {
    const EMPTY: Windows<L, N, W> = Array([Array([Moments::EMPTY; N]); W]);

    pub(crate) fn new(widths: Widths<W>, expiry: Expiry) -> Self {
        Self {
            store: Store::new(widths),
            timers: Timers::new(),
            expiry,
            replaces: false,
            as_of: WATERMARK_NONE,
            turns: Turns::default(),
            due: Vec::new(),
        }
    }

    /// Without the rows that new ones replace.
    pub(crate) fn replacing(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// Writes a key's row as of a moment.
    #[inline(always)]
    fn write(
        &mut self,
        (key, handle): (&K, u32),
        (at, as_of): (EventTime, EventTime),
        diff: Diff,
        out: &mut Emitter<'_, Rolled<K, L, N, W>>,
    ) -> Place {
        let begin = || Rolled {
            key: key.clone(),
            at,
            windows: Self::EMPTY,
        };
        out.emit_in_place(begin, diff, |row| {
            self.store.fill(handle, as_of, &mut row.windows);
        })
    }

    /// Takes a key's row back as it stands.
    #[inline(always)]
    fn take_back(
        &mut self,
        key: (&K, u32),
        out: &mut Emitter<'_, Rolled<K, L, N, W>>,
    ) -> Option<Old> {
        let at = self.store.row_at(key.1, self.as_of)?;
        let place = (!self.replaces).then(|| self.write(key, (at, self.as_of), -1, out));
        Some((at, place))
    }

    /// Writes a key's new row in place of the old one, if it has one; whether it has.
    #[inline(always)]
    fn replace(
        &mut self,
        key: (&K, u32),
        old: Option<Old>,
        as_of: EventTime,
        out: &mut Emitter<'_, Rolled<K, L, N, W>>,
    ) -> bool {
        let Some(at) = self.store.row_at(key.1, as_of) else {
            if self.replaces
                && let Some((at, _)) = old
            {
                // A store that replaces is told by key what goes.
                self.write(key, (at, as_of), -1, out);
            }
            return false;
        };
        let new = self.write(key, (at, as_of), 1, out);
        if let Some((old_at, Some(old))) = old
            && old_at == at
        {
            out.take_back_equal(old, new);
        }
        true
    }

    /// Applies the rows of one key after the other: before its first the old row is taken back, and after its last the new
    /// one goes out, while the key's events are near.
    fn apply(
        &mut self,
        rows: &Updates<Event<K, N, ()>>,
        as_of: EventTime,
        out: &mut Emitter<'_, Rolled<K, L, N, W>>,
    ) {
        let rows: Vec<_> = rows.iter().collect();
        let turns = std::mem::take(&mut self.turns);
        let (mut last, mut old) = (None, None);
        for (i, turn) in turns.all().iter().enumerate() {
            self.store
                .prefetch_ahead(turns.all(), i, |turn| turn.handle);
            if let Some(ahead) = turns.all().get(i + 2 * AHEAD) {
                prefetch(std::slice::from_ref(rows[ahead.row as usize]), 0);
            }
            let (event, _, diff) = rows[turn.row as usize];
            let key = (&event.key, turn.handle);
            if last != Some(turn.handle) {
                old = self.take_back(key, out);
            }
            last = Some(turn.handle);
            self.store.apply(key.1, event.at, &event.lanes, *diff);
            let next = turns.all().get(i + 1).map(|turn| turn.handle);
            if next != last {
                self.settle(key, old, as_of, out);
            }
        }
        self.turns = turns;
    }

    /// Lets time pass for the keys whose timers are due; those that an event has touched have later ones, or none.
    fn fire(&mut self, as_of: EventTime, out: &mut Emitter<'_, Rolled<K, L, N, W>>) {
        let mut due = std::mem::take(&mut self.due);
        self.timers.take_due(as_of, &mut due);
        for (i, handle) in due.iter().copied().enumerate() {
            self.store.prefetch_ahead(&due, i, |handle| *handle);
            self.store.prefetch_key_ahead(&due, i, |handle| *handle);
            if self.store.due(handle) >= as_of {
                // Since this timer was set, an earlier one has fired or an event has come: the key has a later one, or none.
                continue;
            }
            self.store.set_due(handle, UNARMED);
            let Some(key) = self.store.index.key(handle).cloned() else {
                continue;
            };
            let old = self.take_back((&key, handle), out);
            self.settle((&key, handle), old, as_of, out);
        }
        due.clear();
        self.due = due;
    }

    /// Writes the rows of all keys that no event has touched anew: at the first watermark, before which no timer is set.
    fn fire_all(&mut self, as_of: EventTime, out: &mut Emitter<'_, Rolled<K, L, N, W>>) {
        let known = self.store.index.iter();
        let resting = known.filter(|(handle, _)| !self.turns.has(*handle));
        let resting: Vec<(u32, K)> = resting.map(|(handle, key)| (handle, key.clone())).collect();
        for (handle, key) in resting {
            let old = self.take_back((&key, handle), out);
            self.settle((&key, handle), old, as_of, out);
        }
    }

    /// Writes a key's new row, and lets it rest until its next event or timer.
    #[inline(always)]
    fn settle(
        &mut self,
        key: (&K, u32),
        old: Option<Old>,
        as_of: EventTime,
        out: &mut Emitter<'_, Rolled<K, L, N, W>>,
    ) {
        let handle = key.1;
        if !self.replace(key, old, as_of, out) {
            // Owed events may keep it: there is nothing that time could change.
            self.store.set_due(handle, UNARMED);
            self.store.prune(handle, as_of);
            self.store.forget_if_empty(handle);
        } else if self.expiry == Expiry::AtWatermark && as_of != WATERMARK_NONE {
            self.arm(handle, as_of);
        }
    }

    /// Sets the key's timer, unless one stands that is due no later: a late event may leave before all others. One that
    /// is due now does not stand any more.
    fn arm(&mut self, handle: u32, as_of: EventTime) {
        let due = self.store.due(handle);
        if let Some(after) = self.store.next_expiry(handle, as_of)
            && (after < due || due < as_of)
        {
            self.store.set_due(handle, after);
            self.timers.set(handle, after);
        }
    }
}

impl<K: Key, L: Lane, const N: usize, const W: usize, F: Form> KeyedState
    for Latest<K, L, N, W, F>
{
    type In = Event<K, N, ()>;
    type Out = Rolled<K, L, N, W>;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        mut rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        if !self.replaces {
            out.keep();
        }
        rows.sort_containers(|(event, _, _)| event.at);
        let as_of = match self.expiry {
            Expiry::AtWatermark => time.as_of,
            Expiry::AtNextEvent => self.as_of,
        };
        self.turns
            .of(|handles| self.store.resolve_all(&rows, handles));
        self.apply(&rows, as_of, out);
        if as_of > self.as_of {
            if self.as_of == WATERMARK_NONE {
                self.fire_all(as_of, out);
            }
            self.fire(as_of, out);
        }
        self.as_of = as_of;
        self.store.forgive_debts(time.watermark);
        if time.watermark != WATERMARK_END {
            // Rows at the watermark itself may still come, or be retracted.
            self.store.settled = time.watermark.saturating_sub(1);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        codec::encode(
            &(self.as_of, self.store.settled, self.store.saved(group)),
            into,
        )
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (as_of, settled, keys): (EventTime, EventTime, Vec<SavedKey<K, N>>) =
            codec::decode(bytes)?;
        self.as_of = self.as_of.max(as_of);
        self.store.settled = self.store.settled.max(settled);
        for key in keys {
            let handle = self.store.restore(key);
            let mut windows = Self::EMPTY;
            let has_row = self.store.fill(handle, self.as_of, &mut windows).is_some();
            if has_row && self.expiry == Expiry::AtWatermark {
                self.arm(handle, self.as_of);
            }
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let mut size = self.store.size();
        size.bytes += self.timers.bytes();
        size
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::laws::{assert_continues, log};
    use crate::value::Fixed;
    use crate::window::rolling::form::{Compact, Wide};

    #[test]
    fn saved_keys_continue_as_if_never_interrupted() {
        assert_saved_keys_continue::<Wide>();
        assert_saved_keys_continue::<Compact>();
    }

    fn assert_saved_keys_continue<F: Form>() {
        for (seed, step_us) in (0..40).zip([1_i64, 1_000_000].into_iter().cycle()) {
            let width = |steps| Duration::from_micros(step_us.unsigned_abs() * steps);
            let widths = Widths::new([width(3), width(20)]).unwrap();
            let epochs = log(seed, step_us, |row| Event {
                key: row.key,
                at: row.at,
                lanes: Array([row.value]),
                payload: (),
            });
            for expiry in [Expiry::AtWatermark, Expiry::AtNextEvent] {
                assert_continues(
                    || Latest::<i64, Fixed<0>, 1, 2, F>::new(widths, expiry),
                    |event| event.key.tag(),
                    &epochs,
                );
            }
        }
    }

    /// Runs an epoch, and lets `take` have what was written.
    fn run(
        state: &mut Latest<i64, Fixed<0>, 1, 2, Wide>,
        (time, rows): &(EpochTime, Vec<(Event<i64, 1, ()>, i64)>),
        mut take: impl FnMut(Rolled<i64, Fixed<0>, 1, 2>, i64),
    ) {
        let rows = rows.iter().map(|(row, diff)| (row.clone(), 0, *diff));
        let mut buffer = Vec::new();
        let mut pass_on =
            |full: &mut Vec<_>| full.drain(..).for_each(|(row, _, diff)| take(row, diff));
        let mut out = Emitter::new(0, &mut buffer, &mut pass_on);
        state.epoch(time, rows.collect(), &mut out);
        out.finish();
    }

    #[test]
    fn a_store_that_replaces_holds_after_every_epoch_what_the_changes_add_up_to() {
        use std::collections::BTreeMap;
        let widths =
            Widths::new([Duration::from_micros(3_000), Duration::from_micros(9_000)]).unwrap();
        for expiry in [Expiry::AtWatermark, Expiry::AtNextEvent] {
            for seed in 0..60 {
                let epochs = log(seed, 1_000, |row| Event {
                    key: row.key,
                    at: row.at,
                    lanes: Array([row.value]),
                    payload: (),
                });
                let mut changing = Latest::new(widths, expiry);
                let mut replacing = Latest::new(widths, expiry).replacing();
                let (mut net, mut store) = (Vec::new(), BTreeMap::new());
                for epoch in &epochs {
                    run(&mut changing, epoch, |row, diff| match diff {
                        1 => net.push(row),
                        _ => net.retain(|known| *known != row),
                    });
                    let mut written = Vec::new();
                    run(&mut replacing, epoch, |row, diff| {
                        written.push(row.key);
                        match diff {
                            1 => store.insert(row.key, row),
                            _ => store.remove(&row.key),
                        };
                    });
                    written.sort_unstable();
                    let rows = written.len();
                    written.dedup();
                    assert_eq!(rows, written.len(), "one row per key and epoch");
                    net.sort_by_key(|row| row.key);
                    assert_eq!(net, store.values().copied().collect::<Vec<_>>());
                }
            }
        }
    }

    #[test]
    fn a_retraction_whose_event_would_be_late_is_forgiven() {
        let widths = Widths::new([Duration::from_micros(10), Duration::from_micros(20)]).unwrap();
        let mut state = Latest::new(widths, Expiry::AtWatermark);
        let event = |key| Event {
            key,
            at: 50,
            lanes: Array([1]),
            payload: (),
        };
        let at = |watermark| EpochTime {
            watermark,
            as_of: watermark,
            ..EpochTime::default()
        };
        let mut written = 0;
        let unpaid = vec![(event(7), -1), (event(8), -1)];
        run(&mut state, &(at(50), unpaid), |_, _| written += 1);
        assert_eq!(state.size().keys, 2, "both may still be paid at 50");
        run(&mut state, &(at(50), vec![(event(7), 1)]), |_, _| {
            written += 1
        });
        run(&mut state, &(at(51), Vec::new()), |_, _| written += 1);
        assert_eq!((state.size().keys, written), (0, 0));
    }
}
