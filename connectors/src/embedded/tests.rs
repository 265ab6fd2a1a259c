//! The embedded store under the shared laws, and what is its own: sharing, expiry, reading beside a writer.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use thalweg_engine::env::Clock;
use thalweg_engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg_engine::time::{EventTime, micros_of, millis, seconds};

use crate::embedded::sweep::RECORDS_MIN;
use crate::embedded::{Embedded, EmbeddedStore};
use crate::online::laws::{self, at, read, value};
use crate::online::{OnlineError, OnlineRow, OnlineStore, View};

#[derive(Serialize)]
struct Spend {
    user: u64,
    at: EventTime,
    total: f64,
}

fn view(name: &str) -> View<Spend> {
    View::new(name)
        .key(|row: &Spend| row.user.to_string())
        .version(|row| row.at)
}

#[test]
fn the_laws_of_the_port_hold() {
    let dir = tempfile::tempdir().unwrap();
    laws::hold(&mut EmbeddedStore::open(dir.path()).unwrap(), "laws");
}

#[test]
fn a_store_knows_its_views_and_the_fields_that_any_row_has() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = EmbeddedStore::open(dir.path()).unwrap();
    let row = |entity: &str, names: &[&str]| {
        let fields = names
            .iter()
            .map(|name| ((*name).to_owned(), "1".to_owned()));
        OnlineRow::put(entity, at(1, 1), fields.collect())
    };
    let rows = [row("1", &["user", "late"]), row("2", &["user", "n", "sum"])];
    store.write("spend", None, &rows).unwrap();
    store.write("country", None, &rows[..1]).unwrap();
    assert_eq!(store.views().unwrap(), ["country", "spend"]);
    let names = ["user", "n", "sum", "late"];
    assert_eq!(store.field_names("spend", 10).unwrap(), names);
    assert_eq!(store.field_names("spend", 1).unwrap(), ["user", "late"]);
    assert_eq!(store.field_names("nothing", 10).unwrap(), [""; 0]);
}

#[test]
fn workers_views_and_readers_share_one_store() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (
        Embedded::view(dir.path(), view("a")),
        Embedded::view(dir.path(), view("b")),
    );
    let run = SinkPlace::alone();
    let mut writers: Vec<_> = [(&first, 0), (&first, 1), (&second, 0)]
        .map(|(sink, worker)| {
            sink.open(SinkPlace {
                worker,
                workers: 2,
                ..run.clone()
            })
            .unwrap()
        })
        .into();
    std::thread::scope(|scope| {
        for (number, writer) in (0_u64..).zip(&mut writers) {
            scope.spawn(move || {
                for epoch in 1..=20 {
                    let row = Spend {
                        user: number,
                        at: 1,
                        total: 0.5,
                    };
                    writer.write(epoch, vec![(row, epoch, 1)].into()).unwrap();
                }
            });
        }
    });
    let mut reader = EmbeddedStore::open_read_only(dir.path()).unwrap();
    for (view, user) in [("a", "0"), ("a", "1"), ("b", "2")] {
        let row = reader.get(view, user, 0).unwrap().unwrap();
        assert_eq!(
            (row.version.epoch, row.field("total")),
            ((1 << 32) + 20, Some("0.5"))
        );
    }
    assert_eq!(reader.get("a", "2", 0).unwrap(), None);
    // The reader follows what is written after it was opened.
    let row = Spend {
        user: 0,
        at: 2,
        total: 1.5,
    };
    writers
        .first_mut()
        .unwrap()
        .write(21, vec![(row, 21, 1)].into())
        .unwrap();
    assert_eq!(
        reader.get("a", "0", 0).unwrap().unwrap().field("total"),
        Some("1.5")
    );
}

