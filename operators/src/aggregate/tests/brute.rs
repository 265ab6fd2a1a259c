//! What each aggregate reads, from its definition and all rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::aggregate::tests::laws::Row;
use crate::drift::Bins;
use crate::value::{Fixed, IntoLane, Moments, Wide};

pub(super) fn count_positive(rows: &[Row]) -> i64 {
    rows.iter().filter(|row| row.n > 0).count() as i64
}

pub(super) fn moments(rows: &[Row]) -> Moments<Fixed<0>> {
    let mut moments = Moments::EMPTY;
    rows.iter().for_each(|row| moments.add(row.n.into_lane()));
    moments
}

pub(super) fn means(rows: &[Row]) -> (u64, Option<f64>, Option<f64>) {
    let cents = Numbers::cents(rows);
    (cents.units.len() as u64, cents.mean(), cents.variance(0))
}

/// The number of a row that has one.
fn x_of(row: &Row) -> Option<f64> {
    // What lies beyond 2⁶² is null; −0.0 is 0.0.
    row.x
        .filter(|x| x.is_finite() && x.abs() < 2_f64.powi(62))
        .map(|x| x + 0.0)
}

fn n_of(row: &Row) -> Option<i64> {
    Some(row.n).filter(|n| *n != i64::MIN)
}

/// A float in units of 2⁻⁶⁴.
fn fixed(x: f64) -> i128 {
    (x * 2_f64.powi(64)).round_ties_even() as i128
}

fn wide(number: i128) -> Wide {
    number.into()
}

/// Numbers in units, and how many units make one.
pub(super) struct Numbers {
    units: Vec<i128>,
    per_one: f64,
}

impl Numbers {
    pub(super) fn x(rows: &[Row]) -> Self {
        let units = rows.iter().filter_map(x_of).map(fixed).collect();
        let per_one = 2_f64.powi(64);
        Self { units, per_one }
    }

    pub(super) fn n(rows: &[Row]) -> Self {
        let units = rows.iter().filter_map(n_of).map(i128::from).collect();
        Self {
            units,
            per_one: 1.0,
        }
    }

    pub(super) fn cents(rows: &[Row]) -> Self {
        let units = rows.iter().map(|row| i128::from(row.cents.0)).collect();
        Self {
            units,
            per_one: 100.0,
        }
    }

    fn len(&self) -> f64 {
        self.units.len() as f64
    }

    /// n times the deviation from the mean, of each number.
    fn deviations(&self) -> Vec<Wide> {
        let n = self.units.len() as i128;
        let sum = self
            .units
            .iter()
            .fold(Wide::default(), |sum, unit| sum + wide(*unit));
        self.units
            .iter()
            .map(|unit| wide(n) * wide(*unit) - sum)
            .collect()
    }

    /// The sum of a power of the deviations.
    fn deviating(&self, power: u32) -> f64 {
        let mut sum = Wide::default();
        for deviation in self.deviations() {
            sum = sum + (1..power).fold(deviation, |product, _| product * deviation);
        }
        sum.nearest()
    }

    pub(super) fn sum(&self) -> f64 {
        let sum = self
            .units
            .iter()
            .fold(Wide::default(), |sum, unit| sum + wide(*unit));
        sum.nearest() / self.per_one
    }

    pub(super) fn mean(&self) -> Option<f64> {
        (!self.units.is_empty()).then(|| self.sum() / self.len())
    }

    /// With the divisor n − `less`.
    pub(super) fn variance(&self, less: usize) -> Option<f64> {
        let n = self.len();
        let squares = self.deviating(2) / n / n / self.per_one / self.per_one;
        (self.units.len() > less).then(|| squares / (n - less as f64))
    }

    pub(super) fn skew(&self) -> Option<f64> {
        let squares = self.deviating(2);
        (squares > 0.0).then(|| self.len().sqrt() * self.deviating(3) / squares.powf(1.5))
    }

    pub(super) fn skew_sample(&self) -> Option<f64> {
        let n = self.len();
        (n > 2.0).then(|| Some(self.skew()? * (n * (n - 1.0)).sqrt() / (n - 2.0)))?
    }

    pub(super) fn kurtosis(&self) -> Option<f64> {
        let squares = self.deviating(2);
        (squares > 0.0).then(|| self.len() * self.deviating(4) / squares.powi(2) - 3.0)
    }

    pub(super) fn kurtosis_sample(&self) -> Option<f64> {
        let n = self.len();
        let sample = |g: f64| (n - 1.0) / (n - 2.0) / (n - 3.0) * ((n + 1.0) * g + 6.0);
        (n > 3.0).then(|| self.kurtosis().map(sample))?
    }
}

