//! A file that is seen whole or not at all: written under a staging name, synced, renamed, its folder synced.
//!
//! ```text
//! .events.parquet.staging ──(fsync)──(rename)──▶ events.parquet ──(fsync of the folder)
//!         └─(dropped unpublished)─▶ removed
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use thalweg_engine::sink::SinkError;

/// One file on its way; removed when dropped before it was published.
pub(crate) struct StagedFile {
    target: PathBuf,
    staging: PathBuf,
    file: File,
    published: bool,
}

impl StagedFile {
    /// Begins the file that shall stand at `target`; makes its folder. What a killed run left is overwritten.
    ///
    /// # Errors
    /// [`SinkError::Wrong`] when another writer is at it or `target` is a folder, [`SinkError::Failed`] when the
    /// folder cannot be written to.
    pub(crate) fn create(target: &Path) -> Result<Self, SinkError> {
        let name = target
            .file_name()
            .filter(|_| !target.is_dir())
            .ok_or_else(|| {
                SinkError::Wrong(format!(
                    "cannot write a file at {}: it is a folder; add the file's name",
                    target.display()
                ))
            })?;
        let folder = folder_of(target);
        fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
        let staging = folder.join(format!(".{}.staging", name.to_string_lossy()));
        let file = claim(&staging)?;
        let staged = Self {
            target: target.to_owned(),
            staging,
            file,
            published: false,
        };
        staged
            .file
            .set_len(0)
            .map_err(|error| unwritten(target, &error))?;
        Ok(staged)
    }

    /// A handle to write with.
    ///
    /// # Errors
    /// [`SinkError::Failed`] when the system gives no further handle.
    pub(crate) fn file(&self) -> Result<File, SinkError> {
        self.file
            .try_clone()
            .map_err(|error| unwritten(&self.target, &error))
    }

    /// Makes what was written the file at its target, whole and lasting. A second call does nothing.
    ///
    /// # Errors
    /// [`SinkError::Failed`] when the target is as it was; [`SinkError::Unknown`] when it is there, but may not
    /// outlast a power cut.
    pub(crate) fn publish(&mut self) -> Result<(), SinkError> {
        if self.published {
            return Ok(());
        }
        self.file
            .sync_all()
            .map_err(|error| unwritten(&self.target, &error))?;
        fs::rename(&self.staging, &self.target).map_err(|error| unwritten(&self.target, &error))?;
        self.published = true;
        sync_folder(folder_of(&self.target))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.published {
            // Nothing more can be done about it here; the next run overwrites what stays.
            let _ = fs::remove_file(&self.staging);
        }
    }
}

/// Opens `path` for writing and locks it against other writers, for as long as the file is open.
///
/// # Errors
/// [`SinkError::Wrong`] when somebody holds it, [`SinkError::Failed`] when it cannot be made.
pub(crate) fn claim(path: &Path) -> Result<File, SinkError> {
    let options = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .to_owned();
    let file = options
        .open(path)
        .map_err(|error| unwritten(path, &error))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(SinkError::Wrong(format!(
            "cannot write {}: another writer is at it; let it end, or write elsewhere",
            path.display()
        ))),
        // A file system without locks: go on without.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// Makes the names in `folder` outlast a power cut.
///
/// # Errors
/// [`SinkError::Unknown`]: the names are there, but may be lost.
pub(crate) fn sync_folder(folder: &Path) -> Result<(), SinkError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| {
        SinkError::Unknown(format!(
            "cannot sync the folder {}: {error}; what was published is there, but may not outlast \
             a power cut",
            folder.display()
        ))
    })
}

/// The folder that `path` stands in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A write that did not happen, with what may help.
pub(crate) fn unwritten(path: &Path, error: &io::Error) -> SinkError {
    let advice = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free some space first",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; allow this user to write there, or write elsewhere"
        }
        _ => "",
    };
    SinkError::Failed(format!(
        "cannot write {}: {error}; this file was not published, and what stood there stays{advice}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn the_target_is_untouched_until_published_and_then_whole() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("deep/er/file.txt");
        let mut staged = StagedFile::create(&target).unwrap();
        staged.file().unwrap().write_all(b"whole").unwrap();
        assert!(!target.exists());
        staged.publish().unwrap();
        staged.publish().unwrap();
        drop(staged);
        assert_eq!(fs::read(&target).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder_of(&target)).unwrap().count(), 1);
    }

    #[test]
    fn dropped_unpublished_it_leaves_what_was_there_before() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("file.txt");
        fs::write(&target, "before").unwrap();
        let staged = StagedFile::create(&target).unwrap();
        staged.file().unwrap().write_all(b"half").unwrap();
        drop(staged);
        assert_eq!(fs::read(&target).unwrap(), b"before");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_run_left_is_overwritten_but_a_live_writer_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("file.txt");
        fs::write(dir.path().join(".file.txt.staging"), "a long left-over").unwrap();
        let mut staged = StagedFile::create(&target).unwrap();
        let second = StagedFile::create(&target).err().unwrap();
        assert!(matches!(&second, SinkError::Wrong(text) if text.contains("another writer")));
        staged.file().unwrap().write_all(b"new").unwrap();
        staged.publish().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let failed = StagedFile::create(&dir.path().join("file/x.txt"))
            .err()
            .unwrap()
            .to_string();
        assert!(
            failed.contains("/file: ") && failed.contains("this file was not published"),
            "{failed}"
        );
        assert!(matches!(
            StagedFile::create(dir.path()),
            Err(SinkError::Wrong(_))
        ));
    }
}
