//! Training rows that are right in time: each label with its user's payments as of the label's own moment.
//!
//! ```text
//! payments ──x────x──x───x─▶        label (user, t, fraud?) ─▶ (label, windows [t − width, t])  ─▶ a rule
//!                  ▲ comes late     corrections: answered at once, −old +new when the payment comes
//! ```
//!
//! A model that is asked at `t` knows what had arrived by `t`. Told by epochs (`as_known`) that is right where rows come one
//! by one; over a file, whose rows share epochs, only what the payments themselves record tells it (`as_known_by`).
//!
//! `cargo run -p examples --example training`. All data is below; what comes out is asserted.

use std::process::ExitCode;

use examples::shown::ended;
use serde::{Deserialize, Serialize};
use thalweg::connectors::memory::{Collect, Log};
use thalweg::operators::value::Fixed;
use thalweg::operators::window::at::Answer;
use thalweg::operators::window::rolling::Rolled;
use thalweg::operators::window::sliding::SlidingRow;
use thalweg::prelude::*;

/// What has come in, in the order of its coming: a payment, or the label of a moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Came {
    Payment(Payment),
    Label(Label),
    /// A label that is told at a later minute than the one it is of.
    Settled(i64, Label),
}

/// A payment in a shop, of a minute, and the minute at which the bank was told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Payment {
    user: u32,
    minute: i64,
    told: i64,
    cents: i64,
    shop: u32,
}

/// Whether a user's card was in false hands at a moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Label {
    user: u32,
    minute: i64,
    fraud: bool,
}

impl Came {
    fn minute(&self) -> i64 {
        match self {
            Self::Payment(payment) => payment.minute,
            Self::Label(label) => label.minute,
            Self::Settled(told, _) => *told,
        }
    }
}

const fn paid(user: u32, minute: i64, cents: i64, shop: u32) -> Came {
    told(minute, user, minute, cents, shop)
}

const fn told(told: i64, user: u32, minute: i64, cents: i64, shop: u32) -> Came {
    Came::Payment(Payment {
        user,
        minute,
        told,
        cents,
        shop,
    })
}

const fn label(user: u32, minute: i64, fraud: bool) -> Came {
    Came::Label(Label {
        user,
        minute,
        fraud,
    })
}

const fn settled(told: i64, user: u32, minute: i64) -> Came {
    Came::Settled(
        told,
        Label {
            user,
            minute,
            fraud: false,
        },
    )
}

/// The log. Thieves spend much within an hour; the payment that gives user 3 away comes after its label.
const LOG: [Came; 18] = [
    paid(1, 0, 1_200, 1),
    paid(2, 5, 900, 1),
    paid(5, 30, 300, 1),
    paid(1, 40, 800, 1),
    label(1, 45, false),
    paid(2, 50, 45_000, 7),
    paid(2, 55, 38_000, 8),
    label(2, 58, true),
    paid(3, 60, 700, 2),
    label(3, 75, true),
    told(76, 3, 70, 52_000, 9),
    paid(4, 80, 2_500, 3),
    label(4, 90, false),
    // After the labels of users 2 and 4: no window of theirs may see these.
    paid(4, 95, 99_000, 3),
    paid(2, 99, 100, 1),
    label(1, 200, false),
    // Hours later the bank says that all was well: a label far behind all that has come.
    paid(5, 240, 100, 2),
    settled(241, 5, 60),
];

fn at(minute: i64) -> i64 {
    minute * 60_000_000
}

/// A label with the last hour and the last day of its user.
type Row = Answer<Label, Rolled<u32, Fixed<0>, 1, 2>>;

/// A label with the shops of its user's last hour.
type ShopRow = Answer<Label, SlidingRow<u32, u64, 1>>;

/// What a model is trained on: cents of the last hour, and whether it was fraud.
type Example = (Option<i64>, Label);

fn example((label, windows): Row) -> Example {
    let hour = windows.and_then(|windows| windows.window(0).sum());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "sums of cents are whole and small here"
    )]
    let cents = hour.map(|cents| cents as i64);
    (cents, label)
}

/// The rows of each mode.
#[derive(Clone, Default)]
struct Out {
    finals: Collect<Example>,
    corrections: Collect<Example>,
    as_known: Collect<Example>,
    as_known_by: Collect<Example>,
    shops: Collect<(u32, Option<u64>)>,
    last_two: Collect<OfLabel>,
    this_hour: Collect<OfLabel>,
    visit: Collect<OfLabel>,
    ever: Collect<OfLabel>,
    fading: Collect<OfLabel>,
    far_back: Collect<OfLabel>,
}

/// A label's user and minute, and a number as of it.
type OfLabel = (u32, i64, Option<Real>);

