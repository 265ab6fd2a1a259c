//! The arrows between the crates: thalweg → operators | connectors → engine, and nothing back or across.

use crate::{assert_tidy, read};

/// Each library, and the libraries of the workspace that it may depend on, in tests too.
const ARROWS: [(&str, &[&str]); 4] = [
    ("engine", &[]),
    ("operators", &["thalweg-engine"]),
    ("connectors", &["thalweg-engine"]),
    (
        "thalweg",
        &["thalweg-engine", "thalweg-operators", "thalweg-connectors"],
    ),
];

/// What must never be a dependency of a crate: it belongs to another side of the house.
const FOREIGN: [(&str, &[&str]); 2] = [
    (
        "engine",
        &["arrow", "parquet", "redis", "redb", "chrono", "clap"],
    ),
    (
        "operators",
        &[
            "arrow", "parquet", "redis", "redb", "chrono", "clap", "tokio",
        ],
    ),
];

/// The names under `[…dependencies]` of a manifest.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            let last = table.rsplit('.').next().unwrap_or_default();
            inside = last.ends_with("dependencies");
            // `[dependencies.name]`
            if let Some((_, name)) = table.rsplit_once("dependencies.") {
                names.push(name.to_owned());
            }
        } else if inside && !line.starts_with('#') {
            let end = line.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
            let name = &line[..end.unwrap_or(line.len())];
            names.extend((!name.is_empty()).then(|| name.to_owned()));
        }
    }
    names
}

fn wrong_arrows(krate: &str, manifest: &str, may: &[&str], never: &[&str]) -> Vec<String> {
    let names = dependencies(manifest);
    let wrong = |name: &&String| {
        let ours = name.starts_with("thalweg")
            || ["tests", "benches", "examples"].contains(&name.as_str());
        (ours && !may.contains(&name.as_str())) || never.contains(&name.as_str())
    };
    let wrong = names.iter().filter(wrong);
    wrong
        .map(|name| format!("{krate} must not depend on {name}"))
        .collect()
}

#[test]
fn the_arrows_point_down_and_never_across() {
    for (krate, may) in ARROWS {
        let never = FOREIGN.iter().find(|(of, _)| *of == krate);
        let never = never.map_or(&[][..], |(_, never)| never);
        assert_tidy(&wrong_arrows(
            krate,
            &read(&format!("{krate}/Cargo.toml")),
            may,
            never,
        ));
    }
}

#[test]
fn a_turned_arrow_is_found() {
    let manifest = "[dependencies]\nserde.workspace = true\n\n[dev-dependencies]\nthalweg-connectors = { path = \"x\" }\n\
                    [target.'cfg(unix)'.dependencies.redis]\nversion = \"1\"\n[features]\nthalweg = []\n";
    assert_eq!(
        dependencies(manifest),
        ["serde", "thalweg-connectors", "redis"]
    );
    let wrong = wrong_arrows("operators", manifest, &["thalweg-engine"], &["redis"]);
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}
