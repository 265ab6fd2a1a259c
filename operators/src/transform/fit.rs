//! Fitting: transforms as aggregates over rows, as views that follow their table, and as of each row's time.
//!
//! ```text
//! rows ─ key_by ─ fit(aggregate) ─▶ Fitted { key, params } @ epoch × −old +new ─┐
//! rows ─ key_by ────────────────────────────────────────────────────────────────┴─ transformed_by ─▶ rows
//! ```
//!
//! # Invariants
//! 1. After every epoch the view has one row per key with something to fit, as by brute force over its rows.
//! 2. A row is transformed by the parameters as of its epoch, those that its own epoch changed included, and is not
//!    repaired when they change later. A row that is taken back goes through those of its later epoch as well, and so
//!    may leave a trace: where rows are taken back, freeze the parameters, or `left_join` them, which repairs all rows
//!    of a key whenever its parameters change.
//! 3. `target_encoded` writes one row per event once the watermark has passed it: the mean label of the rows of its key
//!    in `[at − width, at]`, itself left out. It is taken off their exact sum, which is rounded afterwards: labels of any
//!    sizes leave nothing of it.
//!
//! # Cost
//! `fit`: that of the aggregate, as in the [table](crate::transform). `transformed_by`: a lookup per row, and the fitted
//! transform of each key. `target_encoded`: that of rolling totals in `finals`. All rows of a key meet on one worker:
//! over a whole table, the key `()`, that is one worker's work.

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thalweg_engine::error::JobError;
use thalweg_engine::key::Key;
use thalweg_engine::table::Table;
use thalweg_engine::update::{Data, Diff};

use crate::aggregate::{
    Add, Aggregate, by, max, mean, median, min, most_frequent, only_if, quantiles, totals,
};
use crate::key_by::{KeyBy, Keyed, Timeline, micros};
use crate::table_ops::TableOps;
use crate::transform::impute::can_fill;
use crate::transform::target::Labels;
use crate::transform::{
    Buckets, Categories, Impute, MinMax, Robust, Smoothing, Standard, Targets, wrong,
};
use crate::value::{Float, IntoLane, Lane, Moments, Real};

/// What was fitted to the rows of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fitted<K, F> {
    /// The key.
    pub key: K,
    /// The transform.
    pub params: F,
}

/// An aggregate that reads as a transform; `None` while there is nothing to fit.
pub struct Fit<A, D, F>
where
    A: Aggregate<D>,
{
    aggregate: A,
    read: Rc<dyn Fn(A::Output) -> Option<F>>,
}

impl<A: Aggregate<D>, D, F> Fit<A, D, F> {
    fn new(aggregate: A, read: impl Fn(A::Output) -> Option<F> + 'static) -> Self {
        Self {
            aggregate,
            read: Rc::new(read),
        }
    }
}

impl<A: Aggregate<D>, D, F> Clone for Fit<A, D, F> {
    fn clone(&self) -> Self {
        Self {
            aggregate: self.aggregate.clone(),
            read: Rc::clone(&self.read),
        }
    }
}

impl<A: Aggregate<D>, D: 'static, F: Data + PartialEq> Aggregate<D> for Fit<A, D, F> {
    type State = A::State;
    type Output = Option<F>;

    const ADD: Option<Add<A::State>> = A::ADD;

    fn update(&self, state: &mut A::State, row: &D, diff: Diff) {
        self.aggregate.update(state, row, diff);
    }

    fn read(&self, state: &A::State) -> Option<F> {
        (self.read)(self.aggregate.read(state))
    }

    fn check(&self) -> Result<(), JobError> {
        self.aggregate.check()
    }
}

/// Mean and standard deviation of a number.
#[must_use]
pub fn standard<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> Fit<impl Aggregate<D, Output = Moments<V::Lane>>, D, Standard> {
    Fit::new(totals(number), |moments: Moments<V::Lane>| {
        Some(Standard {
            mean: Real(moments.mean()?),
            stddev: Real(moments.stddev()?),
        })
    })
}

/// The least and the greatest of a number.
#[must_use]
pub fn min_max<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + Clone + 'static,
) -> Fit<impl Aggregate<D, Output = (Option<f64>, Option<f64>)>, D, MinMax> {
    Fit::new((min(number.clone()), max(number)), |(min, max)| {
        Some(MinMax {
            min: Real(min?),
            max: Real(max?),
        })
    })
}