fn of_label(label: &Label, number: Option<f64>) -> OfLabel {
    (label.user, label.minute, number.map(Real))
}

fn job(out: &Out, batch_rows: usize) -> Job {
    let out = out.clone();
    Job::new("training", move |g| {
        let log = Log::rows(LOG.to_vec()).batch_rows(batch_rows);
        let log = log.event_time(|came| at(came.minute()));
        let came = g.source("log", log.lateness(minutes(10)))?;
        let payments = came.flat_map(|came| match came {
            Came::Payment(payment) => Some(payment),
            Came::Label(_) | Came::Settled(..) => None,
        });
        let labels = came.flat_map(|came| match came {
            Came::Label(label) | Came::Settled(_, label) => Some(label),
            Came::Payment(_) => None,
        });
        let labels = labels
            .key_by(|label| label.user)
            .event_time(|label| at(label.minute));
        let payments = payments
            .key_by(|payment: &Payment| payment.user)
            .event_time(|payment| at(payment.minute));
        let features = payments
            .rolling([hours(1), hours(24)])?
            .moments("cents", |payment| payment.cents)
            .at(&labels);
        // Labels may be three hours behind, and payments are kept for so much longer.
        let far_back = features.clone().history(hours(3));
        let rows = far_back.finals().map(|(label, row)| {
            let cents = row.and_then(|row| row.window(0).sum());
            of_label(&label, cents)
        });
        rows.sink("far back", out.far_back.clone())?;
        let shops = payments
            .rolling([hours(1)])?
            .aggregate("shops", distinct(|payment: &Payment| Some(payment.shop)))
            .at(&labels);
        // However long ago they were.
        let spent = sum(|payment: &Payment| payment.cents);
        let last_two = payments
            .last_rows(2)?
            .at("last two", spent.clone(), &labels);
        let last_two = last_two.finals();
        let last_two = last_two.map(|(label, row)| of_label(&label, row.map(|row| row.value)));
        last_two.sink("last two", out.last_two.clone())?;
        // Since the hour began on the clock, in the visit that goes on, ever, and half of it for each ten minutes past.
        let this_hour = payments.tumbling(hours(1))?;
        let this_hour = this_hour.at("this hour", spent.clone(), &labels).finals();
        let this_hour = this_hour.map(|(label, row)| {
            let cents = row.and_then(|row| row.value().copied());
            of_label(&label, cents)
        });
        this_hour.sink("this hour", out.this_hour.clone())?;
        let visit = payments.session(minutes(30))?;
        let visit = visit.at("visit", spent.clone(), &labels).finals();
        let visit = visit.map(|(label, row)| {
            let open = row.and_then(|row| row.session);
            of_label(&label, open.map(|open| open.value))
        });
        visit.sink("visit", out.visit.clone())?;
        let ever = payments.lifetime().at("ever", spent, &labels).finals();
        let ever = ever.map(|(label, row)| {
            let cents = row.and_then(|row| row.value().copied());
            of_label(&label, cents)
        });
        ever.sink("ever", out.ever.clone())?;
        let fading = payments.decayed(minutes(10))?;
        let fading = fading
            .at("fading", |payment| payment.cents, &labels)
            .finals();
        let fading = fading.map(|(label, row)| of_label(&label, row.map(|row| row.sum)));
        fading.sink("fading", out.fading.clone())?;
        let sink = |rows: Table<'_, Row>, name: &str, to: &Collect<Example>| {
            rows.map(example).sink(name, to.clone())
        };
        sink(features.finals(), "finals", &out.finals)?;
        sink(features.corrections(), "corrections", &out.corrections)?;
        sink(features.as_known(), "as known", &out.as_known)?;
        let by_record = far_back.as_known_by(|payment| at(payment.told));
        sink(by_record, "as known by record", &out.as_known_by)?;
        let shops = shops.as_known_by(|payment| at(payment.told));
        let of_hour = |(label, row): ShopRow| (label.user, row.map(|row| row.windows[0]));
        shops.map(of_hour).sink("shops", out.shops.clone())
    })
}

/// The rule that a model of one number learns: fraud from so many cents an hour on. Of all cuts it is the one that errs
/// least, and of those the lowest.
fn train(rows: &[Example]) -> (i64, usize) {
    let cents = |row: &Example| row.0.unwrap_or(0);
    let errors = |cut: i64| {
        let wrong = rows.iter().filter(|row| (cents(row) >= cut) != row.1.fraud);
        (wrong.count(), cut)
    };
    let (errors, cut) = rows
        .iter()
        .map(|row| errors(cents(row)))
        .min()
        .unwrap_or_default();
    (cut, errors)
}

