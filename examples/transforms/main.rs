//! Transforms: fitted to payments that come and are taken back, frozen to a file, loaded for serving, and a target
//! encoded without looking ahead.
//!
//! ```text
//! payments ─▶ fit per country ─▶ standard scaling, a maintained view ─▶ frozen: standard-DE.json ─▶ loaded, applied
//!         └─▶ merchants' past labels as of each payment ─▶ training rows
//! ```
//!
//! Runs alone and asserts every number that it prints.

use std::path::Path;
use std::process::ExitCode;

use examples::shown::ended;
use serde::{Deserialize, Serialize};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::operators::transform::{
    Categories, Fitted, Frozen, FrozenError, Impute, MinMax, Standard, hashed, log, ratio, standard,
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
        // Booked by mistake: nothing stays of it.
        (wrong, -1),
    ]
}

type Scaling = Fitted<String, Standard>;
type Encoded = (Payment, Real);

fn job(scalings: Collect<Scaling>, encoded: Collect<Encoded>) -> Job {
    Job::new("transforms", move |g| {
        let log = Log::signed(payments());
        let payments = g.source("payments", log.event_time(|row| row.at).lateness(hours(24)))?;
        let by_country = payments.key_by(|row| row.country.clone());
        let scaling = by_country.fit("amount", standard(|row: &Payment| row.amount));
        scaling.sink("scalings", scalings.clone())?;

        let label = |row: &Payment| Some(f64::from(u8::from(row.is_fraud)));
        let by_merchant = payments.key_by(|row| row.merchant).event_time(|row| row.at);
        // As if two more payments of each merchant had been fraud at a rate of 0.5.
        let rates = by_merchant.target_encoded("fraud rate", days(30), label, 2.0, 0.5)?;
        rates
            .map(|(row, rate)| (row, Real(rate)))
            .sink("rates", encoded.clone())
    })
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn run(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let (scalings, encoded) = (Collect::new(), Collect::new());
    job(scalings.clone(), encoded.clone()).run(Config::workers(2)?)?;

    println!("Amounts, standard scaling per country");
    let mut german = None;
    for (Fitted { key, params }, _) in scalings.net() {
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
    let rates: Vec<(u32, f64)> = encoded
        .net()
        .iter()
        .map(|((row, rate), _)| (row.merchant, rate.0))
        .collect();
    for (merchant, rate) in &rates {
        println!("  merchant {merchant}  {rate:.3}");
    }
    // Merchant 7: nothing known, then one honest payment, then an honest and a fraudulent one.
    assert_eq!(rates, [(7, 0.5), (7, 1.0 / 3.0), (8, 0.5), (7, 0.5)]);

    let channels = Categories::new(["web", "app", "shop"].map(str::to_owned));
    assert_eq!(channels.one_hot(Some("shop")), [0.0, 1.0, 0.0]);
    assert_eq!(channels.ordinal(Some("phone")), None);
    assert_eq!(Impute::constant(Real(41.0)).apply_number(None), 41.0);
    assert_eq!(ratio(log(Some(0.0)), Some(2.0)), Some(0.0));
    assert!(hashed(Some("merchant 7"), 64).is_some_and(|bucket| bucket < 64));
    Ok(())
}

fn main() -> ExitCode {
    let dir = std::env::temp_dir().join(format!("thalweg-transforms-{}", std::process::id()));
    let made = std::fs::create_dir_all(&dir);
    let ran = made.map_err(Into::into).and_then(|()| run(&dir));
    let _ = std::fs::remove_dir_all(&dir);
    ended(ran)
}
