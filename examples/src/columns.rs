//! Numbers as answers hold them.

use thalweg::prelude::Real;

/// A count as a column: signed, as SQL's.
pub(crate) fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A float as a column, null where there is none.
pub(crate) fn real(number: Option<f64>) -> Option<Real> {
    number.map(Real)
}
