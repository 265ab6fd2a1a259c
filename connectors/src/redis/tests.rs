//! The Redis store against real servers: the shared laws, time to live, lost scripts, outages.
//!
//! `THALWEG_TEST_REDIS` names a server (`scripts/services up` starts one); tests that kill or starve a server
//! start one of their own. What is missing is skipped aloud, or fails where `THALWEG_REQUIRE_SERVICES=1`.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use redis::Connection;
use serde::Serialize;
use tempfile::TempDir;
use thalweg_engine::sink::{Sink, SinkError, SinkPlace};
use thalweg_engine::time::{EventTime, seconds};

use crate::clock::Stopwatch;
use crate::online::laws::{self, at, read, value};
use crate::online::{OnlineError, OnlineRow, OnlineStore, View};
use crate::redis::{Redis, RedisConfig, RedisStore};

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where these tests read the environment"
)]
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn skip<T>(test: &str, why: &str) -> Option<T> {
    assert_ne!(
        env("THALWEG_REQUIRE_SERVICES").as_deref(),
        Some("1"),
        "{test}: {why}"
    );
    eprintln!("skipped: {test}: {why}");
    None
}

/// The shared server, with no views left whose names begin with `prefix`.
fn shared(test: &str, prefix: &str) -> Option<(RedisConfig, RedisStore)> {
    let Some(url) = env("THALWEG_TEST_REDIS") else {
        return skip(test, "THALWEG_TEST_REDIS is not set");
    };
    let config = RedisConfig::new(url);
    let mut raw = raw(&config);
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("features:{prefix}.*"))
        .query(&mut raw)
        .unwrap();
    if !keys.is_empty() {
        redis::cmd("UNLINK").arg(keys).exec(&mut raw).unwrap();
    }
    let store = RedisStore::open(&config).unwrap();
    Some((config, store))
}

fn raw(config: &RedisConfig) -> Connection {
    redis::Client::open(config.url.as_str())
        .unwrap()
        .get_connection()
        .unwrap()
}

/// A server of this test's own, killed with it.
struct Server {
    child: Child,
    port: u16,
    dir: TempDir,
}

impl Server {
    fn start(test: &str, arguments: &[&str]) -> Option<Self> {
        let port = free_port();
        let dir = tempfile::tempdir().unwrap();
        match spawn(port, &dir, arguments) {
            Ok(child) => Some(Self { child, port, dir }),
            Err(error) => skip(test, &format!("redis-server cannot be started: {error}")),
        }
    }

    fn config(&self) -> RedisConfig {
        RedisConfig::new(format!("redis://127.0.0.1:{}", self.port))
    }

    fn open(&self) -> RedisStore {
        RedisStore::open(&self.config()).unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn restart(&mut self, arguments: &[&str]) {
        self.child = spawn(self.port, &self.dir, arguments).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16, dir: &TempDir, arguments: &[&str]) -> std::io::Result<Child> {
    Command::new("redis-server")
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
        ])
        .args([
            "--dir",
            dir.path().to_str().unwrap(),
            "--loglevel",
            "warning",
        ])
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn put(entity: &str, epoch: u64, text: &str) -> OnlineRow {
    OnlineRow::put(entity, at(1, epoch), value(text))
}

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
        "__epoch=2 __event_time=6 at=6 total=2.5 user=7"
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
        row.as_ref()
            .and_then(|row: &crate::online::StoredRow| row.field("v"))
            == Some(*name)
    };
    assert!(names.iter().zip(&read).all(right));
}

#[test]
fn a_lost_script_is_loaded_again() {
    let Some(server) = Server::start("a_lost_script_is_loaded_again", &[]) else {
        return;
    };
    let (mut store, mut raw) = (server.open(), raw(&server.config()));
    let retries_at_start = store.retries();
    for epoch in 1..=5 {
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut raw).unwrap();
        store
            .write("v", None, &[put("e", epoch, &epoch.to_string())])
            .unwrap();
        assert_eq!(read(&mut store, "v", "e"), Some(epoch.to_string()));
    }
    assert_eq!(
        store.retries(),
        retries_at_start,
        "a lost script is no outage"
    );
}

#[test]
fn a_server_killed_and_restarted_in_the_middle_loses_nothing() {
    let keep = ["--appendonly", "yes", "--appendfsync", "no"];
    let test = "a_server_killed_and_restarted_in_the_middle_loses_nothing";
    let Some(mut server) = Server::start(test, &keep) else {
        return;
    };
    let mut store = server.open();
    let retries_at_start = store.retries();
    let (progress, epochs) = mpsc::channel();
    let writer = std::thread::spawn(move || {
        for epoch in 1..=600_u64 {
            let text = epoch.to_string();
            let rows: Vec<_> = (0..50)
                .map(|i| put(&(epoch * 7 % 40 + i).to_string(), epoch, &text))
                .collect();
            assert_eq!(store.write("v", None, &rows).unwrap().written, 50);
            progress.send(epoch).unwrap();
        }
        store
    });
    for kill_at in [100, 300] {
        while epochs.recv().unwrap() < kill_at {}
        server.kill();
        server.restart(&keep);
    }
    let mut store = writer.join().unwrap();
    let retries = store.retries() - retries_at_start;
    assert!(retries >= 2, "two outages met {retries} retries");
    for entity in 0..90_u64 {
        let last = (1..=600_u64)
            .filter(|epoch| (0..50).any(|i| epoch * 7 % 40 + i == entity))
            .max();
        let expected = last.map(|epoch| epoch.to_string());
        assert_eq!(
            read(&mut store, "v", &entity.to_string()),
            expected,
            "entity {entity}"
        );
    }
}

