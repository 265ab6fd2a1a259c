//! What is saved of final sessions: those that are open, with all their rows, and the rows that wait.

use std::collections::BTreeMap;

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{KeyGroup, StateError};
use thalweg_engine::time::{EventTime, WATERMARK_NONE};
use thalweg_engine::update::{Data, Update};

use crate::aggregate::Aggregate;
use crate::codec;
use crate::window::session::finals::Finals;
use crate::window::session::finals::open::{Member, Open};
use crate::window::session::sessions::Copies;

/// A session: key, first row, last row, state, rows.
type Saved<D, K, S> = (K, EventTime, EventTime, S, Vec<Copies<D>>);

/// The watermark, the sessions, the rows that wait.
type All<D, K, S> = (EventTime, Vec<Saved<D, K, S>>, Vec<Copies<D>>);

impl<D: Data + Ord, K: Key, A: Aggregate<D>> Finals<D, K, A> {
    pub(super) fn save_group(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self.index.iter().filter(|(_, key)| group.holds(key.tag()));
        let mut sessions: BTreeMap<u32, Saved<&D, &K, &A::State>> = ours
            .map(|(handle, key)| {
                let open = &self.open[handle as usize];
                let older = open.older.iter().map(|(row, copies)| (row, *copies));
                let saved = (key, open.first, open.last, &open.state, older.collect());
                (handle, saved)
            })
            .collect();
        for member in &self.members {
            if let Some((_, first, .., rows)) = sessions.get_mut(&member.handle)
                && member.at >= *first
            {
                rows.push((&member.row, member.copies));
            }
        }
        let waiting = self.calendar.iter();
        let waiting: Vec<Copies<&D>> = waiting
            .filter(|row| group.holds(row.key.tag()))
            .map(|row| (&row.row, row.diff))
            .collect();
        let sessions: Vec<_> = sessions.into_values().collect();
        codec::encode(&(self.watermark, sessions, waiting), into)
    }

    pub(super) fn load_group(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (watermark, sessions, waiting): All<D, K, A::State> = codec::decode(bytes)?;
        self.watermark = self.watermark.max(watermark);
        for (key, first, last, state, rows) in sessions {
            let handle = self.resolve(&key);
            for (row, copies) in rows {
                let at = (self.at)(&row);
                self.members.push_back(Member {
                    at,
                    handle,
                    copies,
                    row,
                });
            }
            self.open[handle as usize] = Open {
                is_open: true,
                first,
                last,
                state,
                older: Vec::new(),
            };
        }
        self.sort_members();
        let waiting: Vec<Update<D>> = waiting
            .into_iter()
            .map(|(row, diff)| (row, 0, diff))
            .collect();
        self.admit(waiting, WATERMARK_NONE);
        Ok(())
    }
}