/// The rows that have both numbers.
pub(super) struct Pairs(Numbers, Numbers);

impl Pairs {
    pub(super) fn of(rows: &[Row]) -> Self {
        let both = |row: &&Row| x_of(row).is_some() && n_of(row).is_some();
        let rows: Vec<Row> = rows.iter().filter(both).cloned().collect();
        Self(Numbers::x(&rows), Numbers::n(&rows))
    }

    fn products(&self) -> f64 {
        let (x, y) = (self.0.deviations(), self.1.deviations());
        let products = x.into_iter().zip(y).map(|(x, y)| x * y);
        products
            .fold(Wide::default(), |sum, product| sum + product)
            .nearest()
    }

    /// With the divisor n − `less`.
    pub(super) fn covariance(&self, less: usize) -> Option<f64> {
        let n = self.0.len();
        let products = self.products() / n / n / self.0.per_one / self.1.per_one;
        (self.0.units.len() > less).then(|| products / (n - less as f64))
    }

    pub(super) fn correlation(&self) -> Option<f64> {
        let (x, y) = (self.0.deviating(2), self.1.deviating(2));
        (x > 0.0 && y > 0.0).then(|| self.products() / x.sqrt() / y.sqrt())
    }
}

/// Of the rows that have a time and the number that `numbers` reads.
pub(super) fn trend(
    rows: &[Row],
    has_number: impl Fn(&Row) -> bool,
    numbers: impl Fn(&[Row]) -> Numbers,
) -> Option<f64> {
    let has_both = |row: &&Row| row.at != i64::MIN && has_number(row);
    let rows: Vec<Row> = rows.iter().filter(has_both).cloned().collect();
    let units = rows.iter().map(|row| i128::from(row.at)).collect();
    let times = Numbers {
        units,
        per_one: 1e6,
    };
    let spread = times.deviating(2);
    let pairs = Pairs(times, numbers(&rows));
    (spread > 0.0).then(|| pairs.products() / spread * 1e6 / pairs.1.per_one)
}

pub(super) fn sorted_x(rows: &[Row]) -> Vec<f64> {
    let mut numbers: Vec<f64> = rows.iter().filter_map(x_of).collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}

pub(super) fn sorted_n(rows: &[Row]) -> Vec<f64> {
    let mut numbers: Vec<i64> = rows.iter().filter_map(n_of).collect();
    numbers.sort_unstable();
    numbers.into_iter().map(|n| n as f64).collect()
}

/// The n-th root of the product, as the product of the n-th roots.
pub(super) fn geometric_mean(numbers: &[f64]) -> Option<f64> {
    let positive = numbers.iter().filter(|x| **x > 0.0);
    let n = positive.clone().count() as f64;
    (n > 0.0).then(|| positive.map(|x| x.powf(1.0 / n)).product())
}

pub(super) fn top(numbers: Vec<f64>, k: usize) -> Vec<f64> {
    numbers.into_iter().rev().take(k).collect()
}

pub(super) fn bottom(numbers: Vec<f64>, k: usize) -> Vec<f64> {
    numbers.into_iter().take(k).collect()
}

/// The ids of the rows that have a number, in the order of the numbers and then of the ids.
pub(super) fn by_x(rows: &[Row]) -> Vec<u32> {
    let mut numbered: Vec<(f64, u32)> = rows
        .iter()
        .filter_map(|row| Some((x_of(row)?, row.id)))
        .collect();
    numbered.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    numbered.into_iter().map(|(_, id)| id).collect()
}

pub(super) fn by_n(rows: &[Row]) -> Vec<u32> {
    let mut numbered: Vec<(i64, u32)> = rows
        .iter()
        .filter_map(|row| Some((n_of(row)?, row.id)))
        .collect();
    numbered.sort_unstable();
    numbered.into_iter().map(|(_, id)| id).collect()
}

pub(super) fn words_in_order(rows: &[Row]) -> Vec<Option<String>> {
    let mut rows: Vec<_> = rows
        .iter()
        .map(|row| (row.at, row.id, row.word.clone()))
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, _, word)| word).collect()
}

pub(super) fn first_words(rows: &[Row], k: usize) -> Vec<Option<String>> {
    words_in_order(rows).into_iter().take(k).collect()
}

pub(super) fn last_words(rows: &[Row], k: usize) -> Vec<Option<String>> {
    words_in_order(rows).into_iter().rev().take(k).collect()
}

fn times(rows: &[Row]) -> Vec<i64> {
    let mut times: Vec<i64> = rows.iter().map(|row| row.at).collect();
    times.sort_unstable();
    times
}

