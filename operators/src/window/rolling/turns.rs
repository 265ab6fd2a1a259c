//! The rows of an epoch in the order of their keys' handles, and of each key as they came.
//!
//! ```text
//! row       0 1 2 3 4
//! handle    7 3 7 7 3
//! turns     3 3 7 7 7     of rows 1 4 0 2 3
//! ```
//!
//! Who takes them in turn passes through the memory of the keys in one direction, so that finding the page of one finds
//! those of its neighbours, and finishes a key at its last row, while its state is in the nearest cache.
//!
//! # Cost
//! Per row a pass over eight bytes for every eleven bits of the greatest handle; few rows are sorted by comparing them. 20
//! bytes per row of the largest epoch.

/// A row and the handle of its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) handle: u32,
    pub(super) row: u32,
}

/// The rows of an epoch, in turn.
#[derive(Default)]
pub(super) struct Turns {
    handles: Vec<u32>,
    turns: Vec<Turn>,
    spare: Vec<Turn>,
}

/// Bits of a handle by which a pass puts in order: two passes do for four million keys, and the counters of one stay in the
/// nearest cache.
const DIGIT_BITS: u32 = 11;

/// Rows up to which they are compared with each other: to count all digits would take longer.
const FEW: usize = 256;

impl Turns {
    /// Takes the handles of an epoch's rows: `fill` appends them.
    pub(super) fn of(&mut self, fill: impl FnOnce(&mut Vec<u32>)) {
        self.handles.clear();
        fill(&mut self.handles);
        self.turns.clear();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "an epoch has fewer than 2³² rows"
        )]
        let turn = |(row, handle): (usize, &u32)| Turn {
            handle: *handle,
            row: row as u32,
        };
        self.turns.extend(self.handles.iter().enumerate().map(turn));
        if self.turns.len() <= FEW {
            self.turns.sort_unstable();
            return;
        }
        let bits = u32::BITS
            - self
                .handles
                .iter()
                .fold(0, |all, one| all | one)
                .leading_zeros();
        for shift in (0..bits).step_by(DIGIT_BITS as usize) {
            self.pass(shift);
        }
    }

    /// Puts the rows in the order of a digit, those of one digit in the order that they had: after a pass for each, from
    /// the least on, all are in order.
    fn pass(&mut self, shift: u32) {
        let digit = |turn: &Turn| (turn.handle >> shift) as usize % (1 << DIGIT_BITS);
        let mut places = [0_u32; 1 << DIGIT_BITS];
        for turn in &self.turns {
            places[digit(turn)] += 1;
        }
        let mut first = 0;
        for place in &mut places {
            first += std::mem::replace(place, first);
        }
        self.spare.resize(self.turns.len(), Turn::default());
        for turn in &self.turns {
            let place = &mut places[digit(turn)];
            self.spare[*place as usize] = *turn;
            *place += 1;
        }
        std::mem::swap(&mut self.turns, &mut self.spare);
    }

    /// The rows.
    pub(super) fn all(&self) -> &[Turn] {
        &self.turns
    }

    /// Whether a handle has a row.
    pub(super) fn has(&self, handle: u32) -> bool {
        let found = self.turns.binary_search_by_key(&handle, |turn| turn.handle);
        found.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;

    #[test]
    fn rows_take_turns_by_handle_and_then_as_they_came() {
        let mut turns = Turns::default();
        let mut draws = Draws::seeded(1);
        for (rows, handles) in [
            (0, 1),
            (1, 1),
            (7, 2),
            (FEW, 10),
            (FEW + 1, 1),
            (1_000, 3),
            (5_000, 4_000),
            (3_000, 1 << 20),
            (2_000, 1_u64 << 32),
        ] {
            let all = std::iter::repeat_with(|| u32::try_from(draws.below(handles)).unwrap());
            let all: Vec<u32> = all.take(rows).collect();
            turns.of(|into| into.extend(&all));
            let row = |row: u32| Turn {
                handle: all[row as usize],
                row,
            };
            let mut expected: Vec<Turn> = (0..all.len() as u32).map(row).collect();
            expected.sort_unstable();
            assert_eq!(turns.all(), expected);
            for handle in all
                .iter()
                .take(100)
                .flat_map(|handle| [*handle, handle ^ 1])
            {
                assert_eq!(turns.has(handle), all.contains(&handle));
            }
        }
    }
}
