//! The staging folder: `<series key>/<name>` for files of series, `other/<name>` for other files. [`StagedFile`] describes
//! the names.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::stop::{ReadError, Stop};
pub use crate::archive::fill;
use crate::monitor::Monitor;
use crate::notation::{Hash, hexadecimal};

/// Bytes of a stream that are read and hashed at a time; the monitor is checked between blocks.
const BLOCK: usize = 1 << 20;
/// The same number, as an offset for seeking.
const BLOCK_STEP: i64 = 1 << 20;

/// A folder of staging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StagingDir {
    /// For one series: the start of a hash over StudyInstanceUID, SeriesInstanceUID and SeriesNumber.
    Series([u8; 8]),
    /// For all other files.
    Other,
}

/// A file in staging. Its name is the number of the member in its packet or archive, after the numbers of the
/// archives that contain it: `12.3` is member 3 of the archive that is member 12. With several packets, the index of
/// the packet precedes it: `0-12.3`. An intermediate file has the name of its member with `+` at the end: `12.3+`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedFile {
    /// The folder.
    pub dir: StagingDir,
    /// The file's name.
    pub name: Box<str>,
}

/// Length and checksums of a stream that was read to its end.
#[derive(Debug, Clone, Copy)]
pub struct Checksums {
    /// Number of bytes.
    pub size: u64,
    /// Their SHA-256.
    pub sha256: Hash,
    /// Their CRC-32.
    pub crc: u32,
}

/// The folder of one reading.
#[derive(Debug)]
pub struct Staging {
    root: PathBuf,
    /// The folders that exist already.
    created_dirs: Mutex<HashSet<StagingDir>>,
}

impl Staging {
    /// Returns the staging in the folder `root`, which is created if it is missing.
    pub fn open(root: &Path) -> Result<Self, Stop> {
        fs::create_dir_all(root).map_err(|error| Stop::io(root, error))?;
        Ok(Self {
            root: root.to_owned(),
            created_dirs: Mutex::new(HashSet::new()),
        })
    }

    fn folder(&self, dir: StagingDir) -> PathBuf {
        match dir {
            StagingDir::Series(key) => self.root.join(hexadecimal(&key)),
            StagingDir::Other => self.root.join("other"),
        }
    }