/// The quartiles of a number.
#[must_use]
pub fn robust<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> Fit<impl Aggregate<D, Output = Option<Vec<f64>>>, D, Robust> {
    Fit::new(
        quantiles([0.25, 0.5, 0.75], number),
        |quartiles: Option<Vec<f64>>| {
            let [lower, median, upper] = <[f64; 3]>::try_from(quartiles?).ok()?;
            Some(Robust {
                median: Real(median),
                lower_quartile: Real(lower),
                upper_quartile: Real(upper),
            })
        },
    )
}

/// The mean of a number, for gaps.
#[must_use]
pub fn impute_mean<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> Fit<impl Aggregate<D, Output = Option<f64>>, D, Impute<Real>> {
    Fit::new(mean(number), |mean: Option<f64>| {
        Some(Impute::constant(Real(mean?)))
    })
}

/// The median of a number, for gaps.
#[must_use]
pub fn impute_median<D: 'static, V: IntoLane>(
    number: impl Fn(&D) -> V + 'static,
) -> Fit<impl Aggregate<D, Output = Option<f64>>, D, Impute<Real>> {
    Fit::new(median(number), |median: Option<f64>| {
        Some(Impute::constant(Real(median?)))
    })
}

/// The most frequent value, for gaps; of equally frequent ones the least. Gaps do not count, nor do floats
/// that are infinite.
#[must_use]
pub fn impute_most_frequent<D: 'static, V: Data + Ord>(
    value: impl Fn(&D) -> Option<V> + 'static,
) -> Fit<impl Aggregate<D, Output = Vec<(V, u64)>>, D, Impute<V>> {
    let value = move |row: &D| value(row).filter(can_fill);
    Fit::new(most_frequent(1, value), |values: Vec<(V, u64)>| {
        values
            .into_iter()
            .next()
            .map(|(value, _)| Impute::constant(value))
    })
}

/// `buckets` buckets of as many numbers each, as far as ties allow: equal quantiles are one edge.
///
/// # Errors
/// [`JobError::Wrong`] when there are fewer than two buckets.
pub fn quantile_buckets<D: 'static, V: IntoLane>(
    buckets: u32,
    number: impl Fn(&D) -> V + 'static,
) -> Result<Fit<impl Aggregate<D, Output = Option<Vec<f64>>>, D, Buckets>, JobError> {
    if buckets < 2 {
        return Err(wrong(format!(
            "quantile buckets are at least 2: got {buckets}"
        )));
    }
    let places: Vec<f64> = (1..buckets)
        .map(|n| f64::from(n) / f64::from(buckets))
        .collect();
    Ok(Fit::new(
        quantiles(places, number),
        |edges: Option<Vec<f64>>| edges.map(Buckets::at),
    ))
}

/// The categories that there are; nulls are none.
#[must_use]
pub fn categories<D: 'static>(
    category: impl Fn(&D) -> Option<String> + 'static,
) -> Fit<impl Aggregate<D, Output = Vec<(String, u64)>>, D, Categories> {
    Fit::new(
        most_frequent(usize::MAX, category),
        |found: Vec<(String, u64)>| {
            let names = found.into_iter().map(|(name, _)| name);
            Some(Categories::new(names)).filter(|categories| !categories.names().is_empty())
        },
    )
}

/// The labels of each category; rows without a label or a category do not count for it.
///
/// # Errors
/// [`JobError::Wrong`] when the smoothing is of fewer than 0 rows.
pub fn targets<D: 'static, V: IntoLane>(
    smoothing: Smoothing,
    category: impl Fn(&D) -> Option<String> + Clone + 'static,
    label: impl Fn(&D) -> V + Clone + 'static,
) -> Result<Fit<impl Aggregate<D, Output = TargetsRead<V::Lane>>, D, Targets>, JobError> {
    if let Smoothing::Rows(Real(rows)) = smoothing {
        checked_rows(rows)?;
    }
    let has_category = category.clone();
    let by_category = by(
        move |row: &D| category(row).unwrap_or_default(),
        totals(label.clone()),
    );
    let of_categories = only_if(move |row: &D| has_category(row).is_some(), by_category);
    let read = move |(all, categories): TargetsRead<V::Lane>| {
        let labelled = categories
            .into_iter()
            .filter_map(|(name, labels)| Some((name, labels_of(&labels)?)));
        Some(Targets {
            all: labels_of(&all)?,
            categories: labelled.collect(),
            smoothing,
        })
    };
    Ok(Fit::new((totals(label), of_categories), read))
}

