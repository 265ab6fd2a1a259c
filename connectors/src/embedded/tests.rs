//! The embedded store under the shared laws, and what is its own: sharing, expiry, reading beside a writer.

use serde::Serialize;
use thalweg_engine::sink::{Sink, SinkError, SinkPlace};
use thalweg_engine::time::{EventTime, micros_of, seconds};

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
fn workers_views_and_readers_share_one_store() {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (
        Embedded::view(dir.path(), view("a")),
        Embedded::view(dir.path(), view("b")),
    );
    let mut writers: Vec<_> = [(&first, 0), (&first, 1), (&second, 0)]
        .map(|(sink, worker)| sink.open(SinkPlace { worker, workers: 2 }).unwrap())
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
        assert_eq!((row.version.epoch, row.field("total")), (20, Some("0.5")));
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
    store
        .write("v", None, &[OnlineRow::delete("gone", at(100, 1))])
        .unwrap();
    assert_eq!(store.sweep("v", end - 1, 100).unwrap(), 0);
    assert_eq!(store.sweep("v", end, 101).unwrap(), 2);
    let older = store
        .write("v", ttl, &[OnlineRow::put("e", at(99, 2), value("y"))])
        .unwrap();
    assert_eq!(older.written, 1);
}

#[test]
fn wrong_use_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let place = SinkPlace {
        worker: 0,
        workers: 1,
    };
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
    let mut writer = sink
        .open(SinkPlace {
            worker: 0,
            workers: 1,
        })
        .unwrap();
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
    let mut writer = sink
        .open(SinkPlace {
            worker: 0,
            workers: 1,
        })
        .unwrap();
    let mut epoch = 0;
    for (len, epochs) in [
        (100_000_u64, 2),
        (10_000, 5),
        (1_000, 20),
        (100, 100),
        (1, 100),
    ] {
        let mut took = std::time::Duration::ZERO;
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