fn rows_of(out: &Collect<Example>) -> Vec<Example> {
    out.net().into_iter().map(|(row, _)| row).collect()
}

#[expect(clippy::print_stdout, reason = "an example shows what came out")]
fn run() -> Result<(), JobError> {
    let out = Out::default();
    // An epoch per row, so that the late payment comes in a later epoch than the label that it repairs.
    job(&out, 1).run(Config::workers(1)?.epoch_rows(1)?)?;
    for (row, epoch, diff) in out.corrections.updates() {
        println!("epoch {epoch:>2}  {diff:+}  {row:?}");
    }
    let user_3 = |(row, _, diff): (Example, u64, i64)| (row.1.user == 3).then_some((row.0, diff));
    let story: Vec<_> = out
        .corrections
        .updates()
        .into_iter()
        .filter_map(user_3)
        .collect();
    assert_eq!(
        story,
        [(Some(700), 1), (Some(700), -1), (Some(52_700), 1)],
        "the late payment must repair the answer"
    );
    let (finals, corrections) = (rows_of(&out.finals), rows_of(&out.corrections));
    assert_eq!(finals, corrections, "in the end both modes hold the same");
    assert_eq!(out.finals.updates().len(), 6, "final rows come once");
    let of_user = |rows: &[Example], user| rows.iter().find(|row| row.1.user == user).cloned();
    let cents_of_3 = |rows: &Collect<Example>| of_user(&rows_of(rows), 3).and_then(|row| row.0);
    let told = [&out.as_known, &out.as_known_by].map(cents_of_3);
    assert_eq!(told, [Some(700); 2], "as it was known then");
    let user_2 = ((2, Some(3)), 1);
    assert!(
        out.shops.net().contains(&user_2),
        "user 2 was in three shops"
    );

    let asked = [(1, 45), (1, 200), (2, 58), (3, 75), (4, 90), (5, 60)];
    let all_told = |cents: [Option<f64>; 6]| -> Vec<(OfLabel, i64)> {
        let rows = asked.into_iter().zip(cents);
        rows.map(|((user, minute), cents)| ((user, minute, cents.map(Real)), 1))
            .collect()
    };
    // The last label is too far behind for those that keep no history: nothing is told, and nothing lost.
    let told = |[a, b, c, d, e]: [Option<f64>; 5]| all_told([a, b, c, d, e, None]);
    let cents = [2_000.0, 0.0, 83_900.0, 52_700.0, 2_500.0, 300.0].map(Some);
    assert_eq!(out.far_back.net(), all_told(cents), "three hours back");
    let cents = [2_000.0, 2_000.0, 83_000.0, 52_700.0, 2_500.0].map(Some);
    assert_eq!(out.last_two.net(), told(cents), "two payments up to it");
    let cents = [2_000.0, 0.0, 83_900.0, 52_700.0, 2_500.0].map(Some);
    assert_eq!(
        out.this_hour.net(),
        told(cents),
        "what the hour had by then"
    );
    let cents = [
        Some(800.0),
        None,
        Some(83_000.0),
        Some(52_700.0),
        Some(2_500.0),
    ];
    assert_eq!(out.visit.net(), told(cents), "the visit that was going on");
    let cents = [2_000.0, 2_000.0, 83_900.0, 52_700.0, 2_500.0].map(Some);
    assert_eq!(out.ever.net(), told(cents), "all up to it");
    let fading = out.fading.net();
    let user_4 = ((4, 90, Some(Real(1_250.0))), 1);
    assert!(
        fading.contains(&user_4),
        "half of what was ten minutes ago: {fading:?}"
    );

    // The same rows as those of a file come, all in one epoch: the late payment leaks into what epochs tell.
    let at_once = Out::default();
    job(&at_once, LOG.len()).run(Config::workers(1)?)?;
    let told = [&at_once.as_known, &at_once.as_known_by].map(cents_of_3);
    println!("user 3 as known by epochs and by record, over a file: {told:?}");
    assert_eq!(told, [Some(52_700), Some(700)]);
    assert_eq!(rows_of(&at_once.as_known_by), rows_of(&out.as_known_by));
    let asked = of_user(&finals, 4);
    assert_eq!(
        asked.and_then(|row| row.0),
        Some(2_500),
        "nothing leaks back from later"
    );

    let (cut, errors) = train(&finals);
    println!(
        "fraud from {cut} cents an hour on: {errors} of {} wrong",
        finals.len()
    );
    assert_eq!((cut, errors), (52_700, 0));
    let (_, errors) = train(&rows_of(&out.as_known_by));
    assert_eq!(
        errors, 1,
        "what was known then does not tell user 3 from the honest"
    );
    Ok(())
}

fn main() -> ExitCode {
    ended(run())
}
