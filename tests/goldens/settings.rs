//! Where the shared data is, which runs are wanted, and a word to whoever looks on.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::runs::{self, Run};

/// The folder with the shared data.
#[expect(
    clippy::disallowed_methods,
    reason = "the file that reads the settings of these tests"
)]
pub(crate) fn shared() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    std::env::var("THALWEG_SHARED").map_or_else(|_| beside(), PathBuf::from)
}

/// The runs that are wanted: `THALWEG_GOLDENS=all` for all of them.
#[expect(
    clippy::disallowed_methods,
    reason = "the file that reads the settings of these tests"
)]
pub(crate) fn wanted() -> Vec<Run> {
    match std::env::var("THALWEG_GOLDENS").as_deref() {
        Ok("all") => runs::all(),
        _ => runs::covering(),
    }
}

/// Says something to standard error, past the capture of the test harness: a skipped test must not look like a pass.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
