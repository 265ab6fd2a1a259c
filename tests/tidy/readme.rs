//! The README is true: its job is the one that is compiled, its commands and paths exist.

use std::collections::BTreeSet;

use crate::{assert_tidy, read, root};

/// Documents whose commands and paths are checked.
const DOCUMENTS: [&str; 5] = [
    "README.md",
    "CONTRIBUTING.md",
    "ARCHITECTURE.md",
    "benches/README.md",
    "benches/compare/README.md",
];

/// Cargo commands that come with Rust.
const CARGO: [&str; 8] = [
    "build", "check", "run", "test", "bench", "fmt", "clippy", "doc",
];

/// The fenced blocks of a kind, without their fences.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(found) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines
            .by_ref()
            .take_while(|line| !line.starts_with("```"))
            .collect();
        if found == kind {
            blocks.push(block.join("\n"));
        }
    }
    blocks
}

/// The first doc test of a crate's root as it is shown: without its hidden lines.
fn doc_test(text: &str) -> String {
    let docs = text.lines().filter_map(|line| line.strip_prefix("//!"));
    let docs: Vec<&str> = docs
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let first = blocks(&docs.join("\n"), "")
        .into_iter()
        .next()
        .unwrap_or_default();
    let shown = first
        .lines()
        .filter(|line| !line.starts_with("# ") && *line != "#");
    shown.collect::<Vec<_>>().join("\n")
}

/// What the README quotes of `benches/compare/RESULTS.md`: the text between two comments, which
/// `benches/compare/run` writes.
fn quotation(readme: &str) -> Option<&str> {
    let begun = readme
        .split_once("<!-- quoted from benches/compare/RESULTS.md")?
        .1;
    let quoted = begun.split_once("-->")?.1;
    Some(quoted.split_once("<!-- end of the quotation -->")?.0.trim())
}

/// The names of the members of an enum whose variants stand at four spaces, in lower case.
fn subcommands(cli: &str) -> BTreeSet<String> {
    let body = cli.split("enum Command {").nth(1).unwrap_or_default();
    let body = body.split("\n}").next().unwrap_or_default();
    let variants = body.lines().filter_map(|line| {
        let name = line.strip_prefix("    ")?.split(['(', ',', ' ']).next()?;
        name.starts_with(char::is_uppercase)
            .then(|| name.to_lowercase())
    });
    variants.collect()
}

/// The names of the examples that `examples/Cargo.toml` declares.
fn examples(manifest: &str) -> BTreeSet<String> {
    let tables = manifest.split("[[example]]").skip(1);
    let names = tables.filter_map(|table| table.split("name = \"").nth(1)?.split('"').next());
    names.map(str::to_owned).collect()
}

/// What is there to be called.
struct There {
    commands: BTreeSet<String>,
    examples: BTreeSet<String>,
}

/// What is wrong with a line of a shell block.
fn wrong_command(line: &str, there: &There) -> Option<String> {
    let line = line.split(" #").next().unwrap_or(line).trim();
    let words: Vec<&str> = line
        .split_whitespace()
        .filter(|word| !word.contains('='))
        .collect();
    let after = |flag: &str| {
        let place = words.iter().position(|word| *word == flag)?;
        words.get(place + 1).copied()
    };
    let said = |what: &str, name: &str| Some(format!("`{line}`: there is no {what} {name}"));
    let first = words.first().copied()?;
    if first == "cargo" {
        let command = words.get(1).copied().unwrap_or_default();
        if !CARGO.contains(&command) {
            return said("cargo command", command);
        }
        if let Some(package) = after("-p").filter(|name| !is_package(name)) {
            return said("package", package);
        }
        if let Some(example) = after("--example") {
            return (!there.examples.contains(example)).then(|| said("example", example))?;
        }
        let ours = (command == "run").then(|| after("--")).flatten();
        return ours
            .filter(|name| !name.starts_with("--") && !there.commands.contains(*name))
            .and_then(|name| said("command of thalweg", name));
    }
    if first == "thalweg" {
        let command = words.get(1).copied().unwrap_or_default();
        let known = command.starts_with("--") || there.commands.contains(command);
        return (!known).then(|| said("command of thalweg", command))?;
    }
    let program = line
        .split(['"', '$', '(', ' '])
        .find(|word| word.contains('/'))?;
    (!root().join(program).is_file()).then(|| said("file", program))?
}

