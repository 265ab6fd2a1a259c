//! Which files: a path or a pattern, resolved and sorted.

use std::path::{Component, Path, PathBuf};

use glob::MatchOptions;
use thalweg_engine::source::SourceError;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Select {
    Glob(String),
    Path(PathBuf),
}

impl Select {
    /// The files, sorted by path; at least one.
    ///
    /// # Errors
    /// [`SourceError::Wrong`] when there is none, [`SourceError::Failed`] when a folder cannot be listed.
    pub(crate) fn find(&self) -> Result<Vec<PathBuf>, SourceError> {
        match self {
            Self::Path(path) if path.is_file() => Ok(vec![path.clone()]),
            Self::Path(path) if path.is_dir() => Err(SourceError::Wrong(format!(
                "cannot read {}: it is a folder; name the files in it with \
                 Files::glob(\"{}/*\")",
                path.display(),
                path.display()
            ))),
            Self::Path(path) => match path.metadata() {
                Ok(_) => Ok(vec![path.clone()]),
                Err(error) => Err(SourceError::Wrong(format!(
                    "cannot read {}: {error}; check the path (relative ones start at {})",
                    path.display(),
                    working_folder()
                ))),
            },
            Self::Glob(pattern) => find_glob(pattern),
        }
    }
}

fn find_glob(pattern: &str) -> Result<Vec<PathBuf>, SourceError> {
    let options = MatchOptions {
        require_literal_leading_dot: true,
        ..MatchOptions::default()
    };
    let matches = glob::glob_with(pattern, options).map_err(|error| {
        SourceError::Wrong(format!(
            "cannot look for files: `{pattern}` is no pattern: {error}"
        ))
    })?;
    let mut files = Vec::new();
    for path in matches {
        let path = path.map_err(|error| {
            SourceError::Failed(format!(
                "cannot look for files that match `{pattern}`: {error}"
            ))
        })?;
        if path.is_file() && (pattern.contains(STAGING) || !is_staged(&path)) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(SourceError::Wrong(format!(
            "no file matches `{pattern}`; check the folder and the ending (relative patterns \
             start at {})",
            working_folder()
        )));
    }
    files.sort();
    Ok(files)
}

/// The folder in which sinks keep what is not yet published.
pub(crate) const STAGING: &str = "_staging";

fn is_staged(path: &Path) -> bool {
    path.components()
        .any(|part| matches!(part, Component::Normal(name) if name == STAGING))
}

fn working_folder() -> String {
    std::env::current_dir().map_or_else(
        |_| "the working folder".to_owned(),
        |at| at.display().to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_sorted_files_without_staged_or_hidden_ones() {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "b.csv",
            "a.csv",
            ".hidden.csv",
            "_staging/c.csv",
            "sub/d.csv",
            "e.txt",
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let pattern = format!("{}/**/*.csv", dir.path().display());
        let found = Select::Glob(pattern).find().unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|p| p.strip_prefix(&dir).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, ["a.csv", "b.csv", "sub/d.csv"]);
    }

    #[test]
    fn nothing_found_names_what_was_asked_for() {
        for select in [
            Select::Glob("/nowhere/*.csv".into()),
            Select::Path("/nowhere/x.csv".into()),
        ] {
            let wrong = select.find().unwrap_err();
            assert!(matches!(wrong, SourceError::Wrong(_)));
            assert!(wrong.to_string().contains("/nowhere/"), "{wrong}");
        }
        let folder = Select::Path("/".into()).find().unwrap_err().to_string();
        assert!(folder.contains("Files::glob"), "{folder}");
        assert!(
            Select::Glob("a/***".into())
                .find()
                .unwrap_err()
                .to_string()
                .contains("no pattern")
        );
    }
}
