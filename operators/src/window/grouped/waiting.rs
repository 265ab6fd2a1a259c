//! Rows of open windows that have not been counted yet.
//!
//! ```text
//! rows, run by run ─▶ rows of their window ┬─ as many as may wait ─▶ the window's groups ┬─▶ out
//!                                          └─ the window has ended ─▶ groups in turn ────┘
//! ```
//!
//! Laying a row by is a copy to where the one before it lies. While a window is open nothing is looked up in it, and one
//! that was not counted before it ends fills no table of its own: all take turns in one, which stays in the cache.
//!
//! # Invariants
//! 1. More than a few rows wait only where three of four brought a key of their own, so that rows take no more room than
//!    groups would. How many may is one number for all windows: those that are counted say it to those that follow.
//! 2. What a window comes to does not depend on when its rows are counted.

use thalweg_engine::update::Update;

use crate::window::grouped::windows::Place;

/// Rows that may wait at first, and where keys repeat.
const LEAST: usize = 32;

/// Rows that may wait where none repeats: what they are counted in stays in the second cache.
const MOST: usize = 2_048;

/// The largest row that may wait, in bytes: a cache line.
const ROW_BYTES: usize = 64;

/// Rooms that are kept for the next windows: an epoch may end a hundred, and the next begin as many.
const SPARE_MAX: usize = 128;

/// The rows of each window that wait.
pub(super) struct Waiting<D> {
    by_place: Vec<Vec<Update<D>>>,
    spare: Vec<Vec<Update<D>>>,
    may_wait: usize,
    rows: usize,
    bytes: usize,
}

impl<D: Clone> Waiting<D> {
    /// Whether rows like these may wait at all: those that own nothing, so that a copy is a copy, and are small.
    pub(super) const PLAIN: bool = !std::mem::needs_drop::<D>() && size_of::<D>() <= ROW_BYTES;

    pub(super) fn new() -> Self {
        Self {
            by_place: Vec::new(),
            spare: Vec::new(),
            may_wait: LEAST,
            rows: 0,
            bytes: 0,
        }
    }

    /// Whether so many rows that have just come are to be counted without waiting, since none waits before them.
    #[inline(always)]
    pub(super) fn is_enough(&self, place: Place, rows: usize) -> bool {
        rows >= self.may_wait && self.of(place).is_empty()
    }

    /// Lays rows of a window by, and says whether as many are waiting now as may.
    #[inline]
    pub(super) fn add(&mut self, place: Place, rows: &[Update<D>]) -> bool {
        let place = place as usize;
        if self.by_place.len() <= place {
            self.by_place.resize_with(place + 1, Vec::new);
        }
        let waiting = &mut self.by_place[place];
        if waiting.capacity() - waiting.len() < rows.len() {
            if waiting.capacity() == 0 {
                *waiting = self.spare.pop().unwrap_or_default();
            }
            let before = waiting.capacity();
            waiting.reserve(rows.len());
            self.bytes += (waiting.capacity() - before) * size_of::<Update<D>>();
        }
        waiting.extend_from_slice(rows);
        self.rows += rows.len();
        waiting.len() >= self.may_wait
    }

    /// Hands the rows of a window over, to be counted: see [`Waiting::put_back`].
    pub(super) fn take(&mut self, place: Place) -> Vec<Update<D>> {
        let rows = std::mem::take(&mut self.by_place[place as usize]);
        self.rows -= rows.len();
        rows
    }

    /// Takes the room back of rows that have been counted.
    pub(super) fn put_back(&mut self, place: Place, mut rows: Vec<Update<D>>) {
        rows.clear();
        self.by_place[place as usize] = rows;
    }

    /// Learns that so many rows have brought so many groups that were not there before.
    pub(super) fn counted(&mut self, rows: usize, new_groups: usize) {
        if rows >= LEAST {
            let repeat = new_groups * 4 < rows * 3;
            let next = if repeat {
                self.may_wait / 2
            } else {
                self.may_wait * 2
            };
            self.may_wait = next.clamp(LEAST, MOST);
        }
    }

    /// A window has ended, and all of its rows are counted: its room is for others.
    pub(super) fn close(&mut self, place: Place) {
        let Some(room) = self.by_place.get_mut(place as usize) else {
            return;
        };
        let room = std::mem::take(room);
        if room.capacity() > 0 && self.spare.len() < SPARE_MAX {
            self.spare.push(room);
        } else {
            self.bytes -= room.capacity() * size_of::<Update<D>>();
        }
    }

    /// The rows of a window.
    #[inline(always)]
    pub(super) fn of(&self, place: Place) -> &[Update<D>] {
        self.by_place.get(place as usize).map_or(&[], Vec::as_slice)
    }

    /// Rows that wait.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Bytes held, room for the next windows' rows included.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    #[test]
    fn rows_are_handed_over_as_they_were_laid_by_and_counted_with_their_bytes() {
        let mut draws = Draws::seeded(1);
        let mut waiting = Waiting::<u64>::new();
        let mut expected = vec![Vec::new(); 300];
        for id in 0..20_000 {
            // In the end all windows are counted, one after another.
            let last = (id as usize).checked_sub(20_000 - 300);
            let place = last.unwrap_or_else(|| draws.below(300) as usize);
            if last.is_some() || draws.below(20) == 0 {
                if !expected[place].is_empty() {
                    let rows = waiting.take(place as Place);
                    assert_eq!(rows, std::mem::take(&mut expected[place]));
                    waiting.put_back(place as Place, rows);
                }
                if last.is_some() || draws.below(2) == 0 {
                    waiting.close(place as Place);
                }
            } else {
                let rows: Vec<_> = (0..draws.below(9)).map(|n| (id, n, 1)).collect();
                waiting.add(place as Place, &rows);
                expected[place].extend(rows);
                assert_eq!(waiting.of(place as Place), expected[place]);
            }
            assert_eq!(waiting.len(), expected.iter().map(Vec::len).sum::<usize>());
            let rooms = waiting.by_place.iter().chain(&waiting.spare);
            let held: usize = rooms.map(Vec::capacity).sum();
            assert_eq!(waiting.bytes(), held * size_of::<Update<u64>>());
        }
        assert!(
            waiting.spare.len() == SPARE_MAX,
            "some rooms were let go of"
        );
    }

    /// How many rows of one window go in before it says that they are to be counted.
    fn patience(waiting: &mut Waiting<u64>) -> usize {
        let mut rows = 1;
        while !waiting.add(0, &[(0, 0, 1)]) {
            assert!(!waiting.is_enough(0, usize::MAX), "others wait");
            rows += 1;
        }
        assert!(waiting.is_enough(1, rows) && !waiting.is_enough(1, rows - 1));
        rows
    }

    #[test]
    fn more_may_wait_where_keys_are_new_and_fewer_where_they_repeat() {
        let mut waiting = Waiting::<u64>::new();
        let mut expected = LEAST;
        for new_of_four in [4, 4, 2, 4, 3, 4, 4, 4, 4, 4, 1, 1, 0, 2, 0, 1, 0, 1] {
            let rows = patience(&mut waiting);
            assert_eq!(rows, expected);
            expected = if new_of_four >= 3 { rows * 2 } else { rows / 2 };
            expected = expected.clamp(LEAST, MOST);
            let rows = waiting.take(0);
            waiting.counted(rows.len(), rows.len() * new_of_four / 4);
            waiting.put_back(0, rows);
        }
        assert_eq!(expected, LEAST);
    }
}
