//! What passes, and is waited for: lost scripts, killed, silent and full servers.

use std::sync::mpsc;

use super::server::Server;
use super::{put, raw};
use crate::online::OnlineStore;
use crate::online::laws::read;
use crate::redis::{RedisConfig, RedisStore};

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
