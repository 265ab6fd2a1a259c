//! `retail_hourly_numeric`: how far each hour's quantities and prices have drifted from the first month's.
//!
//! To come with the drift operator: this file is where it is bound to the lines.

use thalweg::prelude::*;

use super::rows::Line;
use crate::places::Places;

/// Writes `retail_hourly_numeric`.
pub(super) fn hourly(_lines: &Table<'_, Line>, _places: &Places) -> Result<(), JobError> {
    Ok(())
}
