//! Transforms: fitted to payments that come and are taken back, frozen to a file, loaded for serving, and a target
//! encoded without looking ahead.
//!
//! ```text
//! payments ─▶ fit per country ─▶ standard scaling, a maintained view ─▶ frozen: standard-DE.json ─▶ loaded, applied
//!         ├─▶ fit per country ─▶ every other transform, a maintained view each ─▶ applied
//!         └─▶ merchants' past labels as of each payment ─▶ training rows
//! ```
//!
//! Runs alone and asserts what it prints.

use std::path::Path;
use std::process::ExitCode;

use examples::shown::{ended, show};
use serde::{Deserialize, Serialize};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::operators::key_by::Keyed;
use thalweg::operators::transform::{
    Buckets, Categories, Fitted, Frozen, FrozenError, Impute, MinMax, Smoothing, Standard,
    categories, clip, cross, crossed, hashed, impute_mean, impute_median, impute_most_frequent,
    log, min_max, quantile_buckets, ratio, robust, standard, targets,
};
use thalweg::operators::value::Real;
use thalweg::prelude::*;

/// A payment; `is_fraud` is its label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Payment {
    at: EventTime,
    country: String,
    merchant: u32,
    amount: i64,
    age: Option<i64>,
    is_fraud: bool,
}

fn payment(hour: i64, country: &str, merchant: u32, amount: i64, is_fraud: bool) -> Payment {
    Payment {
        at: hour * 3_600_000_000,
        country: country.to_owned(),
        merchant,
        amount,
        age: (merchant != 8).then_some(30),
        is_fraud,
    }
}

fn payments() -> Vec<(Payment, i64)> {
    let wrong = payment(3, "DE", 7, 9_000, false);
    vec![
        (payment(1, "DE", 7, 10, false), 1),
        (payment(2, "DE", 7, 20, true), 1),
        (wrong.clone(), 1),
        (payment(4, "DE", 8, 30, true), 1),
        (payment(5, "FR", 7, 5, false), 1),
        // Booked by mistake: no view keeps anything of it. It goes through `transformed_by` without a trace only because
        // both come in one epoch, where the parameters are the same.
        (wrong, -1),
    ]
}

impl Payment {
    fn place(&self) -> Option<String> {
        Some(format!("merchant {}", self.merchant))
    }

    fn label(&self) -> Option<f64> {
        Some(f64::from(u8::from(self.is_fraud)))
    }
}

type Scaling = Fitted<String, Standard>;
type Encoded = (Payment, Real);
/// A country, a transform, and what it makes of something.
type Applied = (String, String, String);

/// The job's answers.
#[derive(Clone, Default)]
struct Answers {
    scalings: Collect<Scaling>,
    applied: Collect<Applied>,
    scaled: Collect<(String, i64, Option<Real>)>,
    encoded: Collect<Encoded>,
}

/// A transform's view, each as the sentence that it makes.
fn view<'s, F: Clone + Send + Ord + Serialize + serde::de::DeserializeOwned + 'static>(
    fitted: &Table<'s, Fitted<String, F>>,
    what: &'static str,
    apply: impl Fn(&F) -> String + 'static,
) -> Table<'s, Applied> {
    fitted.map(move |of| (of.key, what.to_owned(), apply(&of.params)))
}

