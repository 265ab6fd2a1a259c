//! The merchants that payments go to: a dimension, read whole before any payment.

use serde::{Deserialize, Serialize};
use thalweg_engine::source::{Batch, Partition, ReadStatus, Reader, Source, SourceError};

use crate::generator::draw::{Draws, f64_of};

/// Rows per call of `read`.
const BATCH_ROWS: u32 = 4_096;

const KIND_MERCHANT: u64 = 4;

const FIRST: [&str; 16] = [
    "Alder", "Beacon", "Cedar", "Delta", "Ember", "Fjord", "Garnet", "Harbor", "Indigo", "Juniper",
    "Kestrel", "Linden", "Meadow", "North", "Orchard", "Pine",
];

/// Categories, and how the names of their merchants end.
const CATEGORIES: [(&str, &str); 12] = [
    ("groceries", "Market"),
    ("restaurants", "Kitchen"),
    ("fuel", "Fuels"),
    ("travel", "Travel"),
    ("electronics", "Electronics"),
    ("clothing", "Outfitters"),
    ("pharmacy", "Pharmacy"),
    ("entertainment", "Cinemas"),
    ("home", "Interiors"),
    ("sports", "Sports"),
    ("books", "Books"),
    ("gambling", "Games"),
];

/// A merchant.
#[derive(Clone, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Merchant {
    /// The number that [`Payment::merchant`](crate::generator::Payment) names, from 1.
    pub merchant: u32,
    /// Its name, unique.
    pub name: String,
    /// What it sells: one of twelve.
    pub category: String,
    /// How often its payments are disputed, 0 to 0.999 in thousandths; mostly low.
    pub risk: f64,
}

/// An untimed source of merchants, the same rows for the same seed.
///
/// ```
/// use thalweg_connectors::generator::Merchants;
/// use thalweg_engine::source::Source;
///
/// let partitions = Merchants::new(7).count(50).partitions()?;
/// assert_eq!(partitions.first().and_then(|p| p.rows), Some(50));
/// # Ok::<(), thalweg_engine::source::SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Merchants {
    seed: u64,
    count: u32,
}

impl Merchants {
    /// 2,000 merchants.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, count: 2_000 }
    }

    /// How many merchants there are.
    #[must_use]
    pub fn count(mut self, merchants: u32) -> Self {
        self.count = merchants;
        self
    }
}

impl Source for Merchants {
    type Row = Merchant;

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        Ok(vec![Partition {
            name: "merchants".to_owned(),
            rows: Some(u64::from(self.count)),
        }])
    }

    fn open(&self, partition: usize) -> Result<Box<dyn Reader<Merchant>>, SourceError> {
        match partition {
            0 => Ok(Box::new(MerchantReader {
                seed: self.seed,
                read: 0,
                count: self.count,
            })),
            other => Err(SourceError::Wrong(format!(
                "there is no partition {other} of merchants: there is one, 0"
            ))),
        }
    }

    fn bounded(&self) -> bool {
        true
    }
}

struct MerchantReader {
    seed: u64,
    read: u32,
    count: u32,
}

impl Reader<Merchant> for MerchantReader {
    fn read(&mut self, batch: &mut Batch<Merchant>) -> Result<ReadStatus, SourceError> {
        let end = self.read.saturating_add(BATCH_ROWS).min(self.count);
        for number in self.read..end {
            batch.push(merchant(self.seed, number.saturating_add(1)));
        }
        self.read = end;
        Ok(if end == self.count {
            ReadStatus::End
        } else {
            ReadStatus::More
        })
    }
}

fn merchant(seed: u64, merchant: u32) -> Merchant {
    let mut draws = Draws::new(seed, KIND_MERCHANT, u64::from(merchant));
    let first = one_of(&FIRST, &mut draws).copied().unwrap_or_default();
    let (category, last) = one_of(&CATEGORIES, &mut draws).copied().unwrap_or_default();
    // The product of two even draws: most merchants are harmless.
    let risk = f64_of(draws.below(1_000) * draws.below(1_000) / 1_000) / 1_000.0;
    Merchant {
        merchant,
        name: format!("{first} {last} {merchant}"),
        category: category.to_owned(),
        risk,
    }
}

fn one_of<'a, T>(choices: &'a [T], draws: &mut Draws) -> Option<&'a T> {
    let number = draws.below(u64::try_from(choices.len()).unwrap_or(u64::MAX));
    usize::try_from(number)
        .ok()
        .and_then(|number| choices.get(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(source: &Merchants) -> Vec<Merchant> {
        let mut reader = source.open(0).unwrap();
        let mut batch = Batch::default();
        while reader.read(&mut batch).unwrap() == ReadStatus::More {}
        batch
            .take()
            .0
            .into_iter()
            .map(|(merchant, _)| merchant)
            .collect()
    }

    #[test]
    fn merchants_are_numbered_from_1_and_the_same_for_a_seed() {
        let merchants = all(&Merchants::new(7).count(10_000));
        assert!((1..=10_000).eq(merchants.iter().map(|m| m.merchant)));
        assert_eq!(all(&Merchants::new(7).count(3)), merchants[..3]);
        assert_ne!(all(&Merchants::new(8).count(3)), merchants[..3]);
        assert!(merchants.iter().all(|m| (0.0..1.0).contains(&m.risk)));
        let mean = merchants.iter().map(|m| m.risk).sum::<f64>() / 10_000.0;
        assert!((0.24..0.26).contains(&mean), "{mean}");
        assert_eq!(all(&Merchants::new(7).count(0)), []);
    }
}