    /// Returns the staging folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the free space in bytes; None if the file system does not report it.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        let status = rustix::fs::statvfs(&self.root).ok()?;
        (status.f_blocks > 0).then(|| status.f_bavail.saturating_mul(status.f_frsize))
    }

    /// Returns the full path of a staged file.
    #[must_use]
    pub fn path(&self, staged: &StagedFile) -> PathBuf {
        let mut path = self.folder(staged.dir);
        path.push(&*staged.name);
        path
    }

    /// Returns whether a path is in this folder.
    #[must_use]
    pub fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    /// Returns the path for a new file, and creates its folder.
    fn prepare(&self, staged: &StagedFile) -> Result<PathBuf, Stop> {
        let mut created = self
            .created_dirs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !created.contains(&staged.dir) {
            let folder = self.folder(staged.dir);
            fs::create_dir_all(&folder).map_err(|error| Stop::io(&folder, error))?;
            created.insert(staged.dir);
        }
        Ok(self.path(staged))
    }

    /// Creates a file, and returns it with its path; an existing file is an error, and is not changed.
    fn create(&self, staged: &StagedFile) -> Result<(PathBuf, File), Stop> {
        let path = self.prepare(staged)?;
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => Ok((path, file)),
            Err(error) => Err(Stop::io(&path, error)),
        }
    }

    /// Writes a file from bytes in memory.
    pub fn write(&self, staged: &StagedFile, bytes: &[u8]) -> Result<(), Stop> {
        let (path, mut file) = self.create(staged)?;
        file.write_all(bytes)
            .map_err(|error| Stop::io(&path, error))
    }

    /// Replaces the bytes of a staged file after the first `head_length` by a hole; its size does not change.
    pub fn punch_hole_after(&self, staged: &StagedFile, head_length: u64) -> Result<(), Stop> {
        let path = self.path(staged);
        let punch_hole = || {
            let file = OpenOptions::new().write(true).open(&path)?;
            let size = file.metadata()?.len();
            file.set_len(head_length.min(size))?;
            file.set_len(size)
        };
        punch_hole().map_err(|error| Stop::io(&path, error))
    }

    /// Writes the start of a file of `size` bytes, followed by a hole.
    pub fn write_head(&self, staged: &StagedFile, head: &[u8], size: u64) -> Result<(), Stop> {
        let (path, mut file) = self.create(staged)?;
        file.write_all(head)
            .and_then(|()| file.set_len(size))
            .map_err(|error| Stop::io(&path, error))
    }

    /// Copies a stream of up to `limit` bytes into a new file, and returns its checksums; fails and removes the file if
    /// the stream fails or is longer. Blocks of zeros become holes, so that sparse files stay small.
    pub fn spool(
        &self,
        staged: &StagedFile,
        input: &mut dyn Read,
        limit: u64,
        monitor: &Monitor,
    ) -> Result<Checksums, ReadError> {
        let (path, mut file) = self.create(staged)?;
        let mut hole = false;
        let checksums = read_through(input, limit, monitor, |block| {
            hole = block.len() == BLOCK && block.iter().all(|&byte| byte == 0);
            if hole {
                file.seek(SeekFrom::Current(BLOCK_STEP)).map(|_| ())
            } else {
                file.write_all(block)
            }
            .map_err(|error| Stop::io(&path, error))
        });
        match &checksums {
            Ok(checksums) if hole => file
                .set_len(checksums.size)
                .map_err(|error| Stop::io(&path, error))?,
            Err(ReadError::Data(_)) => self.remove(staged)?,
            _ => {}
        }
        checksums
    }

    /// Hard-links a file into staging; returns false if that is impossible, for example on a file system without hard
    /// links.
    pub fn hard_link(&self, from: &Path, staged: &StagedFile) -> Result<bool, Stop> {
        let path = self.prepare(staged)?;
        match fs::hard_link(from, &path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Stop::io(&path, error))
            }
            Err(_) => Ok(false),
        }
    }

    /// Moves a staged file to another folder of staging.
    pub fn move_to(&self, staged: &mut StagedFile, to: StagingDir) -> Result<(), Stop> {
        let from = self.path(staged);
        staged.dir = to;
        let path = self.prepare(staged)?;
        fs::rename(&from, &path).map_err(|error| Stop::io(&path, error))
    }

    /// Removes a staged file.
    pub fn remove(&self, staged: &StagedFile) -> Result<(), Stop> {
        let path = self.path(staged);
        fs::remove_file(&path).map_err(|error| Stop::io(&path, error))
    }
}

/// Reads and hashes a stream to its end, and passes each block to `sink`. Fails if the stream has more than `limit` bytes.
pub fn read_through(
    input: &mut dyn Read,
    limit: u64,
    monitor: &Monitor,
    mut sink: impl FnMut(&[u8]) -> Result<(), Stop>,
) -> Result<Checksums, ReadError> {
    let mut block = vec![0; BLOCK];
    let mut sha = Sha256::new();
    let mut crc = crc32fast::Hasher::new();
    let mut size = 0u64;
    loop {
        monitor.check_cancelled().map_err(|_| Stop::Cancelled)?;
        let got = fill(input, &mut block)
            .map_err(|error| ReadError::Data(crate::archive::reason(&error)))?;
        let part = block.get(..got).unwrap_or_default();
        size += got as u64;
        if size > limit {
            let reason = format!("it contains more than {limit} bytes");
            return Err(ReadError::Data(reason));
        }
        if got > 0 {
            sha.update(part);
            crc.update(part);
            sink(part)?;
        }
        if got < block.len() {
            return Ok(Checksums {
                size,
                sha256: sha.finalize().into(),
                crc: crc.finalize(),
            });
        }
    }
}
