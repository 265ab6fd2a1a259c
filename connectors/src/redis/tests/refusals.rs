//! What does not pass, and is reported: no server, a wrong password, keys of another program.

use thalweg_engine::sink::{Sink, SinkError, SinkPlace};
use thalweg_engine::time::seconds;

use super::server::{Server, free_port};
use super::{put, raw, shared};
use crate::clock::Stopwatch;
use crate::online::{OnlineError, OnlineStore, View};
use crate::redis::{Redis, RedisConfig, RedisStore};

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
    let Some((config, mut store)) = shared(test, "foreign") else {
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