#[test]
fn an_answer_that_comes_too_late_is_asked_for_again() {
    let test = "an_answer_that_comes_too_late_is_asked_for_again";
    let Some(server) = Server::start(test, &[]) else {
        return;
    };
    drop(server.open());
    let config = RedisConfig {
        reply_timeout_ms: 50,
        ..server.config()
    };
    let (mut store, mut raw) = (RedisStore::open(&config).unwrap(), raw(&config));
    redis::cmd("CLIENT")
        .arg("PAUSE")
        .arg(300)
        .arg("WRITE")
        .exec(&mut raw)
        .unwrap();
    store.write("v", None, &[put("e", 1, "x")]).unwrap();
    assert!(store.retries() > 0);
    assert_eq!(read(&mut store, "v", "e").as_deref(), Some("x"));
}

#[test]
fn a_full_server_is_waited_for_and_then_reported() {
    let test = "a_full_server_is_waited_for_and_then_reported";
    let Some(server) = Server::start(test, &[]) else {
        return;
    };
    drop(server.open());
    let config = RedisConfig {
        retry_total_ms: 200,
        ..server.config()
    };
    let (mut store, mut raw) = (RedisStore::open(&config).unwrap(), raw(&config));
    let mut set = |setting: &str, value: &str| {
        redis::cmd("CONFIG")
            .arg("SET")
            .arg(setting)
            .arg(value)
            .exec(&mut raw)
            .unwrap();
    };
    set("maxmemory", "1");
    let text = store
        .write("v", None, &[put("e", 1, "x")])
        .unwrap_err()
        .to_string();
    assert!(text.contains("OOM") && text.contains("127.0.0.1"), "{text}");
    assert!(store.retries() > 1);
    let patient = RedisConfig {
        retry_total_ms: 20_000,
        ..config
    };
    let mut store = RedisStore::open(&patient).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| store.write("v", None, &[put("e", 1, "x")]).unwrap());
        set("maxmemory", "0");
        writer.join().unwrap();
    });
    assert_eq!(read(&mut store, "v", "e").as_deref(), Some("x"));
}

#[test]
fn a_server_that_is_not_there_is_named_within_the_limit() {
    let url = format!("redis://user:hunter2@127.0.0.1:{}/0", free_port());
    let config = RedisConfig {
        start_total_ms: 150,
        ..RedisConfig::new(url)
    };
    let view = View::new("v").key(|_: &u8| String::new()).version(|_| 0);
    let watch = Stopwatch::start();
    let opened = Redis::with(config).view(view).open(SinkPlace::alone());
    let Err(SinkError::Failed(text)) = opened else {
        panic!("it opened, or failed otherwise")
    };
    assert!(watch.elapsed() < seconds(5), "{:?}", watch.elapsed());
    assert!(text.contains("redis://***@127.0.0.1:"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_wrong_password_is_refused_at_once_and_not_shown() {
    let test = "a_wrong_password_is_refused_at_once_and_not_shown";
    let Some(server) = Server::start(test, &["--requirepass", "right"]) else {
        return;
    };
    let url = |password: &str| format!("redis://:{password}@127.0.0.1:{}", server.port);
    drop(RedisStore::open(&RedisConfig::new(url("right"))).unwrap());
    for url in [url("hunter2"), server.config().url] {
        let refused = RedisStore::open(&RedisConfig::new(url));
        let Err(OnlineError::Failed(text)) = refused else {
            panic!("it opened")
        };
        assert!(
            text.contains("password") && !text.contains("hunter2"),
            "{text}"
        );
    }
}

#[test]
fn a_key_of_another_program_is_reported_at_once() {
    let test = "a_key_of_another_program_is_reported_at_once";
    let Some((config, mut store)) = shared(
        test,
        "a_server_killed_and_restarted_in_the_middle_loses_nothing",
    ) else {
        return;
    };
    let mut raw = raw(&config);
    redis::cmd("SET")
        .arg("features:foreign.v:text")
        .arg("x")
        .exec(&mut raw)
        .unwrap();
    redis::cmd("HSET")
        .arg("features:foreign.v:hash")
        .arg("a")
        .arg("b")
        .exec(&mut raw)
        .unwrap();
    let refused = store.write("foreign.v", None, &[put("text", 1, "x")]);
    assert!(refused.unwrap_err().to_string().contains("WRONGTYPE"));
    let unreadable = store.get("foreign.v", "hash", 0);
    assert!(
        matches!(unreadable, Err(OnlineError::Corrupt(text)) if text.contains("foreign.v:hash"))
    );
    assert_eq!(store.retries(), 0);
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
