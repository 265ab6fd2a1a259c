//! Rolling windows, one row per event at once, repaired as late events come and events are taken back: the mode for
//! audit, and for whoever cannot wait for the watermark.
//!
//! ```text
//! (key, at, numbers, payload) ─┬─ the key's newest ─▶ +row                               appended, read once
//!                              └─ late, or −1 ──────▶ −old +new of the rows in [at, at + widest width]
//! ```
//!
//! A row at `t` may change while an event in `[t − widest width, t]` may still come or go, and none can once the watermark
//! has passed `t`: from then on the row is final, and what `finals` would have written.
//!
//! # Invariants
//! 1. After every epoch the accumulated output is, per event that is there, its row by brute force over all of its key's
//!    events: windows `[at − width, at]`, peers of equal time included.
//! 2. A row that did not change is not emitted; an epoch's changes are net.
//! 3. A retraction of what is not there is a debt: the event pays it when it comes, or the watermark forgives it.
//!
//! # Cost
//! Per event in order: an append and one reading of the running sums, whatever the windows hold. Per late event or
//! retraction at `e`: its key's rows in `[e, e + widest width]` are read twice, which are the rows that change. State: the
//! events of the widest window, and payloads until the watermark has passed them, or the log has doubled since.

use std::collections::VecDeque;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::prefetch;
use thalweg_engine::time::{EventTime, WATERMARK_END, WATERMARK_NONE};
use thalweg_engine::update::{Data, Diff, Updates};

use crate::array::Array;
use crate::codec;
use crate::value::{Lane, Moments};
use crate::window::rolling::event::{Event, Rolled, Windows};
use crate::window::rolling::finals::Final;
use crate::window::rolling::form::Form;
use crate::window::rolling::open_rows::{NOWHERE, WindowsAts};
use crate::window::rolling::repair::{Open, Repair};
use crate::window::rolling::silences::Silences;
use crate::window::rolling::store::{AHEAD, SavedKey, Store};
use crate::window::rolling::widths::Widths;

/// What a row is of: rows of one moment that carry the same cannot be told apart.
type Source<P, const N: usize> = (P, Array<i64, N>);

/// A change, with its key's handle.
type Late<P, const N: usize> = (u32, Open<Source<P, N>>);

/// In [`Seen::last`]: the key's rows of this epoch are repaired together.
const LATE: u64 = !NOWHERE;

/// What is noted of a key, in 16 bytes: every event reads it.
#[derive(Clone, Copy)]
struct Seen {
    /// No event of the key is newer.
    newest: EventTime,
    /// The place of the key's last row that may still change.
    last: u64,
}

impl Seen {
    const NOTHING: Self = Self {
        newest: EventTime::MIN,
        last: NOWHERE,
    };
}

/// The state of rolling windows in mode `corrections`.
pub(crate) struct Corrections<K: Key, L: Lane, P, const N: usize, const W: usize, F: Form> {
    store: Store<K, L, N, W, F>,
    keys: Vec<Seen>,
    rows: WindowsAts<Source<P, N>>,
    silences: Silences,
    silent: Vec<u32>,
    handles: Vec<u32>,
    late: Vec<Late<P, N>>,
    changes: Vec<Open<Source<P, N>>>,
    repair: Repair<Source<P, N>, Windows<L, N, W>>,
    /// The rows of the key in repair.
    open: VecDeque<Open<Source<P, N>>>,
}