#[test]
fn an_acknowledged_epoch_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spend.redb");
    let mut store = EmbeddedStore::open(&path).unwrap();
    store
        .write("v", None, &[OnlineRow::put("e", at(1, 1), value("x"))])
        .unwrap();
    // What a kill leaves behind: the file as it stands after the commit, without a clean close.
    let copy = dir.path().join("copy.redb");
    std::fs::copy(&path, &copy).unwrap();
    let mut killed = EmbeddedStore::open_read_only(&copy).unwrap();
    assert_eq!(read(&mut killed, "v", "e").as_deref(), Some("x"));
    drop(store);
    assert_eq!(
        read(&mut EmbeddedStore::open(&path).unwrap(), "v", "e").as_deref(),
        Some("x")
    );
}

#[test]
fn a_row_expires_at_its_event_time_plus_the_ttl_and_still_blocks_older_writes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = EmbeddedStore::open(dir.path()).unwrap();
    let ttl = Some(seconds(10));
    store
        .write("v", ttl, &[OnlineRow::put("e", at(100, 1), value("x"))])
        .unwrap();
    let end = 100 + micros_of(seconds(10));
    assert!(store.get("v", "e", end - 1).unwrap().is_some());
    assert_eq!(store.get("v", "e", end).unwrap(), None);
    let older = store
        .write("v", ttl, &[OnlineRow::put("e", at(99, 2), value("y"))])
        .unwrap();
    assert_eq!(older.refused_as_older, 1);
}

/// A clock that stands still.
struct Still(EventTime);

impl Clock for Still {
    fn wall(&self) -> EventTime {
        self.0
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

fn spend(user: u64, at: EventTime) -> Spend {
    Spend {
        user,
        at,
        total: 0.5,
    }
}

/// Which of these users have a record, expired or not. A tombstone is none, but still refuses.
fn held(dir: &Path, users: Range<u64>) -> Vec<u64> {
    let store = &mut EmbeddedStore::open_read_only(dir).unwrap();
    users
        .filter(|user| {
            let row = store.get("v", &user.to_string(), EventTime::MIN).unwrap();
            row.is_some()
        })
        .collect()
}

/// A writer of the view `v`, whose rows live for 1,000 µs, at this moment.
fn swept(dir: &Path, wall: EventTime) -> Box<dyn Writer<Spend>> {
    let place = SinkPlace {
        clock: Arc::new(Still(wall)),
        ..SinkPlace::alone()
    };
    let view = view("v").ttl(millis(1));
    Embedded::view(dir, view).open(place).unwrap()
}

#[test]
fn expired_rows_are_swept_some_at_a_time_as_others_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = swept(dir.path(), EventTime::MAX);
    // Users 0 to 999 at moments 0 to 999: one more expires with every µs from 1,000 on.
    let rows = (0..1_000).map(|user| (spend(user, user.cast_signed()), 1, 1));
    writer.write(1, rows.collect()).unwrap();
    let mut epoch = 1;
    for at in [1_000, 1_001, 1_499, 1_998, 1_999] {
        let mut before = held(dir.path(), 0..1_000).len();
        // A round of the view takes so many epochs of one row, and another one to begin at the top.
        for _ in 0..=1_001_usize.div_ceil(RECORDS_MIN) {
            epoch += 1;
            writer
                .write(epoch, vec![(spend(5_000, at), epoch, 1)].into())
                .unwrap();
            let after = held(dir.path(), 0..1_000).len();
            assert!(before - after <= RECORDS_MIN, "{before} {after}");
            before = after;
        }
        let alive = (at - 1_000 + 1).cast_unsigned()..1_000;
        assert_eq!(held(dir.path(), 0..1_000), alive.collect::<Vec<_>>());
    }
    assert_eq!(held(dir.path(), 5_000..5_001), [5_000]);
}

#[test]
fn neither_the_clock_nor_a_row_from_the_future_sweeps_alone() {
    for (wall, newest, stays) in [
        (1_000_000, 5_000, false),
        (5_000, 1_000_000, false),
        (1_000_000, 999, true),
        (999, 1_000_000, true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = swept(dir.path(), wall);
        writer.write(1, vec![(spend(1, 0), 1, 1)].into()).unwrap();
        writer
            .write(2, vec![(spend(2, newest), 2, 1)].into())
            .unwrap();
        assert_eq!(held(dir.path(), 1..2) == [1], stays, "{wall} {newest}");
    }
}

/// A tombstone, and a row that replaced a newer one, refuse older writes; they go when those would be expired as well.
#[test]
fn what_refuses_older_rows_stays_for_as_long_as_they_would_be_alive() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = swept(dir.path(), EventTime::MAX);
    let corrected = vec![(spend(1, 800), 1, 1), (spend(2, 800), 1, 1)];
    writer.write(1, corrected.into()).unwrap();
    let taken_back = vec![
        (spend(1, 800), 2, -1),
        (spend(1, 100), 2, 1),
        (spend(2, 800), 2, -1),
    ];
    writer.write(2, taken_back.into()).unwrap();
    // At 1,799 a row of the moment 800 would be alive: what took it back must go on refusing it.
    for (epoch, now, refused) in [(3, 1_799, true), (4, 1_800, false)] {
        writer
            .write(epoch, vec![(spend(9, now), epoch, 1)].into())
            .unwrap();
        let mut store = EmbeddedStore::open(dir.path()).unwrap();
        let stale = ["1", "2"].map(|user| OnlineRow::put(user, at(800, 0), value("stale")));
        let outcome = store.write("v", Some(millis(1)), &stale).unwrap();
        assert_eq!(outcome.refused_as_older, if refused { 2 } else { 0 });
    }
}

#[test]
fn wrong_use_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let place = SinkPlace::alone();
    let unnamed = Embedded::view(dir.path(), view("a/b")).open(place);
    assert!(matches!(unnamed, Err(SinkError::Wrong(text)) if text.contains("\"a/b\"")));
    let missing = EmbeddedStore::open_read_only(dir.path().join("nowhere"));
    assert!(matches!(missing, Err(OnlineError::Failed(text)) if text.contains("nowhere")));
    std::fs::write(dir.path().join("notes.redb"), "hello").unwrap();
    let foreign = EmbeddedStore::open(dir.path().join("notes.redb"));
    assert!(matches!(foreign, Err(OnlineError::Failed(text)) if text.contains("notes.redb")));
    drop(EmbeddedStore::open(dir.path()).unwrap());
    let mut reader = EmbeddedStore::open_read_only(dir.path()).unwrap();
    let refused = reader.write("v", None, &[OnlineRow::delete("e", at(0, 0))]);
    assert!(matches!(refused, Err(SinkError::Wrong(text)) if text.contains("reading only")));
}

