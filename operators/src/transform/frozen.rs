//! A fitted transform in a file, as a training run leaves it for serving.
//!
//! ```text
//! { "format": 1, "kind": "standard", "feature": "amount", "version": 3, "fitted": { "mean": 31.5, "stddev": 8.25 } }
//! ```
//!
//! `kind` is what it is, `feature` what it was fitted to, `version` which fit it is, as its owner counts. Numbers come
//! back to the bit. With `drift`'s baselines this is all of the crate that touches the disk: before a job runs, never
//! in one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::transform::Transform;

/// Written into every file; a reader refuses any other.
const FORMAT: u32 = 1;

/// A fitted transform with its name and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen<F> {
    /// What it was fitted to.
    pub feature: String,
    /// Which fit it is.
    pub version: u32,
    /// The transform.
    pub fitted: F,
}

/// Why a transform could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrozenError {
    /// The file could not be read.
    #[error("could not read a transform from {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file was not written; what stood there before still does.
    #[error("could not write a transform to {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not JSON, or not of this shape.
    #[error("{} does not parse: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The file is of another format, kind or feature.
    #[error("{} has {what} {found:?}, wanted {wanted:?}", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What differs: format, kind or feature.
        what: &'static str,
        /// What it has.
        found: String,
        /// What was wanted.
        wanted: String,
    },
    /// It cannot be applied.
    #[error("the {kind} of `{feature}` at {} cannot be applied: {why}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
        /// What it was fitted to.
        feature: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Read before the rest, so that another file is told apart from a broken one.
#[derive(Deserialize)]
struct Head {
    format: u32,
    kind: String,
    feature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record<F> {
    format: u32,
    kind: String,
    feature: String,
    version: u32,
    fitted: F,
}

impl<F: Transform> Frozen<F> {
    /// Reads the transform of a feature.
    ///
    /// # Errors
    /// [`FrozenError`], which names the file and both sides of what does not match.
    pub fn read(path: impl AsRef<Path>, feature: &str) -> Result<Self, FrozenError> {
        let path = || path.as_ref().to_path_buf();
        let read = |source| FrozenError::Read {
            path: path(),
            source,
        };
        let parse = |source| FrozenError::Parse {
            path: path(),
            source,
        };
        let text = fs::read(path()).map_err(read)?;
        let head: Head = serde_json::from_slice(&text).map_err(parse)?;
        for (what, found, wanted) in [
            ("format", head.format.to_string(), FORMAT.to_string()),
            ("kind", head.kind, F::KIND.to_owned()),
            ("feature", head.feature, feature.to_owned()),
        ] {
            if found != wanted {
                return Err(FrozenError::Mismatch {
                    path: path(),
                    what,
                    found,
                    wanted,
                });
            }
        }
        let record: Record<F> = serde_json::from_slice(&text).map_err(parse)?;
        let frozen = Self {
            feature: record.feature,
            version: record.version,
            fitted: record.fitted,
        };
        frozen.checked(&path())?;
        Ok(frozen)
    }

    /// Writes it beside `path` and renames the result over it, so that a reader sees the old file or the new one and
    /// nothing between. One writer at a time.
    ///
    /// # Errors
    /// [`FrozenError::Invalid`] or [`FrozenError::Write`]; the file at `path` is then as it was.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), FrozenError> {
        let path = path.as_ref();
        self.checked(path)?;
        let record = Record {
            format: FORMAT,
            kind: F::KIND.to_owned(),
            feature: self.feature.clone(),
            version: self.version,
            fitted: &self.fitted,
        };
        let written = || -> io::Result<()> {
            let mut staged = path.as_os_str().to_owned();
            staged.push(".staged");
            let mut out = File::create(&staged)?;
            out.write_all(&serde_json::to_vec_pretty(&record)?)?;
            out.write_all(b"\n")?;
            out.sync_all()?;
            fs::rename(&staged, path)
        };
        written().map_err(|source| FrozenError::Write {
            path: path.to_owned(),
            source,
        })
    }

    fn checked(&self, path: &Path) -> Result<(), FrozenError> {
        self.fitted.check().map_err(|why| FrozenError::Invalid {
            path: path.to_owned(),
            kind: F::KIND,
            feature: self.feature.clone(),
            why,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::{Buckets, MinMax, Standard};
    use crate::value::Real;

    /// A path of its own for every test, gone when dropped.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let name = format!("thalweg-frozen-{}-{name}.json", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn with(name: &str, text: &str) -> Self {
            let scratch = Self::new(name);
            fs::write(&scratch.0, text).unwrap();
            scratch
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn standard(mean: f64, stddev: f64) -> Frozen<Standard> {
        Frozen {
            feature: "amount".to_owned(),
            version: 3,
            fitted: Standard {
                mean: Real(mean),
                stddev: Real(stddev),
            },
        }
    }

    #[test]
    fn what_was_frozen_comes_back_to_the_bit() {
        let file = Scratch::new("bit");
        let frozen = standard(0.1 + 0.2, 1e-300 / 3.0);
        frozen.write(&file.0).unwrap();
        assert_eq!(Frozen::read(&file.0, "amount").unwrap(), frozen);
    }

    #[test]
    fn another_format_kind_or_feature_is_named() {
        let file = Scratch::new("other");
        standard(1.0, 2.0).write(&file.0).unwrap();
        let kind = Frozen::<MinMax>::read(&file.0, "amount").unwrap_err();
        assert!(
            kind.to_string()
                .ends_with("has kind \"standard\", wanted \"min_max\""),
            "{kind}"
        );
        let feature = Frozen::<Standard>::read(&file.0, "age").unwrap_err();
        assert!(
            feature
                .to_string()
                .ends_with("has feature \"amount\", wanted \"age\""),
            "{feature}"
        );
        let newer =
            r#"{"format":2,"kind":"standard","feature":"amount","what":"a later program wrote"}"#;
        let newer = Scratch::with("newer", newer);
        let format = Frozen::<Standard>::read(&newer.0, "amount").unwrap_err();
        assert!(
            format
                .to_string()
                .ends_with("has format \"2\", wanted \"1\""),
            "{format}"
        );
    }

    #[test]
    fn what_cannot_be_applied_is_neither_written_nor_read() {
        let file = Scratch::new("invalid");
        let error = standard(f64::NAN, 1.0).write(&file.0).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("cannot be applied: NaN is no parameter"),
            "{error}"
        );
        assert!(!file.0.exists());
        let text = r#"{"format":1,"kind":"buckets","feature":"age","version":1,"fitted":{"edges":[2.0,1.0]}}"#;
        let edited = Scratch::with("edited", text);
        let error = Frozen::<Buckets>::read(&edited.0, "age").unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("cannot be applied: 1 does not lie above 2"),
            "{error}"
        );
    }
}
