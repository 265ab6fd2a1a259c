//! The source files: a caption, a bounded length, nothing left to do, and a table in every crate's root.

use std::path::Path;

use crate::{assert_tidy, read, root};

/// Lines that a file may have before its tests.
const LINES_MAX: usize = 400;

/// Words that say that something is unfinished. In two halves, so that this file has none of them.
const LEFTOVERS: [&str; 4] = [
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

/// The crates that others build on, whose roots tell what they hold.
const LIBRARIES: [&str; 4] = ["engine", "operators", "connectors", "thalweg"];

/// Every `.rs` file with its path from the root; what Cargo and Git keep is left out.
fn sources(dir: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, into);
        } else if name.ends_with(".rs") {
            let path = path.strip_prefix(root()).unwrap();
            into.push(path.to_string_lossy().into_owned());
        }
    }
}

fn all() -> Vec<String> {
    let mut files = Vec::new();
    sources(&root(), &mut files);
    files.sort();
    assert!(
        files.len() > 100,
        "only {} files: is this the repository?",
        files.len()
    );
    files
}

/// Whether the whole file is a test: compiled for tests only, or in a folder of tests.
fn is_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folder = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
    ["tests.rs", "testing.rs", "laws.rs"].contains(&name) || folder("tests/")
}

fn wrong_in(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if !text.starts_with("//! ") {
        wrong.push(format!("{path}: no `//!` caption in its first line"));
    }
    let code = text
        .lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"));
    let code_lines = code.count();
    if code_lines > LINES_MAX && !is_test(path) {
        wrong.push(format!(
            "{path}: {code_lines} lines before its tests, {LINES_MAX} at most"
        ));
    }
    for (number, line) in text.lines().enumerate() {
        for leftover in LEFTOVERS
            .iter()
            .filter(|leftover| line.contains(**leftover))
        {
            wrong.push(format!("{path}:{}: {leftover} is left", number + 1));
        }
    }
    wrong
}

/// A crate's root: a table, with a row for every public module.
fn wrong_root(path: &str, text: &str) -> Vec<String> {
    let docs: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("//!"))
        .collect();
    let docs = docs.join("\n");
    let mut wrong = Vec::new();
    if !docs.contains("|---|") {
        wrong.push(format!("{path}: no table of what the crate holds"));
    }
    for line in text.lines() {
        let module = line
            .strip_prefix("pub mod ")
            .and_then(|rest| rest.strip_suffix(';'));
        let module = module.filter(|module| !docs.contains(&format!("[`{module}")));
        wrong.extend(module.map(|module| format!("{path}: `{module}` is missing in its table")));
    }
    wrong
}

#[test]
fn every_file_has_a_caption_a_bounded_length_and_nothing_left_to_do() {
    let wrong: Vec<String> = all()
        .iter()
        .flat_map(|path| wrong_in(path, &read(path)))
        .collect();
    assert_tidy(&wrong);
}

#[test]
fn every_library_tells_what_it_holds() {
    for krate in LIBRARIES {
        let path = format!("{krate}/src/lib.rs");
        assert_tidy(&wrong_root(&path, &read(&path)));
    }
}

#[test]
fn untidy_files_are_found() {
    let long = format!("//! A caption.\n{}", "fn f() {}\n".repeat(LINES_MAX));
    let tested = long.replacen("fn f() {}", "#[cfg(test)]", 1);
    let left = format!("//! A caption.\n// {}: later\n", LEFTOVERS[0]);
    for (text, count) in [
        ("fn main() {}\n", 1),
        ("//! A caption.\n", 0),
        (long.as_str(), 1),
        (tested.as_str(), 0),
        (left.as_str(), 1),
    ] {
        assert_eq!(wrong_in("engine/src/x.rs", text).len(), count, "{text:.40}");
    }
    assert_eq!(wrong_in("engine/src/tests.rs", &long).len(), 0);
    assert_eq!(wrong_root("x", "//! Words.\npub mod time;\n").len(), 2);
    assert_eq!(
        wrong_root("x", "//! |---|\n//! | [`time`] | |\npub mod time;\n").len(),
        0
    );
}
