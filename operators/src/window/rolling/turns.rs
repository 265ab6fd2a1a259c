//! Which rows of an epoch are the first and the last of their key.
//!
//! ```text
//! handles   7 3 7 7 3
//! first     0 1 0 0 1     where the key's first row stands
//! last      3 4           where its last one does, beside the first
//! ```
//!
//! Who knows that can finish a key at its last row, while its state is in the nearest cache, and need not come back.
//!
//! # Cost
//! Per row a probe of a table of the epoch's keys, which for epochs of some thousand rows stays in the second cache; 20
//! to 28 bytes per row of the largest epoch.

use thalweg_engine::key::GOLDEN;

/// Marks a free slot.
const FREE: u32 = u32::MAX;

/// The first and last rows of an epoch's keys.
#[derive(Default)]
pub(super) struct Turns {
    handles: Vec<u32>,
    first: Vec<u32>,
    last: Vec<u32>,
    /// First rows by handle, open addressing, half full at most.
    slots: Vec<u32>,
}

impl Turns {
    /// Takes the handles of an epoch's rows: `fill` appends them.
    pub(super) fn of(&mut self, fill: impl FnOnce(&mut Vec<u32>)) {
        self.handles.clear();
        fill(&mut self.handles);
        let rows = self.handles.len();
        self.slots.clear();
        self.slots.resize((2 * rows).next_power_of_two(), FREE);
        self.first.clear();
        self.last.clear();
        for row in 0..rows {
            let slot = self.slot(self.handles[row]);
            #[expect(
                clippy::cast_possible_truncation,
                reason = "an epoch has fewer than 2³² rows"
            )]
            let row = row as u32;
            if self.slots[slot] == FREE {
                self.slots[slot] = row;
            }
            let first = self.slots[slot];
            self.first.push(first);
            self.last.push(row);
            self.last[first as usize] = row;
        }
    }

    /// The handles of the rows.
    pub(super) fn handles(&self) -> &[u32] {
        &self.handles
    }

    /// The first row of a row's key.
    #[inline(always)]
    pub(super) fn first(&self, row: usize) -> usize {
        self.first[row] as usize
    }

    /// The last row of a row's key.
    #[inline(always)]
    pub(super) fn last(&self, row: usize) -> usize {
        self.last[self.first(row)] as usize
    }

    /// Whether a handle has a row.
    pub(super) fn has(&self, handle: u32) -> bool {
        self.slots[self.slot(handle)] != FREE
    }

    /// Where a handle stands, or would.
    #[inline(always)]
    fn slot(&self, handle: u32) -> usize {
        let mask = self.slots.len() - 1;
        let hash = u64::from(handle).wrapping_mul(GOLDEN);
        let mut slot = (hash >> 32) as usize & mask;
        while self.slots[slot] != FREE && self.handles[self.slots[slot] as usize] != handle {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::draws;

    #[test]
    fn first_and_last_rows_are_those_that_a_search_finds() {
        let mut turns = Turns::default();
        let mut draw = draws(1);
        for (rows, handles) in [
            (0, 1),
            (1, 1),
            (7, 2),
            (100, 10),
            (1_000, 3),
            (5_000, 4_000),
        ] {
            let all = std::iter::repeat_with(|| u32::try_from(draw(handles.into())).unwrap());
            let all: Vec<u32> = all.take(rows).collect();
            turns.of(|into| into.extend(&all));
            for (row, handle) in all.iter().enumerate() {
                let is_its = |other: &u32| other == handle;
                assert_eq!(Some(turns.first(row)), all.iter().position(is_its));
                assert_eq!(Some(turns.last(row)), all.iter().rposition(is_its));
            }
            assert!((0..handles).all(|handle| turns.has(handle) == all.contains(&handle)));
        }
    }
}
