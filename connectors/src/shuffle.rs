//! A source whose partitions come in an order drawn from a seed: arrival order must never change a result.
//!
//! ```text
//! inner partition: r0 r1 r2 r3 ──(read whole)──▶ Fisher–Yates, splitmix64(seed, partition) ──▶ r2 r0 r3 r1
//! ```
//!
//! Absent on purpose: no `rand`, so that the same seed gives the same order in every version for ever.

use thalweg_engine::source::{Batch, Partition, ReadStatus, Reader, Source, SourceError};
use thalweg_engine::update::Diff;

/// Rows that one read yields once the partition is in memory.
const BATCH_ROWS: usize = 1_024;

/// Any bounded source, each partition in an order drawn from a seed.
///
/// A partition is held in memory whole. Dead letters pass through as they are found.
pub struct Shuffled<S> {
    source: S,
    seed: u64,
}

impl<S: Source> Shuffled<S> {
    /// Shuffles `source`: the same seed gives the same order, each partition has an order of its own.
    #[must_use]
    pub fn new(source: S, seed: u64) -> Self {
        Self { source, seed }
    }
}

impl<S: Source> Source for Shuffled<S> {
    type Row = S::Row;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        if !self.source.bounded() {
            return Err(SourceError::Wrong(
                "cannot shuffle a source that never ends: a partition is read whole first; \
                 shuffle a bounded source, such as files or a memory log"
                    .to_owned(),
            ));
        }
        self.source.partitions()
    }

    fn open(&self, partition: usize) -> Result<Box<dyn Reader<S::Row>>, SourceError> {
        let number = u64::try_from(partition).unwrap_or(u64::MAX);
        Ok(Box::new(ShuffledReader {
            inner: self.source.open(partition)?,
            random: SplitMix64(self.seed ^ SplitMix64(number).next()),
            rows: Vec::new(),
            whole: false,
        }))
    }

    fn bounded(&self) -> bool {
        self.source.bounded()
    }
}

struct ShuffledReader<D> {
    inner: Box<dyn Reader<D>>,
    random: SplitMix64,
    rows: Vec<(D, Diff)>,
    whole: bool,
}

impl<D: Send> Reader<D> for ShuffledReader<D> {
    fn read(&mut self, batch: &mut Batch<D>) -> Result<ReadStatus, SourceError> {
        if !self.whole {
            let mut found = Batch::default();
            let status = self.inner.read(&mut found)?;
            let (rows, dead) = found.take();
            self.rows.extend(rows);
            dead.into_iter().for_each(|letter| batch.reject(letter));
            if status != ReadStatus::End {
                return Ok(status);
            }
            self.whole = true;
            self.random.shuffle(&mut self.rows);
        }
        let rest = self.rows.len().saturating_sub(BATCH_ROWS);
        self.rows
            .drain(rest..)
            .for_each(|(row, diff)| batch.push_signed(row, diff));
        Ok(if rest > 0 {
            ReadStatus::More
        } else {
            ReadStatus::End
        })
    }
}

/// Steele, Lea and Flood's generator (OOPSLA 2014), in Vigna's constants: 64 bits of state, full period.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Fisher–Yates. The remainder is biased by less than rows / 2⁶⁴, which no test can see.
    fn shuffle<T>(&mut self, rows: &mut [T]) {
        for last in (1..rows.len()).rev() {
            let bound = u64::try_from(last).unwrap_or(u64::MAX).saturating_add(1);
            let at = usize::try_from(self.next() % bound).unwrap_or(last);
            rows.swap(last, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::Log;

    fn order(seed: u64, partition: usize) -> Vec<(i64, Diff)> {
        let rows: Vec<_> = (0..5_000)
            .map(|n| (n, if n % 7 == 0 { -1 } else { 1 }))
            .collect();
        let source = Shuffled::new(
            Log::partitions(vec![rows.clone(), rows]).batch_rows(100),
            seed,
        );
        let mut reader = source.open(partition).unwrap();
        let mut batch = Batch::default();
        while reader.read(&mut batch).unwrap() != ReadStatus::End {}
        batch.take().0
    }

    #[test]
    fn it_is_a_permutation() {
        let mut rows = order(1, 0);
        assert_ne!(rows, order(1, 1), "each partition has an order of its own");
        rows.sort_unstable();
        let straight: Vec<_> = (0..5_000)
            .map(|n| (n, if n % 7 == 0 { -1 } else { 1 }))
            .collect();
        assert_eq!(rows, straight);
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_another_seed_another() {
        assert_eq!(order(42, 0), order(42, 0));
        assert_ne!(order(42, 0), order(43, 0));
    }

    #[test]
    fn every_order_of_three_rows_comes_about_equally_often() {
        let mut seen = std::collections::BTreeMap::new();
        for seed in 0..6_000 {
            let mut rows = [0, 1, 2];
            SplitMix64(seed).shuffle(&mut rows);
            *seen.entry(rows).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.values().all(|n| (900..1_100).contains(n)), "{seen:?}");
    }

    struct Spoilt;

    impl Source for Spoilt {
        type Row = i64;

        fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
            Ok(Vec::new())
        }

        fn open(&self, _partition: usize) -> Result<Box<dyn Reader<i64>>, SourceError> {
            Ok(Box::new(Self))
        }

        fn bounded(&self) -> bool {
            false
        }
    }

    impl Reader<i64> for Spoilt {
        fn read(&mut self, batch: &mut Batch<i64>) -> Result<ReadStatus, SourceError> {
            batch.reject(thalweg_engine::source::DeadLetter {
                source: String::new(),
                partition: "p".to_owned(),
                position: 3,
                reason: "broken".to_owned(),
                record: "{".to_owned(),
            });
            Ok(ReadStatus::End)
        }
    }

    #[test]
    fn dead_letters_are_kept_and_endless_sources_refused() {
        let source = Shuffled::new(Spoilt, 1);
        let mut batch = Batch::default();
        assert_eq!(
            source.open(0).unwrap().read(&mut batch).unwrap(),
            ReadStatus::End
        );
        assert_eq!(batch.take().1.len(), 1);
        assert!(source.partitions().is_err());
    }
}