#[test]
fn a_nested_row_is_refused_with_its_view_and_field() {
    #[derive(Serialize)]
    struct Nested {
        list: Vec<u8>,
    }
    let dir = tempfile::tempdir().unwrap();
    let view = View::new("nested")
        .key(|_: &Nested| "e".into())
        .version(|_| 0);
    let sink = Embedded::view(dir.path(), view);
    let mut writer = sink.open(SinkPlace::alone()).unwrap();
    let refused = writer.write(1, vec![(Nested { list: vec![1] }, 1, 1)].into());
    assert!(
        matches!(refused, Err(SinkError::Wrong(text)) if text.contains("nested") && text.contains("list"))
    );
}

/// Not a test of what is right: `cargo test embedded_speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn embedded_speed() {
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let sink = Embedded::view(dir.path(), view("v"));
    let mut writer = sink.open(SinkPlace::alone()).unwrap();
    let mut epoch = 0;
    for (len, epochs) in [
        (100_000_u64, 2),
        (10_000, 5),
        (1_000, 20),
        (100, 100),
        (1, 100),
    ] {
        let mut took = Duration::ZERO;
        for _ in 0..epochs {
            epoch += 1;
            // Entities all over the view, as events bring them.
            let user = |i: u64| (i + epoch * 131) * 7_919 % 100_000;
            let row = |i: u64| Spend {
                user: user(i),
                at: 1,
                total: 0.25,
            };
            let rows = (0..len).map(|i| (row(i), epoch, 1)).collect();
            let started = crate::clock::Stopwatch::start();
            writer.write(epoch, rows).unwrap();
            took += started.elapsed();
        }
        eprintln!("{len} entities an epoch: {:?} an epoch", took / epochs);
    }
}
