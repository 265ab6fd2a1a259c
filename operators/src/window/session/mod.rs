//! Session windows: a key's rows for as long as none of them keeps the next one waiting for more than a gap.
//!
//! ```text
//!        ┌─ one session ────────┐                     ┌─ the next ─┐
//!   ─────●────●──────────●──────●─────────────────────●────●───────▶ event time
//!      start             ├─gap──┤                     ├─ …
//!                        a row exactly one gap after   any later: a session of its own
//!                        the last one still belongs    [start, last + gap], closed at both ends
//! ```
//!
//! A row that comes late may join two sessions to one; a row that is taken back may break one in two.
//! [`SessionWindows::at`] tells labels of another table what the session that was open at their moments had come to.
//!
//! # Invariants
//! 1. After every epoch the accumulated `latest` output is, per key, its sessions by brute force.
//! 2. A session that did not change emits nothing; one that merged or split takes back what it was.
//! 3. `finals` emits each session once, when the watermark has passed `last + gap`, and never changes it.
//! 4. A retraction that comes before its row takes nothing away until then.
//!
//! # Cost
//! `latest`: per row one lookup of its key, one of its session, and the aggregate's update. Joining two sessions adds the
//! rows of the smaller one to the larger; a row that is taken back sorts its session's rows, once an epoch, and a split
//! rebuilds all but its largest part. State: the rows and one aggregate state per session, both freed when the watermark
//! has passed `last + gap`.
//!
//! `finals` (`session/finals.rs`): per row a place in the calendar until the watermark passes it, one lookup of its key,
//! and the aggregate's update; nothing is ever joined or split. State: the rows that wait, and per key with an open
//! session one aggregate state and the session's rows, freed likewise.

pub(in crate::window) mod at;
mod finals;
mod sessions;
mod state;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::keyed::KeyedState;
use thalweg_engine::table::Table;
use thalweg_engine::time::EventTime;
use thalweg_engine::update::Data;

use crate::aggregate::{self, Aggregate};
use crate::key_by::{Timeline, micros};
pub use at::{OpenSession, SessionAt};
use finals::Finals;
use state::State;

/// Session windows that wait to be told what to compute.
#[derive(Clone)]
pub struct SessionWindows<'s, D: Data + Ord, K: Key> {
    timeline: Timeline<'s, D, K>,
    gap_us: i64,
}

/// One session of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionRow<K, O> {
    /// The key.
    pub key: K,
    /// Its first row's event time.
    pub start: EventTime,
    /// Its last row's event time; the session holds whatever comes up to one gap after it.
    pub last: EventTime,
    /// What the aggregates read.
    pub value: O,
}

impl<'s, D: Data, K: Key> Timeline<'s, D, K> {
    /// A window for as long as rows of a key come: `[start, last + gap]`, closed at both ends, so that a row exactly
    /// one gap after the last one still belongs.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the gap is shorter than 1 µs.
    pub fn session(&self, gap: Duration) -> Result<SessionWindows<'s, D, K>, JobError>
    where
        D: Ord,
    {
        Ok(SessionWindows {
            timeline: self.clone(),
            gap_us: micros("the gap that ends a session", gap)?,
        })
    }
}

impl<'s, D: Data + Ord, K: Key> SessionWindows<'s, D, K> {
    /// One row per session, replaced as its rows come and go, late ones too, and as it joins others or breaks apart: what
    /// other windows call `corrections` is here the same table.
    #[must_use]
    pub fn latest<A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
    ) -> Table<'s, SessionRow<K, A::Output>> {
        let keyed = &self.timeline.keyed;
        aggregate::check(&keyed.table, name, &aggregate);
        let (key, at) = (Rc::clone(&keyed.key), Rc::clone(&self.timeline.at));
        self.run(
            &format!("{name} latest"),
            State::new(key, at, self.gap_us, aggregate),
        )
    }

    /// One row per session once the watermark has passed one gap after its last row, never changed again.
    #[must_use]
    pub fn finals<A: Aggregate<D>>(
        &self,
        name: &str,
        aggregate: A,
    ) -> Table<'s, SessionRow<K, A::Output>> {
        aggregate::check(&self.timeline.keyed.table, name, &aggregate);
        let state = Finals::new(&self.timeline, self.gap_us, aggregate);
        self.run(&format!("{name} final"), state)
    }

    fn run<S: KeyedState<In = D>>(&self, name: &str, state: S) -> Table<'s, S::Out> {
        let keyed = &self.timeline.keyed;
        keyed.table.keyed(name, keyed.tags.clone(), state)
    }
}
