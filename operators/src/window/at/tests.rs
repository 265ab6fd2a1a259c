//! Labels against brute force after every epoch, in all modes, over moments and aggregates, and saved and loaded.

mod arrivals;
mod freed;
mod world;

use std::time::Duration;

use thalweg_engine::keyed::EpochTime;

use super::*;
use crate::laws::{Sided, assert_continues, side_tag};
use crate::value::Fixed;
use crate::window::rolling::brute::collect;
use crate::window::rolling::store::Store;
use crate::window::rolling::widths::Widths;
use crate::window::rolling::{Compact, Form, Wide, WithoutExtremes};
use world::{Brute, HISTORY_STEPS, World, aggregates, holds, known, rolled, sides, slid};

type Moments<F> = Store<i64, Fixed<0>, 1, 2, F>;

/// Runs a mode over moments, with extremes and without.
macro_rules! holds_for_moments {
    ($form:ty, $new:expr, $event:expr, $expected:expr) => {{
        fn check<F: Form>() {
            let bare = !F::KEEPS_EXTREMES;
            let make = |widths, history| $new(Moments::<F>::new(widths), history);
            holds(Brute::Moments { bare }, make, $event, $expected);
        }
        check::<$form>();
        check::<WithoutExtremes<$form>>();
    }};
}

#[test]
fn a_label_is_answered_when_the_watermark_has_passed_it() {
    holds_for_moments!(Wide, Finals::by_event_time, |_| rolled, World::finals);
}

#[test]
fn a_label_is_answered_at_once_and_repaired() {
    holds_for_moments!(Compact, Corrections::new, |_| rolled, World::corrections);
}

#[test]
fn a_label_is_told_what_was_known_when_it_came() {
    holds_for_moments!(Compact, AsKnown::new, |_| rolled, World::told);
}

#[test]
fn a_label_is_told_what_had_arrived_by_its_moment() {
    holds_for_moments!(Wide, Finals::as_known, |us| known(rolled, us), World::known);
    holds_for_moments!(
        Compact,
        Finals::as_known,
        |us| known(rolled, us),
        World::known
    );
}

#[test]
fn labels_are_answered_by_any_aggregates_in_all_modes() {
    let kept = |widths| testing::trailing(aggregates(), widths);
    let finals = |widths, history| Finals::by_event_time(kept(widths), history);
    holds(Brute::Aggregates, finals, |_| slid, World::finals);
    let corrections = |widths, history| Corrections::new(kept(widths), history);
    holds(Brute::Aggregates, corrections, |_| slid, World::corrections);
    let as_known = |widths, history| AsKnown::new(kept(widths), history);
    holds(Brute::Aggregates, as_known, |_| slid, World::told);
    let by_arrival = |widths, history| Finals::as_known(kept(widths), history);
    let event = |step_us| known(slid, step_us);
    holds(Brute::Aggregates, by_arrival, event, World::known);
}

#[test]
fn a_label_further_behind_than_the_history_is_passed_on_without_an_answer() {
    let widths = Widths::new([Duration::from_micros(5)]).unwrap();
    let store = || Store::<_, Fixed<0>, 1, 1, Wide>::new(widths);
    let label = |at| Label {
        at,
        key: 1_i64,
        label: (),
    };
    let time = EpochTime {
        watermark_before: 100,
        watermark: 100,
        ..Default::default()
    };
    let labels = || vec![(label(89), 1, 1), (label(90), 1, 1)];
    let expected = [1, 0].map(|answered| answered == 0);
    let answered = |written: Vec<(String, i64)>| {
        let mut has_answer: Vec<bool> = written.iter().map(|row| row.0.contains("Some")).collect();
        has_answer.sort_unstable();
        has_answer
    };
    let mut state = Finals::by_event_time(store(), 10);
    let written = collect(&time, |out| {
        state.epoch(&time, Vec::new().into(), labels().into(), out);
    });
    assert_eq!(answered(written), expected);
    let mut state = Corrections::new(store(), 10);
    let written = collect(&time, |out| {
        state.epoch(&time, Vec::new().into(), labels().into(), out);
    });
    assert_eq!(answered(written), expected);
    let mut state = AsKnown::new(store(), 10);
    let written = collect(&time, |out| {
        state.epoch(&time, Vec::new().into(), labels().into(), out);
    });
    assert_eq!(answered(written), expected);
}

/// A law test found it: what is fetched ahead of its use was looked for under the handle of a key, and there was none.
#[test]
fn many_labels_of_keys_without_any_event_have_empty_windows() {
    let widths = Widths::new([Duration::from_micros(5)]).unwrap();
    let time = EpochTime {
        watermark: 100,
        ..Default::default()
    };
    let label = |key: i64| Label {
        at: key,
        key,
        label: (),
    };
    let labels: Vec<_> = (0..50).map(|key| (label(key), 1, 1)).collect();
    let mut state = Finals::by_event_time(Store::<_, Fixed<0>, 1, 1, Wide>::new(widths), 0);
    let written = collect(&time, |out| {
        state.epoch(&time, Vec::new().into(), labels.into(), out);
    });
    assert_eq!(written.len(), 50);
    assert!(written.iter().all(|row| row.0.contains("events: 0")));
}

#[test]
fn saved_labels_continue_in_every_mode_as_if_never_interrupted() {
    for (seed, step_us) in (0..40).zip([1_i64, 60_000_000].into_iter().cycle()) {
        let width = |steps| Duration::from_micros(step_us.unsigned_abs() * steps);
        let widths = Widths::new([width(3), width(20)]).unwrap();
        let history = HISTORY_STEPS * step_us;
        macro_rules! continues_over {
            ($store:expr, $event:expr) => {{
                let at_once = sides(seed, step_us, $event);
                let finals = || Sided(Finals::by_event_time($store, history));
                assert_continues(finals, side_tag, &at_once);
                let corrections = || Sided(Corrections::new($store, history));
                assert_continues(corrections, side_tag, &at_once);
                let as_known = || Sided(AsKnown::new($store, history));
                assert_continues(as_known, side_tag, &at_once);
                let late = sides(seed, step_us, known($event, step_us));
                let by_arrival = || Sided(Finals::as_known($store, history));
                assert_continues(by_arrival, side_tag, &late);
            }};
        }
        continues_over!(Moments::<Compact>::new(widths), rolled);
        continues_over!(testing::trailing(aggregates(), widths), slid);
    }
}
