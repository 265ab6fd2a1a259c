//! Operators without state: union, negate, filter, map, flat_map, inspect, on signed rows.

use std::sync::{Arc, Mutex};

use tests::case::{Case, Retractions};
use tests::dice::Dice;
use tests::event::Event;
use tests::lap::Lap;
use tests::oracle::{assert_same, net};
use thalweg::connectors::memory::Collect;
use thalweg::prelude::*;

use crate::for_seeds;

type Shown = Arc<Mutex<Vec<(Event, i64)>>>;

fn job(case: &Case, lap: &Lap, shown: &Shown, out: Collect<(i64, i64)>) -> Job {
    let (case, lap, shown) = (case.clone(), *lap, Arc::clone(shown));
    Job::new("stateless", move |g| {
        let shown = Arc::clone(&shown);
        let events = g.source("events", case.source(&lap))?;
        let events =
            events.inspect(move |event, _, diff| shown.lock().unwrap().push((*event, diff)));
        let even = events.filter(|event| event.key % 2 == 0);
        let times = events.map(|event| (event.key, event.at));
        let parts =
            even.flat_map(|event| (0..event.id % 3).map(move |n| (event.key, i64::from(n))));
        let even_times = even.map(|event| (event.key, event.at));
        let all = times.union(&parts).union(&even_times.negate());
        all.sink("out", out.clone())
    })
}

#[test]
fn stateless_operators_keep_signs_and_epochs() {
    for_seeds(0..100, |seed| {
        let mut dice = Dice::new(seed);
        let case = Case::draw(&mut dice, 200, Retractions::Anywhere).unlimited();
        let (lap, shown) = (Lap::draw(&mut dice), Shown::default());
        let (written, _) = lap.simulate(|out| job(&case, &lap, &shown, out));
        let expected = net(case.rows().into_iter().flat_map(|(event, diff)| {
            let even = event.key % 2 == 0;
            let times = (!even).then_some((event.key, event.at));
            let parts = (0..event.id % 3).filter(move |_| even);
            let parts = parts.map(move |n| (event.key, i64::from(n)));
            let rows: Vec<_> = times.into_iter().chain(parts).collect();
            rows.into_iter().map(move |row| (row, diff))
        }));
        let found = net(written.into_iter().map(|(row, _, diff)| (row, diff)));
        assert_same(&found, &expected, &(seed, &lap, &case));
        let twice = case.rows().into_iter().chain(case.rows());
        let shown = shown.lock().unwrap().clone();
        assert_eq!(
            net(shown),
            net(twice),
            "seed {seed}: inspect sees every update of both runs"
        );
    });
}
