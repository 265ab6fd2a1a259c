//! Target encoding: a category as the mean label of its rows, pulled towards the mean of all where rows are few.
//!
//! ```text
//! m rows      (Σ y of the category + m · ȳ) / (n + m)
//! auto        λ · ȳ of the category + (1 − λ) · ȳ,   λ = n·τ² / (n·τ² + σ²)
//! ```
//!
//! n rows of the category with a label, ȳ the mean of all labels, τ² their variance and σ² that of the category's,
//! both of the population (Micci-Barreca 2001; scikit-learn's `TargetEncoder` with `smooth=m` and `smooth="auto"`). A
//! null or unknown category is ȳ.
//!
//! A row's own label must not tell what the row is: [`Targets::apply_without`] leaves it out, and `target_encoded` on a
//! timeline leaves out all that came later as well.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::transform::{Transform, all_finite};
use crate::value::Real;

/// How far a category is pulled towards the mean of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Smoothing {
    /// As if so many rows of the mean label were in every category; 0 for none.
    Rows(Real),
    /// As far as labels vary within the category beside all of them.
    Auto,
}

/// The labels of some rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: Real,
    /// Their variance, that of the population.
    pub variance: Real,
}

/// Labels by category.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// All labels.
    pub all: Labels,
    /// The labels of each category.
    pub categories: BTreeMap<String, Labels>,
    /// How far categories are pulled towards all.
    pub smoothing: Smoothing,
}

impl Targets {
    /// The category's smoothed mean label.
    #[must_use]
    pub fn apply(&self, category: Option<&str>) -> f64 {
        match category.and_then(|category| self.categories.get(category)) {
            Some(labels) => self.smoothed(labels),
            None => self.all.mean.0,
        }
    }

    /// The same for a row that these labels were fitted to, as if its own label had not been among them: neither in
    /// the category nor in the mean of all. A label that is no finite number was not among them.
    ///
    /// Means and variances are kept rounded, so this is as exact as they are: beside labels of a size s, some s·2⁻⁵³ for
    /// each label. Where labels are of very mixed sizes, take `target_encoded`, which takes the own label off exact sums.
    #[must_use]
    pub fn apply_without(&self, category: Option<&str>, own_label: f64) -> f64 {
        if !own_label.is_finite() {
            return self.apply(category);
        }
        let Some(all) = self.all.without(own_label) else {
            return self.all.mean.0;
        };
        let rest = Self {
            all,
            categories: BTreeMap::new(),
            smoothing: self.smoothing,
        };
        let labels = category.and_then(|category| self.categories.get(category));
        match labels.and_then(|labels| labels.without(own_label)) {
            Some(labels) => rest.smoothed(&labels),
            None => all.mean.0,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a count as a weight")]
    fn smoothed(&self, labels: &Labels) -> f64 {
        let (n, mean, all) = (labels.count as f64, labels.mean.0, self.all.mean.0);
        match self.smoothing {
            Smoothing::Rows(rows) => (n * mean + rows.0 * all) / (n + rows.0),
            Smoothing::Auto => {
                let between = n * self.all.variance.0;
                let share = between / (between + labels.variance.0);
                // 0/0: no label differs from any other.
                if share.is_nan() {
                    all
                } else {
                    share * mean + (1.0 - share) * all
                }
            }
        }
    }
}

impl Labels {
    /// The labels but one of them; `None` where none is left.
    #[expect(clippy::cast_precision_loss, reason = "a count as a weight")]
    fn without(&self, label: f64) -> Option<Self> {
        let count = self.count.checked_sub(1).filter(|count| *count > 0)?;
        let (n, left) = (self.count as f64, count as f64);
        let mean = (n * self.mean.0 - label) / left;
        // n·σ² loses (label − mean before)·(label − mean after), as Welford's update run backwards.
        let squares = n * self.variance.0 - (label - self.mean.0) * (label - mean);
        Some(Self {
            count,
            mean: Real(mean),
            variance: Real((squares / left).max(0.0)),
        })
    }
}

impl Transform for Targets {
    const KIND: &'static str = "targets";

    fn check(&self) -> Result<(), String> {
        let labels = std::iter::once(&self.all).chain(self.categories.values());
        all_finite(labels.flat_map(|labels| [labels.mean.0, labels.variance.0]))?;
        if self.all.count == 0 {
            return Err("labels of no rows".to_owned());
        }
        let labels = std::iter::once(&self.all).chain(self.categories.values());
        if let Some(below) = labels.map(|labels| labels.variance.0).find(|v| *v < 0.0) {
            return Err(format!("a variance of {below}"));
        }
        if let Some(empty) = self.categories.iter().find(|(_, labels)| labels.count == 0) {
            return Err(format!("category {:?} has no rows", empty.0));
        }
        match self.smoothing {
            Smoothing::Rows(Real(rows)) if !(rows.is_finite() && rows >= 0.0) => {
                Err(format!("cannot smooth by {rows} rows"))
            }
            _ => Ok(()),
        }
    }
}
