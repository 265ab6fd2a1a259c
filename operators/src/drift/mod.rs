//! Drift: how far a window's values have moved from the training snapshot they are judged against.
//!
//! ```text
//! training values ─ Baseline::fit ─▶ Baseline { Bins, counts, mean, std, Ecdf? }
//!                                        │ Bins::index(x), one per row, in the dataflow
//! window { counts, n, mean, Ecdf? } ─────┴─ DriftRow::new ─▶ DriftRow { psi, ks, p, z, verdict }
//! ```
//!
//! Everything here is a pure function of counts and sums; [`Baselines`] alone touches the disk, when
//! it is told to. Nothing here samples, forgets or approximates unless its name or doc says so.
//!
//! # Conventions
//! 1. Null, NaN and ±∞ are dropped before every statistic. `n` counts all rows, `n_ok` the rest.
//!    The null rate is the share of null and NaN: ±∞ is dropped but is not a null.
//! 2. Bins are `[a, b)`, the outermost open to ±∞, so that no value falls out ([`Bins`]).
//! 3. Logarithms are natural, shares and probabilities lie in [0, 1].
//! 4. An answer that does not exist is `None`, never NaN and never 0.
//!
//! | file | what it holds |
//! |---|---|
//! | `bins` | fixed bins, open at both ends |
//! | `quantile` | numpy's linear quantile, to the bit |
//! | `ecdf` | distinct values with counts |
//! | `baseline`, `baselines` | the training snapshot of one feature; a file of them |
//! | `psi` | population stability index |
//! | `ks` | two-sample Kolmogorov–Smirnov statistic, exact or bounded from bins; its p-values |
//! | `kstwo`, `durbin`, `pelz_good`, `smirnov` | the law of the statistic at finite n |
//! | `stirling` | the correction of Stirling's formula, which those need |
//! | `ln` | the logarithm of the stability index |
//! | `expected` | both statistics of a window over ten bins, fast |
//! | `verdict` | thresholds, and the row that the engine emits |
//! | `stream` | all of it over a table: histograms by window, segment and feature |

mod baseline;
mod baselines;
mod bins;
mod durbin;
mod ecdf;
mod expected;
mod ks;
mod kstwo;
mod ln;
mod pelz_good;
mod psi;
mod quantile;
mod smirnov;
mod stirling;
mod stream;
mod verdict;

pub use baseline::{Baseline, BaselineError};
pub use baselines::{Baselines, BaselinesError};
pub use bins::{Bins, BinsError};
pub use ecdf::{Ecdf, EcdfError};
pub use ks::{KsBounds, ks_from_bins, ks_p_asymp, ks_p_kolmogorov, ks_statistic};
pub use kstwo::kstwo_sf;
pub use psi::psi;
pub use quantile::quantile_linear;
pub(crate) use quantile::quantile_of;
pub use stream::{Drift, DriftSpec, DriftWindow};
pub use verdict::{DriftRow, Thresholds, Verdict, WindowError, WindowStats};

/// A count as a number to divide by or with; exact up to 2^53 ≈ 9·10^15 rows.
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// All rows of a histogram.
pub(crate) fn total(counts: &[u64]) -> u128 {
    // Fewer than 2³² counts below 2³² fit 64 bits: nearly always, and a fifth of the time.
    if counts.iter().fold(0, |all, count| all | count) >> 32 == 0 {
        return u128::from(counts.iter().sum::<u64>());
    }
    counts.iter().map(|&count| u128::from(count)).sum()
}
