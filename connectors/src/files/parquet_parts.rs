//! The parts of a Parquet folder: which are published, and the staging folder of those that are not.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use thalweg_engine::sink::{SinkError, SinkPlace};

use crate::files::find::STAGING;
use crate::files::staged::{claim, folder_of, sync_folder, unwritten};

/// What becomes of parts that are already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Append,
    Replace,
}

impl Existing {
    /// Whether a run may begin beside these parts of `dir`.
    ///
    /// # Errors
    /// [`SinkError::Wrong`] when nothing was said about them, or a file would be replaced that is not ours.
    pub(crate) fn check(self, dir: &Path, earlier: &[PathBuf]) -> Result<(), SinkError> {
        match (self, earlier.first()) {
            (Self::Refuse, Some(part)) => Err(SinkError::Wrong(format!(
                "cannot write {}: it already holds {} Parquet file(s), such as {}; say .append() \
                 to add to them, .replace() to remove them at the end, or take another folder",
                dir.display(),
                earlier.len(),
                part.display()
            ))),
            (Self::Replace, Some(_)) => match earlier.iter().find(|part| run_of(part).is_none()) {
                Some(foreign) => Err(SinkError::Wrong(format!(
                    "cannot replace what is in {}: {} was not written by this sink; move it away, \
                     or take another folder",
                    dir.display(),
                    foreign.display()
                ))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// The Parquet files in `dir` and its `name=value` folders, sorted.
///
/// # Errors
/// [`SinkError::Failed`] when a folder cannot be listed.
pub(crate) fn published(dir: &Path) -> Result<Vec<PathBuf>, SinkError> {
    let mut parts = Vec::new();
    for path in entries(dir)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".parquet") {
            parts.push(path);
        } else if name.contains('=') && path.is_dir() {
            let inner = entries(&path)?.into_iter();
            parts.extend(inner.filter(|part| part.extension().is_some_and(|end| end == "parquet")));
        }
    }
    parts.sort();
    Ok(parts)
}

fn entries(dir: &Path) -> Result<Vec<PathBuf>, SinkError> {
    let listed = fs::read_dir(dir).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    match listed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|error| {
            SinkError::Failed(format!(
                "cannot list the folder {}: {error}; no part of it was published",
                dir.display()
            ))
        }),
    }
}

/// A number above those of all runs that published `parts`. Every worker opens before any publishes, so that all of
/// them agree.
pub(crate) fn run_number(parts: &[PathBuf]) -> u64 {
    parts
        .iter()
        .filter_map(|part| run_of(part))
        .max()
        .unwrap_or(0)
        + 1
}

/// The run that wrote a part, from `part-<run>-<worker>-<number>.parquet`.
fn run_of(part: &Path) -> Option<u64> {
    let name = part.file_name()?.to_str()?;
    name.strip_prefix("part-")?.split('-').next()?.parse().ok()
}

/// The folder of one worker's unpublished parts, `dir/_staging/worker-<number>`; removed when dropped.
pub(crate) struct Staging {
    dir: PathBuf,
    own: PathBuf,
    /// Parts that are whole and synced, and where they shall stand.
    ready: Vec<(PathBuf, PathBuf)>,
    /// Held so that no other job takes the folder for a killed one's.
    _lock: File,
}

/// The file in a staging folder that its writer holds.
const LOCK: &str = "lock";

impl Staging {
    /// Makes the folder, empty. What a killed run left is removed, by worker 0 also that of workers which are no more.
    ///
    /// # Errors
    /// [`SinkError::Wrong`] when another job writes there, [`SinkError::Failed`] when it cannot be written to.
    pub(crate) fn create(dir: &Path, place: &SinkPlace) -> Result<Self, SinkError> {
        let staging = dir.join(STAGING);
        let own = staging.join(format!("worker-{}", place.worker));
        fs::create_dir_all(&own).map_err(|error| unwritten(&own, &error))?;
        let lock = claim(&own.join(LOCK))?;
        for left in entries(&own)?.iter().filter(|left| !left.ends_with(LOCK)) {
            fs::remove_file(left).map_err(|error| unwritten(left, &error))?;
        }
        if place.worker == 0 {
            for other in entries(&staging)? {
                let name = other
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                let worker = name
                    .strip_prefix("worker-")
                    .and_then(|n| n.parse::<usize>().ok());
                if worker.is_some_and(|worker| worker >= place.workers)
                    && claim(&other.join(LOCK)).is_ok()
                {
                    fs::remove_dir_all(&other).map_err(|error| unwritten(&other, &error))?;
                }
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            own,
            ready: Vec::new(),
            _lock: lock,
        })
    }

    /// Where unpublished parts are written.
    pub(crate) fn path(&self) -> &Path {
        &self.own
    }

    /// Notes that the part at `staged` is whole and shall stand at `target`.
    pub(crate) fn ready(&mut self, staged: PathBuf, target: PathBuf) {
        self.ready.push((staged, target));
    }

    /// Moves every part that is ready to its place. If one cannot be moved, those before it are taken back.
    ///
    /// # Errors
    /// [`SinkError::Failed`] when nothing was published, [`SinkError::Unknown`] when some parts may have been.
    pub(crate) fn publish(&mut self) -> Result<(), SinkError> {
        let parts = std::mem::take(&mut self.ready);
        for (done, (staged, target)) in parts.iter().enumerate() {
            if let Err(error) = move_new(staged, target) {
                return Err(take_back(
                    parts.get(..done).unwrap_or_default(),
                    target,
                    &error,
                ));
            }
        }
        let mut folders: Vec<&Path> = parts.iter().map(|(_, target)| folder_of(target)).collect();
        folders.push(&self.dir);
        folders.dedup();
        folders.into_iter().try_for_each(sync_folder)
    }
}

/// Renames, but never over a file that is there.
fn move_new(staged: &Path, target: &Path) -> io::Result<()> {
    fs::create_dir_all(folder_of(target))?;
    if target.exists() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "a part of that name is already there, from another job on this folder",
        ));
    }
    fs::rename(staged, target)
}

fn take_back(moved: &[(PathBuf, PathBuf)], target: &Path, error: &io::Error) -> SinkError {
    for (_, published) in moved {
        if let Err(stuck) = fs::remove_file(published) {
            return SinkError::Unknown(format!(
                "cannot write {}: {error}; and the part {}, published before it, cannot be taken \
                 back: {stuck}; remove it by hand",
                target.display(),
                published.display()
            ));
        }
        let _ = fs::remove_dir(folder_of(published));
    }
    unwritten(target, error)
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nothing more can be done about failures here; the next run cleans up. The outer folder goes with the
        // last worker's.
        let _ = fs::remove_dir_all(&self.own);
        let _ = fs::remove_dir(self.dir.join(STAGING));
    }
}
