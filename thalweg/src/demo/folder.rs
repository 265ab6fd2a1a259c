//! The demo's folder: made, marked and held while it runs, and refused where it is somebody else's.
//!
//! ```text
//! thalweg-demo/
//!   thalweg-demo.txt                  the mark: says what lies here
//!   online.redb                       the online store, view `spend`
//!   offline/spend/date=…/*.parquet    a row per payment, with its user's spending just then
//!   offline/hourly/*.parquet          a row per hour and country
//!   drift.jsonl  baselines.json       a row per hour, judged against what a model was trained on
//!   late.jsonl  dead.jsonl            what came too late, what could not be decoded
//! ```

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::store::Place;

/// The file that marks a folder as the demo's.
const MARK: &str = "thalweg-demo.txt";

/// What the mark says of an online store that does not lie in the folder; its address follows.
const ELSEWHERE: &str = "online store at ";

const MARK_HEAD: &str =
    "Written by `thalweg demo`. The next demo in this folder replaces all of it.";

const MARK_FILES: &str = "\
offline/spend/date=*/*.parquet    a row per payment, with its user's spending just then
offline/hourly/*.parquet          a row per hour and country
drift.jsonl                       a row per hour: how far the amounts have moved
baselines.json                    what they have moved from
late.jsonl                        payments that came too late to be counted
dead.jsonl                        records that could not be decoded
";

/// The mark of a demo with this online store.
fn mark_text(online: &Place) -> String {
    let online = match online {
        Place::Embedded => {
            "online.redb                       the online store, view `spend`: thalweg get spend 1 --dir ."
                .to_owned()
        }
        Place::Redis(_) => format!("{ELSEWHERE}{online} for an hour, view `spend`: thalweg get spend 1 --store {online}"),
    };
    format!("{MARK_HEAD}\n\n{online}\n{MARK_FILES}")
}

/// The address, without its password, of the online store that the demo in `dir` wrote to, if it is not in `dir`.
pub(crate) fn online_elsewhere(dir: &Path) -> Option<String> {
    let text = fs::read_to_string(dir.join(MARK)).ok()?;
    let said = text.lines().find_map(|line| line.strip_prefix(ELSEWHERE))?;
    Some(said.split_whitespace().next()?.to_owned())
}

/// Where things lie in the folder.
#[derive(Clone, Debug)]
pub(super) struct Layout(PathBuf);

impl Layout {
    pub(super) fn of(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    pub(super) fn online(&self) -> PathBuf {
        self.0.join("online.redb")
    }

    pub(super) fn spend(&self) -> PathBuf {
        self.0.join("offline/spend")
    }

    pub(super) fn hourly(&self) -> PathBuf {
        self.0.join("offline/hourly")
    }

    pub(super) fn drift(&self) -> PathBuf {
        self.0.join("drift.jsonl")
    }

    pub(super) fn baselines(&self) -> PathBuf {
        self.0.join("baselines.json")
    }

    pub(super) fn late(&self) -> PathBuf {
        self.0.join("late.jsonl")
    }

    pub(super) fn dead(&self) -> PathBuf {
        self.0.join("dead.jsonl")
    }
}

/// Why the folder cannot be the demo's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// Something else lies there.
    #[error(
        "{} holds {found:?} and no {MARK}, so it is not a demo's folder; name an empty or a new one with --dir",
        dir.display()
    )]
    Foreign {
        /// The folder.
        dir: PathBuf,
        /// Something that lies there.
        found: String,
    },
    /// Another demo is running there.
    #[error("another demo is writing to {}; let it end, or name another folder with --dir", dir.display())]
    Busy {
        /// The folder.
        dir: PathBuf,
    },
    /// The system refused.
    #[error("cannot {attempt} {}: {source}", path.display())]
    System {
        /// What was attempted.
        attempt: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A folder that is ours until this is dropped.
#[derive(Debug)]
pub(super) struct Claimed {
    _mark: File,
}

/// Makes the folder, or takes an earlier demo's over, and removes that one's online store: its rows would outlive
/// those of a run with other payments.
pub(super) fn claim(dir: &Path, online: &Place) -> Result<Claimed, FolderError> {
    let failed = |attempt, path: &Path, source| FolderError::System {
        attempt,
        path: path.to_owned(),
        source,
    };
    fs::create_dir_all(dir).map_err(|error| failed("make the folder", dir, error))?;
    let mark = dir.join(MARK);
    if !mark.is_file() {
        refuse_foreign(dir).map_err(|error| failed("list", dir, error))??;
    }
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&mark);
    let mut file = file.map_err(|error| failed("write", &mark, error))?;
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(FolderError::Busy {
            dir: dir.to_owned(),
        });
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.write_all(mark_text(online).as_bytes()));
    written.map_err(|error| failed("write", &mark, error))?;
    let online = Layout::of(dir).online();
    match fs::remove_file(&online) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", &online, error))
        }
        _ => Ok(Claimed { _mark: file }),
    }
}

fn refuse_foreign(dir: &Path) -> io::Result<Result<(), FolderError>> {
    let mut entries: Vec<_> = fs::read_dir(dir)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries.first().map_or(Ok(()), |entry| {
        Err(FolderError::Foreign {
            dir: dir.to_owned(),
            found: entry.file_name().to_string_lossy().into_owned(),
        })
    }))
}

/// The bytes of all files under `path`; 0 where there is nothing.
pub(super) fn bytes_under(path: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(path) else {
        return path.metadata().map_or(0, |file| file.len());
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| bytes_under(&entry.path()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_an_empty_and_an_earlier_folder_are_taken_and_a_foreign_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let new = dir.path().join("a/b");
        drop(claim(&new, &Place::Embedded).unwrap());
        fs::write(new.join("online.redb"), "of an earlier run").unwrap();
        drop(claim(&new, &Place::Embedded).unwrap());
        assert!(!new.join("online.redb").exists());

        let refused = claim(dir.path(), &Place::Embedded).unwrap_err().to_string();
        assert!(
            refused.contains("\"a\"") && refused.contains("--dir"),
            "{refused}"
        );
        assert!(!dir.path().join(MARK).exists());
        assert!(new.join(MARK).exists());
    }

    #[test]
    fn two_demos_do_not_share_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let first = claim(dir.path(), &Place::Embedded).unwrap();
        assert!(matches!(
            claim(dir.path(), &Place::Embedded),
            Err(FolderError::Busy { .. })
        ));
        drop(first);
        drop(claim(dir.path(), &Place::Embedded).unwrap());
    }

    #[test]
    fn the_mark_tells_where_the_online_store_is_and_never_its_password() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(online_elsewhere(dir.path()), None);
        drop(claim(dir.path(), &Place::Embedded).unwrap());
        assert_eq!(online_elsewhere(dir.path()), None);
        let redis = Place::Redis("redis://:hunter2@127.0.0.1:7/1".into());
        drop(claim(dir.path(), &redis).unwrap());
        let address = online_elsewhere(dir.path()).unwrap();
        assert_eq!(address, redis.to_string());
        let mark = fs::read_to_string(dir.path().join(MARK)).unwrap();
        assert!(
            !mark.contains("hunter2") && mark.contains("drift.jsonl"),
            "{mark}"
        );
    }
}
