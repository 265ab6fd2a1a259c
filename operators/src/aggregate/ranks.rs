//! Values with how often each is there, of which the n-th in order is asked for: what quantiles are read from.
//!
//! ```text
//! pieces     [1×2 4×1 5×3]  [6×1 9×1]  [12×4]        value × count, ascending
//! present         6            2          4           the 7th is the 1st of the second piece
//! ```
//!
//! # Invariants
//! 1. Values ascend within a piece and from piece to piece; no piece is empty, no count is zero.
//! 2. What is compared and saved are the values and their counts, not how they lie in pieces.
//!
//! # Cost
//! For d distinct values an update moves at most [`PIECE_MAX`] of them, and a rank walks the pieces, of which there are
//! d/[`PIECE_MAX`] to twice as many, and then one of them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thalweg_engine::update::Diff;

use crate::aggregate::Additive;

/// Values in a piece, at most; a full one is halved. 8 KiB of numbers with their counts: a guess that was not tuned.
const PIECE_MAX: usize = 512;

/// A multiset that knows ranks. Counts may be negative for a while: a retraction may come before what it retracts.
#[derive(Clone, Debug)]
pub struct Ranks<T> {
    pieces: Vec<Piece<T>>,
}

#[derive(Clone, Debug)]
struct Piece<T> {
    values: Vec<(T, Diff)>,
    /// The sum of the positive counts.
    present: u64,
}

impl<T> Default for Ranks<T> {
    fn default() -> Self {
        Self { pieces: Vec::new() }
    }
}

impl<T: Ord> Ranks<T> {
    /// Adds `diff` copies of a value.
    pub fn update(&mut self, value: T, diff: Diff) {
        if diff == 0 {
            return;
        }
        if self.pieces.is_empty() {
            self.pieces.push(Piece {
                values: Vec::new(),
                present: 0,
            });
        }
        let ends_before = |piece: &Piece<T>| piece.values.last().is_some_and(|last| last.0 < value);
        let last = self.pieces.len() - 1;
        let place = self.pieces.partition_point(ends_before).min(last);
        let piece = &mut self.pieces[place];
        piece.update(value, diff);
        if piece.values.is_empty() {
            self.pieces.remove(place);
        } else if piece.values.len() >= PIECE_MAX {
            let upper = piece.halve();
            self.pieces.insert(place + 1, upper);
        }
    }

    /// How many values there are, each as often as it is there.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.present).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `n`-th value in ascending order, from 0 on, each as often as it is there.
    #[must_use]
    pub fn nth(&self, mut n: u64) -> Option<&T> {
        let piece = self.pieces.iter().find(|piece| {
            let here = n < piece.present;
            n -= if here { 0 } else { piece.present };
            here
        })?;
        let value = piece.values.iter().find(|(_, count)| {
            let count = present(*count);
            let here = n < count;
            n -= if here { 0 } else { count };
            here
        })?;
        Some(&value.0)
    }
}

impl<T> Ranks<T> {
    fn iter(&self) -> impl Iterator<Item = &(T, Diff)> {
        self.pieces.iter().flat_map(|piece| &piece.values)
    }
}

impl<T: Ord + Clone> Additive for Ranks<T> {
    fn add(&mut self, other: &Self, times: Diff) {
        for (value, count) in other.iter() {
            self.update(value.clone(), count * times);
        }
    }
}

impl<T: Ord> Piece<T> {
    fn update(&mut self, value: T, diff: Diff) {
        match self.values.binary_search_by(|(held, _)| held.cmp(&value)) {
            Ok(place) => {
                let count = &mut self.values[place].1;
                self.present -= present(*count);
                *count += diff;
                self.present += present(*count);
                if *count == 0 {
                    self.values.remove(place);
                }
            }
            Err(place) => {
                self.values.insert(place, (value, diff));
                self.present += present(diff);
            }
        }
    }

    /// Keeps the lower half and returns the upper one.
    fn halve(&mut self) -> Self {
        let values = self.values.split_off(self.values.len() / 2);
        let upper = values.iter().map(|(_, count)| present(*count)).sum();
        self.present -= upper;
        Self {
            values,
            present: upper,
        }
    }
}

fn present(count: Diff) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

impl<T: PartialEq> PartialEq for Ranks<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Serialize> Serialize for Ranks<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Postcard asks for the length first, which a flattened iterator does not know.
        let values: Vec<&(T, Diff)> = self.iter().collect();
        values.serialize(serializer)
    }
}

impl<'de, T: Ord + Deserialize<'de>> Deserialize<'de> for Ranks<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut ranks = Self::default();
        for (value, count) in Vec::<(T, Diff)>::deserialize(deserializer)? {
            ranks.update(value, count);
        }
        Ok(ranks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::Draws;
    use std::collections::BTreeMap;

    /// The oracle: all values in one line.
    fn line(counts: &BTreeMap<u64, Diff>) -> Vec<u64> {
        let present = counts.iter().filter(|(_, count)| **count > 0);
        present
            .flat_map(|(value, count)| vec![*value; *count as usize])
            .collect()
    }

    #[test]
    fn ranks_are_places_in_the_sorted_line_while_pieces_split_and_vanish() {
        let (mut ranks, mut counts) = (Ranks::default(), BTreeMap::<u64, Diff>::new());
        let mut draws = Draws::seeded(1);
        for step in 0..40_000_u64 {
            let (value, sign) = (draws.below(3_000), draws.below(20));
            // First mostly insertions, then mostly retractions.
            let diff = if (sign < 7) == (step < 20_000) { -1 } else { 1 };
            ranks.update(value, diff);
            let count = counts.entry(value).or_default();
            *count += diff;
            if *count == 0 {
                counts.remove(&value);
            }
            if step % 1_999 == 0 {
                let line = line(&counts);
                assert_eq!(ranks.len(), line.len() as u64);
                for n in (0..line.len()).step_by(97) {
                    assert_eq!(ranks.nth(n as u64), Some(&line[n]));
                }
                assert_eq!(ranks.nth(line.len() as u64), None);
            }
        }
        assert!(ranks.pieces.len() > 2);
        let bytes = postcard::to_stdvec(&ranks).unwrap();
        assert!(postcard::from_bytes::<Ranks<u64>>(&bytes).unwrap() == ranks);
        for (value, count) in counts {
            ranks.update(value, -count);
        }
        assert!(ranks.pieces.is_empty());
    }
}
