//! A file of baselines, as a training run leaves it: `(feature, segment?) → Baseline`, in JSON.
//!
//! ```text
//! { "format": 1, "baselines": [ { "feature": "spend", "segment": "DE", "n": 31000, … }, … ] }
//! ```
//! With `transform`'s frozen fits all of this crate that touches the disk: a job reads it once, before anything runs.

use super::baseline::{Baseline, BaselineError, BaselineRecord};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Written into every file; a reader refuses any other.
const FORMAT: u32 = 1;

/// Baselines by feature and, where one was fitted apart, by segment.
///
/// ```
/// use thalweg_operators::drift::{Baseline, Baselines};
/// let whole = Baseline::fit("spend", [Some(1.0), Some(2.0)]).unwrap();
/// let german = Baseline::fit("spend", [Some(2.0)]).unwrap().for_segment("DE");
/// let baselines: Baselines = [whole, german].into_iter().collect();
/// assert_eq!(baselines.get("spend", Some("DE")).unwrap().mean(), 2.0);
/// assert!(baselines.get("spend", Some("FR")).is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Baselines {
    /// Segment `None` sorts first: the whole feature before its parts.
    by_feature: BTreeMap<String, BTreeMap<Option<String>, Baseline>>,
}

/// Why baselines could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaselinesError {
    /// There is no such file.
    #[error("no baselines at {}: fit some on training rows first", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file could not be read.
    #[error("could not read baselines from {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file was not written; what stood there before still does.
    #[error("could not write baselines to {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is of another version.
    #[error("baselines in {} have format {found}, this program reads {FORMAT}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The file is not JSON, or not of this shape.
    #[error("baselines in {} do not parse: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The file parses, but something in it is no baseline.
    #[error("baselines in {}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Which, and why.
        source: BaselineError,
    },
    /// The same feature and segment stand twice in the file.
    #[error("baselines in {} hold `{feature}` of segment {segment:?} twice", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The feature.
        feature: String,
        /// The segment.
        segment: Option<String>,
    },
}

/// Read before the rest, so that a file from the future is told apart from a broken one.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileIn {
    #[serde(rename = "format")]
    _format: u32,
    baselines: Vec<BaselineRecord>,
}

#[derive(Serialize)]
struct FileOut<'a> {
    format: u32,
    baselines: Vec<&'a Baseline>,
}

impl Baselines {
    /// The baseline of a feature, or of one segment of it. A segment without one of its own has none:
    /// whether the whole feature may stand in for it is the caller's choice.
    #[must_use]
    pub fn get(&self, feature: &str, segment: Option<&str>) -> Option<&Baseline> {
        self.by_feature
            .get(feature)?
            .get(&segment.map(str::to_owned))
    }

    /// Adds a baseline, and returns the one that it replaces.
    pub fn insert(&mut self, baseline: Baseline) -> Option<Baseline> {
        let segment = baseline.segment().map(str::to_owned);
        self.by_feature
            .entry(baseline.feature().to_owned())
            .or_default()
            .insert(segment, baseline)
    }

    /// All baselines, by feature, the whole feature before its segments.
    pub fn iter(&self) -> impl Iterator<Item = &Baseline> {
        self.by_feature.values().flat_map(BTreeMap::values)
    }

    /// Reads a file that [`Baselines::write`] wrote, bit for bit.
    ///
    /// # Errors
    /// [`BaselinesError`], which names the file and, where it can, the feature.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, BaselinesError> {
        let path = || path.as_ref().to_path_buf();
        let text = fs::read(path()).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => BaselinesError::Missing { path: path() },
            _ => BaselinesError::Read {
                path: path(),
                source,
            },
        })?;
        let refused = |source| BaselinesError::Parse {
            path: path(),
            source,
        };
        let FormatOnly { format: found } = serde_json::from_slice(&text).map_err(refused)?;
        if found != FORMAT {
            return Err(BaselinesError::Format {
                path: path(),
                found,
            });
        }
        let file: FileIn = serde_json::from_slice(&text).map_err(refused)?;
        let mut baselines = Self::default();
        for record in file.baselines {
            let baseline =
                Baseline::try_from(record).map_err(|source| BaselinesError::Invalid {
                    path: path(),
                    source,
                })?;
            if let Some(twice) = baselines.insert(baseline) {
                return Err(BaselinesError::Twice {
                    path: path(),
                    feature: twice.feature().to_owned(),
                    segment: twice.segment().map(str::to_owned),
                });
            }
        }
        Ok(baselines)
    }

    /// Writes all baselines beside `path` and renames the result over it, so that a reader sees the
    /// old file or the new one and nothing between. One writer at a time.
    ///
    /// # Errors
    /// [`BaselinesError::Write`]; the file at `path` is then as it was.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), BaselinesError> {
        let path = path.as_ref();
        let file = FileOut {
            format: FORMAT,
            baselines: self.iter().collect(),
        };
        let written = || -> io::Result<()> {
            let mut staged = path.as_os_str().to_owned();
            staged.push(".staged");
            let mut out = File::create(&staged)?;
            out.write_all(&serde_json::to_vec_pretty(&file)?)?;
            out.write_all(b"\n")?;
            out.sync_all()?;
            fs::rename(&staged, path)
        };
        written().map_err(|source| BaselinesError::Write {
            path: path.to_owned(),
            source,
        })
    }
}

