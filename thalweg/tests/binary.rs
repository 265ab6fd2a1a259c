//! The binary as a person meets it: what it says, where, and with which exit code.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};

fn thalweg(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_thalweg"))
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn help_and_version_teach_on_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    for (args, said) in [
        (&["--help"][..], "thalweg get spend 42"),
        (&["demo", "--help"], "Ctrl-C"),
        (&["help", "get"], "--json"),
        (
            &["--version"],
            concat!("thalweg ", env!("CARGO_PKG_VERSION")),
        ),
    ] {
        let shown = thalweg(dir.path(), args);
        assert_eq!(shown.status.code(), Some(0), "{args:?}");
        assert!(out(&shown).contains(said), "{args:?}: {}", out(&shown));
    }
}

#[test]
fn wrong_use_exits_2_with_one_line() {
    let dir = tempfile::tempdir().unwrap();
    for (args, said) in [
        (&["demo", "--workers", "0"][..], "--workers is 0"),
        (
            &["demo", "--events", "-5"],
            "1 to 1,000,000,000,000 payments",
        ),
        (&["demo", "--rate", "-5"], "--rate is -5"),
        (&["demo", "--workers", "many"], "'--workers <N>'"),
        (&["demo", "--evnts", "3"], "--events"),
        (&["demo", "--online", "mysql://x"], "redis://"),
        (&["get", "spend"], "not provided: <ENTITY>..."),
        (&["dmo"], "demo"),
    ] {
        let refused = thalweg(dir.path(), args);
        let text = err(&refused);
        assert_eq!(refused.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(said), "{args:?}: {text}");
        assert_eq!(text.lines().count(), 1, "{args:?}: {text}");
        assert_eq!(out(&refused), "");
    }
    assert_eq!(thalweg(dir.path(), &[]).status.code(), Some(2));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_store_names_the_demo() {
    let dir = tempfile::tempdir().unwrap();
    let failed = thalweg(dir.path(), &["get", "spend", "42"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        err(&failed).contains("run `thalweg demo` first"),
        "{}",
        err(&failed)
    );
}

#[test]
fn a_demo_that_wrote_elsewhere_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let redis = "redis://127.0.0.1:1/1";
    let down = thalweg(dir.path(), &["demo", "--events", "100", "--online", redis]);
    assert_eq!(down.status.code(), Some(1), "{}", err(&down));
    let got = thalweg(dir.path(), &["get", "spend", "1"]);
    assert!(
        err(&got).contains("say --store redis://127.0.0.1:1/1"),
        "{}",
        err(&got)
    );
}

#[test]
fn a_demo_is_run_and_looked_up() {
    let dir = tempfile::tempdir().unwrap();
    let ran = thalweg(dir.path(), &["demo", "--events", "3000", "--workers", "1"]);
    assert_eq!(ran.status.code(), Some(0), "{}", err(&ran));
    assert!(out(&ran).contains("read = in + late + dead"));

    let got = thalweg(dir.path(), &["get", "spend", "1", "--json"]);
    assert_eq!(got.status.code(), Some(0));
    assert!(
        out(&got).contains(r#""entity":"1","found":true"#),
        "{}",
        out(&got)
    );

    let none = thalweg(dir.path(), &["get", "spend", "nobody"]);
    assert_eq!(none.status.code(), Some(1));
    assert_eq!(out(&none), "spend nobody: not found\n");

    let unknown = thalweg(dir.path(), &["get", "spnd", "1"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        err(&unknown).ends_with("it holds spend\n"),
        "{}",
        err(&unknown)
    );
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("thesis.txt"), "mine").unwrap();
    let refused = thalweg(dir.path(), &["demo", "--events", "100", "--dir", "."]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        err(&refused).contains("\"thesis.txt\""),
        "{}",
        err(&refused)
    );
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}
