//! Windows that hold a row once: tumbling and lifetime, with any aggregates.
//!
//! ```text
//! (row, epoch, ±n) ─▶ (key, window start) ─▶ aggregate state ─▶ −old +new per changed group          (latest)
//!                                                            └▶ one row when its end has passed      (finals)
//! ```
//!
//! Tumbling windows are `[start, start + width)`, aligned to 1970-01-01T00:00Z; a lifetime window never ends.
//!
//! # Invariants
//! 1. After every epoch the accumulated `latest` output is, per group with rows, the aggregates by brute force.
//! 2. A group whose aggregates did not change emits nothing; a group without rows has no row.
//! 3. `finals` emits each group once, when the watermark has reached its end, and never changes it.
//!
//! # Cost
//! Per update: one lookup and the aggregate's update; per changed group and epoch two updates. State: one aggregate
//! state per group, freed when the group has no rows, and in `finals` when its window has ended.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::table::Table;
use thalweg_engine::time::{EventTime, window_start};
use thalweg_engine::update::{Data, Diff, Updates};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::key_by::Keyed;
use crate::table_ops::TableOps;

/// Which window a row belongs to.
#[derive(Clone)]
pub(crate) enum Span<D> {
    /// One window per key, for ever.
    Lifetime,
    /// Windows of one width, one after another.
    Tumbling {
        width_us: i64,
        at: Rc<dyn Fn(&D) -> EventTime>,
    },
}

/// Windows that wait to be told what to compute.
#[derive(Clone)]
pub struct Grouped<'s, D: Data, K: Key> {
    pub(crate) keyed: Keyed<'s, D, K>,
    pub(crate) span: Span<D>,
}

/// The aggregates of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRow<K, O> {
    /// The key.
    pub key: K,
    /// The window's first moment; 0 for a lifetime window.
    pub start: EventTime,
    /// What the aggregates read.
    pub value: O,
}

/// A row on its way to its group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(
    serialize = "D: Serialize",
    deserialize = "D: serde::de::DeserializeOwned"
))]
struct Member<K: Key, D> {
    group: (K, EventTime),
    row: D,
}

impl<'s, D: Data, K: Key> Grouped<'s, D, K> {
    /// One row per group, replaced as its rows come and go.
    #[must_use]
    pub fn latest<A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
    ) -> Table<'s, GroupRow<K, A::Output>> {
        self.run(name, "latest", aggregate, None)
    }

    /// One row per group once the watermark has reached its end, never changed again.
    /// A lifetime window ends when its sources end.
    #[must_use]
    pub fn finals<A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
    ) -> Table<'s, GroupRow<K, A::Output>> {
        let width_us = match self.span {
            Span::Lifetime => i64::MAX,
            Span::Tumbling { width_us, .. } => width_us,
        };
        self.run(name, "final", aggregate, Some(width_us))
    }

    fn run<A: Aggregate<D>>(
        &self,
        name: &str,
        mode: &str,
        aggregate: A,
        ends_after_us: Option<i64>,
    ) -> Table<'s, GroupRow<K, A::Output>> {
        let (key, span) = (Rc::clone(&self.keyed.key), self.span.clone());
        let members = self.keyed.table.map(move |row| {
            let start = match &span {
                Span::Lifetime => 0,
                Span::Tumbling { width_us, at } => window_start(at(&row), *width_us),
            };
            Member {
                group: (key(&row), start),
                row,
            }
        });
        members.keyed(
            &format!("{name} {mode}"),
            Groups::new(aggregate, ends_after_us),
        )
    }
}

/// A group's state: its rows by count, its aggregates, and whether this epoch has touched it.
struct Group<S> {
    rows: i64,
    state: S,
    touched: bool,
}

impl<S: Default> Default for Group<S> {
    fn default() -> Self {
        Self {
            rows: 0,
            state: S::default(),
            touched: false,
        }
    }
}

/// The keyed state of grouped windows.
struct Groups<D, K: Key, A: Aggregate<D>> {
    aggregate: A,
    index: KeyIndex<(K, EventTime)>,
    groups: Vec<Group<A::State>>,
    touched: Vec<(u32, Option<A::Output>)>,
    /// In mode `final`: how long after its start a window ends.
    ends_after_us: Option<i64>,
    /// In mode `final`: the groups by the end of their window.
    ends: BTreeMap<EventTime, Vec<u32>>,
}

impl<D: Data, K: Key, A: Aggregate<D>> Groups<D, K, A> {
    fn new(aggregate: A, ends_after_us: Option<i64>) -> Self {
        Self {
            aggregate,
            index: KeyIndex::new(),
            groups: Vec::new(),
            touched: Vec::new(),
            ends_after_us,
            ends: BTreeMap::new(),
        }
    }

