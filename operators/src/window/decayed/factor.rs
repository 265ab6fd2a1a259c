//! 2 to the power of a fraction, in integers: the same bits on every machine.
//!
//! ```text
//! fraction in 64 bits = b₁ b₂ b₃ b₄ | rest        2^fraction = T₁[b₁] × T₂[b₂] × T₃[b₃] × T₄[b₄] × (1 + rest·ln 2)
//! ```

/// Binary places of a factor: from 1 to 2 it is 2⁶² to 2⁶³.
pub(super) const PLACES: u32 = 62;

const ONE: u64 = 1 << PLACES;

/// ln 2 in units of 2⁻⁶⁴, rounded to nearest.
const LN_2: u64 = 12_786_308_645_202_655_660;

/// The powers that the bytes of a fraction stand for.
pub(super) struct Factors(Vec<[u64; 256]>);

/// A product of two factors.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "both are below 4, so is what fits"
)]
fn times(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> PLACES) as u64
}

impl Factors {
    /// Square roots of 2, one after another: each bit of a fraction is the root of the one before it.
    pub(super) fn new() -> Self {
        let mut power = u128::from(ONE) * 2;
        let tables = (0..4).map(|_| {
            let mut table = [ONE; 256];
            for bit in (0..8).rev() {
                power = (power << PLACES).isqrt();
                let root = u64::try_from(power).unwrap_or(ONE);
                for (byte, entry) in table.iter_mut().enumerate() {
                    if byte >> bit & 1 == 1 {
                        *entry = times(*entry, root);
                    }
                }
            }
            table
        });
        Self(tables.collect())
    }

    /// 2^(`part` ÷ `whole`) in units of 2⁻⁶², for 0 ≤ `part` < `whole`: within 2⁻⁵² of it, relative.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is below 1")]
    pub(super) fn of(&self, part: u64, whole: u64) -> u64 {
        let fraction = ((u128::from(part) << 64) / u128::from(whole)) as u64;
        let bytes = fraction.to_be_bytes();
        let rest = u128::from(fraction & u64::from(u32::MAX)) * u128::from(LN_2);
        let mut factor = ONE + (rest >> (128 - PLACES)) as u64;
        for (table, byte) in self.0.iter().zip(bytes) {
            factor = times(factor, table[usize::from(byte)]);
        }
        factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_powers_of_two_and_never_fall() {
        let factors = Factors::new();
        for whole in [1_u64, 2, 7, 3_600_000_000, i64::MAX as u64] {
            let mut last = 0;
            for n in 0..=5_000_u64 {
                let part = (u128::from(whole - 1) * u128::from(n) / 5_000) as u64;
                let found = factors.of(part, whole);
                let expected = (part as f64 / whole as f64).exp2();
                let relative = (found as f64 / ONE as f64 / expected - 1.0).abs();
                // The expectation itself is within 2⁻⁵² of the truth, since the fraction is rounded.
                assert!(
                    relative < 2.0 * f64::EPSILON,
                    "{part} ÷ {whole}: {relative}"
                );
                assert!(found >= last, "{part} ÷ {whole} falls");
                last = found;
            }
        }
        assert_eq!(factors.of(0, 7), ONE);
    }
}
