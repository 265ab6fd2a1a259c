//! A growing table as a folder of Parquet parts, one folder a day: what other tools read as a dataset.
//!
//! ```text
//! dir/_staging/worker-0/part-00001-000-00001.parquet            while the job runs
//!     ──(finish: fsync, rename)──▶ dir/date=2024-02-29/part-00001-000-00001.parquet
//!                                                           run ─┘    │     └─ part of this worker
//!                                                              worker ┘
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;

use thalweg_engine::sink::{Sink, SinkError, SinkPlace, Writer};
use thalweg_engine::time::{Epoch, EventTime};
use thalweg_engine::update::{Data, Updates};

use crate::files::net_file::{Encoder, WriteError};
use crate::files::parquet_parts::{Existing, Staging, published, run_number};
use crate::files::parquet_write::ParquetWriter;
use crate::files::schema::{self, Field};
use crate::files::staged::unwritten;
use crate::files::{encode, moment};

/// Rows of a part unless told otherwise.
const PART_ROWS: usize = 1_000_000;

/// Days that are written to at once; beyond, the one that waited longest is closed. Bounds files and memory.
const OPEN_DAYS_MAX: usize = 32;

/// A day of 24 hours, in µs.
const DAY_US: i64 = 86_400_000_000;

/// The hive column that the folders make.
const DATE: &str = "date";

type EventTimeOf<T> = Arc<dyn Fn(&T) -> EventTime + Send + Sync>;

/// Appends rows to a folder of Parquet parts, a folder `date=YYYY-MM-DD` (UTC) for each day if wanted.
///
/// Each worker writes parts of its own under `_staging` and publishes them by rename at the end of the job: parts
/// become visible only then. A run that fails leaves nothing of its worker's; what a killed one left in `_staging` is
/// removed by the next. Memory is bounded by 32 open days with a row group each, whatever the table's size.
///
/// A folder that already holds parts is refused, unless [`append`](Self::append) or [`replace`](Self::replace) says
/// what shall become of them.
///
/// # Errors
/// Append-only: a row that is taken back fails the job. Write such a table with `ParquetFile`, or `final` rows here.
pub struct ParquetDir<T> {
    dir: PathBuf,
    event_time: Option<EventTimeOf<T>>,
    existing: Existing,
    part_rows: usize,
}

impl<T> Clone for ParquetDir<T> {
    fn clone(&self) -> Self {
        Self {
            dir: self.dir.clone(),
            event_time: self.event_time.clone(),
            ..*self
        }
    }
}

impl<T: Data> ParquetDir<T> {
    /// The folder at `dir`, which is made if need be.
    #[must_use]
    pub fn create(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            event_time: None,
            existing: Existing::Refuse,
            part_rows: PART_ROWS,
        }
    }

    /// A folder for each day (UTC) of the rows' event time, µs since 1970.
    #[must_use]
    pub fn by_date(mut self, event_time: impl Fn(&T) -> EventTime + Send + Sync + 'static) -> Self {
        self.event_time = Some(Arc::new(event_time));
        self
    }

    /// Parts of earlier runs stay, new ones are added.
    #[must_use]
    pub fn append(mut self) -> Self {
        self.existing = Existing::Append;
        self
    }

    /// Parts of earlier runs are removed when this one has published its own. With several workers a reader may
    /// see some of both for a moment.
    #[must_use]
    pub fn replace(mut self) -> Self {
        self.existing = Existing::Replace;
        self
    }

    /// A new part begins after so many rows, at least 1; 1,000,000 unless told otherwise.
    #[must_use]
    pub fn part_rows(mut self, rows: usize) -> Self {
        self.part_rows = rows.max(1);
        self
    }

    fn fields(&self) -> Result<Vec<Field>, SinkError> {
        let wrong = |why| SinkError::Wrong(format!("cannot write {}: {why}", self.dir.display()));
        let fields = schema::trace_flat::<T>().map_err(wrong)?;
        if self.event_time.is_some() && fields.iter().any(|field| field.name == DATE) {
            return Err(wrong(format!(
                "`{}` has a field `{DATE}`, which is the name of the folders' column; rename it",
                std::any::type_name::<T>()
            )));
        }
        Ok(fields)
    }
}

