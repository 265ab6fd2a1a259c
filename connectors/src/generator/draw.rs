//! Random draws from a seed and a number: splitmix64, a Zipf rank, a normal value, an exponential.
//!
//! Nothing here calls the platform's `ln`, `exp`, `pow` or `cos`, which differ in the last bit from one platform to
//! the next; IEEE 754 fixes the four operations and nothing more.

/// 2⁶⁴ divided by the golden ratio, odd: splitmix64's step (Steele, Lea, Flood 2014).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// A sequence of draws for one thing that is numbered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draws(u64);

impl Draws {
    /// The draws of thing `number` of `kind` under `seed`.
    #[inline]
    pub(crate) fn new(seed: u64, kind: u64, number: u64) -> Self {
        Self(mix(
            mix(seed ^ kind.wrapping_mul(GOLDEN)).wrapping_add(number.wrapping_mul(GOLDEN))
        ))
    }

    /// 64 even bits.
    #[inline]
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// An even draw from `0..n`; 0 where `n` is 0. Lemire's product, without its rejection: for `n` below 2³² no
    /// value is off by more than one in 2³².
    #[inline]
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(n);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// An even draw from `[0, 1)`, in steps of 2⁻⁵³.
    #[inline]
    pub(crate) fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / 9_007_199_254_740_992.0;
        // 53 bits: the conversion is exact.
        f64_of(self.bits() >> 11) * STEP
    }

    /// A nearly normal draw with mean 0 and deviation 1: the sum of twelve even ones (Irwin–Hall), within ±6.
    #[inline]
    pub(crate) fn normal(&mut self) -> f64 {
        let mut sum = 0;
        for _ in 0..3 {
            let bits = self.bits();
            sum += (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
        }
        // Twelve draws from 0..2¹⁶ have mean 6 · (2¹⁶ − 1) and, but for one part in 2³², deviation 2¹⁶.
        (f64_of(sum) - 393_210.0) / 65_536.0
    }
}

/// splitmix64's finaliser: every bit of the input reaches every bit of the output.
#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The float nearest to a count.
#[inline]
pub(crate) fn f64_of(n: u64) -> f64 {
    // Two exact halves: there is no lossless conversion in std, and none is needed below 2⁵³.
    let (high, low) = (n >> 32, n & 0xFFFF_FFFF);
    let half = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    half(high) * 4_294_967_296.0 + half(low)
}

/// Ranks `1..=count` with frequencies near to `rank^−0.8`: rank 1 of 100,000 takes 1.7 %, the first hundred 17 %.
///
/// # Formula
/// rank = ⌊x⌋ with x = (1 + u · (b − 1))⁵, b = (count + 1)^⅕, u even in [0, 1): the inverse of the distribution
/// whose density is x^−0.8 on [1, count + 1). A rank r thus has the share ((r + 1)^⅕ − r^⅕) ÷ (b − 1). The exponent is
/// 0.8 because 1 ÷ (1 − 0.8) is whole: a fifth power needs no `pow`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zipf {
    count: u64,
    span: f64,
}

impl Zipf {
    pub(crate) fn new(count: u64) -> Self {
        Self {
            count,
            span: fifth_root(f64_of(count) + 1.0) - 1.0,
        }
    }

    #[inline]
    pub(crate) fn rank(&self, draws: &mut Draws) -> u64 {
        let base = 1.0 + draws.unit() * self.span;
        let square = base * base;
        whole(square * square * base).clamp(1, self.count)
    }
}

/// The whole part of a float; 0 for negative ones and what is no number.
#[inline]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a saturating cast, which is what is meant; std has no other"
)]
pub(crate) fn whole(x: f64) -> u64 {
    x as u64
}

/// `x^⅕` for `x ≥ 1`, by Newton's steps from above until they stop falling.
fn fifth_root(x: f64) -> f64 {
    let mut root = x;
    loop {
        let square = root * root;
        let next = (4.0 * root + x / (square * square)) / 5.0;
        if next >= root {
            return root;
        }
        root = next;
    }
}

/// `eˣ` for |x| up to 12, right to 12 digits: eˣ = (e^(x ÷ 64))⁶⁴, with Taylor's series up to the twelfth power.
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    let r = x / 64.0;
    let mut sum = 1.0;
    let mut divisor = 12.0;
    while divisor >= 1.0 {
        sum = 1.0 + sum * r / divisor;
        divisor -= 1.0;
    }
    for _ in 0..6 {
        sum *= sum;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_the_fifth_root_are_right() {
        for x in [-12.0, -3.3, -1e-9, 0.0, 0.35, 1.0, 3.55, 8.2, 12.0] {
            let (ours, std) = (exp(x), f64::exp(x));
            assert!(
                (ours - std).abs() <= 2e-13 * std,
                "exp({x}) = {ours}, std {std}"
            );
        }
        for x in [1.0, 2.0, 32.0, 100_001.0, 1e15] {
            let error = (fifth_root(x) - x.powf(0.2)).abs();
            assert!(error <= 1e-12 * x.powf(0.2), "{x}: {error}");
        }
    }

    #[test]
    fn normal_draws_have_mean_0_and_deviation_1() {
        let n = 200_000_u32;
        let (mut sum, mut squares) = (0.0, 0.0);
        for i in 0..n {
            let z = Draws::new(1, 2, u64::from(i)).normal();
            sum += z;
            squares += z * z;
        }
        let (mean, square) = (sum / f64::from(n), squares / f64::from(n));
        assert!(
            mean.abs() < 0.01 && (square - 1.0).abs() < 0.015,
            "{mean} {square}"
        );
    }

    #[test]
    fn zipf_ranks_have_the_share_that_is_declared() {
        let (zipf, n) = (Zipf::new(1_000), 200_000_u32);
        let mut seen = vec![0_u32; 1_001];
        for i in 0..n {
            let rank = zipf.rank(&mut Draws::new(5, 1, u64::from(i)));
            seen[usize::try_from(rank).unwrap()] += 1;
        }
        assert_eq!(seen[0], 0);
        let span = 1_001_f64.powf(0.2) - 1.0;
        for rank in [1_u32, 2, 10, 100] {
            let r = f64::from(rank);
            let expected = f64::from(n) * ((r + 1.0).powf(0.2) - r.powf(0.2)) / span;
            let found = f64::from(seen[usize::try_from(rank).unwrap()]);
            assert!(
                (found - expected).abs() < 5.0 * expected.sqrt(),
                "{rank}: {found} {expected}"
            );
        }
        assert!((1..=1_000).all(|rank| seen[rank] > 0));
        assert_eq!(Zipf::new(1).rank(&mut Draws::new(5, 1, 9)), 1);
    }
}
