//! Seven rows, and what NumPy 2.4.6, SciPy 1.17.1 and DuckDB 2.0.0 say of them.

use std::fmt::Debug;

use crate::aggregate::laws::{Agrees, Near};
use crate::aggregate::*;
use crate::drift::Bins;

const X: [f64; 7] = [2.5, -1.0, 4.0, 4.0, 10.25, 0.5, 7.0];
const Y: [f64; 7] = [1.0, 0.5, 3.0, 2.0, 4.5, -1.0, 5.0];
const T: [i64; 7] = [0, 1, 2, 3, 5, 8, 13];

/// A row: x, y, seconds, and the row's number.
type Row = (f64, f64, i64, usize);

fn x(row: &Row) -> f64 {
    row.0
}

fn y(row: &Row) -> f64 {
    row.1
}

fn at(row: &Row) -> i64 {
    row.2 * 1_000_000
}

fn id(row: &Row) -> usize {
    row.3
}

fn read<A: Aggregate<Row>>(aggregate: &A) -> A::Output {
    let mut state = A::State::default();
    for number in 0..X.len() {
        aggregate.update(&mut state, &(X[number], Y[number], T[number], number), 1);
    }
    aggregate.read(&state)
}

/// Two correct programs may differ in the last digits.
fn says<A: Aggregate<Row>>(what: &str, aggregate: A, expected: A::Output)
where
    A::Output: Near + Debug,
{
    let answer = read(&aggregate);
    let near = answer.near(&expected, Agrees::Within(4e-14));
    assert!(near, "{what} = {expected:?}, not {answer:?}");
}

#[test]
fn scipy_and_numpy_say_the_same() {
    says(
        "scipy.stats.gmean(x[x > 0])",
        geometric_mean(x),
        Some(3.358_473_945_890_815),
    );
    says(
        "scipy.stats.skew(x)",
        skew(x),
        Some(0.413_944_978_171_981_34),
    );
    says(
        "scipy.stats.skew(x, bias=False)",
        skew_sample(x),
        Some(0.536_534_013_388_142_5),
    );
    says(
        "scipy.stats.kurtosis(x)",
        kurtosis(x),
        Some(-0.772_034_721_709_205),
    );
    says(
        "scipy.stats.kurtosis(x, bias=False)",
        kurtosis_sample(x),
        Some(-0.052_883_332_102_092_06),
    );
    says("x.var()", variance(x), Some(12.497_448_979_591_837));
    says("x.std()", stddev(x), Some(3.535_173_118_758_378));
    says(
        "numpy.cov(x, y, ddof=0)",
        covariance(x, y),
        Some(6.318_877_551_020_408),
    );
    says(
        "numpy.cov(x, y)",
        covariance_sample(x, y),
        Some(7.372_023_809_523_808),
    );
    says(
        "numpy.corrcoef(x, y)",
        correlation(x, y),
        Some(0.888_069_669_668_658_4),
    );
    says(
        "scipy.stats.linregress(t, x).slope",
        trend(at, x),
        Some(0.323_579_545_454_545_37),
    );
    says(
        "scipy.stats.entropy(counts)",
        entropy(|row: &Row| Some(row.0.to_bits())),
        Some(1.747_868_097_466_757_3),
    );
    let bins = Bins::new(vec![0.0, 4.0, 7.0]).unwrap();
    says(
        "numpy.histogram(x, [-inf, 0, 4, 7, inf])",
        histogram(bins, x),
        vec![1, 2, 2, 2],
    );
    let quantile_values = Some(vec![-1.0, -0.099_999_999_999_999_87, 1.5, 4.0, 8.3, 10.25]);
    says(
        "numpy.quantile(x, …)",
        quantiles([0.0, 0.1, 0.25, 0.5, 0.9, 1.0], x),
        quantile_values,
    );
}

#[test]
fn duckdb_says_the_same() {
    says("skewness(x)", skew_sample(x), Some(0.536_534_013_388_142));
    says(
        "kurtosis(x)",
        kurtosis_sample(x),
        Some(-0.052_883_332_102_095_08),
    );
    says(
        "kurtosis_pop(x)",
        kurtosis(x),
        Some(-0.772_034_721_709_206_3),
    );
    says(
        "var_samp(x)",
        variance_sample(x),
        Some(14.580_357_142_857_142),
    );
    says(
        "stddev_samp(x)",
        stddev_sample(x),
        Some(3.818_423_384_442_477_5),
    );
    says(
        "covar_samp(x, y)",
        covariance_sample(x, y),
        Some(7.372_023_809_523_809),
    );
    says(
        "corr(x, y)",
        correlation(x, y),
        Some(0.888_069_669_668_658_5),
    );
    says(
        "regr_slope(x, t)",
        trend(at, x),
        Some(0.323_579_545_454_545_5),
    );
    for (q, discrete) in [(0.1, -1.0), (0.25, 0.5), (0.5, 4.0), (0.9, 10.25)] {
        says(
            "quantile_disc(x, q)",
            quantile_discrete(q, x),
            Some(discrete),
        );
    }
    says("quantile_cont(x, 0.9)", quantile(0.9, x), Some(8.3));
    says("median(x)", median(x), Some(4.0));
    assert_eq!(read(&arg_min(x, id)), Some(1), "arg_min(id, x)");
    assert_eq!(read(&arg_max(x, id)), Some(4), "arg_max(id, x)");
    says("max(x, 3)", top_k(3, x), vec![10.25, 7.0, 4.0]);
    says("min(x, 3)", bottom_k(3, x), vec![-1.0, 0.5, 2.5]);
    assert_eq!(read(&first(at, id)), Some(0), "first(id ORDER BY t)");
    assert_eq!(
        read(&last_k(2, at, id)),
        [6, 5],
        "list(id ORDER BY t DESC)[:2]"
    );
    says(
        "sum(x) FILTER (y > 1)",
        only_if(|row: &Row| row.1 > 1.0, sum(x)),
        25.25,
    );
    says("avg(x)", mean(x), Some(3.892_857_142_857_143));
}

/// SciPy reads NaN for both and warns of cancellation; Python's `fractions` say this.
#[test]
fn numbers_far_from_zero_lose_no_digit() {
    let far = [
        9_000_000_000_000_001_i64,
        9_000_000_000_000_003,
        9_000_000_000_000_004,
    ];
    let aggregate = (skew(|n: &i64| *n), kurtosis(|n: &i64| *n));
    let mut state = Default::default();
    far.iter().for_each(|n| aggregate.update(&mut state, n, 1));
    let expected = (Some(-0.381_801_774_160_606_23), Some(-1.5));
    assert!(
        aggregate
            .read(&state)
            .near(&expected, Agrees::Within(1e-15))
    );
}
