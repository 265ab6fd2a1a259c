//! Labels that are told what had arrived: the edges, retractions, cuts and histories by hand.

use std::time::Duration;

use thalweg_engine::keyed::{Emitter, EpochTime, PairedState};
use thalweg_engine::time::EventTime;

use crate::array::Array;
use crate::value::Fixed;
use crate::window::at::Label;
use crate::window::at::finals::Finals;
use crate::window::at::lookback::Known;
use crate::window::rolling::store::Store;
use crate::window::rolling::widths::Widths;
use crate::window::rolling::{Event, Rolled, Wide};

/// When an event happened, when it arrived, and how often it comes.
type Came = (EventTime, EventTime, i64);

/// An epoch: the watermark in its end, the events and the moments of the labels that come in it.
type Epoch<'a> = (EventTime, &'a [Came], &'a [EventTime]);

/// What each label is told, by epoch and in the order of writing: how many events its window of 10 µs has. All are of one
/// key, and all events are equal but for their times.
fn told(history_us: i64, epochs: &[Epoch<'_>]) -> Vec<Vec<(EventTime, Option<u64>)>> {
    let widths = Widths::new([Duration::from_micros(10)]).unwrap();
    let store = Store::<i64, Fixed<0>, 1, 1, Wide>::new(widths);
    let mut state = Finals::as_known(store, history_us);
    let mut time = EpochTime::default();
    let mut all = Vec::new();
    for (watermark, events, labels) in epochs {
        time.epoch += 1;
        time.watermark_before = time.watermark;
        (time.watermark, time.as_of) = (*watermark, *watermark);
        let event = |(at, arrived, diff): &Came| {
            let event = Event {
                key: 1,
                at: *at,
                lanes: Array([1]),
                payload: (),
            };
            (Known::new(*arrived, event), time.epoch, *diff)
        };
        let label = |at: &EventTime| {
            let (key, at, label) = (1, *at, *at);
            (Label { key, at, label }, time.epoch, 1)
        };
        let events: Vec<_> = events.iter().map(event).collect();
        let labels: Vec<_> = labels.iter().map(label).collect();
        let (mut buffer, mut written) = (Vec::new(), Vec::new());
        let mut pass_on = |full: &mut Vec<_>| written.append(full);
        let mut out = Emitter::new(time.epoch, &mut buffer, &mut pass_on);
        state.epoch(&time, events.into(), labels.into(), &mut out);
        out.finish();
        let count = |row: Rolled<i64, Fixed<0>, 1, 1>| row.window(0).count();
        let rows = written.into_iter().map(|((at, row), _, diff)| {
            assert_eq!(diff, 1);
            (at, row.map(count))
        });
        all.push(rows.collect());
    }
    all
}

/// The answers of all epochs, of which there must be one for each label.
fn counts(epochs: &[Epoch<'_>]) -> Vec<(EventTime, u64)> {
    let all = told(0, epochs).into_iter().flatten();
    all.map(|(at, count)| (at, count.unwrap())).collect()
}

#[test]
fn an_event_counts_from_its_arrival_on_while_windows_reach_back_to_it() {
    let events = [
        (10, 10, 1), // at once
        (30, 35, 1), // later
        (50, 60, 1), // at the last moment at which a window reaches back to it
        (70, 81, 1), // after that
        (90, 0, 1),  // by its own word before it happened
    ];
    let labels = [9, 10, 20, 21, 34, 35, 40, 41, 59, 60, 61, 80, 81, 89, 90];
    let expected = [
        (9, 0),
        (10, 1),
        (20, 1),
        (21, 0),
        (34, 0),
        (35, 1),
        (40, 1),
        (41, 0),
        (59, 0),
        (60, 1),
        (61, 0),
        (80, 0),
        (81, 0),
        (89, 0),
        (90, 1),
    ];
    assert_eq!(counts(&[(100, &events, &labels)]), expected);
    let in_epochs = [
        (5, &events[..], &labels[..]),
        (32, &[], &[]),
        (36, &[], &[]),
        (36, &[], &[]),
        (100, &[], &[]),
    ];
    assert_eq!(counts(&in_epochs), expected);
}

#[test]
fn a_retraction_takes_back_what_is_known_and_what_is_not_yet_and_no_answer() {
    let epochs: [Epoch<'_>; 6] = [
        // One comes before its event, one after it, and one while its event is not known yet.
        (5, &[(10, 12, -1), (11, 11, 1), (12, 18, 1)], &[]),
        (
            8,
            &[(10, 12, 1), (11, 11, -1), (12, 18, -1), (13, 14, 1)],
            &[20],
        ),
        (21, &[], &[22]),
        // The watermark has passed this event, and a label has counted it. From now on it is not there.
        (22, &[(13, 14, -1)], &[]),
        (30, &[], &[23]),
        (31, &[], &[]),
    ];
    assert_eq!(counts(&epochs), [(20, 1), (22, 0), (23, 0)]);
}

/// What is owed of an event was forgiven with its epoch: whether an equal event counted that was known later depended on
/// how rows were cut into epochs.
#[test]
fn what_is_owed_is_paid_by_an_equal_event_that_is_known_later_however_epochs_are_cut() {
    let events = [(10, 11, -1), (10, 15, 1)];
    let expected = [(14, 0), (16, 0)];
    assert_eq!(counts(&[(40, &events, &[14, 16])]), expected);
    let in_epochs = [
        (5, &events[..], &[14, 16][..]),
        (13, &[], &[]),
        (40, &[], &[]),
    ];
    assert_eq!(counts(&in_epochs), expected);
}

#[test]
fn labels_wait_for_the_history_so_that_those_behind_are_told_as_exactly() {
    let epochs: [Epoch<'_>; 5] = [
        (40, &[(30, 30, 1), (31, 38, 1)], &[35]),
        // The event of 31 is known at 38, long before this label of 33 comes. That of 19 is too late by 1 µs.
        (50, &[], &[33, 19]),
        (56, &[], &[39]),
        (59, &[], &[]),
        (60, &[], &[]),
    ];
    let expected = [
        vec![],
        vec![(19, None)],
        vec![(33, Some(1)), (35, Some(1))],
        vec![],
        vec![(39, Some(2))],
    ];
    assert_eq!(told(20, &epochs), expected);
}