impl<T: Data> Sink<T> for ParquetDir<T> {
    fn open(&self, place: SinkPlace) -> Result<Box<dyn Writer<T>>, SinkError> {
        let fields = self.fields()?;
        let earlier = published(&self.dir)?;
        self.existing.check(&self.dir, &earlier)?;
        let staging = Staging::create(&self.dir, &place)?;
        Ok(Box::new(DirWriter {
            run: run_number(&earlier),
            earlier,
            worker: place.worker,
            spec: self.clone(),
            fields,
            staging,
            open: BTreeMap::new(),
            parts: 0,
            writes: 0,
        }))
    }
}

struct DirWriter<T> {
    spec: ParquetDir<T>,
    fields: Vec<Field>,
    worker: usize,
    /// The number of this run, above those of the parts that were there.
    run: u64,
    earlier: Vec<PathBuf>,
    staging: Staging,
    /// The part that is being written, per day since 1970.
    open: BTreeMap<i64, Part>,
    parts: u64,
    writes: u64,
}

struct Part {
    rows: ParquetWriter,
    file: File,
    staged: PathBuf,
    target: PathBuf,
    rows_len: usize,
    /// The write that last touched it.
    touched: u64,
}

impl<T: Data> DirWriter<T> {
    fn failed(&self, error: &WriteError) -> SinkError {
        error.at(&self.spec.dir)
    }

    fn add(&mut self, row: &T) -> Result<(), SinkError> {
        let at = self
            .spec
            .event_time
            .as_ref()
            .map(|event_time| event_time(row));
        let day = at.map_or(0, |at| at.div_euclid(DAY_US));
        if !self.open.contains_key(&day) {
            self.make_room()?;
            let part = self.begin(at, row)?;
            self.open.insert(day, part);
        }
        let Some(part) = self.open.get_mut(&day) else {
            return Ok(());
        };
        part.touched = self.writes;
        part.rows_len += 1;
        let full = part.rows_len >= self.spec.part_rows;
        let added = part.rows.push(row);
        added.map_err(|error| self.failed(&error))?;
        if full { self.close(day) } else { Ok(()) }
    }

    fn begin(&mut self, at: Option<EventTime>, row: &T) -> Result<Part, SinkError> {
        let folder = match at {
            None => self.spec.dir.clone(),
            Some(at) => {
                let date = moment::date(at).ok_or_else(|| {
                    SinkError::Failed(format!(
                        "cannot write {}: the event time {at} µs of the row {} lies beyond the \
                         calendar; no part of this folder was published, and what stood there stays; is it \
                         really in µs?",
                        self.spec.dir.display(),
                        encode::describe(row)
                    ))
                })?;
                self.spec.dir.join(format!("{DATE}={date}"))
            }
        };
        self.parts += 1;
        let name = format!(
            "part-{:05}-{:03}-{:05}.parquet",
            self.run, self.worker, self.parts
        );
        let staged = self.staging.path().join(&name);
        let file = File::create(&staged).map_err(|error| unwritten(&staged, &error))?;
        let handle = file
            .try_clone()
            .map_err(|error| unwritten(&staged, &error))?;
        let rows =
            ParquetWriter::begin(handle, &self.fields).map_err(|error| self.failed(&error))?;
        Ok(Part {
            rows,
            file,
            staged,
            target: folder.join(name),
            rows_len: 0,
            touched: 0,
        })
    }

    fn make_room(&mut self) -> Result<(), SinkError> {
        while self.open.len() >= OPEN_DAYS_MAX {
            let longest = self.open.iter().min_by_key(|(_, part)| part.touched);
            let Some(day) = longest.map(|(day, _)| *day) else {
                break;
            };
            self.close(day)?;
        }
        Ok(())
    }

    fn close(&mut self, day: i64) -> Result<(), SinkError> {
        let Some(part) = self.open.remove(&day) else {
            return Ok(());
        };
        part.rows.close().map_err(|error| self.failed(&error))?;
        part.file
            .sync_all()
            .map_err(|error| unwritten(&part.staged, &error))?;
        self.staging.ready(part.staged, part.target);
        Ok(())
    }
}

