//! Pairs of numbers that are there, each once: `(pair, epoch, ±n)` in, `(pair, epoch, ±1)` out.
//!
//! # Invariants
//! 1. A pair is there while its copies add up to more than none; one that comes and goes within an epoch is not seen.
//! 2. So what follows can take each `+1` as new and each `−1` as present.
//!
//! # Cost
//! Per update one hash lookup. State: 41 bytes per pair and the slack of the tables, freed when its copies add up to
//! nothing.

use thalweg_engine::key::Key;
use thalweg_engine::keyed::{Emitter, EpochTime, KeyGroup, KeyedState, StateError, StateSize};
use thalweg_engine::state::KeyIndex;
use thalweg_engine::update::{Diff, Updates};

use crate::codec;

type Pair = (u64, u64);

/// How far ahead of its use a slot of the index is asked for, in updates.
const AHEAD: usize = 16;

/// A pair's copies, and whether it was there when the epoch first touched it.
#[derive(Clone, Copy, Default)]
struct Copies {
    count: Diff,
    was: Option<bool>,
}

/// The keyed state of distinct pairs.
pub(super) struct Distinct {
    index: KeyIndex<Pair>,
    copies: Vec<Copies>,
    touched: Vec<u32>,
}

impl Distinct {
    pub(super) fn new() -> Self {
        Self {
            index: KeyIndex::new(),
            copies: Vec::new(),
            touched: Vec::new(),
        }
    }

    #[inline]
    fn entry(&mut self, pair: &Pair) -> (u32, &mut Copies) {
        let (handle, new) = self.index.resolve(pair);
        if new && handle as usize == self.copies.len() {
            self.copies.push(Copies::default());
        }
        (handle, &mut self.copies[handle as usize])
    }
}

impl KeyedState for Distinct {
    type In = Pair;
    type Out = Pair;
    const FORMAT: u32 = 1;

    fn epoch(&mut self, _: &EpochTime, rows: Updates<Pair>, out: &mut Emitter<'_, Pair>) {
        for rows in rows.containers() {
            for (i, (pair, _, diff)) in rows.iter().enumerate() {
                if let Some((ahead, _, _)) = rows.get(i + AHEAD) {
                    self.index.prefetch(ahead.tag());
                }
                let (handle, copies) = self.entry(pair);
                let first = copies.was.is_none();
                copies.was.get_or_insert(copies.count > 0);
                copies.count += diff;
                if first {
                    self.touched.push(handle);
                }
            }
        }
        for handle in self.touched.drain(..) {
            let copies = &mut self.copies[handle as usize];
            let (was, is) = (copies.was.take().unwrap_or(false), copies.count > 0);
            if let Some(pair) = self.index.key(handle).filter(|_| was != is) {
                out.emit(*pair, if is { 1 } else { -1 });
            }
            if copies.count == 0 {
                self.index.remove(handle);
            }
        }
    }

    fn save(&self, group: KeyGroup, into: &mut Vec<u8>) -> Result<(), StateError> {
        let ours = self
            .index
            .iter()
            .filter(|(_, pair)| group.holds(pair.tag()));
        let copies: Vec<(Pair, Diff)> = ours
            .map(|(handle, pair)| (*pair, self.copies[handle as usize].count))
            .collect();
        codec::encode(&copies, into)
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let copies: Vec<(Pair, Diff)> = codec::decode(bytes)?;
        for (pair, count) in copies {
            self.entry(&pair).1.count = count;
        }
        Ok(())
    }

    fn size(&self) -> StateSize {
        StateSize {
            keys: self.index.len(),
            events: self.index.len(),
            bytes: self.index.bytes() + self.copies.capacity() * size_of::<Copies>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::laws::{assert_continues, log};

    #[test]
    fn saved_pairs_continue_as_if_never_interrupted() {
        for seed in 0..40 {
            let epochs = log(seed, 1, |row| {
                (row.key.unsigned_abs(), row.value.unsigned_abs())
            });
            assert_continues(Distinct::new, Key::tag, &epochs);
        }
    }
}
