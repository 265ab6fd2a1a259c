//! Functions from tables to tables. No I/O while a job runs, no clock.
//!
//! | operator | state | cost per row | modes |
//! |---|---|---|---|
//! | [`table_ops`]: map, filter, flat_map, union, inspect, negate | none | O(1) | |
//! | [`window::rolling`]: moments, or totals without extremes | the events of the widest window; half of it with [`compact`](window::rolling::Rolling::compact) | O(1), late rows O(log n) and a move, in corrections the rows that they change | latest, upserts, final, corrections |
//! | [`window::sliding`]: the same of any aggregate | the events of the widest window | O(log n) and the aggregate's, in corrections late rows all later ones | latest, final, corrections |
//! | [`window::at`]: these and the windows below as of the moments of labels | the events that a label to come may read, and what waits or may change | O(1), further back O(n); the aggregate's; of n last rows n, of a session or overlapping windows its rows; where all rows count a late one all later labels | final, corrections, as known, as known by arrival |
//! | [`window::grouped`]: tumbling, hopping, calendar, lifetime | one aggregate state per group; in `latest` for ever, unless `kept_for` is called | O(1) and the aggregate's per window that holds the row | latest, final |
//! | [`window::session`] | the rows and aggregates of open sessions | O(1) and the aggregate's, a retraction its session's rows | latest, final |
//! | [`window::last_rows`] | n rows per key, and what the watermark has not passed | O(log n) and the aggregate's, late rows n of them | latest, final, corrections |
//! | [`window::decayed`] | two sums per half-life that is open, and rows that the watermark has not passed | O(half-lives that are open), in corrections late rows all later ones | latest, final, corrections |
//! | [`join::lookup`] | the dimension | O(1) | |
//! | [`join::asof`]: backward, forward, nearest, tolerance; a dimension's history | backward: the newest feature per key, and rows above the watermark; else what may still match | backward O(1), late rows O(log n); else O(log n), late rows a move | latest, final |
//! | [`join::interval`]: pairs near in time, or in one window; inner, left | rows that may still match | O(log n) and the pairs | latest, final |
//! | [`join::unbounded`]: inner, left, full, semi, anti | both sides | O(log n) and the pairs | latest |
//! | [`join::differential`] | differential's arrangements | O(log n) and up | |
//! | [`graph`]: edges, degrees, components, triangles, spread, nearest labels, flagged nodes | the graph; of components (under `flagged_connected` as well) and triangles on one worker | degrees O(1), triangles the lesser degree, others what hangs on the edge: by feature in [`graph`] | latest |
//! | [`drift`] | histograms by window, segment and feature | O(1) | latest, final |
//! | [`transform`]: scaling, imputation, encodings, buckets | what it is fitted to | O(1) applied; fitting O(1) to O(log d): by transform in [`transform`] | latest, final, frozen |
//! | [`aggregate`], and its [`laws`](aggregate::laws) for one of your own | 8 to 300 B, the distinct values, or the rows | O(1) to O(log d): by aggregate in [`aggregate`] | |
//!
//! Of groups and sessions, `latest` is the table that `corrections` would be: late rows and retractions repair it.
//!
//! [`key_by`] gives a table its key and its event time, [`upserts`] are new rows alone for stores that replace, [`value`]
//! holds the exact numbers, [`array`](mod@array) arrays of any length that serde takes.

pub mod aggregate;
pub mod array;
pub mod drift;
pub mod graph;
pub mod join;
pub mod key_by;
pub mod table_ops;
pub mod transform;
pub mod upserts;
pub mod value;
pub mod window;

mod codec;
#[cfg(test)]
mod laws;
