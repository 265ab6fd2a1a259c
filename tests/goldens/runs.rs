//! The ways in which a job is run: order, workers, epochs.

use std::fmt;
use std::path::Path;

use examples::places::Places;
use thalweg::prelude::*;

/// Rows of an epoch: many small ones, the engine's own choice, and nearly everything at once.
const EPOCH_ROWS: [usize; 3] = [1_000, 65_536, 1_000_000];

const WORKERS: [usize; 4] = [1, 2, 3, 4];

/// The seed of the shuffled runs.
const SEED: u64 = 42;

/// One way to run a job.
pub(crate) struct Run {
    pub(crate) shuffle: Option<u64>,
    pub(crate) workers: usize,
    pub(crate) epoch_rows: usize,
}

impl Run {
    /// Runs the job over `data` into `out`.
    pub(crate) fn run(&self, job: fn(Places) -> Job, data: &Path, out: &Path) -> Report {
        let places = Places {
            data: data.to_owned(),
            out: out.to_owned(),
            shuffle: self.shuffle,
            online: None,
        };
        let config = Config::workers(self.workers).and_then(|c| c.epoch_rows(self.epoch_rows));
        let ran = config.and_then(|config| job(places).run(config));
        ran.unwrap_or_else(|error| panic!("{self}: {error}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = self.shuffle.map_or("in order of arrival", |_| "shuffled");
        let (workers, epoch_rows) = (self.workers, self.epoch_rows);
        write!(
            f,
            "{order}, {workers} worker(s), {epoch_rows} rows an epoch"
        )
    }
}

/// All 24 ways.
pub(crate) fn all() -> Vec<Run> {
    let orders = [None, Some(SEED)];
    let sized = |shuffle, workers| {
        EPOCH_ROWS.map(|epoch_rows| Run {
            shuffle,
            workers,
            epoch_rows,
        })
    };
    orders
        .iter()
        .flat_map(|order| WORKERS.map(|workers| sized(*order, workers)))
        .flatten()
        .collect()
}

/// Eight ways that meet every order with every number of workers, and every order with every size.
pub(crate) fn covering() -> Vec<Run> {
    let ways = WORKERS.iter().enumerate().flat_map(|(n, workers)| {
        [(None, n + 1), (Some(SEED), n)].map(|(shuffle, size)| Run {
            shuffle,
            workers: *workers,
            epoch_rows: EPOCH_ROWS[size % EPOCH_ROWS.len()],
        })
    });
    ways.collect()
}

/// The names of the files in a folder, hidden ones included, sorted.
pub(crate) fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