impl<K: Key, L: Lane, P: Data + Ord, const N: usize, const W: usize, F: Form>
    Corrections<K, L, P, N, W, F>
{
    pub(crate) fn new(widths: Widths<W>) -> Self {
        Self {
            store: Store::new(widths),
            keys: Vec::new(),
            rows: WindowsAts::new(),
            silences: Silences::new(widths.widest()),
            silent: Vec::new(),
            handles: Vec::new(),
            late: Vec::new(),
            changes: Vec::new(),
            repair: Repair::new(|count| count.max(0), |a, b| a.0 == b.0),
            open: VecDeque::new(),
        }
    }

    fn resolve(&mut self, rows: &Updates<Event<K, N, P>>) {
        self.handles.clear();
        self.store.resolve_all(rows, &mut self.handles);
        if self.store.lines.handles() > self.keys.len() {
            self.keys.resize(self.store.lines.handles(), Seen::NOTHING);
        }
    }

    /// Finds the keys that have a row which is not newer than all before it, and notes until when each is waited for.
    fn find_late(&mut self, rows: &Updates<Event<K, N, P>>) {
        for (i, (event, _, diff)) in rows.iter().enumerate() {
            if let Some(ahead) = self.handles.get(i + 2 * AHEAD) {
                prefetch(&self.keys, *ahead as usize);
            }
            self.silences.prefetch_ahead(&self.handles, i);
            self.note(self.handles[i], event.at);
            let key = &mut self.keys[self.handles[i] as usize];
            if event.at <= key.newest || *diff != 1 {
                key.last |= LATE;
            }
            key.newest = key.newest.max(event.at);
        }
    }

    /// Lets go of the rows that the watermark has passed.
    fn let_go(&mut self, passed: EventTime) {
        self.rows.pass(passed);
        if self.rows.has_doubled() {
            let place_of = self.rows.compact(passed);
            for key in &mut self.keys {
                key.last = place_of(key.last);
            }
        }
    }

    /// Appends the rows of keys in order and writes them; those of the others wait.
    fn append(
        &mut self,
        rows: Updates<Event<K, N, P>>,
        out: &mut Emitter<'_, Final<P, K, L, N, W>>,
    ) {
        let handles = std::mem::take(&mut self.handles);
        let mut windows = Array([Array([Moments::EMPTY; N]); W]);
        for (i, (event, _, diff)) in rows.into_iter().enumerate() {
            self.prefetch_ahead(&handles, i);
            let (handle, at) = (handles[i], event.at);
            let last = self.keys[handle as usize].last;
            let row = Open {
                at,
                of: (event.payload, event.lanes),
                count: diff,
            };
            if last & LATE != 0 {
                self.late.push((handle, row));
                continue;
            }
            self.store.apply(handle, at, &event.lanes, 1);
            self.store.fill(handle, WATERMARK_NONE, &mut windows);
            let payload = row.of.0.clone();
            let rolled = || Rolled {
                key: event.key,
                at,
                windows,
            };
            out.emit_with(|| (payload, rolled()), 1);
            self.keys[handle as usize].last = self.rows.push(last, at, row);
        }
        self.handles = handles;
    }

    #[inline(always)]
    fn prefetch_ahead(&self, handles: &[u32], i: usize) {
        self.store.prefetch_ahead(handles, i, |handle| *handle);
        if let Some(far) = handles.get(i + 2 * AHEAD) {
            prefetch(&self.keys, *far as usize);
        }
    }

    /// Repairs the keys that have late rows, a span of time after the other.
    fn repair(&mut self, passed: EventTime, out: &mut Emitter<'_, Final<P, K, L, N, W>>) {
        let mut late = std::mem::take(&mut self.late);
        late.sort_unstable();
        let widest = self.store.widths.widest();
        for rows in late.chunk_by(|a, b| a.0 == b.0) {
            let handle = rows[0].0;
            let Some(key) = self.store.index.key(handle).cloned() else {
                continue;
            };
            let last = self.keys[handle as usize].last & !LATE;
            self.rows.take(last, (rows[0].1.at, passed), &mut self.open);
            let reaches = |a: &Late<P, N>, b: &Late<P, N>| b.1.at <= a.1.at.saturating_add(widest);
            for span in rows.chunk_by(reaches) {
                let (from, until) = (span[0].1.at, span[span.len() - 1].1.at);
                self.changes.clear();
                self.changes.extend(span.iter().map(|row| row.1.clone()));
                let span = (from, until.saturating_add(widest));
                let (store, open) = (&mut self.store, &mut self.open);
                self.repair.begin(store, handle, open, span, &self.changes);
                for row in self.repair.rows() {
                    let change = row.new.max(0) - row.old.max(0);
                    store.apply(handle, row.at, &row.of.1, change);
                }
                let write = |source: &Source<P, N>, at, windows: &Windows<L, N, W>, diff: Diff| {
                    let rolled = || Rolled {
                        key: key.clone(),
                        at,
                        windows: *windows,
                    };
                    out.emit_with(|| (source.0.clone(), rolled()), diff);
                };
                self.repair.end(store, handle, open, write);
            }
            self.keys[handle as usize].last = self.rows.put_back(last, &mut self.open);
        }
        late.clear();
        self.late = late;
    }

    /// A key is waited for until the event at `at` has left the widest window.
    #[inline(always)]
    fn note(&mut self, handle: u32, at: EventTime) {
        let after = at.saturating_add(self.store.widths.widest());
        self.silences.note(handle, after);
    }

    /// Forgets the keys that no row can need any more.
    fn forget_silent(&mut self, watermark: EventTime) {
        let mut silent = std::mem::take(&mut self.silent);
        self.silences.pass(watermark, &mut silent);
        for (i, handle) in silent.iter().copied().enumerate() {
            self.store.prefetch_forgotten(&silent, i);
            if let Some(far) = silent.get(i + 2 * AHEAD) {
                prefetch(&self.keys, *far as usize);
            }
            let newest = self.keys[handle as usize].newest;
            if newest.saturating_add(self.store.widths.widest()) >= watermark {
                self.note(handle, newest);
            } else {
                self.store.prune(handle, EventTime::MAX);
                self.store.forget_if_empty(handle);
                self.keys[handle as usize] = Seen::NOTHING;
            }
        }
        silent.clear();
        self.silent = silent;
    }
}

