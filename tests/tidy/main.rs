//! What lints cannot check: the arrows between the crates, captions, lengths, leftovers, and that the README is true.
//!
//! Every check returns what is wrong, so that each is tried here on something that is.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod arrows;
mod readme;
mod sources;

use std::path::{Path, PathBuf};

/// The repository.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

/// The text of a file of the repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Fails with all that is wrong, a line each.
fn assert_tidy(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn what_a_repository_owes_is_there() {
    for (path, said) in [
        ("LICENSE-MIT", "The Thalweg founders"),
        ("LICENSE-APACHE", "Version 2.0, January 2004"),
        ("CHANGELOG.md", "## [Unreleased]"),
        ("ARCHITECTURE.md", "## Laws"),
        ("CONTRIBUTING.md", "## Adding an operator"),
        ("deny.toml", "[licenses]"),
    ] {
        assert!(read(path).contains(said), "{path} does not say «{said}»");
    }
}
