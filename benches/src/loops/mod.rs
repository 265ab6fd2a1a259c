//! The loops that one would write by hand: one thread, one purpose, laid out for the cache, no retraction, no recovery.
//!
//! Each does the work of the workload of its name over the same rows and returns a digest, so that nothing is
//! optimised away.

mod asof;
mod components;
mod corrections;
mod dimension_asof;
mod drift;
mod graph;
mod handles;
mod hopping;
mod lookup;
mod point_in_time;
mod reorder;
mod rolling;
mod session;
mod tumbling;

pub use asof::asof;
pub use components::{components_delete, components_insert, flagged_connected};
pub use corrections::corrections;
pub use dimension_asof::dimension_asof;
pub use drift::drift;
pub use graph::{degrees, flagged_within, nearest, spread, triangles};
pub use hopping::hopping;
pub use lookup::lookup;
pub use point_in_time::point_in_time;
pub use rolling::{rolling, rolling_two_weeks};
pub use session::session;
pub use tumbling::tumbling;

/// Rows that a loop "writes": kept in a buffer that is handed to nobody, as a sink would.
pub(crate) struct Out<R> {
    rows: Vec<R>,
    written: u64,
}

impl<R> Out<R> {
    pub(crate) fn new() -> Self {
        Self {
            rows: Vec::with_capacity(4_096),
            written: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, row: R) {
        if self.rows.len() == 4_096 {
            std::hint::black_box(&self.rows);
            self.rows.clear();
        }
        self.rows.push(row);
        self.written += 1;
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }
}