/// Every transform that is fitted, but for the one above.
fn others<'s>(by_country: &Keyed<'s, Payment, String>) -> Result<Table<'s, Applied>, JobError> {
    let amount = |row: &Payment| row.amount;
    let place = Payment::place;
    let smoothing = Smoothing::Rows(Real(2.0));
    let least = view(
        &by_country.fit("range", min_max(amount)),
        "25, min-max",
        |range| format!("{:?}", range.apply(Some(25.0))),
    );
    let quartiles = view(
        &by_country.fit("quartiles", robust(amount)),
        "30, robust",
        |quartiles| format!("{:?}", quartiles.apply(Some(30.0))),
    );
    let mean_age = by_country.fit("mean age", impute_mean(|row: &Payment| row.age));
    let mean_age = view(&mean_age, "no age, mean", |fill| {
        format!("{:?}", fill.apply_number(None))
    });
    let mid_age = by_country.fit("median age", impute_median(|row: &Payment| row.age));
    let mid_age = view(&mid_age, "no age, median", |fill| {
        format!("{:?}", fill.apply_number(None))
    });
    let usual = by_country.fit(
        "usual",
        impute_most_frequent(|row: &Payment| Some(row.merchant)),
    );
    let usual = view(&usual, "no merchant, most frequent", |fill| {
        format!("{:?}", fill.apply(None))
    });
    let halves = by_country.fit("halves", quantile_buckets(2, amount)?);
    let halves = view(&halves, "10 and 20, buckets", |halves| {
        format!(
            "{:?}",
            [10.0, 20.0].map(|amount| halves.apply(Some(amount)))
        )
    });
    let places = by_country.fit("merchants", categories(place));
    let places = view(&places, "merchant 8, one-hot", |names| {
        format!("{:?}", names.one_hot(Some("merchant 8")))
    });
    let rates = by_country.fit("rates", targets(smoothing, place, Payment::label)?);
    let rates = view(
        &rates,
        "merchant 7, target; the same for an honest payment",
        |rates| {
            let all = rates.apply(Some("merchant 7"));
            format!(
                "{all:.3}; {:.3}",
                rates.apply_without(Some("merchant 7"), 0.0)
            )
        },
    );
    let numbers = least.union(&quartiles).union(&mean_age).union(&mid_age);
    Ok(numbers
        .union(&usual)
        .union(&halves)
        .union(&places)
        .union(&rates))
}

