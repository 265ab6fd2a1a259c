//! The natural logarithm by +, −, × and ÷ alone: the same bits on every machine, and several at once.
//!
//! x = m · 2ᵏ with m in [√½, √2); f = m − 1, s = f/(2 + f); ln m = 2·artanh s = f − s·(f − R), R a polynomial in s².
//!
//! Error: below one unit in the last place. Source: fdlibm 5.3 `e_log.c` (Sun Microsystems 1993), for positive normal
//! numbers alone.

/// ln 2, its first 32 bits and the rest: `k` times the first is exact.
const LN2: (f64, f64) = (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10);

/// The polynomial in s², from s² on (fdlibm's `Lg1` to `Lg7`).
const TERMS: [f64; 7] = [
    6.666_666_666_666_735e-1,
    3.999_999_999_940_942e-1,
    2.857_142_874_366_239e-1,
    2.222_219_843_214_978_4e-1,
    1.818_357_216_161_805e-1,
    1.531_383_769_920_937_3e-1,
    1.479_819_860_511_658_6e-1,
];

/// The upper bits of √½.
const SQRT_HALF: u64 = 0x3FE6_A09E << 32;
const ONE: u64 = 0x3FF0_0000 << 32;
const MANTISSA: u64 = (1 << 52) - 1;
/// A float whose last bits are an integer: 2⁵² + the integer.
const INTEGER: u64 = 0x4330_0000 << 32;

/// ln x for a positive normal x.
#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    let bits = x.to_bits() + (ONE - SQRT_HALF);
    let exponent = f64::from_bits(bits >> 52 | INTEGER) - (f64::from_bits(INTEGER) + 1_023.0);
    let f = f64::from_bits((bits & MANTISSA) + SQRT_HALF) - 1.0;
    let s = f / (2.0 + f);
    let (z, half) = (s * s, 0.5 * f * f);
    let w = z * z;
    let [a, b, c, d, e, g, h] = TERMS;
    let even = w * (b + w * (d + w * g));
    let odd = z * (a + w * (c + w * (e + w * h)));
    s * (half + (odd + even)) + exponent * LN2.1 - half + f + exponent * LN2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lies_within_a_unit_in_the_last_place_and_is_exact_at_one() {
        let mut x = 1e-9_f64;
        while x < 1e9 {
            for x in [x, 1.0 + x * 1e-7, x.sqrt()] {
                let (ours, theirs) = (ln(x), x.ln());
                let unit = theirs.abs() * f64::EPSILON;
                assert!((ours - theirs).abs() <= unit, "ln {x}: {ours} {theirs}");
            }
            x *= 1.000_31;
        }
        assert_eq!(ln(1.0).to_bits(), 0);
        assert_eq!(ln(2.0), std::f64::consts::LN_2);
    }
}
