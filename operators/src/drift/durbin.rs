//! Two-sided Kolmogorov–Smirnov law at finite n: P(Dₙ < d), exact, by Durbin's matrix.
//!
//! P(Dₙ < d) = n!/nⁿ · (Hⁿ)_{k,k}, d = (k − h)/n, k a whole number, 0 ≤ h < 1
//!
//! H is m × m, m = 2k − 1, with 1/(i − j + 1)! at and below the diagonal and on the one above it, and
//! (1 − hⁱ)/i! down its first column, mirrored along its last row; in their corner stands
//! (1 − 2hᵐ + max(0, 2h − 1)ᵐ)/m! (Durbin 1968; Marsaglia, Tsang & Wang 2003). n: rows, d: the
//! statistic, the result a probability.
//!
//! A row of H adds up to less than e = Σ 1/j!, and n!/nⁿ = √(2πn)·e^δ(n)·e⁻ⁿ. Dividing H by e takes up
//! e⁻ⁿ: every power has rows below 1, so that nothing overflows and no exponent is carried along.
//! Entries are never negative, so nothing cancels; the relative error is about n·10⁻¹⁶.

use super::real;
use super::stirling::delta;
use std::f64::consts::{E, TAU};

/// P(Dₙ < d) for n ≥ 1 and n·d > ½.
///
/// # Cost
/// (2⌈nd⌉ − 1)³ · log₂ n multiplications: for the callers here, n·d < 60.
pub(crate) fn durbin_cdf(d: f64, n: u64) -> f64 {
    let t = real(n) * d;
    let k = t.ceil().max(1.0);
    let (k, h) = (k as usize, k - t);
    let mut power = durbin_matrix(k, h);
    let mut row = vec![0.0; power.size];
    if let Some(centre) = row.get_mut(k - 1) {
        *centre = 1.0;
    }
    // row ← row · Hⁿ by the binary digits of n.
    let mut digits = n;
    loop {
        if digits & 1 == 1 {
            row = power.after(&row);
        }
        digits >>= 1;
        if digits == 0 {
            break;
        }
        power = power.squared();
    }
    let centre = row.get(k - 1).copied().unwrap_or(0.0);
    ((TAU * real(n)).sqrt() * delta(n).exp() * centre).clamp(0.0, 1.0)
}

/// H/e for d = (k − h)/n.
fn durbin_matrix(k: usize, h: f64) -> Square {
    let size = 2 * k - 1;
    // inverse[j] = 1/j!/e and edge[j] = (1 − h^(j+1))/(j+1)!/e.
    let mut inverse = vec![1.0 / E];
    let mut edge = Vec::with_capacity(size);
    let (mut factorial, mut power) = (1.0, 1.0);
    for j in 1..=size {
        factorial *= real(j as u64);
        power *= h;
        inverse.push(1.0 / factorial / E);
        edge.push((1.0 - power) / factorial / E);
    }
    if let Some(corner) = edge.last_mut() {
        let folded = (2.0 * h - 1.0).max(0.0).powf(real(size as u64));
        *corner = (1.0 - 2.0 * power + folded) / factorial / E;
    }
    let entry = |i: usize, j: usize| match (i, j) {
        (i, 0) => edge.get(i),
        (i, j) if i + 1 == size => edge.get(size - 1 - j),
        (i, j) => (i + 1).checked_sub(j).and_then(|below| inverse.get(below)),
    };
    let cells = (0..size * size).map(|cell| entry(cell / size, cell % size).copied());
    Square {
        size,
        cells: cells.map(|cell| cell.unwrap_or(0.0)).collect(),
    }
}

/// A square matrix, row by row.
struct Square {
    size: usize,
    cells: Vec<f64>,
}

impl Square {
    /// row · self
    fn after(&self, row: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.size];
        for (&factor, line) in row.iter().zip(self.cells.chunks_exact(self.size)) {
            for (sum, &cell) in sums.iter_mut().zip(line) {
                *sum += factor * cell;
            }
        }
        sums
    }

    fn squared(&self) -> Self {
        let rows = self.cells.chunks_exact(self.size);
        Self {
            size: self.size,
            cells: rows.flat_map(|row| self.after(row)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_marsaglia_tsang_and_wang() {
        // Their paper prints K(10, 0.274) = 0.628479615423… and K(2000, 0.04) = 0.996769…
        assert!((durbin_cdf(0.274, 10) - 0.628_479_615_4).abs() < 1e-9);
        assert!((durbin_cdf(0.04, 2000) - 0.996_769).abs() < 1e-6);
    }

    #[test]
    fn one_row_is_uniform() {
        for d in [0.51, 0.75, 0.99] {
            assert!((durbin_cdf(d, 1) - (2.0 * d - 1.0)).abs() < 1e-14, "{d}");
        }
    }
}
