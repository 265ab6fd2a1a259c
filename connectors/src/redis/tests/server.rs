//! A Redis server of a test's own, on a free port.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::skip;
use crate::redis::{RedisConfig, RedisStore};

/// A server of this test's own, killed with it.
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
    dir: TempDir,
}

impl Server {
    pub(super) fn start(test: &str, arguments: &[&str]) -> Option<Self> {
        let port = free_port();
        let dir = tempfile::tempdir().unwrap();
        match spawn(port, &dir, arguments) {
            Ok(child) => Some(Self { child, port, dir }),
            Err(error) => skip(test, &format!("redis-server cannot be started: {error}")),
        }
    }

    pub(super) fn config(&self) -> RedisConfig {
        RedisConfig::new(format!("redis://127.0.0.1:{}", self.port))
    }

    pub(super) fn open(&self) -> RedisStore {
        RedisStore::open(&self.config()).unwrap()
    }

    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(super) fn restart(&mut self, arguments: &[&str]) {
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

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