    fn resolve(&mut self, group: &(K, EventTime)) -> u32 {
        let (handle, new) = self.index.resolve(group);
        if new {
            if handle as usize == self.groups.len() {
                self.groups.push(Group::default());
            }
            if let Some(width) = self.ends_after_us {
                self.ends
                    .entry(group.1.saturating_add(width))
                    .or_default()
                    .push(handle);
            }
        }
        handle
    }

    fn update(&mut self, handle: u32, row: &D, diff: Diff) {
        let group = &mut self.groups[handle as usize];
        if self.ends_after_us.is_none() && !group.touched {
            group.touched = true;
            let old = (group.rows > 0).then(|| self.aggregate.read(&group.state));
            self.touched.push((handle, old));
        }
        group.rows += diff;
        self.aggregate.update(&mut group.state, row, diff);
    }

    fn row(&self, handle: u32) -> Option<GroupRow<K, A::Output>> {
        let group = &self.groups[handle as usize];
        let (key, start) = self.index.key(handle)?.clone();
        (group.rows > 0).then(|| GroupRow {
            key,
            start,
            value: self.aggregate.read(&group.state),
        })
    }

    fn forget(&mut self, handle: u32) {
        self.groups[handle as usize] = Group::default();
        self.index.remove(handle);
    }

    fn emit_changes(&mut self, out: &mut Emitter<'_, GroupRow<K, A::Output>>) {
        let mut touched = std::mem::take(&mut self.touched);
        for (handle, old) in touched.drain(..) {
            self.groups[handle as usize].touched = false;
            let new = self.row(handle);
            let old = old.and_then(|value| {
                let (key, start) = self.index.key(handle)?.clone();
                Some(GroupRow { key, start, value })
            });
            out.replace(old, new);
            let group = &self.groups[handle as usize];
            if group.rows == 0 && group.state == A::State::default() {
                self.forget(handle);
            }
        }
        self.touched = touched;
    }

    /// Emits the windows that have ended: no row before `watermark` can come any more.
    fn emit_ended(&mut self, watermark: EventTime, out: &mut Emitter<'_, GroupRow<K, A::Output>>) {
        while let Some(first) = self.ends.first_entry() {
            if *first.key() > watermark {
                break;
            }
            for handle in first.remove() {
                if let Some(row) = self.row(handle) {
                    out.emit(row, 1);
                }
                self.forget(handle);
            }
        }
    }
}

impl<D: Data, K: Key, A: Aggregate<D>> KeyedState for Groups<D, K, A> {
    type In = Member<K, D>;
    type Out = GroupRow<K, A::Output>;
    const FORMAT: u32 = 1;

    fn tag(row: &Self::In) -> u64 {
        row.group.tag()
    }

    fn epoch(
        &mut self,
        time: &EpochTime,
        rows: Updates<Self::In>,
        out: &mut Emitter<'_, Self::Out>,
    ) {
        for rows in rows.containers() {
            for (i, (member, _, diff)) in rows.iter().enumerate() {
                if let Some((ahead, _, _)) = rows.get(i + 16) {
                    self.index.prefetch(ahead.group.tag());
                }
                let handle = self.resolve(&member.group);
                self.update(handle, &member.row, *diff);
            }
        }
        if self.ends_after_us.is_none() {
            self.emit_changes(out);
        } else if time.has_risen() {
            self.emit_ended(time.watermark, out);
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let groups: Vec<_> = ours
            .map(|(handle, key)| {
                let group = &self.groups[handle as usize];
                (key, group.rows, &group.state)
            })
            .collect();
        codec::encode(&groups, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let groups: Vec<((K, EventTime), i64, A::State)> = codec::decode(bytes)?;
        for (key, rows, state) in groups {
            let handle = self.resolve(&key);
            self.groups[handle as usize] = Group {
                rows,
                state,
                touched: false,
            };
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        let groups = self.groups.capacity() * size_of::<Group<A::State>>();
        StateSize {
            keys: self.index.len(),
            events: self.index.len(),
            bytes: self.index.bytes() + groups,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{count, distinct, latest, moments};
    use crate::laws::{Row, assert_continues, log};

    #[test]
    fn saved_groups_continue_as_if_never_interrupted() {
        let aggregates = || {
            (
                count(),
                moments(|row: &Row| row.value),
                distinct(|row: &Row| Some(row.value)),
                latest(|row: &Row| (row.at, row.id), |row| row.id),
            )
        };
        for seed in 0..40 {
            let epochs = log(seed, 1_000, |row| Member {
                group: (row.key, window_start(row.at, 2_500)),
                row,
            });
            for ends_after_us in [None, Some(2_500)] {
                assert_continues(|| Groups::new(aggregates(), ends_after_us), &epochs);
            }
        }
    }
}
