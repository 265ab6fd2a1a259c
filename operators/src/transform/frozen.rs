//! A fitted transform in a file, as a training run leaves it for serving.
//!
//! ```text
//! { "format": 1, "kind": "standard", "feature": "amount", "version": 3, "fitted": { "mean": 31.5, "stddev": 8.25 } }
//! ```
//!
//! `kind` is what it is, `feature` what it was fitted to, `version` which fit it is, as its owner counts. Numbers come
//! back to the bit. JSON has neither NaN nor infinities, and nothing can be applied by them: what holds one is refused
//! before it is written, as is what was read and cannot be applied. With `drift`'s baselines this is all of the crate
//! that touches the disk: before a job runs, never in one.

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
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    use super::*;
    use crate::laws::Draws;
    use crate::transform::{
        Buckets, Categories, Impute, Labels, MinMax, Robust, Smoothing, Standard, Targets,
    };
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

    fn frozen<F>(fitted: F) -> Frozen<F> {
        Frozen {
            feature: "amount".to_owned(),
            version: 3,
            fitted,
        }
    }

    fn standard(mean: f64, stddev: f64) -> Frozen<Standard> {
        let (mean, stddev) = (Real(mean), Real(stddev));
        frozen(Standard { mean, stddev })
    }

    /// What is done to a transform of every kind.
    trait Each {
        fn visit<F: Transform + Clone + Debug + PartialEq>(&mut self, fitted: F);
    }

    /// Finite numbers of any bits, the extremes of floats among them.
    fn numbers(seed: u64) -> impl FnMut() -> f64 {
        let mut draws = Draws::seeded(seed);
        let edges = [
            0.0,
            -0.0,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            5e-324,
            0.1,
        ];
        move || {
            if draws.below(4) == 0 {
                return draws.one_of(&edges);
            }
            let number = f64::from_bits(draws.bits());
            if number.is_finite() {
                number
            } else {
                1.0 / 3.0
            }
        }
    }

    fn sorted<const N: usize>(mut number: impl FnMut() -> f64) -> [Real; N] {
        let mut numbers = std::array::from_fn(|_| Real(number()));
        numbers.sort();
        numbers
    }

    /// A transform of every kind, of numbers that a file must not round.
    fn each_kind(seed: u64, each: &mut impl Each) {
        let mut number = numbers(seed);
        let mut draws = Draws::seeded(seed + 1);
        each.visit(Standard {
            mean: Real(number()),
            stddev: Real(number().abs()),
        });
        let [min, max] = sorted(&mut number);
        each.visit(MinMax { min, max });
        let [lower_quartile, median, upper_quartile] = sorted(&mut number);
        each.visit(Robust {
            median,
            lower_quartile,
            upper_quartile,
        });
        each.visit(Impute::constant(Real(number())));
        each.visit(Impute::constant(draws.within(i64::MIN..=i64::MIN + 8)));
        let names = ["", "DE", "\"quoted\" \\ ×", "日本\n\u{0}", "null"].map(str::to_owned);
        each.visit(Impute::constant(draws.one_of(&names)));
        each.visit(Categories::new(names.clone()));
        each.visit(Categories::new([]));
        let edges = sorted::<4>(&mut number);
        each.visit(Buckets::at(edges.iter().map(|edge| edge.0).collect()));
        let mut labels = || Labels {
            count: u64::MAX - draws.below(9),
            mean: Real(number()),
            variance: Real(number().abs()),
        };
        let all = labels();
        let categories: BTreeMap<_, _> = names.map(|name| (name, labels())).into();
        for smoothing in [Smoothing::Auto, Smoothing::Rows(Real(number().abs()))] {
            each.visit(Targets {
                all,
                categories: categories.clone(),
                smoothing,
            });
        }
    }

    #[test]
    fn what_was_frozen_comes_back_to_the_bit() {
        struct Bits(Scratch);
        impl Each for Bits {
            fn visit<F: Transform + Clone + Debug + PartialEq>(&mut self, fitted: F) {
                let frozen = frozen(fitted);
                frozen.write(&self.0.0).unwrap();
                let read = Frozen::<F>::read(&self.0.0, "amount").unwrap();
                assert_eq!(read, frozen);
            }
        }
        let mut bits = Bits(Scratch::new("bit"));
        for seed in 0..60 {
            each_kind(seed, &mut bits);
        }
    }

    #[test]
    fn a_damaged_file_is_refused_and_named() {
        struct Damaged(Scratch);
        impl Each for Damaged {
            fn visit<F: Transform + Clone + Debug + PartialEq>(&mut self, fitted: F) {
                let Scratch(path) = &self.0;
                frozen(fitted).write(path).unwrap();
                let text = fs::read_to_string(path).unwrap();
                let whole = text.trim_end().len();
                let refused = |text: &[u8]| {
                    fs::write(path, text).unwrap();
                    let error = Frozen::<F>::read(path, "amount").unwrap_err();
                    assert!(matches!(error, FrozenError::Parse { .. }), "{error}");
                    let told = error.to_string();
                    let place = path.display().to_string();
                    assert!(told.starts_with(&place) && told.contains(" does not parse: "));
                };
                for len in [0, 1, whole / 3, whole / 2, whole - 2, whole - 1] {
                    refused(&text.as_bytes()[..len]);
                }
                refused(
                    text.replace("\"fitted\": {", "\"fitted\": {\"more\": 1,")
                        .as_bytes(),
                );
                refused(text.replace("\"fitted\"", "\"fited\"").as_bytes());
                refused(b"\xFF\xFE");
            }
        }
        each_kind(7, &mut Damaged(Scratch::new("damaged")));
    }

    #[test]
    fn every_kind_is_told_from_every_other_and_a_newer_format_is_named() {
        /// The file of each kind, then each of them read as every kind.
        struct Files(BTreeMap<&'static str, String>);
        impl Each for Files {
            fn visit<F: Transform + Clone + Debug + PartialEq>(&mut self, fitted: F) {
                let file = Scratch::new("kind");
                frozen(fitted).write(&file.0).unwrap();
                self.0.insert(F::KIND, fs::read_to_string(&file.0).unwrap());
            }
        }
        struct Read<'a>(&'a Files);
        impl Each for Read<'_> {
            fn visit<F: Transform + Clone + Debug + PartialEq>(&mut self, _: F) {
                for (kind, text) in &self.0.0 {
                    let file = Scratch::with("as-another", text);
                    let told = |file: &Scratch| {
                        let error = Frozen::<F>::read(&file.0, "amount").unwrap_err();
                        assert!(matches!(error, FrozenError::Mismatch { .. }), "{error}");
                        error.to_string()
                    };
                    if *kind != F::KIND {
                        let (told, wanted) = (told(&file), F::KIND);
                        let expected = format!("has kind {kind:?}, wanted {wanted:?}");
                        assert!(told.ends_with(&expected), "{told}");
                    }
                    let newer = text.replace("\"format\": 1", "\"format\": 2");
                    let told = told(&Scratch::with("newer", &newer));
                    assert!(told.ends_with("has format \"2\", wanted \"1\""), "{told}");
                }
            }
        }
        let mut files = Files(BTreeMap::new());
        each_kind(1, &mut files);
        assert_eq!(files.0.len(), 7);
        each_kind(1, &mut Read(&files));
    }

    #[test]
    fn another_feature_is_named_and_so_is_a_format_of_another_shape() {
        let file = Scratch::new("other");
        standard(1.0, 2.0).write(&file.0).unwrap();
        let feature = Frozen::<Standard>::read(&file.0, "age").unwrap_err();
        assert!(
            feature
                .to_string()
                .ends_with("has feature \"amount\", wanted \"age\""),
            "{feature}"
        );
        let newer =
            r#"{"format":2,"kind":"standard","feature":"amount","what":"a later program wrote"}"#;
        let newer = Scratch::with("shape", newer);
        let format = Frozen::<Standard>::read(&newer.0, "amount").unwrap_err();
        assert!(
            format
                .to_string()
                .ends_with("has format \"2\", wanted \"1\""),
            "{format}"
        );
        // One kind, whatever it fills with: the value tells.
        frozen(Impute::constant("none".to_owned()))
            .write(&file.0)
            .unwrap();
        let fill = Frozen::<Impute<Real>>::read(&file.0, "amount").unwrap_err();
        assert!(
            fill.to_string().contains("invalid type: string \"none\""),
            "{fill}"
        );
    }

    #[test]
    fn what_cannot_be_applied_is_neither_written_nor_read() {
        let file = Scratch::new("invalid");
        fn refused<F: Transform>(file: &Scratch, fitted: F, why: &str) {
            let error = frozen(fitted).write(&file.0).unwrap_err().to_string();
            assert!(
                error.ends_with(&format!("cannot be applied: {why}")),
                "{error}"
            );
            assert!(!file.0.exists());
        }
        refused(&file, standard(f64::NAN, 1.0).fitted, "NaN is no parameter");
        refused(
            &file,
            standard(0.0, -1.0).fitted,
            "a standard deviation of -1",
        );
        let (min, max) = (Real(2.0), Real(1.0));
        let why = "a minimum of 2 above the maximum of 1";
        refused(&file, MinMax { min, max }, why);
        let robust = Robust {
            median: Real(3.0),
            lower_quartile: Real(1.0),
            upper_quartile: Real(2.0),
        };
        let why = "quartiles and median that do not ascend: [1.0, 3.0, 2.0]";
        refused(&file, robust, why);
        refused(&file, Impute::constant(Real(f64::NAN)), "NaN fills no gap");
        let all = Labels {
            count: 2,
            mean: Real(0.5),
            variance: Real(0.25),
        };
        let targets = |all, labels, smoothing| Targets {
            all,
            categories: BTreeMap::from([("DE".to_owned(), labels)]),
            smoothing,
        };
        let none = Labels { count: 0, ..all };
        let below = Labels {
            variance: Real(-0.5),
            ..all
        };
        let auto = Smoothing::Auto;
        let why = "category \"DE\" has no rows";
        refused(&file, targets(all, none, auto), why);
        refused(&file, targets(none, all, auto), "labels of no rows");
        let why = "a variance of -0.5";
        refused(&file, targets(all, below, auto), why);
        let rows = Smoothing::Rows(Real(-1.0));
        refused(&file, targets(all, all, rows), "cannot smooth by -1 rows");

        let read = |kind: &str, fitted: &str| {
            let text = format!(
                r#"{{"format":1,"kind":"{kind}","feature":"age","version":1,"fitted":{fitted}}}"#
            );
            Scratch::with(kind, &text)
        };
        let edited = read("buckets", r#"{"edges":[2.0,1.0]}"#);
        let error = Frozen::<Buckets>::read(&edited.0, "age").unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("cannot be applied: 1 does not lie above 2"),
            "{error}"
        );
        let edited = read("categories", r#"{"categories":["FR","DE"]}"#);
        let error = Frozen::<Categories>::read(&edited.0, "age").unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("cannot be applied: \"DE\" does not come after \"FR\""),
            "{error}"
        );
        let edited = read("standard", r#"{"mean":null,"stddev":1.0}"#);
        let error = Frozen::<Standard>::read(&edited.0, "age").unwrap_err();
        assert!(error.to_string().contains("invalid type: null"), "{error}");
    }
}
