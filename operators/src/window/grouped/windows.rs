//! All open windows, by their start.

use std::collections::BTreeMap;

use thalweg_engine::key::Key;
use thalweg_engine::time::EventTime;

use crate::window::grouped::open::Open;

/// Windows that are kept, emptied, for the next ones.
const SPARE_MAX: usize = 64;

/// Where a window lies in the slab.
pub(super) type Place = usize;

/// The open windows of one worker.
pub(super) struct Windows<K, S> {
    by_start: BTreeMap<EventTime, Place>,
    pub(super) slab: Vec<Open<K, S>>,
    spare: Vec<Place>,
    /// The window of the row before: mostly the next row's as well.
    current: Option<Place>,
    keys: usize,
    bytes: usize,
    closed: u64,
}

impl<K: Key, S: Default> Windows<K, S> {
    pub(super) fn new() -> Self {
        Self {
            by_start: BTreeMap::new(),
            slab: Vec::new(),
            spare: Vec::new(),
            current: None,
            keys: 0,
            bytes: 0,
            closed: 0,
        }
    }

    /// The place of the window that begins at `start`, which is opened if it is not.
    #[inline]
    pub(super) fn at(&mut self, start: EventTime) -> Place {
        match self.current {
            Some(place) if self.slab[place].start == start => place,
            _ => self.look_up(start),
        }
    }

    #[inline(never)]
    fn look_up(&mut self, start: EventTime) -> Place {
        let place = match self.by_start.get(&start) {
            Some(place) => *place,
            None => self.open(start),
        };
        self.current = Some(place);
        place
    }

    fn open(&mut self, start: EventTime) -> Place {
        let place = if let Some(place) = self.spare.pop() {
            self.slab[place].begin(start);
            place
        } else {
            self.slab.push(Open::new(start));
            self.bytes += self.slab[self.slab.len() - 1].bytes();
            self.slab.len() - 1
        };
        self.by_start.insert(start, place);
        place
    }

    /// The handle of a key in a window, made at its first call.
    #[inline]
    pub(super) fn resolve(&mut self, place: Place, key: &K) -> u32 {
        let open = &mut self.slab[place];
        let known = open.index.len();
        let (handle, grown) = open.resolve(key);
        self.keys += open.index.len() - known;
        if grown {
            self.recount();
        }
        handle
    }

    /// Forgets a group, and its window with its last group.
    pub(super) fn forget(&mut self, place: Place, handle: u32) {
        self.slab[place].forget(handle);
        self.keys -= 1;
        if self.slab[place].index.is_empty() {
            self.close(self.slab[place].start);
        }
    }

    /// Forgets a window with all its groups.
    pub(super) fn close(&mut self, start: EventTime) {
        let Some(place) = self.by_start.remove(&start) else {
            return;
        };
        self.keys -= self.slab[place].index.len();
        self.current = None;
        self.closed += 1;
        if self.spare.len() < SPARE_MAX {
            self.slab[place].begin(EventTime::MIN);
        } else {
            self.bytes -= self.slab[place].bytes();
            self.slab[place] = Open::new(EventTime::MIN);
            self.bytes += self.slab[place].bytes();
        }
        self.spare.push(place);
    }

    /// The first window by time.
    pub(super) fn first(&self) -> Option<(EventTime, Place)> {
        self.by_start
            .first_key_value()
            .map(|(start, place)| (*start, *place))
    }

    /// All groups: window start, key, rows, state.
    pub(super) fn groups(&self) -> impl Iterator<Item = (EventTime, &K, i64, &S)> {
        self.by_start.iter().flat_map(|(start, place)| {
            let open = &self.slab[*place];
            open.index.iter().map(|(handle, key)| {
                let group = &open.groups[handle as usize];
                (*start, key, group.rows, &group.state)
            })
        })
    }

    /// How many windows have been closed so far.
    #[inline]
    pub(super) fn closed(&self) -> u64 {
        self.closed
    }

    pub(super) fn keys(&self) -> usize {
        self.keys
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Memory has grown, which is rare.
    #[cold]
    fn recount(&mut self) {
        self.bytes = self.slab.iter().map(Open::bytes).sum();
    }
}
