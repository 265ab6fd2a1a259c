//! All open windows, by their start.

use std::collections::BTreeMap;

use thalweg_engine::key::{GOLDEN, Key};
use thalweg_engine::time::EventTime;

use crate::window::grouped::open::{Group, Open};

/// Windows that are kept, emptied, for the next ones: an epoch may end a hundred, and the next begin as many.
const SPARE_MAX: usize = 256;

/// Windows that are found without a search: late rows go back and forth between a few.
const RECENT: usize = 256;

/// Where a window may stand among the recent ones.
#[inline]
fn recent(start: EventTime) -> usize {
    (start.cast_unsigned().wrapping_mul(GOLDEN) >> (64 - RECENT.trailing_zeros())) as usize
}

/// Where a window lies in the slab.
pub(super) type Place = u32;

/// The open windows of one worker.
pub(super) struct Windows<K, S> {
    by_start: BTreeMap<EventTime, Place>,
    pub(super) slab: Vec<Open<K, S>>,
    spare: Vec<Place>,
    /// Windows of the rows before, mostly the next row's as well: by a hash of their start.
    recent: [Option<(EventTime, Place)>; RECENT],
    keys: usize,
    bytes: usize,
}

impl<K: Key, S: Default> Windows<K, S> {
    pub(super) fn new() -> Self {
        Self {
            by_start: BTreeMap::new(),
            slab: Vec::new(),
            spare: Vec::new(),
            recent: [None; RECENT],
            keys: 0,
            bytes: 0,
        }
    }

    /// The place of the window that begins at `start`, which is opened if it is not.
    #[inline]
    pub(super) fn at(&mut self, start: EventTime) -> Place {
        match self.recent[recent(start)] {
            Some((known, place)) if known == start => place,
            _ => self.look_up(start),
        }
    }

    #[inline(never)]
    fn look_up(&mut self, start: EventTime) -> Place {
        let place = match self.by_start.get(&start) {
            Some(place) => *place,
            None => self.open(start),
        };
        self.recent[recent(start)] = Some((start, place));
        place
    }

    fn open(&mut self, start: EventTime) -> Place {
        let place = if let Some(place) = self.spare.pop() {
            self.slab[place as usize].start = start;
            place
        } else {
            self.slab.push(Open::new(start));
            self.bytes += self.slab[self.slab.len() - 1].bytes();
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a worker holds fewer than 2³² windows"
            )]
            let place = (self.slab.len() - 1) as Place;
            place
        };
        self.by_start.insert(start, place);
        place
    }

    /// Lets `change` change a window, and counts the keys and the bytes that it has more or fewer of.
    #[inline(always)]
    pub(super) fn change(&mut self, place: Place, change: impl FnOnce(&mut Open<K, S>)) {
        let open = &mut self.slab[place as usize];
        let (keys, bytes) = (self.keys - open.len(), self.bytes - open.bytes());
        change(open);
        (self.keys, self.bytes) = (keys + open.len(), bytes + open.bytes());
    }

    /// Forgets a group, and its window with its last group.
    pub(super) fn forget(&mut self, place: Place, handle: u32) {
        self.change(place, |open| open.forget(handle));
        if self.slab[place as usize].len() == 0 {
            self.close(self.slab[place as usize].start);
        }
    }

    /// Forgets a window with all its groups.
    pub(super) fn close(&mut self, start: EventTime) {
        let Some(place) = self.by_start.remove(&start) else {
            return;
        };
        self.recent[recent(start)] = None;
        let keep = self.spare.len() < SPARE_MAX;
        self.change(place, |open| {
            if keep {
                open.clear();
            } else {
                *open = Open::new(EventTime::MIN);
            }
        });
        self.spare.push(place);
    }

    /// The first window by time.
    pub(super) fn first(&self) -> Option<(EventTime, Place)> {
        self.by_start
            .first_key_value()
            .map(|(start, place)| (*start, *place))
    }

    /// The places of the windows that begin in `from..until`, in order.
    pub(super) fn within(&self, from: EventTime, until: EventTime) -> Vec<Place> {
        let within = from.min(until)..until;
        let found = self.by_start.range(within);
        found.map(|(_, place)| *place).collect()
    }

    /// All open windows: where each begins, and where it lies.
    pub(super) fn places(&self) -> impl Iterator<Item = (EventTime, Place)> {
        self.by_start.iter().map(|(start, place)| (*start, *place))
    }

    /// All groups, each with the start of its window.
    pub(super) fn groups(&self) -> impl Iterator<Item = (EventTime, &Group<K, S>)> {
        self.places().flat_map(|(start, place)| {
            let open = &self.slab[place as usize];
            open.groups().map(move |group| (start, group))
        })
    }

    pub(super) fn keys(&self) -> usize {
        self.keys
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Windows of many sizes, some emptied group by group: what is free is held as well, and goes with its window.
    #[test]
    fn keys_and_bytes_are_those_of_the_windows_held_as_they_come_and_go() {
        let windows_max = 3 * SPARE_MAX as i64;
        let mut windows = Windows::<u64, i64>::new();
        let check = |windows: &Windows<u64, i64>| {
            assert_eq!(windows.keys(), windows.groups().count());
            let held: usize = windows.slab.iter().map(Open::bytes).sum();
            assert_eq!(windows.bytes(), held);
        };
        for start in 0..windows_max {
            let place = windows.at(start);
            let mut handles = Vec::new();
            let keys = 0..start.unsigned_abs();
            windows.change(place, |open| {
                handles.extend(keys.map(|key| open.resolve(&key)));
            });
            check(&windows);
            let emptied = handles.len() / (1 + start.unsigned_abs() as usize % 3);
            for handle in &handles[..emptied] {
                windows.forget(place, *handle);
                check(&windows);
            }
        }
        while let Some((start, _)) = windows.first() {
            windows.close(start);
            check(&windows);
        }
        assert_eq!(windows.keys(), 0);
    }
}