impl<K: Key, L: Lane, P: Data + Ord, const N: usize, const W: usize, F: Form> KeyedState
    for Corrections<K, L, P, N, W, F>
{
    type In = Event<K, N, P>;
    type Out = Final<P, K, L, N, W>;
    const FORMAT: u32 = 1;

    fn epoch(
        &mut self,
        time: &EpochTime,
        mut rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        rows.sort_containers(|(event, _, _)| event.at);
        self.resolve(&rows);
        self.let_go(time.watermark_before);
        self.find_late(&rows);
        self.append(rows, out);
        self.repair(time.watermark_before, out);
        if time.watermark != WATERMARK_END {
            // Rows at the watermark itself may still come, or be retracted.
            self.store.settled = time.watermark.saturating_sub(1);
        }
        if time.has_risen() {
            self.forget_silent(time.as_of);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self
            .store
            .index
            .iter()
            .filter(|(_, key)| group.holds(key.tag()));
        let rows = ours.map(|(handle, _)| &self.keys[handle as usize]);
        let rows = rows.map(|seen| (seen.newest, self.rows.of(seen.last)));
        let keys: Vec<_> = self.store.saved(group).into_iter().zip(rows).collect();
        codec::encode(&(self.store.settled, keys), into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        type Saved<K, P, const N: usize> =
            Vec<(SavedKey<K, N>, (EventTime, Vec<Open<Source<P, N>>>))>;
        let (settled, keys): (EventTime, Saved<K, P, N>) = codec::decode(bytes)?;
        self.store.settled = self.store.settled.max(settled);
        for (key, (newest, open)) in keys {
            let handle = self.store.restore(key);
            self.note(handle, newest);
            self.keys.resize(self.store.lines.handles(), Seen::NOTHING);
            let rows = open.into_iter();
            let last = rows.fold(NOWHERE, |last, row| self.rows.push(last, row.at, row));
            self.keys[handle as usize] = Seen { newest, last };
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let mut size = self.store.size();
        size.bytes +=
            self.silences.bytes() + self.keys.capacity() * size_of::<Seen>() + self.rows.bytes();
        size
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::laws::{Row, assert_continues, log};
    use crate::value::Fixed;
    use crate::window::rolling::brute::{Net, collect, is_net, windows};
    use crate::window::rolling::form::{Compact, Wide};

    type State<F> = Corrections<i64, Fixed<0>, u32, 1, 2, F>;

    fn event(row: Row) -> Event<i64, 1, u32> {
        Event {
            key: row.key,
            at: row.at,
            lanes: Array([row.value]),
            payload: row.id % 64,
        }
    }

    #[test]
    fn rows_are_brute_force_after_every_epoch_and_changes_are_net() {
        assert_rows_are_brute_force::<Wide>();
        assert_rows_are_brute_force::<Compact>();
    }

    fn assert_rows_are_brute_force<F: Form>() {
        for (seed, step_us) in (0..400).zip([1_i64, 60_000_000].into_iter().cycle()) {
            let widths = [
                3 * step_us,
                [4, 20, 200][usize::try_from(seed % 3).unwrap()] * step_us,
            ];
            let epochs = log(seed, step_us, event);
            let durations = widths.map(|width| Duration::from_micros(width.unsigned_abs()));
            let mut state = State::<F>::new(Widths::new(durations).unwrap());
            let (mut events, mut output) = (BTreeMap::new(), Net::new());
            for (index, (time, rows)) in epochs.iter().enumerate() {
                for (event, diff) in rows {
                    *events.entry(event.clone()).or_insert(0) += diff;
                }
                let updates = rows.iter().cloned();
                let updates = updates.map(|(row, diff)| (row, time.epoch, diff)).collect();
                let written = collect(time, |out| state.epoch(time, updates, out));
                assert!(is_net(&written), "seed {seed}, epoch {index}: {written:?}");
                written
                    .into_iter()
                    .for_each(|(row, diff)| output.add(row, diff));
                let mut expected = Net::new();
                for (event, copies) in events.iter().filter(|(_, copies)| **copies > 0) {
                    let of_key = events.iter().filter(|(other, _)| other.key == event.key);
                    let numbers = of_key.map(|(other, n)| (other.at, other.lanes[0], *n));
                    let row = Rolled {
                        key: event.key,
                        at: event.at,
                        windows: windows(numbers, event.at, widths),
                    };
                    expected.add(format!("{:?}", (event.payload, row)), *copies);
                }
                assert_eq!(output, expected, "seed {seed}, epoch {index}");
            }
        }
    }

    #[test]
    fn saved_rows_continue_to_be_repaired_as_if_never_interrupted() {
        for (seed, step_us) in (0..40).zip([1_i64, 60_000_000].into_iter().cycle()) {
            let width = |steps| Duration::from_micros(step_us.unsigned_abs() * steps);
            let widths = Widths::new([width(3), width(20)]).unwrap();
            let epochs = log(seed, step_us, event);
            assert_continues(
                || State::<Compact>::new(widths),
                |event| event.key.tag(),
                &epochs,
            );
        }
    }
}
