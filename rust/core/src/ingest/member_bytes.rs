//! The bytes of a member: in memory, in staging, or in a plain file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::pass::{Address, Pass};
use super::plain_file;
use super::row::{NEITHER_DICOM_NOR_PARREC, Reason, ZEROS};
use super::staging::{Checksums, StagedFile, StagingDir, fill};
use super::stop::{ReadError, Stop};
use crate::archive::kind::{self, FileKind};
use crate::frames::pixel_data_offset;
use crate::header::{FileWindow, Parsed, parse};

/// Where the bytes of a member are. A plain file is a file that is in no archive.
///
/// If a method cannot read the bytes, the path in its [`Stop::Io`] is empty for bytes in memory, and in some methods also
/// for a file.
pub enum MemberBytes<'a> {
    /// In memory. If they are the bytes of a plain file, with its path.
    Bytes(&'a [u8], Option<&'a Path>),
    /// In staging.
    Staged(StagedFile),
    /// In a plain file that is too large for memory, or that is an archive and is kept as one file.
    PlainFile(PathBuf, Checksums),
}

impl MemberBytes<'_> {
    /// Returns the kind of the content, from its bytes.
    pub fn kind(&self, pass: &Pass<'_>) -> Result<FileKind, Stop> {
        if let Self::Bytes(bytes, _) = self {
            return Ok(kind::of_bytes(bytes));
        }
        let (path, file) = self.open(pass)?;
        kind::of_file(&file).map_err(|error| Stop::io(&path, error))
    }

    /// Returns the first 8 bytes; fewer if there are no more.
    pub fn first_bytes(&self, pass: &Pass<'_>) -> Result<Vec<u8>, Stop> {
        let mut start = Vec::new();
        let path = Path::new("");
        self.reader(pass)?
            .take(8)
            .read_to_end(&mut start)
            .map_err(|error| Stop::io(path, error))?;
        Ok(start)
    }

    /// Returns the reason of a file that is neither DICOM nor PAR/REC: [`ZEROS`] or [`NEITHER_DICOM_NOR_PARREC`].
    pub fn why_other(&self, pass: &Pass<'_>) -> Result<Reason, Stop> {
        let start = self.first_bytes(pass)?;
        let zeros = start.iter().all(|&byte| byte == 0) && self.is_zeros(pass)?;
        Ok(Reason::Borrowed(if zeros {
            ZEROS
        } else {
            NEITHER_DICOM_NOR_PARREC
        }))
    }

    /// Returns whether all bytes are 0.
    fn is_zeros(&self, pass: &Pass<'_>) -> Result<bool, Stop> {
        let mut reader = self.reader(pass)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            pass.check_cancelled()?;
            let got =
                fill(&mut reader, &mut buffer).map_err(|error| Stop::io(Path::new(""), error))?;
            if got == 0 {
                return Ok(true);
            }
            if buffer.iter().take(got).any(|&byte| byte != 0) {
                return Ok(false);
            }
        }
    }

    /// Parses the header, as [`parse`] does.
    pub fn parse(&self, pass: &Pass<'_>) -> Result<Parsed, Stop> {
        if let Self::Bytes(bytes, _) = self {
            let mut window: &[u8] = bytes;
            return parse(&mut window).map_err(|error| Stop::io(Path::new(""), error));
        }
        let (path, file) = self.open(pass)?;
        let size = file
            .metadata()
            .map_err(|error| Stop::io(&path, error))?
            .len();
        parse(&mut FileWindow::new(&file, size, Vec::new())).map_err(|error| Stop::io(&path, error))
    }

    /// Returns the bytes as a stream.
    pub fn reader<'s>(&'s self, pass: &Pass<'_>) -> Result<Box<dyn Read + Send + 's>, Stop> {
        match self {
            Self::Bytes(bytes, _) => Ok(Box::new(*bytes)),
            _ => Ok(Box::new(self.open(pass)?.1)),
        }
    }

    /// Opens the file that contains the bytes, and returns its path too; fails for bytes in memory.
    fn open(&self, pass: &Pass<'_>) -> Result<(PathBuf, File), Stop> {
        let path = match self {
            Self::Staged(staged) => pass.staging.path(staged),
            Self::PlainFile(path, _) => path.clone(),
            Self::Bytes(..) => PathBuf::new(),
        };
        let file = plain_file::open(&path).map_err(|error| Stop::io(&path, error))?;
        Ok((path, file))
    }

    /// Writes the bytes to a folder of staging, or moves them there. With the option `hard_link`, hard-links a plain
    /// file if the file system allows it. Fails if a plain file that is not in memory changed before it was copied.
    pub fn stage(
        self,
        pass: &Pass<'_>,
        address: &Address,
        to: StagingDir,
    ) -> Result<StagedFile, ReadError> {
        match self {
            Self::Staged(mut staged) => {
                if staged.dir != to {
                    pass.staging.move_to(&mut staged, to)?;
                }
                Ok(staged)
            }
            Self::Bytes(bytes, plain_path) => {
                let staged = address.staged_file(to);
                let linked = match plain_path {
                    Some(path) if pass.options.hard_link => {
                        pass.staging.hard_link(path, &staged)?
                    }
                    _ => false,
                };
                if !linked {
                    pass.staging.write(&staged, bytes)?;
                }
                Ok(staged)
            }
            Self::PlainFile(path, known) => {
                let staged = address.staged_file(to);
                if pass.options.hard_link && pass.staging.hard_link(&path, &staged)? {
                    return Ok(staged);
                }
                let mut file = plain_file::open(&path)
                    .map_err(|error| ReadError::Data(crate::archive::reason(&error)))?;
                let checksums = pass
                    .staging
                    .spool(&staged, &mut file, u64::MAX, pass.monitor)?;
                if checksums.sha256 != known.sha256 {
                    pass.staging.remove(&staged)?;
                    return Err(ReadError::Data("it changed while it was read".into()));
                }
                Ok(staged)
            }
        }
    }

    /// Writes the first `head_length` bytes to a folder of staging, followed by a hole up to the size of the member. Bytes
    /// that are in staging are moved there, and a hole replaces the others.
    pub fn stage_head(
        self,
        pass: &Pass<'_>,
        address: &Address,
        to: StagingDir,
        head_length: u64,
    ) -> Result<StagedFile, ReadError> {
        let staged = address.staged_file(to);
        match self {
            Self::Bytes(bytes, _) => {
                let length = usize::try_from(head_length).unwrap_or(usize::MAX);
                let start = bytes.get(..length).unwrap_or(bytes);
                pass.staging
                    .write_head(&staged, start, bytes.len() as u64)?;
            }
            Self::PlainFile(path, known) => {
                let mut start = Vec::new();
                let failed = |error| Stop::io(&path, error);
                let file = plain_file::open(&path).map_err(failed)?;
                file.take(head_length)
                    .read_to_end(&mut start)
                    .map_err(failed)?;
                pass.staging.write_head(&staged, &start, known.size)?;
            }
            Self::Staged(_) => {
                let staged = self.stage(pass, address, to)?;
                pass.staging.punch_hole_after(&staged, head_length)?;
                return Ok(staged);
            }
        }
        Ok(staged)
    }

    /// Returns the offset of the pixel data; None if they are not found, or if the data set is deflated.
    pub fn pixel_data_offset(&self, pass: &Pass<'_>) -> Result<Option<u64>, Stop> {
        if let Self::Bytes(bytes, _) = self {
            let mut window: &[u8] = bytes;
            return pixel_data_offset(&mut window).map_err(|error| Stop::io(Path::new(""), error));
        }
        let (path, file) = self.open(pass)?;
        let failed = |error| Stop::io(&path, error);
        let size = file.metadata().map_err(failed)?.len();
        pixel_data_offset(&mut FileWindow::new(&file, size, Vec::new())).map_err(failed)
    }

    /// Removes the bytes, if they are in staging.
    pub fn discard(self, pass: &Pass<'_>) -> Result<(), Stop> {
        match self {
            Self::Staged(staged) => pass.staging.remove(&staged),
            _ => Ok(()),
        }
    }
}
