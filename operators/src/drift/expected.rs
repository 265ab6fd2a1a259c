//! The expected side of the statistics over a baseline's bins, made ready once for all windows.
//!
//! ```text
//! window's counts ─ all as floats ─▶ psi, KS bounds        bin by bin in lanes, not one statistic after the other
//! ```
//!
//! What it gives is [`psi`](super::psi) and [`ks_from_bins`](super::ks_from_bins), to the bit: n·m stays below 2⁵³, so
//! that every count and every product of counts is an exact float.

use super::ks::KsBounds;
use super::ln::ln;
use super::psi::EPSILON;

/// Products of rows from here on are not all exact floats.
const ROWS_MAX: u128 = 1 << 53;

/// A window's rows per bin, as floats.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted<const BINS: usize> {
    counts: [f64; BINS],
    rows: f64,
}

/// A baseline's rows per bin, their shares, and the shares with ε.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Expected<const BINS: usize> {
    counts: [f64; BINS],
    rows: f64,
    shares: [f64; BINS],
    smoothed: [f64; BINS],
}

impl<const BINS: usize> Expected<BINS> {
    /// Of a baseline's rows per bin, at least one.
    pub(super) fn new(counts: &[u64; BINS]) -> Self {
        let counts = counts.map(|count| count as f64);
        let rows: f64 = counts.iter().sum();
        let shares = counts.map(|count| count / rows);
        Self {
            counts,
            rows,
            shares,
            smoothed: shares.map(|share| share + EPSILON),
        }
    }

    /// A window's `rows` per bin, of which there is at least one; `None` if they are too many, or other bins.
    pub(super) fn counted(&self, counts: &[u64], rows: u64) -> Option<Counted<BINS>> {
        let counts: &[u64; BINS] = counts.try_into().ok()?;
        // Where the baseline has 2⁵³ rows and more, its float may be rounded, but not below that.
        let is_exact = self.rows as u128 * u128::from(rows) < ROWS_MAX;
        (rows > 0 && is_exact).then(|| Counted {
            counts: counts.map(|count| count as f64),
            rows: rows as f64,
        })
    }

    /// The stability index of a window.
    pub(super) fn psi(&self, window: &Counted<BINS>) -> f64 {
        let shares = window.counts.map(|count| count / window.rows);
        let ratios: [f64; BINS] =
            std::array::from_fn(|bin| (shares[bin] + EPSILON) / self.smoothed[bin]);
        let logarithms = ratios.map(ln);
        let terms = (0..BINS).map(|bin| (shares[bin] - self.shares[bin]) * logarithms[bin]);
        terms.sum()
    }

    /// The bounds of a window's Kolmogorov–Smirnov statistic.
    pub(super) fn ks(&self, window: &Counted<BINS>) -> KsBounds {
        let greater = |a: f64, b: f64| if a > b { a } else { b };
        let expected = self.counts.map(|count| count * window.rows);
        let actual = window.counts.map(|count| count * self.rows);
        // F − G at the lower edge of every bin, and at the upper edge of the last.
        let (mut gap, mut gaps) = (0.0, [0.0; BINS]);
        for bin in 0..BINS {
            gaps[bin] = gap;
            gap += expected[bin] - actual[bin];
        }
        let (mut lower, mut upper) = (gap.abs(), 0.0);
        for bin in 0..BINS {
            lower = greater(gaps[bin].abs(), lower);
            let inside = greater(gaps[bin] + expected[bin], actual[bin] - gaps[bin]);
            upper = greater(inside, upper);
        }
        let scale = self.rows * window.rows;
        KsBounds {
            lower: lower / scale,
            upper: upper / scale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::{ks_from_bins, psi, total};
    use crate::laws::Draws;

    #[test]
    fn every_histogram_is_judged_as_by_the_definitions_to_the_bit() {
        let mut draws = Draws::seeded(1);
        let mut wide = 0;
        for round in 0..20_000 {
            let mut counts = |bound: u64| -> [u64; 10] {
                let empty = draws.below(4) == 0;
                std::array::from_fn(|_| {
                    let count = draws.below(bound + 1);
                    if empty && draws.below(2) == 0 {
                        0
                    } else {
                        count
                    }
                })
            };
            let bounds = [3, 50, 3_000, 1 << 24, 1 << 31];
            let expected = counts(bounds[round % 5]).map(|count| count + 1);
            let window = counts(bounds[round / 5 % 5]);
            let rows = u64::try_from(total(&window)).unwrap();
            let ready = Expected::new(&expected);
            let Some(counted) = ready.counted(&window, rows) else {
                wide += usize::from(rows > 0);
                continue;
            };
            let index = psi(&expected, &window).unwrap();
            assert_eq!(ready.psi(&counted).to_bits(), index.to_bits());
            assert_eq!(Some(ready.ks(&counted)), ks_from_bins(&expected, &window));
        }
        assert!(wide > 100, "{wide} histograms were left to the definitions");
    }
}
