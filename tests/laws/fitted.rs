//! Whatever is fitted is brute force over the rows at every epoch, for all kinds at once; and rows of every kind of
//! transform are what its definition says, by the parameters as of their epoch.

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::epochs::{Witness, assert_every_epoch, once};
use tests::event::Event;
use tests::fitted::{
    Applied, Brute, KINDS, Params, Row, SMOOTHING, UNFITTED, brute_force, category, channel,
    number, views,
};
use tests::lap::Lap;
use tests::oracle::{Net, assert_same, net};
use thalweg::connectors::memory::Collect;
use thalweg::engine::key::tag_bytes;
use thalweg::engine::table::Table;
use thalweg::engine::update::Data;
use thalweg::operators::transform::{
    Fitted, Smoothing, categories, clip, cross, crossed, hashed, impute_mean, impute_median,
    impute_most_frequent, log, min_max, quantile_buckets, ratio, robust, standard, targets,
};
use thalweg::operators::value::Real;
use thalweg::prelude::*;

use crate::for_seeds;

/// The views of all kinds, and, for each row, what it becomes by each of them.
fn job(
    case: &Case,
    lap: &Lap,
    witness: &Witness,
    views: Collect<Row>,
    out: Collect<Applied>,
) -> Job {
    let (case, lap, witness) = (case.clone(), *lap, witness.clone());
    Job::new("fitted", move |g| {
        let events = g.source("events", case.source(&lap))?;
        witness.watch(&events);
        let keyed = events.key_by(|event| event.key);
        let smoothed = targets(SMOOTHING, category, number)?;
        let all: [Table<'_, Row>; KINDS as usize] = [
            wrapped(&keyed.fit("0", standard(number)), Params::Standard),
            wrapped(&keyed.fit("1", min_max(number)), Params::MinMax),
            wrapped(&keyed.fit("2", robust(number)), Params::Robust),
            wrapped(&keyed.fit("3", impute_mean(number)), Params::Mean),
            wrapped(&keyed.fit("4", impute_median(number)), Params::Median),
            wrapped(
                &keyed.fit("5", impute_most_frequent(|e| number(e).map(Real))),
                Params::MostFrequent,
            ),
            wrapped(
                &keyed.fit("6", quantile_buckets(4, number)?),
                Params::Buckets,
            ),
            wrapped(&keyed.fit("7", categories(category)), Params::Categories),
            wrapped(
                &keyed.fit("8", targets(Smoothing::Auto, category, number)?),
                Params::Targets,
            ),
            wrapped(&keyed.fit("9", smoothed), Params::Smoothed),
        ];
        let mut applied = events.map(|event| (UNFITTED, event, unfitted(&event)));
        let mut together = all[0].clone();
        for (kind, view) in (0..).zip(&all) {
            let rows = keyed.transformed_by(&format!("by {kind}"), view, move |event, params| {
                let params = params.map(|params: &Params| apply(params, &event));
                (kind, event, params.unwrap_or_default())
            });
            applied = applied.union(&rows);
            if kind > 0 {
                together = together.union(view);
            }
        }
        together.sink("views", views.clone())?;
        applied.sink("applied", out.clone())
    })
}

fn wrapped<'s, F>(view: &Table<'s, Fitted<i64, F>>, kind: fn(F) -> Params) -> Table<'s, Row>
where
    Fitted<i64, F>: Data,
    F: 'static,
{
    view.map(move |row| Fitted {
        key: row.key,
        params: kind(row.params),
    })
}

fn apply(params: &Params, event: &Event) -> Vec<Option<Real>> {
    let (number, category) = (number(event), category(event));
    let category = category.as_deref();
    let one = |number: Option<f64>| vec![number.map(Real)];
    match params {
        Params::Standard(scaling) => one(scaling.apply(number)),
        Params::MinMax(scaling) => one(scaling.apply(number)),
        Params::Robust(scaling) => one(scaling.apply(number)),
        Params::Mean(impute) | Params::Median(impute) => one(Some(impute.apply_number(number))),
        Params::MostFrequent(impute) => vec![Some(impute.apply(number.map(Real)))],
        Params::Buckets(buckets) => one(buckets.apply(number).map(|bucket| bucket as f64)),
        Params::Categories(known) => {
            let ordinal = known.ordinal(category).map(|place| Real(place as f64));
            let one_hot = known.one_hot(category).into_iter();
            one_hot.map(|n| Some(Real(n))).chain([ordinal]).collect()
        }
        Params::Targets(known) | Params::Smoothed(known) => one(Some(known.apply(category))),
    }
}

fn unfitted(event: &Event) -> Vec<Option<Real>> {
    let (number, a, b) = (number(event), category(event), channel(event));
    let (a, b) = (a.as_deref(), b.as_deref());
    let both = cross(a, b).map(|text| tag_bytes(text.as_bytes()) as f64);
    let bucket = |bucket: Option<u32>| bucket.map(f64::from);
    let numbers = [
        clip(number, -1.5, 40.0),
        log(number),
        ratio(number, event.other.map(|n| n as f64)),
        bucket(hashed(a, 7)),
        bucket(crossed(a, b, 5)),
        both,
    ];
    numbers.map(|number| number.map(Real)).to_vec()
}

#[test]
fn all_that_is_fitted_is_brute_force_at_every_epoch_and_so_is_what_goes_through_it() {
    for_seeds(0..256, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 120, Retractions::InOrder);
        let (lap, witness, fitted) = (Lap::draw(&mut dice), Witness::default(), Collect::new());
        let written = once(&lap, |out| job(&case, &lap, &witness, fitted.clone(), out));
        let (seen, context) = (witness.seen(), (seed, lap, &case));
        assert_every_epoch(
            &context,
            &seen,
            &fitted.updates(),
            |row: &Row| (row.key, row.params.kind()),
            |input, _| views(input),
        );
        let mut input = Net::new();
        for (epoch, rows) in seen.rows {
            input = net(input.into_iter().chain(rows.iter().copied()));
            let (keys, none) = (brute_force(&input), Brute::default());
            let expected = net(rows.into_iter().flat_map(|(event, diff)| {
                let rows = keys.get(&event.key).unwrap_or(&none).applied(&event);
                rows.into_iter().map(move |row| (row, diff))
            }));
            let found = written.iter().filter(|(_, at, _)| *at == epoch);
            let found = net(found.map(|(row, _, diff)| (row.clone(), *diff)));
            assert_same(&found, &expected, &(epoch, context));
        }
    });
}

#[test]
fn what_is_fitted_is_the_same_in_any_order() {
    for_seeds(2_000..2_100, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 150, Retractions::Anywhere).unlimited();
        let expected = views(&net(case.rows()));
        for case in [case.clone(), case.shuffled(&mut dice)] {
            let (lap, quiet) = (Lap::draw(&mut dice), Witness::default());
            let (written, _) =
                lap.simulate(|views| job(&case, &lap, &quiet, views, Collect::new()));
            let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
            assert_same(&found, &expected, &(seed, &lap, &case));
        }
    });
}