fn job(answers: Answers) -> Job {
    Job::new("transforms", move |g| {
        let log = Log::signed(payments());
        let payments = g.source("payments", log.event_time(|row| row.at).lateness(hours(24)))?;
        let by_country = payments.key_by(|row| row.country.clone());
        let scaling = by_country.fit("amount", standard(|row: &Payment| row.amount));
        scaling.sink("scalings", answers.scalings.clone())?;
        let scaled = by_country.transformed_by("scaled", &scaling, |row, scaling| {
            let scaled = scaling.and_then(|scaling| scaling.apply(Some(row.amount as f64)));
            (row.country, row.amount, scaled.map(Real))
        });
        scaled.sink("scaled payments", answers.scaled.clone())?;
        others(&by_country)?.sink("applied", answers.applied.clone())?;

        let by_merchant = payments.key_by(|row| row.merchant).event_time(|row| row.at);
        // As if two more payments of each merchant had been fraud at a rate of 0.5.
        let rates = by_merchant.target_encoded("fraud rate", days(30), Payment::label, 2.0, 0.5)?;
        rates
            .map(|(row, rate)| (row, Real(rate)))
            .sink("rates", answers.encoded.clone())
    })
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn run(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let answers = Answers::default();
    job(answers.clone()).run(Config::workers(2)?)?;

    println!("Amounts, standard scaling per country");
    let mut german = None;
    for (Fitted { key, params }, _) in answers.scalings.net() {
        println!(
            "  {key}  mean {:>5}  stddev {:.3}",
            params.mean.0, params.stddev.0
        );
        if key == "DE" {
            german = Some(params);
        }
    }
    let german = german.ok_or("no payment from DE")?;
    // 10, 20 and 30: the one that was taken back is not among them.
    assert_eq!(
        (german.mean, german.stddev),
        (Real(20.0), Real((200.0_f64 / 3.0).sqrt()))
    );

    let path = dir.join("standard-DE.json");
    let frozen = Frozen {
        feature: "amount of DE".to_owned(),
        version: 1,
        fitted: german,
    };
    frozen.write(&path)?;
    let loaded = Frozen::<Standard>::read(&path, "amount of DE")?;
    assert_eq!(loaded, frozen);
    assert_eq!(loaded.fitted.apply(Some(20.0)), Some(0.0));
    println!("Frozen and loaded: {}", path.display());
    match Frozen::<MinMax>::read(&path, "amount of DE") {
        Err(mismatch @ FrozenError::Mismatch { .. }) => println!("  and not mistaken: {mismatch}"),
        other => return Err(format!("read as another kind: {other:?}").into()),
    }

    println!("Fraud rate of the merchant before each payment, its own label left out");
    let rates: Vec<(u32, f64)> = answers
        .encoded
        .net()
        .iter()
        .map(|((row, rate), _)| (row.merchant, rate.0))
        .collect();
    for (merchant, rate) in &rates {
        println!("  merchant {merchant}  {rate:.3}");
    }
    // Merchant 7: nothing known, then one honest payment, then an honest and a fraudulent one.
    assert_eq!(rates, [(7, 0.5), (7, 1.0 / 3.0), (8, 0.5), (7, 0.5)]);

    show_others(&answers);
    without_fitting()
}

/// What every other view makes of something, and each payment as its country's scaling has it.
fn show_others(answers: &Answers) {
    let german = [
        ("10 and 20, buckets", "[Some(0), Some(1)]"),
        ("25, min-max", "Some(0.75)"),
        ("30, robust", "Some(1.0)"),
        // (1 + 2 · 2/3)/(2 + 2), and without its own label (1 + 2 · 1)/(1 + 2).
        (
            "merchant 7, target; the same for an honest payment",
            "0.583; 1.000",
        ),
        ("merchant 8, one-hot", "[0.0, 1.0]"),
        ("no age, mean", "30.0"),
        ("no age, median", "30.0"),
        ("no merchant, most frequent", "7"),
    ];
    // All that is known of France is one payment: the unit is then 1.
    let french = [
        "[Some(1), Some(1)]",
        "Some(20.0)",
        "Some(25.0)",
        "0.000; 0.000",
        "[0.0]",
        "30.0",
        "30.0",
        "7",
    ];
    let rows = |country: &str, made: &[&str]| -> Vec<Applied> {
        let rows = german.iter().zip(made);
        rows.map(|((what, _), made)| (country.to_owned(), (*what).to_owned(), (*made).to_owned()))
            .collect()
    };
    let all = [
        rows("DE", &german.map(|(_, made)| made)),
        rows("FR", &french),
    ]
    .concat();
    show(
        "Every other fitted transform, applied",
        &answers.applied,
        &all,
    );

    let stddev = (200.0_f64 / 3.0).sqrt();
    let scaled = |country: &str, amount: i64, by: f64| (country.to_owned(), amount, Some(Real(by)));
    show(
        "Each payment through the scaling of its country",
        &answers.scaled,
        &[
            scaled("DE", 10, -10.0 / stddev),
            scaled("DE", 20, 0.0),
            scaled("DE", 30, 10.0 / stddev),
            scaled("FR", 5, 0.0),
        ],
    );
}

/// Transforms that need no fitting, or are made as one likes.
fn without_fitting() -> Result<(), Box<dyn std::error::Error>> {
    let channels = Categories::new(["web", "app", "shop"].map(str::to_owned));
    assert_eq!(channels.one_hot(Some("shop")), [0.0, 1.0, 0.0]);
    assert_eq!(channels.ordinal(Some("phone")), None);
    assert_eq!(Impute::constant(Real(41.0)).apply_number(None), 41.0);
    let ages = Buckets::between([18.0, 65.0])?;
    assert_eq!(
        [17.0, 18.0, 70.0].map(|age| ages.apply(Some(age))),
        [Some(0), Some(1), Some(2)]
    );
    assert_eq!(
        (clip(Some(120.0), 0.0, 99.0), clip(None, 0.0, 99.0)),
        (Some(99.0), None)
    );
    assert_eq!(ratio(log(Some(0.0)), Some(2.0)), Some(0.0));
    assert_eq!(cross(Some("DE"), Some("web")).as_deref(), Some("DE×web"));
    assert_eq!(hashed(Some("merchant 7"), 64), Some(9));
    assert_eq!(crossed(Some("DE"), Some("web"), 64), Some(39));
    Ok(())
}

fn main() -> ExitCode {
    let dir = std::env::temp_dir().join(format!("thalweg-transforms-{}", std::process::id()));
    let made = std::fs::create_dir_all(&dir);
    let ran = made.map_err(Into::into).and_then(|()| run(&dir));
    let _ = std::fs::remove_dir_all(&dir);
    ended(ran)
}
