//! What is written and read: the shared laws, plain hashes, time to live, round trips.

use serde::Serialize;
use thalweg_engine::sink::{Sink, SinkPlace};
use thalweg_engine::time::{EventTime, seconds};

use super::server::Server;
use super::{put, raw, shared};
use crate::clock::Stopwatch;
use crate::online::laws::{self, at};
use crate::online::{OnlineRow, OnlineStore, StoredRow, View};
use crate::redis::{Redis, RedisStore};

#[test]
fn the_laws_of_the_port_hold() {
    let test = "the_laws_of_the_port_hold";
    let Some((_, mut store)) = shared(test, "laws") else {
        return;
    };
    laws::hold(&mut store, "laws");
    assert_eq!(store.retries(), 0);
}

#[test]
fn the_laws_hold_on_a_server_of_our_own() {
    let Some(server) = Server::start("the_laws_hold_on_a_server_of_our_own", &[]) else {
        return;
    };
    laws::hold(&mut server.open(), "laws");
}

#[test]
fn a_sink_writes_plain_hashes() {
    #[derive(Serialize)]
    struct Spend {
        user: u64,
        at: EventTime,
        total: f64,
    }
    let test = "a_sink_writes_plain_hashes";
    let Some((config, _)) = shared(test, "plain") else {
        return;
    };
    let view = View::new("plain.spend")
        .key(|s: &Spend| s.user.to_string())
        .version(|s| s.at);
    let sink = Redis::with(config.clone()).view(view.ttl(seconds(100)));
    let mut writer = sink.open(SinkPlace::alone()).unwrap();
    let spend = |at, total| Spend { user: 7, at, total };
    writer.write(1, vec![(spend(5, 1.0), 1, 1)].into()).unwrap();
    writer
        .write(
            2,
            vec![(spend(5, 1.0), 2, -1), (spend(6, 2.5), 2, 1)].into(),
        )
        .unwrap();
    let mut raw = raw(&config);
    let mut hash: Vec<(String, String)> = redis::cmd("HGETALL")
        .arg("features:plain.spend:7")
        .query(&mut raw)
        .unwrap();
    hash.sort();
    let text: Vec<_> = hash
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        text.join(" "),
        "__epoch=4294967298 __event_time=6 at=6 total=2.5 user=7"
    );
    let ttl_ms: i64 = redis::cmd("PTTL")
        .arg("features:plain.spend:7")
        .query(&mut raw)
        .unwrap();
    assert!((90_000..=100_000).contains(&ttl_ms), "{ttl_ms}");
}

#[test]
fn a_tombstone_expires_by_its_own_ttl_and_a_living_row_by_the_views() {
    let test = "a_tombstone_expires_by_its_own_ttl_and_a_living_row_by_the_views";
    let Some((config, mut store)) = shared(test, "ttl") else {
        return;
    };
    let mut raw = raw(&config);
    let mut ttl = |store: &mut RedisStore, ttl, row| {
        store.write("ttl.view", ttl, &[row]).unwrap();
        redis::cmd("PTTL")
            .arg("features:ttl.view:e")
            .query::<i64>(&mut raw)
            .unwrap()
    };
    assert_eq!(ttl(&mut store, None, put("e", 1, "x")), -1);
    let week_ms = 7 * 86_400 * 1_000;
    let tombstone = ttl(
        &mut store,
        Some(seconds(5)),
        OnlineRow::delete("e", at(1, 2)),
    );
    assert!(
        (week_ms - 10_000..=week_ms).contains(&tombstone),
        "{tombstone}"
    );
    assert!(ttl(&mut store, Some(seconds(5)), put("e", 3, "x")) <= 5_000);
    assert_eq!(
        ttl(&mut store, None, put("e", 4, "x")),
        -1,
        "a row without TTL lives on"
    );
}

#[test]
fn a_batch_is_one_round_trip_each_way() {
    let test = "a_batch_is_one_round_trip_each_way";
    let Some((_, mut store)) = shared(test, "trips") else {
        return;
    };
    let names: Vec<String> = (0..10_000).map(|i| i.to_string()).collect();
    let rows: Vec<_> = names.iter().map(|name| put(name, 1, name)).collect();
    store.write("trips.view", None, &rows[..1]).unwrap();
    let before = store.link.requests;
    assert_eq!(
        store.write("trips.view", None, &rows).unwrap().written,
        10_000
    );
    assert_eq!(store.link.requests, before + 1);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let read = store.get_many("trips.view", &names, 0).unwrap();
    assert_eq!(store.link.requests, before + 2);
    let right = |(name, row): (&&str, &Option<_>)| {
        row.as_ref().and_then(|row: &StoredRow| row.field("v")) == Some(*name)
    };
    assert!(names.iter().zip(&read).all(right));
}

/// Not a test of what is right: `cargo test --release redis_speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn redis_speed() {
    let Some(server) = Server::start("redis_speed", &[]) else {
        return;
    };
    let mut store = server.open();
    for (epoch, len) in [(1, 10_000), (2, 10_000), (3, 100), (4, 100), (5, 1)] {
        let field = |i: u64| (format!("feature_{i}"), format!("{}.25", i * 1_000));
        let row = |e: u64| OnlineRow::put(e.to_string(), at(1, epoch), (0..8).map(field).collect());
        let rows: Vec<_> = (0..len).map(row).collect();
        let watch = Stopwatch::start();
        store.write("v", None, &rows).unwrap();
        eprintln!("{len} entities of 8 fields written: {:?}", watch.elapsed());
    }
    let names: Vec<String> = (0..1_000).map(|e| e.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for len in [1, 100, 1_000] {
        let watch = Stopwatch::start();
        store.get_many("v", &names[..len], 0).unwrap();
        eprintln!("{len} entities read: {:?}", watch.elapsed());
    }
}