impl FromIterator<Baseline> for Baselines {
    fn from_iter<I: IntoIterator<Item = Baseline>>(baselines: I) -> Self {
        let mut all = Self::default();
        for baseline in baselines {
            all.insert(baseline);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A path of its own for every call, gone when dropped.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(text: Option<&str>) -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let name = format!(
                "thalweg-baselines-{}-{}.json",
                std::process::id(),
                NEXT.fetch_add(1, Ordering::Relaxed)
            );
            let path = std::env::temp_dir().join(name);
            if let Some(text) = text {
                fs::write(&path, text).unwrap();
            }
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _gone_already = fs::remove_file(&self.0);
        }
    }

    fn fitted() -> Baselines {
        let thirds = (1..500).map(|i| Some(f64::from(i).sqrt() / 3.0));
        let whole = Baseline::fit("spend", thirds.clone()).unwrap();
        let part = Baseline::fit("spend", thirds.skip(400)).unwrap();
        let other = Baseline::fit("age", [Some(0.1 + 0.2), None]).unwrap();
        [part.for_segment("DE"), whole, other.without_values()]
            .into_iter()
            .collect()
    }

    /// The file of one small baseline, with one piece of its text replaced.
    fn reading(from: &str, to: &str) -> BaselinesError {
        let small = Baseline::fit("x", [Some(1.0), Some(2.0)]).unwrap();
        let (good, all) = (Scratch::new(None), Baselines::from_iter([small]));
        all.write(&good.0).unwrap();
        let text = fs::read_to_string(&good.0).unwrap();
        assert!(text.contains(from), "{text}");
        Baselines::read(&Scratch::new(Some(&text.replacen(from, to, 1))).0).unwrap_err()
    }

    #[test]
    fn a_file_gives_back_every_bit_and_leaves_nothing_staged() {
        let (file, baselines) = (Scratch::new(Some("what stood there before")), fitted());
        baselines.write(&file.0).unwrap();
        assert_eq!(Baselines::read(&file.0).unwrap(), baselines);
        let mut staged = file.0.clone().into_os_string();
        staged.push(".staged");
        assert!(!Path::new(&staged).exists());
    }

    #[test]
    fn segments_are_found_and_the_whole_does_not_stand_in_for_them() {
        let baselines = fitted();
        assert_eq!(baselines.get("spend", None).map(Baseline::n), Some(499));
        assert_eq!(
            baselines.get("spend", Some("DE")).map(Baseline::n),
            Some(99)
        );
        assert_eq!(baselines.get("spend", Some("FR")), None);
        assert_eq!(baselines.get("height", None), None);
        let order: Vec<_> = baselines
            .iter()
            .map(|b| (b.feature(), b.segment()))
            .collect();
        assert_eq!(
            order,
            [("age", None), ("spend", None), ("spend", Some("DE"))]
        );
    }

    #[test]
    fn a_file_that_is_not_there_says_so() {
        let missing = Baselines::read("/nowhere/baselines.json").unwrap_err();
        assert!(
            matches!(missing, BaselinesError::Missing { .. }),
            "{missing}"
        );
        let unwritten = fitted().write("/nowhere/baselines.json").unwrap_err();
        assert!(
            matches!(unwritten, BaselinesError::Write { .. }),
            "{unwritten}"
        );
    }

    #[test]
    fn a_file_of_another_version_is_told_apart_from_a_broken_one() {
        // Version 2 may well have fields that version 1 does not know.
        let future = Scratch::new(Some(r#"{ "format": 2, "sketches": [] }"#));
        let error = Baselines::read(&future.0).unwrap_err();
        assert!(
            matches!(error, BaselinesError::Format { found: 2, .. }),
            "{error}"
        );
        for text in [
            "",
            "{}",
            r#"{ "format": 1 }"#,
            r#"{ "format": 1, "baselines": [], "x": 0 }"#,
        ] {
            let error = Baselines::read(&Scratch::new(Some(text)).0).unwrap_err();
            assert!(matches!(error, BaselinesError::Parse { .. }), "{error}");
        }
    }

    #[test]
    fn whatever_does_not_add_up_is_refused_and_named() {
        let cases = [
            (
                "1.0,\n        1.1",
                "1.5,\n        1.1",
                "breakpoints of `x`: bin edges must ascend",
            ),
            (
                "\"n\": 2",
                "\"n\": 3",
                "`x` counts 3 usable rows, but its bins add up to 2",
            ),
            ("\"n_null\": 0", "\"n_null\": 2", "training of `x` is empty"),
            (
                "1.0,\n          1\n",
                "1.0,\n          4\n",
                "but its values add up to 5",
            ),
            (
                "1.0,\n          1\n",
                "2.0,\n          1\n",
                "values of `x`: distinct values must",
            ),
            ("\"mean\"", "\"median\"", "unknown field `median`"),
        ];
        for (from, to, says) in cases {
            let error = reading(from, to).to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn the_same_baseline_twice_is_refused() {
        let one = serde_json::to_string(&Baseline::fit("x", [Some(1.0)]).unwrap()).unwrap();
        let text = format!(r#"{{ "format": 1, "baselines": [{one}, {one}] }}"#);
        let error = Baselines::read(&Scratch::new(Some(&text)).0).unwrap_err();
        assert!(matches!(error, BaselinesError::Twice { .. }), "{error}");
    }
}
