//! What a job needs: `use thalweg::prelude::*`.

pub use thalweg_engine::config::Config;
pub use thalweg_engine::error::JobError;
pub use thalweg_engine::graph::Graph;
pub use thalweg_engine::job::{Job, Report};
pub use thalweg_engine::source::{SourceExt, SourceSpec};
pub use thalweg_engine::table::Table;
pub use thalweg_engine::time::{EventTime, Timestamp, days, hours, millis, minutes, seconds};

pub use thalweg_operators::aggregate::{
    Aggregate, arg_max, arg_min, bottom_k, by, concentration, correlation, count, count_where,
    covariance, covariance_sample, distinct, distinct_approx, entropy, first, first_k, fold,
    fold_numbers, geometric_mean, histogram, kurtosis, kurtosis_sample, last, last_gap, last_k,
    latest, max, mean, median, min, moments, most_frequent, only_if, quantile, quantile_approx,
    quantile_discrete, quantiles, quantiles_approx, rate, skew, skew_sample, stddev, stddev_sample,
    sum, time_since_last, top_k, totals, trend, variance, variance_sample,
};
pub use thalweg_operators::drift::{Baseline, Baselines, Drift, DriftWindow, Thresholds, Verdict};
pub use thalweg_operators::graph::Edges;
pub use thalweg_operators::join::differential::Differential;
pub use thalweg_operators::key_by::KeyBy;
pub use thalweg_operators::table_ops::TableOps;
pub use thalweg_operators::value::{Decimal, Real};
pub use thalweg_operators::window::grouped::Calendar;
pub use thalweg_operators::window::rolling::Expiry;
