//! The correction of Stirling's formula: n! = √(2πn) · (n/e)ⁿ · e^δ(n).

use super::real;
use std::f64::consts::TAU;

/// Below this the factorial is exact in an f64 and the series is not yet.
const SERIES_FROM: u64 = 16;

/// δ(n) = ln n! − (n + ½)·ln n + n − ½·ln 2π for n ≥ 1, natural logarithm; in (0, 0.082].
///
/// From n = 16 by the asymptotic series 1/(12n) − 1/(360n³) + … (Abramowitz & Stegun 6.1.41), whose
/// first neglected term is below 2·10⁻¹⁸ there. δ(0) is not defined; 0 is returned.
pub(crate) fn delta(n: u64) -> f64 {
    if n == 0 {
        return 0.0;
    }
    let x = real(n);
    if n < SERIES_FROM {
        let factorial: f64 = (2..=n).map(real).product();
        return factorial.ln() - (x + 0.5) * x.ln() + x - 0.5 * TAU.ln();
    }
    let y = 1.0 / (x * x);
    let tail = 1.0 / 1680.0 - y * (1.0 / 1188.0 - y * (691.0 / 360_360.0));
    (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y * tail))) / x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_joins_the_factorial_where_it_takes_over() {
        let factorial: f64 = (2..=16).map(real).product();
        let x: f64 = 16.0;
        let exact = factorial.ln() - 16.5 * x.ln() + x - 0.5 * TAU.ln();
        assert!((delta(16) - exact).abs() < 2e-14, "{} {exact}", delta(16));
        assert!((delta(1) - (1.0 - 0.5 * TAU.ln())).abs() < 1e-16);
    }
}