impl<T: Data> Writer<T> for DirWriter<T> {
    fn write(&mut self, _epoch: Epoch, rows: Updates<T>) -> Result<(), SinkError> {
        self.writes += 1;
        for (row, _, diff) in &rows {
            if *diff < 0 {
                return Err(SinkError::Failed(format!(
                    "cannot append to {}: the row {} is taken back (diff {diff}), but parts are \
                     append-only; no part of this folder was published, and what stood there stays; write \
                     the table in `final` mode, or to a ParquetFile",
                    self.spec.dir.display(),
                    encode::describe(row)
                )));
            }
            for _ in 0..*diff {
                self.add(row)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        let days: Vec<i64> = self.open.keys().copied().collect();
        days.into_iter().try_for_each(|day| self.close(day))?;
        self.staging.publish()?;
        if self.spec.existing == Existing::Replace {
            remove_earlier(&self.earlier)?;
        }
        Ok(())
    }
}

/// Removes the parts of earlier runs; another worker may have been faster.
fn remove_earlier(parts: &[PathBuf]) -> Result<(), SinkError> {
    for part in parts {
        match fs::remove_file(part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(SinkError::Unknown(format!(
                    "the new parts are published, but the earlier part {} cannot be removed: \
                     {error}; remove it by hand, for its rows count twice now",
                    part.display()
                )));
            }
            _ => {}
        }
        // A day without parts is no day of the table.
        let _ = part.parent().map(fs::remove_dir);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Files;
    use crate::files::testing::{Trade, once, read_all, trade, tree, write_all};
    use thalweg_engine::time::Timestamp;

    fn on_day(id: u64, day: i64) -> Trade {
        Trade {
            at: Timestamp(day * DAY_US),
            ..trade(id)
        }
    }

    fn dated(dir: &std::path::Path) -> ParquetDir<Trade> {
        ParquetDir::create(dir).by_date(|row: &Trade| row.at.0)
    }

    fn ids(dir: &std::path::Path) -> Vec<u64> {
        let files = Files::glob(format!("{}/**/*.parquet", dir.display()));
        let (rows, dead) = read_all(&files.parquet::<Trade>()).unwrap();
        assert_eq!(dead, []);
        let mut ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn rows_lie_in_the_folder_of_their_day() {
        let dir = tempfile::tempdir().unwrap();
        let rows = vec![(on_day(1, 0), 1), (on_day(2, -1), 2), (on_day(3, 0), 1)];
        write_all(&dated(dir.path()), rows).unwrap();
        let expected = [
            "date=1969-12-31",
            "date=1969-12-31/part-00001-000-00002.parquet",
            "date=1970-01-01",
            "date=1970-01-01/part-00001-000-00001.parquet",
        ];
        assert_eq!(tree(dir.path()), expected);
        assert_eq!(ids(dir.path()), [1, 2, 2, 3]);
    }

    #[test]
    fn parts_roll_and_days_close_without_losing_a_row() {
        let dir = tempfile::tempdir().unwrap();
        let rows: Vec<_> = (0..200)
            .map(|id| on_day(id, i64::try_from(id % 37).unwrap()))
            .collect();
        write_all(&dated(dir.path()).part_rows(3), once(&rows)).unwrap();
        assert_eq!(ids(dir.path()), (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn workers_and_runs_do_not_collide() {
        let dir = tempfile::tempdir().unwrap();
        for run in 0..2 {
            let sink = ParquetDir::create(dir.path()).append();
            let mut writers: Vec<_> = (0..3)
                .map(|worker| {
                    sink.open(SinkPlace {
                        worker,
                        workers: 3,
                        ..SinkPlace::alone()
                    })
                    .unwrap()
                })
                .collect();
            for (id, writer) in (run * 3..).zip(&mut writers) {
                writer.write(1, vec![(trade(id), 1, 1)].into()).unwrap();
            }
            for mut writer in writers {
                writer.finish().unwrap();
            }
        }
        assert_eq!(ids(dir.path()), [0, 1, 2, 3, 4, 5]);
        assert_eq!(tree(dir.path()).len(), 6, "no staging folder stays");
    }

    #[test]
    fn a_folder_that_holds_parts_is_refused_unless_told_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        write_all(&dated(dir.path()), once(&[on_day(1, 0)])).unwrap();
        let refused = write_all(&dated(dir.path()), once(&[on_day(2, 0)])).unwrap_err();
        assert!(matches!(&refused, SinkError::Wrong(text)
            if text.contains(".append()") && text.contains(".replace()")));
        assert_eq!(ids(dir.path()), [1]);
        write_all(&dated(dir.path()).append(), once(&[on_day(2, 1)])).unwrap();
        assert_eq!(ids(dir.path()), [1, 2]);
        write_all(&dated(dir.path()).replace(), once(&[on_day(3, 2)])).unwrap();
        assert_eq!(ids(dir.path()), [3]);
        assert_eq!(
            tree(dir.path()),
            [
                "date=1970-01-03",
                "date=1970-01-03/part-00003-000-00001.parquet"
            ]
        );
    }

    #[test]
    fn a_foreign_file_is_never_removed() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("data_0.parquet"), "").unwrap();
        let refused = dated(dir.path())
            .replace()
            .open(SinkPlace::alone())
            .err()
            .unwrap()
            .to_string();
        assert!(refused.contains("data_0.parquet"), "{refused}");
    }

    #[test]
    fn nothing_is_seen_before_the_end_and_nothing_stays_of_a_failed_run() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = dated(dir.path()).open(SinkPlace::alone()).unwrap();
        writer.write(1, vec![(on_day(1, 0), 1, 1)].into()).unwrap();
        assert!(published(dir.path()).unwrap().is_empty());
        assert!(
            dir.path()
                .join("_staging/worker-0/part-00001-000-00001.parquet")
                .exists()
        );
        drop(writer);
        assert_eq!(tree(dir.path()), [""; 0]);
    }

    #[test]
    fn staging_of_a_killed_run_is_cleaned_but_not_that_of_a_live_one() {
        let dir = tempfile::tempdir().unwrap();
        for left in [
            "worker-0/part-00001-000-00001.parquet",
            "worker-5/x",
            "theirs/keep",
        ] {
            let left = dir.path().join("_staging").join(left);
            fs::create_dir_all(left.parent().unwrap()).unwrap();
            fs::write(left, "half").unwrap();
        }
        let writer = dated(dir.path()).open(SinkPlace::alone()).unwrap();
        let left = [
            "_staging",
            "_staging/theirs",
            "_staging/theirs/keep",
            "_staging/worker-0",
            "_staging/worker-0/lock",
        ];
        assert_eq!(tree(dir.path()), left);
        let second = dated(dir.path())
            .open(SinkPlace::alone())
            .err()
            .unwrap()
            .to_string();
        assert!(second.contains("another writer"), "{second}");
        drop(writer);
        assert!(dated(dir.path()).open(SinkPlace::alone()).is_ok());
    }

    #[test]
    fn a_row_taken_back_is_an_error_that_names_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let updates = vec![(on_day(1, 0), 1), (on_day(1, 0), -1)];
        let failed = write_all(&dated(dir.path()), updates)
            .unwrap_err()
            .to_string();
        assert!(
            failed.contains("`final`") && failed.contains("\"id\":1,"),
            "{failed}"
        );
        assert_eq!(tree(dir.path()), [""; 0]);
    }

    #[test]
    fn a_publication_that_fails_halfway_is_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = dated(dir.path()).open(SinkPlace::alone()).unwrap();
        writer
            .write(1, vec![(on_day(1, 0), 1, 1), (on_day(2, 1), 1, 1)].into())
            .unwrap();
        fs::write(dir.path().join("date=1970-01-02"), "in the way").unwrap();
        let failed = writer.finish().unwrap_err();
        assert!(
            matches!(&failed, SinkError::Failed(text) if text.contains("this file was not published"))
        );
        drop(writer);
        assert_eq!(tree(dir.path()), ["date=1970-01-02"]);
    }

    #[derive(Clone, serde::Serialize, serde::Deserialize)]
    struct Dated {
        date: i64,
    }

    #[test]
    fn a_field_that_the_folders_would_shadow_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let sink = ParquetDir::create(dir.path()).by_date(|row: &Dated| row.date);
        assert!(matches!(
            sink.open(SinkPlace::alone()),
            Err(SinkError::Wrong(_))
        ));
    }
}