/// Moments of all labels, and of those of each category.
pub type TargetsRead<L> = (Moments<L>, std::collections::BTreeMap<String, Moments<L>>);

fn labels_of<L: Lane>(moments: &Moments<L>) -> Option<Labels> {
    Some(Labels {
        count: moments.count(),
        mean: Real(moments.mean()?),
        variance: Real(moments.variance()?),
    })
}

fn checked_rows(rows: f64) -> Result<(), JobError> {
    if rows.is_finite() && rows >= 0.0 {
        Ok(())
    } else {
        Err(wrong(format!(
            "target encoding is smoothed by 0 rows or more: got {rows}"
        )))
    }
}

impl<'s, D: Data, K: Key> Keyed<'s, D, K> {
    /// A transform per key, fitted to the key's rows and replaced as they come and go.
    #[must_use]
    pub fn fit<F: Data + PartialEq>(
        &self,
        name: &str,
        aggregate: impl Aggregate<D, Output = Option<F>>,
    ) -> Table<'s, Fitted<K, F>> {
        let fitted = self.lifetime().latest(name, aggregate);
        fitted.flat_map(|row| {
            let key = row.key;
            row.value.map(|params| Fitted { key, params })
        })
    }

    /// Each row through the transform of its key as of its epoch; `None` while the key has none.
    ///
    /// Of two rows of opposite signs each goes through the parameters of its own epoch: they cancel only while these
    /// stand still. Over frozen parameters use `map`; `left_join` repairs rows, at the cost of all rows of a key.
    #[must_use]
    pub fn transformed_by<F: Data + Ord, O: Data>(
        &self,
        name: &str,
        fitted: &Table<'s, Fitted<K, F>>,
        mut apply: impl FnMut(D, Option<&F>) -> O + 'static,
    ) -> Table<'s, O> {
        let by_key = fitted.key_by(|fitted| fitted.key.clone());
        let found = self.lookup(name, &by_key);
        found.map(move |(row, fitted)| {
            let params = fitted.as_ref().map(|fitted| &fitted.params);
            apply(row, params)
        })
    }
}

impl<'s, D: Data + Ord, K: Key> Timeline<'s, D, K> {
    /// Each row with the mean label of its key as of its own time, its own label left out: what a model may be trained
    /// on. Written once, when the watermark has passed the row.
    ///
    /// The mean is of the labels in `[at − width, at]`, smoothed as if `rows` more labels were `prior`; without any of
    /// them it is `prior`. The own label is left out exactly, whatever the sizes of the others: the sum of the others is
    /// rounded once, as if it had never been added.
    ///
    /// `None`, NaN, infinities and magnitudes of 2⁶² and above are no labels: they do not count for other rows, and a row
    /// that has none has the mean of all labels that there are. Where the labels of a window add up to 2⁶³ or beyond
    /// the mean is NaN, which every transform takes for a null.
    ///
    /// # Errors
    /// [`JobError::Wrong`] when the width is zero, `rows` is below 0, or the prior is no number.
    pub fn target_encoded(
        &self,
        name: &str,
        width: Duration,
        label: impl Fn(&D) -> Option<f64> + Clone + 'static,
        rows: f64,
        prior: f64,
    ) -> Result<Table<'s, (D, f64)>, JobError> {
        checked_rows(rows)?;
        if !prior.is_finite() {
            return Err(wrong(format!(
                "target encoding wants a finite prior, such as the mean of all labels: got {prior}"
            )));
        }
        micros("the width of target encoding", width)?;
        let own = label.clone();
        let known = self.rolling([width])?.totals(name, label).finals(D::clone);
        Ok(known.map(move |(row, labels)| {
            let own = own(&row).into_lane();
            let encoded = encoded(labels.window(0), own, rows, prior);
            (row, encoded)
        }))
    }
}

/// (Σ of the other labels + m · prior) / (how many they are + m); NaN where the sum may have overflowed.
#[expect(clippy::cast_precision_loss, reason = "a count as a weight")]
fn encoded(labels: &Moments<Float>, own: i64, rows: f64, prior: f64) -> f64 {
    match labels.without(own) {
        (0, _) => prior,
        (others, Some(sum)) => (sum + rows * prior) / (others as f64 + rows),
        (_, None) => f64::NAN,
    }
}
