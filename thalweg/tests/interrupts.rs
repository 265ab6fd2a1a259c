//! Ctrl-C as a person presses it: once, and once more while what has come in is still being written.
//!
//! The demo writes to a server that we play: it agrees to everything until rows come. From that moment the demo is
//! certainly running, and it cannot end before it gets an answer.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A demo that has not written by then has failed.
const WRITE_WAIT_MAX: Duration = Duration::from_secs(60);

/// A Redis that answers nothing to a write before it is told to.
struct Reluctant {
    url: String,
    /// Hears of the first write.
    asked: Receiver<()>,
    /// From then on every write is answered.
    answer: Sender<()>,
}

fn reluctant() -> Reluctant {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let ((tell, asked), (answer, told)) = (channel(), channel());
    let told = Arc::new(Mutex::new(told));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (tell, told) = (tell.clone(), Arc::clone(&told));
            std::thread::spawn(move || serve(stream.unwrap(), &tell, &told));
        }
    });
    Reluctant { url, asked, answer }
}

fn serve(stream: TcpStream, tell: &Sender<()>, told: &Mutex<Receiver<()>>) {
    let mut answers = stream.try_clone().unwrap();
    let mut requests = BufReader::new(stream);
    let mut writes = 0;
    while let Some(request) = request(&mut requests) {
        let answer = match request[0].as_str() {
            "PING" => "+PONG\r\n".to_owned(),
            "HGETALL" => "*0\r\n".to_owned(),
            // How many runs have written the view, this one included.
            "EVAL" => ":1\r\n".to_owned(),
            "EVALSHA" => {
                writes += 1;
                if writes == 1 {
                    let _ = tell.send(());
                    // When the test is over nobody tells any more, and the connection is closed.
                    if told.lock().unwrap().recv().is_err() {
                        return;
                    }
                }
                format!(":{}\r\n", request[2])
            }
            _ => "+OK\r\n".to_owned(),
        };
        if answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// One request: an array of texts, each behind its length.
fn request(from: &mut impl BufRead) -> Option<Vec<String>> {
    let count = number('*', from)?;
    (0..count)
        .map(|_| {
            let len = number('$', from)?;
            let mut text = vec![0; len + 2];
            from.read_exact(&mut text).ok()?;
            text.truncate(len);
            String::from_utf8(text).ok()
        })
        .collect()
}

/// The number on the next line, behind the sign of what it counts.
fn number(sign: char, from: &mut impl BufRead) -> Option<usize> {
    let mut line = String::new();
    from.read_line(&mut line).ok()?;
    line.trim_end().strip_prefix(sign)?.parse().ok()
}

fn demo(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thalweg"));
    command.args(["demo", "--workers", "1", "--dir"]).arg(dir);
    command.args(args).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    command
}

/// A demo of a stream, in the middle of a write, that has just been interrupted and has said so.
struct Interrupted {
    demo: Child,
    errors: BufReader<std::process::ChildStderr>,
}

impl Interrupted {
    fn begin(dir: &Path, server: &Reluctant) -> Self {
        let args = ["--rate", "1000", "--online", &server.url];
        let mut demo = demo(dir, &args).spawn().unwrap();
        server.asked.recv_timeout(WRITE_WAIT_MAX).unwrap();
        interrupt(&demo);
        let mut errors = BufReader::new(demo.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("Ctrl-C again ends at once") {
            assert_ne!(errors.read_line(&mut said).unwrap(), 0, "{said}");
        }
        Self { demo, errors }
    }

    /// Waits for the end. Returns the exit code, what was shown, and what was said after the interrupt.
    fn end(mut self) -> (Option<i32>, String, String) {
        let Output { status, stdout, .. } = self.demo.wait_with_output().unwrap();
        let mut said = String::new();
        self.errors.read_to_string(&mut said).unwrap();
        let shown = String::from_utf8_lossy(&stdout).into_owned();
        (status.code(), shown, said)
    }
}

fn interrupt(demo: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &demo.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn one_interrupt_drains_and_reports() {
    let dir = tempfile::tempdir().unwrap();
    let server = reluctant();
    let interrupted = Interrupted::begin(dir.path(), &server);
    server.answer.send(()).unwrap();
    let (code, shown, said) = interrupted.end();
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(shown.starts_with("The demo stopped after"), "{shown}");
    assert!(dir.path().join("late.jsonl").is_file());
}

#[test]
fn a_second_interrupt_ends_a_demo_that_cannot_drain() {
    let dir = tempfile::tempdir().unwrap();
    let server = reluctant();
    let interrupted = Interrupted::begin(dir.path(), &server);
    interrupt(&interrupted.demo);
    let (code, shown, said) = interrupted.end();
    assert_eq!((code, shown.as_str()), (Some(130), ""));
    assert!(
        said.starts_with("thalweg: ended at once") && said.lines().count() == 1,
        "{said}"
    );
    assert!(!dir.path().join("late.jsonl").exists());
    // What it left does not stand in the way of the next one.
    let next = demo(dir.path(), &["--events", "500"]).output().unwrap();
    assert_eq!(next.status.code(), Some(0));
    assert!(dir.path().join("late.jsonl").is_file());
}
