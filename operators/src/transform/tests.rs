//! What is fitted to rows, beside scikit-learn 1.9 and beside fits without the rows that were taken back.

use std::fmt::Debug;

use crate::aggregate::Aggregate;
use crate::laws::Draws;
use crate::transform::{
    Impute, Smoothing, Targets, Transform, categories, impute_mean, impute_median,
    impute_most_frequent, min_max, quantile_buckets, robust, standard, targets,
};
use crate::value::Real;

/// Fits to rows, then adds others and takes them back, some before they come: nothing may stay of them.
fn fitted<D, F, A>(fit: &A, rows: &[D], passing: &[D]) -> Option<F>
where
    A: Aggregate<D, Output = Option<F>>,
    F: Debug + PartialEq,
{
    let (mut plain, mut busy) = (A::State::default(), A::State::default());
    for row in rows {
        fit.update(&mut plain, row, 1);
        fit.update(&mut busy, row, 1);
    }
    for (n, row) in passing.iter().enumerate() {
        let first = if n % 2 == 0 { 1 } else { -1 };
        fit.update(&mut busy, row, first);
        fit.update(&mut busy, row, -first);
    }
    let fitted = fit.read(&plain);
    assert_eq!(
        fitted,
        fit.read(&busy),
        "a row that was taken back left a trace"
    );
    fitted
}

const NUMBERS: [f64; 6] = [4.0, 2.0, 9.5, 5.0, 4.0, 7.0];
const PASSING: [f64; 3] = [-100.0, 0.25, 4.0];

/// `StandardScaler().fit(x)`: mean_ 5.25, scale_ 2.4109126902482387.
#[test]
fn standard_scaling_is_that_of_scikit_learn() {
    let scaler = fitted(&standard(|x: &f64| *x), &NUMBERS, &PASSING).unwrap();
    assert_eq!(scaler.mean, Real(5.25));
    assert_eq!(scaler.stddev, Real(2.410_912_690_248_238_7));
    assert_eq!(scaler.apply(Some(9.5)), Some(1.762_817_881_041_723));
    assert_eq!(scaler.apply(Some(2.0)), Some(-1.348_037_203_149_552_9));
    assert_eq!(scaler.apply(None), None);
    assert_eq!(scaler.apply(Some(f64::NAN)), None);
}

/// `MinMaxScaler().fit(x)` takes 4 to 0.26666666666666666 and 12, which it has not seen, to 1.3333333333333335.
#[test]
fn min_max_scaling_is_that_of_scikit_learn() {
    let scaler = fitted(&min_max(|x: &f64| *x), &NUMBERS, &PASSING).unwrap();
    assert_eq!(scaler.apply(Some(2.0)), Some(0.0));
    assert_eq!(scaler.apply(Some(9.5)), Some(1.0));
    let (inside, beyond) = (scaler.apply(Some(4.0)), scaler.apply(Some(12.0)));
    assert!((inside.unwrap() - 0.266_666_666_666_666_66).abs() < 1e-15);
    assert!((beyond.unwrap() - 1.333_333_333_333_333_5).abs() < 1e-15);
}

/// `RobustScaler().fit(x)`: center_ 4.5, scale_ 2.5.
#[test]
fn robust_scaling_is_that_of_scikit_learn() {
    let scaler = fitted(&robust(|x: &f64| *x), &NUMBERS, &PASSING).unwrap();
    assert_eq!(scaler.median, Real(4.5));
    assert_eq!(scaler.apply(Some(9.5)), Some(2.0));
    assert_eq!(scaler.apply(Some(2.0)), Some(-1.0));
}

/// `StandardScaler().fit([[3], [3]])` takes 3 to 0 and 5 to 2: the unit of what never varied is 1.
#[test]
fn numbers_that_never_vary_are_scaled_by_one() {
    let constant = [3.0, 3.0];
    let standard = fitted(&standard(|x: &f64| *x), &constant, &PASSING).unwrap();
    let min_max = fitted(&min_max(|x: &f64| *x), &constant, &PASSING).unwrap();
    let robust = fitted(&robust(|x: &f64| *x), &constant, &PASSING).unwrap();
    for number in [3.0, 5.0] {
        let expected = Some(number - 3.0);
        assert_eq!(standard.apply(Some(number)), expected);
        assert_eq!(min_max.apply(Some(number)), expected);
        assert_eq!(robust.apply(Some(number)), expected);
    }
}

#[test]
fn nothing_is_fitted_to_no_numbers() {
    let rows = [f64::NAN, f64::NAN];
    assert_eq!(fitted(&standard(|x: &f64| *x), &rows, &PASSING), None);
    assert_eq!(fitted(&min_max(|x: &f64| *x), &rows, &PASSING), None);
    assert_eq!(fitted(&robust(|x: &f64| *x), &rows, &PASSING), None);
    assert_eq!(fitted(&impute_mean(|x: &f64| *x), &rows, &PASSING), None);
    let names = categories(|name: &&str| Some((*name).to_owned()));
    assert_eq!(fitted(&names, &[], &["DE", "FR"]), None);
}

