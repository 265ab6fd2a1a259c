//! What every format's reader owes: a file held against the fields of the row, its failures, its dead letters' length.

use std::collections::BTreeSet;
use std::path::Path;

use thalweg_engine::source::SourceError;

use crate::files::schema::Field;

/// A dead letter's record is cut after so many bytes.
pub(crate) const RECORD_BYTES_MAX: usize = 4_096;

/// What the check of one file found.
pub(crate) struct Checked {
    /// Its rows, where the file says how many.
    pub(crate) rows: Option<u64>,
    /// The optional columns that it lacks.
    pub(crate) absent: BTreeSet<&'static str>,
}

/// The fields that `columns` lacks though they may be absent.
///
/// # Errors
/// [`SourceError::Wrong`] naming the first field that may not.
pub(crate) fn absent(
    path: &Path,
    fields: &[Field],
    columns: &[&str],
) -> Result<BTreeSet<&'static str>, SourceError> {
    let mut absent = BTreeSet::new();
    for field in fields.iter().filter(|field| !columns.contains(&field.name)) {
        if field.optional {
            absent.insert(field.name);
        } else if !field.defaulted {
            return Err(SourceError::Wrong(format!(
                "{} has no column `{}` ({}); its columns are: {}; correct the field's name with \
                 #[serde(rename)], or make it #[serde(default)]",
                path.display(),
                field.name,
                field.kind,
                columns.join(", ")
            )));
        }
    }
    Ok(absent)
}

/// A file that could not be opened or read on.
pub(crate) fn failed(path: &Path, error: impl std::fmt::Display) -> SourceError {
    SourceError::Failed(format!("cannot read {}: {error}", path.display()))
}