pub(super) fn rate(rows: &[Row]) -> Option<f64> {
    let times = times(rows);
    let span_us = i128::from(*times.last()?) - i128::from(*times.first()?);
    (span_us > 0).then(|| (times.len() - 1) as f64 / (span_us as f64 / 1e6))
}

pub(super) fn last_gap(rows: &[Row]) -> Option<i64> {
    let times = times(rows);
    let [.., before, last] = times[..] else {
        return None;
    };
    let gap = i128::from(last) - i128::from(before);
    Some(i64::try_from(gap).unwrap_or(i64::MAX))
}

/// In NumPy's way, which goes from the nearer neighbour, to the bit.
pub(super) fn quantile(numbers: &[f64], q: f64) -> Option<f64> {
    let place = q * (numbers.len().checked_sub(1)? as f64);
    let (low, high) = (
        numbers[place.floor() as usize],
        numbers[place.ceil() as usize],
    );
    let (gap, t) = (high - low, place.fract());
    Some(if t < 0.5 {
        low + gap * t
    } else {
        high - gap * (1.0 - t)
    })
}

pub(super) fn quantile_lower(numbers: &[f64], q: f64) -> Option<f64> {
    let place = q * (numbers.len().checked_sub(1)? as f64);
    Some(numbers[place.floor() as usize])
}

pub(super) fn quantile_discrete(numbers: &[f64], q: f64) -> Option<f64> {
    let not_above = |x: f64| numbers.iter().filter(|other| **other <= x).count() as f64;
    let reached = |x: &&f64| not_above(**x) >= q * numbers.len() as f64;
    numbers.iter().find(reached).copied()
}

pub(super) fn histogram(numbers: &[f64], bins: &Bins) -> Vec<u64> {
    let mut edges = bins.edges().to_vec();
    edges.insert(0, f64::NEG_INFINITY);
    edges.push(f64::INFINITY);
    let within = |edges: &[f64]| {
        numbers
            .iter()
            .filter(|x| edges[0] <= **x && **x < edges[1])
            .count()
    };
    edges.windows(2).map(|edges| within(edges) as u64).collect()
}

/// The words with how many rows have them.
fn word_counts(rows: &[Row]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for word in rows.iter().filter_map(|row| row.word.clone()) {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

pub(super) fn words(rows: &[Row]) -> BTreeSet<String> {
    word_counts(rows).into_keys().collect()
}

pub(super) fn most_frequent(rows: &[Row], k: usize) -> Vec<(String, u64)> {
    let mut counts: Vec<_> = word_counts(rows).into_iter().collect();
    // A stable sort: words of one count stay in their order.
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.truncate(k);
    counts
}

pub(super) fn entropy(rows: &[Row]) -> Option<f64> {
    let counts = word_counts(rows);
    let n = counts.values().sum::<u64>() as f64;
    let shares = counts.values().map(|count| *count as f64 / n);
    (n > 0.0).then(|| shares.map(|share| -share * share.ln()).sum())
}

pub(super) fn concentration(rows: &[Row]) -> Option<f64> {
    let words: Vec<_> = rows.iter().filter_map(|row| row.word.as_ref()).collect();
    let equal = words
        .iter()
        .flat_map(|one| words.iter().filter(move |other| one == *other));
    let pairs = (words.len() * words.len()) as f64;
    (pairs > 0.0).then(|| equal.count() as f64 / pairs)
}

fn by_category(rows: &[Row]) -> BTreeMap<u8, Vec<Row>> {
    let mut categories = BTreeMap::<u8, Vec<Row>>::new();
    for row in rows {
        categories
            .entry(row.category)
            .or_default()
            .push(row.clone());
    }
    categories
}

pub(super) fn mean_by_category(rows: &[Row]) -> BTreeMap<u8, Option<f64>> {
    let categories = by_category(rows).into_iter();
    categories
        .map(|(category, rows)| (category, Numbers::x(&rows).mean()))
        .collect()
}

pub(super) fn count_by_category_and_word(
    rows: &[Row],
) -> BTreeMap<u8, BTreeMap<Option<String>, i64>> {
    let mut counts = BTreeMap::<u8, BTreeMap<_, _>>::new();
    for row in rows {
        let words = counts.entry(row.category).or_default();
        *words.entry(row.word.clone()).or_default() += 1;
    }
    counts
}

pub(super) fn mean_where_positive(rows: &[Row]) -> Option<f64> {
    let rows: Vec<Row> = rows.iter().filter(|row| row.n > 0).cloned().collect();
    Numbers::x(&rows).mean()
}