fn is_package(name: &str) -> bool {
    let folder = name.strip_prefix("thalweg-").unwrap_or(name);
    root().join(folder).join("Cargo.toml").is_file()
}

/// Paths in backticks, such as `engine/src/time.rs`, that do not exist.
fn missing_paths(text: &str) -> Vec<String> {
    let spans = text.split('`').skip(1).step_by(2);
    let paths = spans.filter(|span| {
        let folders = [
            "engine/",
            "operators/",
            "connectors/",
            "thalweg/",
            "examples/",
            "benches/",
            "tests/",
            "scripts/",
            ".ci/",
        ];
        folders.iter().any(|folder| span.starts_with(folder))
            && !span.contains([' ', '*', '{', '\n'])
    });
    paths
        .filter(|path| !root().join(path).exists())
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_job_in_the_readme_is_the_one_that_is_compiled() {
    let readme = read("README.md");
    let quoted = blocks(&readme, "rust");
    let compiled = doc_test(&read("thalweg/src/lib.rs"));
    assert!(compiled.contains("Job::new("), "{compiled}");
    assert_eq!(
        quoted.first(),
        Some(&compiled),
        "README.md and thalweg/src/lib.rs differ"
    );
}

#[test]
fn the_readme_shows_no_figure_that_was_not_measured() {
    let readme = read("README.md");
    let quoted = quotation(&readme).unwrap_or_default();
    assert!(quoted.contains("| rolling |"), "{quoted}");
    assert!(
        read("benches/compare/RESULTS.md").contains(quoted),
        "the README quotes what benches/compare/RESULTS.md does not say; run benches/compare/run"
    );
}

#[test]
fn documents_name_only_what_is_there() {
    let there = There {
        commands: subcommands(&read("thalweg/src/cli.rs")),
        examples: examples(&read("examples/Cargo.toml")),
    };
    assert!(there.commands.contains("demo"), "{:?}", there.commands);
    let mut wrong = Vec::new();
    for path in DOCUMENTS {
        let text = read(path);
        let lines = blocks(&text, "sh");
        let lines = lines.iter().flat_map(|block| block.lines());
        wrong.extend(
            lines
                .filter_map(|line| wrong_command(line, &there))
                .map(|why| format!("{path}: {why}")),
        );
        let prose = text.split("```").step_by(2).collect::<String>();
        wrong.extend(
            missing_paths(&prose)
                .iter()
                .map(|missing| format!("{path}: there is no {missing}")),
        );
    }
    assert_tidy(&wrong);
}

#[test]
fn what_is_not_true_is_found() {
    let there = There {
        commands: BTreeSet::from(["demo".to_owned()]),
        examples: BTreeSet::from(["retail".to_owned()]),
    };
    for right in [
        "cargo run --release -- demo --events 5",
        "cargo run --release -- --help",
        "cargo run --release -p examples --example retail -- --data x",
        "cargo test --workspace   # all",
        "THALWEG_REQUIRE_SERVICES=1 cargo test",
        "scripts/services up",
        "eval \"$(scripts/services env)\"",
        "thalweg demo",
        "# only a comment",
        "",
    ] {
        assert_eq!(wrong_command(right, &there), None, "{right}");
    }
    for wrong in [
        "cargo run -- serve",
        "cargo bench -p speed",
        "cargo run --example none",
        "cargo nextest run",
        "scripts/nothing up",
        "eval \"$(scripts/nothing env)\"",
        "thalweg serve",
    ] {
        assert!(wrong_command(wrong, &there).is_some(), "{wrong}");
    }
    let text = "<!-- quoted from benches/compare/RESULTS.md -->\n| 1 |\n<!-- end of the quotation -->\n| 2 |";
    assert_eq!(quotation(text), Some("| 1 |"));
    assert_eq!(quotation("| 1 |"), None);
    let text = "see `engine/src/nothing.rs`, `engine/src/time.rs` and `cargo test`";
    assert_eq!(missing_paths(text), ["engine/src/nothing.rs"]);
    let doc = "//! Words.\n//!\n//! ```\n//! # hidden\n//! shown();\n//!\n//! more();\n//! ```\n";
    assert_eq!(doc_test(doc), "shown();\n\nmore();");
    assert_eq!(
        subcommands("enum Command {\n    /// Doc\n    Demo(DemoArgs),\n    Get,\n}\nenum X { A }"),
        BTreeSet::from(["demo".into(), "get".into()])
    );
}