/// `SimpleImputer(strategy).fit(x).statistics_`: mean 5.25, median 4.5, most_frequent 4.
#[test]
fn gaps_are_filled_as_by_scikit_learn() {
    let mean = fitted(&impute_mean(|x: &f64| *x), &NUMBERS, &PASSING).unwrap();
    let median = fitted(&impute_median(|x: &f64| *x), &NUMBERS, &PASSING).unwrap();
    let frequent = impute_most_frequent(|x: &f64| Some(Real(*x)));
    let frequent = fitted(&frequent, &NUMBERS, &PASSING).unwrap();
    let fills = [mean, median, frequent].map(|impute| impute.apply_number(Some(f64::NAN)));
    assert_eq!(fills, [5.25, 4.5, 4.0]);
    // Gaps were counted as a value: the most frequent number of a column full of gaps was NaN.
    let gaps = [
        f64::NAN,
        -f64::NAN,
        f64::NAN,
        f64::INFINITY,
        f64::INFINITY,
        3.0,
    ];
    let most = impute_most_frequent(|x: &f64| Some(Real(*x)));
    assert_eq!(fitted(&most, &gaps, &PASSING).unwrap().fill, Real(3.0));
    assert_eq!(fitted(&most, &gaps[..5], &PASSING), None);
    let constant = Impute::constant("none".to_owned());
    assert_eq!(constant.apply(None), "none");
    assert_eq!(constant.apply(Some("DE".to_owned())), "DE");
}

/// `KBinsDiscretizer(4, strategy="quantile", quantile_method="linear").fit(x)`: edges 2, 4, 4.5, 6.5, 9.5, and
/// [1, 2, 4, 4.5, 5, 6.9, 9.5, 99] go to [0, 0, 1, 2, 2, 3, 3, 3].
#[test]
fn quantile_buckets_are_those_of_scikit_learn() {
    let fit = quantile_buckets(4, |x: &f64| *x).unwrap();
    let buckets = fitted(&fit, &NUMBERS, &PASSING).unwrap();
    assert_eq!(buckets.edges().collect::<Vec<_>>(), [4.0, 4.5, 6.5]);
    let found = [1.0, 2.0, 4.0, 4.5, 5.0, 6.9, 9.5, 99.0].map(|x| buckets.apply(Some(x)).unwrap());
    assert_eq!(found, [0, 0, 1, 2, 2, 3, 3, 3]);
    let equal = fitted(&fit, &[1.0, 1.0, 1.0, 1.0, 2.0], &PASSING).unwrap();
    assert_eq!(equal.edges().collect::<Vec<_>>(), [1.0]);
    assert!(quantile_buckets(1, |x: &f64| *x).is_err());
}

#[test]
fn categories_are_those_that_are_there() {
    let fit = categories(|name: &&str| (*name != "?").then(|| (*name).to_owned()));
    let found = fitted(&fit, &["US", "DE", "?", "FR", "DE"], &["JP", "US"]).unwrap();
    assert_eq!(found.names(), ["DE", "FR", "US"]);
}

type Labelled = (&'static str, f64);

const LABELLED: [Labelled; 9] = [
    ("a", 1.0),
    ("a", 0.0),
    ("a", 1.0),
    ("b", 0.0),
    ("b", 0.0),
    ("c", 1.0),
    ("c", 1.0),
    ("c", 1.0),
    ("c", 0.0),
];

fn targets_of(smoothing: Smoothing, rows: &[Labelled]) -> Option<Targets> {
    let category = |row: &Labelled| Some(row.0.to_owned());
    let fit = targets(smoothing, category, |row: &Labelled| row.1).unwrap();
    fitted(&fit, rows, &[("a", 0.0), ("d", 1.0)])
}

/// `TargetEncoder(smooth, target_type="continuous").fit(x, y)`: encodings_ as below, and 0.5555555555555556 for a
/// category that it has not seen.
#[test]
fn targets_are_those_of_scikit_learn() {
    let cases = [
        (
            Smoothing::Rows(Real(2.0)),
            [
                0.622_222_222_222_222_2,
                0.277_777_777_777_777_8,
                0.685_185_185_185_185_1,
            ],
        ),
        (
            Smoothing::Auto,
            [0.641_025_641_025_641, 0.0, 0.718_975_705_843_729_4],
        ),
        (
            Smoothing::Rows(Real(0.0)),
            [0.666_666_666_666_666_6, 0.0, 0.75],
        ),
    ];
    for (smoothing, expected) in cases {
        let targets = targets_of(smoothing, &LABELLED).unwrap();
        for (category, expected) in ["a", "b", "c"].into_iter().zip(expected) {
            let found = targets.apply(Some(category));
            assert!(
                (found - expected).abs() < 1e-15,
                "{smoothing:?} {category}: {found}"
            );
        }
        for other in [Some("z"), None] {
            assert!((targets.apply(other) - 0.555_555_555_555_555_6).abs() < 1e-15);
        }
        assert_eq!(targets.check(), Ok(()));
    }
}

#[test]
fn a_row_without_its_own_label_is_encoded_as_if_it_had_not_been_fitted() {
    let mut draws = Draws::seeded(7);
    for round in 0..200 {
        let names = ["a", "b", "c", "d"];
        let rows: Vec<Labelled> = (0..=draws.below(12))
            .map(|_| (draws.one_of(&names), draws.within(-4..=4) as f64))
            .collect();
        let smoothing = match round % 3 {
            0 => Smoothing::Auto,
            n => Smoothing::Rows(Real(n as f64 * 1.5)),
        };
        let whole = targets_of(smoothing, &rows).unwrap();
        for (n, (category, label)) in rows.iter().enumerate() {
            let found = whole.apply_without(Some(category), *label);
            let mut others = rows.clone();
            others.remove(n);
            let expected = match targets_of(smoothing, &others) {
                Some(others) => others.apply(Some(category)),
                None => whole.all.mean.0,
            };
            assert!(
                (found - expected).abs() < 1e-9,
                "{smoothing:?}: {found}, {expected} of {rows:?}"
            );
        }
        // What is no label was not among the labels: there is nothing to leave out.
        for none in [f64::NAN, f64::INFINITY] {
            let found = whole.apply_without(Some("a"), none);
            assert_eq!(found, whole.apply(Some("a")));
        }
    }
}
