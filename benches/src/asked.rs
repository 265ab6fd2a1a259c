//! What is asked of the workloads: speeds, ratios to the loop by hand, bytes of state; of their scaling; of latency.

/// Of the wall throughput of one worker, what two make at least.
pub const TWO_WORKERS: f64 = 1.8;
/// Of the throughput at 1 M keys, what is left at 10 M at least.
pub const TEN_TIMES_THE_KEYS: f64 = 0.8;
/// Of the throughput over 7 d, what is left over 14 d at least: an event costs what it costs with half the history.
pub const TWICE_THE_HISTORY: f64 = 0.95;
/// Of the cost of a deletion among 1 M edges, what one costs among 4 M at most. A deletion costs by what it changes; by the
/// size of the graph it would cost four times. Both graphs are beyond the caches, so that what a larger one misses there
/// says little.
pub const FOUR_TIMES_THE_EDGES: f64 = 2.0;
/// Of 100 answers, 99 are written within so many milliseconds, at 100,000 rows a second and epochs of 10 ms. Where all are
/// open for so long it is asked from the row and from their last row on, though the first waits 10 ms for the end.
pub const LATENCY_P99_MS: f64 = 10.0;

/// What is asked of a workload at one size.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// At least so many million events per CPU-second.
    pub mev_per_cpu_s: Option<f64>,
    /// At least so much of what the loop by hand makes.
    pub ratio: Option<f64>,
    /// At least so much of what another workload makes in the same run.
    pub of: Option<(&'static str, f64)>,
    /// At most so many bytes of state per event held.
    pub bytes_per_event: Option<f64>,
    /// At most so many bytes of state per key held.
    pub bytes_per_key: Option<f64>,
}

/// Name, million events per CPU-second at the small and the large size, ratio to the loop at both.
type Row = (&'static str, [f64; 2], Option<f64>);

const ROWS: [Row; 14] = [
    ("rolling_latest", [3.8, 2.8], Some(0.9)),
    ("rolling_upsert", [5.0, 4.0], None),
    ("rolling_final", [3.7, 3.3], Some(0.95)),
    ("rolling_corrections", [2.5, 2.5], None),
    ("tumbling", [35.0, 35.0], Some(0.55)),
    ("hopping", [8.0, 8.0], None),
    ("session", [8.0, 8.0], None),
    ("dimension_asof", [6.0, 6.0], Some(0.45)),
    ("asof", [15.0, 13.0], Some(0.55)),
    ("point_in_time", [3.0, 3.0], None),
    ("lookup", [25.0, 25.0], Some(0.5)),
    ("drift_1", [40.0, 40.0], Some(0.5)),
    ("drift_10", [80.0, 80.0], Some(0.5)),
    ("components_insert", [1.0, 1.0], None),
];

/// What is asked of a workload at a size; nothing of most.
#[must_use]
pub fn asked(workload: &str, size: &str) -> Asked {
    let row = ROWS.iter().find(|row| row.0 == workload);
    let place = match size {
        "small" => Some(0),
        "large" => Some(1),
        _ => None,
    };
    let mut asked = Asked::default();
    if let (Some((_, rates, ratio)), Some(place)) = (row, place) {
        asked.mev_per_cpu_s = Some(rates[place]);
        asked.ratio = *ratio;
    }
    match workload {
        "rolling_latest" | "rolling_latest_expiring" => {
            asked.bytes_per_event = Some(48.0);
            asked.bytes_per_key = Some(300.0);
        }
        "rolling_compact" => asked.bytes_per_key = Some(160.0),
        "rolling_latest_doubled_history" => {
            asked.of = Some(("rolling_latest", TWICE_THE_HISTORY));
        }
        "rolling_hot_key" | "rolling_zipf" => asked.of = Some(("rolling_latest", 0.5)),
        _ => {}
    }
    asked
}

/// Whether what is asked is reached, in words.
#[must_use]
pub fn reached(is_reached: bool) -> &'static str {
    if is_reached { "reached" } else { "not reached" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graph, jobs};

    #[test]
    fn nothing_is_asked_of_a_workload_that_is_not_there() {
        let over_rows = jobs::all().into_iter().map(|workload| workload.name);
        let over_graphs = graph::all().into_iter().map(|workload| workload.name);
        let names: Vec<_> = over_rows.chain(over_graphs).collect();
        for (name, ..) in ROWS {
            assert!(names.contains(&name), "{name}");
        }
    }

    #[test]
    fn sizes_have_figures_of_their_own() {
        assert_eq!(asked("asof", "small").mev_per_cpu_s, Some(15.0));
        assert_eq!(asked("asof", "large").mev_per_cpu_s, Some(13.0));
        assert_eq!(asked("asof", "huge").mev_per_cpu_s, None);
        assert_eq!(asked("pass", "small").ratio, None);
    }
}
