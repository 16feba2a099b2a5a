//! Hashes of files, of gzip content, and of the members of a tar.gz, each read to its end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::reread::PiecesReader;
use super::{BLOCK, Failure, check_cancelled};
use crate::archive::kind::Compression;
use crate::archive::tar::{MemberKind, TarReader};
use crate::archive::unpack::Unpack;
use crate::archive::{fill, reason};
use crate::monitor::Monitor;
use crate::notation::{Hash, escape};
use crate::regular;

/// Length in bytes and SHA-256.
pub type SizeAndHash = (u64, Hash);

/// A file in an archive: name, length in bytes, SHA-256.
pub type NamedHash = (Vec<u8>, u64, Hash);

/// Reads a stream to its end; returns length and hash. `block` is a buffer.
fn hash_stream(
    input: &mut dyn Read,
    block: &mut [u8],
    monitor: &Monitor,
) -> Result<SizeAndHash, ContentError> {
    let mut sha = Sha256::new();
    let mut size = 0u64;
    loop {
        check_cancelled(monitor)?;
        match input.read(block) {
            Ok(0) => return Ok((size, sha.finalize().into())),
            Ok(got) => {
                size += got as u64;
                sha.update(block.get(..got).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ContentError::Io(error)),
        }
    }
}

/// Returns the length and hash of a file.
pub fn file(path: &Path, monitor: &Monitor) -> Result<SizeAndHash, Failure> {
    let failed = |error| Failure::io(path, error);
    let mut input = regular::open(path).map_err(failed)?;
    let size_and_hash = match hash_stream(&mut input, &mut vec![0; BLOCK], monitor) {
        Ok(size_and_hash) => size_and_hash,
        Err(ContentError::Io(error)) => return Err(failed(error)),
        Err(ContentError::Cancelled) => return Err(Failure::Cancelled),
        Err(ContentError::Damaged(why)) => return Err(Failure::Damaged(why)),
    };
    monitor.add(1, size_and_hash.0);
    Ok(size_and_hash)
}

/// Returns the length and hash of the content of a gzip file. Bytes after the compressed data are damage: qxbatch
/// writes none.
pub fn gzip_content(path: &Path, monitor: &Monitor) -> Result<SizeAndHash, Failure> {
    let size_and_hash = read_gzip(path, monitor, |input| {
        hash_stream(input, &mut vec![0; BLOCK], monitor)
    })?;
    monitor.add(1, size_and_hash.0);
    Ok(size_and_hash)
}

/// Returns the length of the content of a gzip file, and its first `head_length` bytes (at most 1 MiB, fewer if the
/// content is shorter); reads to the end and checks the checksum.
pub fn gzip_content_size_and_head(
    path: &Path,
    head_length: usize,
    monitor: &Monitor,
) -> Result<(u64, Vec<u8>), Failure> {
    let size_and_head = read_gzip(path, monitor, |input| {
        let mut block = vec![0; BLOCK];
        let got = fill(input, &mut block).map_err(ContentError::Io)?;
        let head = block
            .get(..head_length.min(got))
            .unwrap_or_default()
            .to_vec();
        let mut size = got as u64;
        loop {
            check_cancelled(monitor)?;
            match fill(input, &mut block).map_err(ContentError::Io)? {
                0 => return Ok((size, head)),
                got => size += got as u64,
            }
        }
    })?;
    monitor.add(1, size_and_head.0);
    Ok(size_and_head)
}

/// Returns name, length and hash of each file of a tar.gz. Skips folders. Members that are neither files nor folders are
/// damage, and so are bytes after the end.
pub fn tar_gz_members(path: &Path, monitor: &Monitor) -> Result<Vec<NamedHash>, Failure> {
    let members = read_gzip(path, monitor, |input| members(input, monitor))?;
    monitor.add(
        members.len() as u64,
        members.iter().map(|member| member.1).sum(),
    );
    Ok(members)
}

/// Why reading stopped.
enum ContentError {
    Cancelled,
    Io(io::Error),
    /// The content is not what it should be; with the reason.
    Damaged(String),
}

impl From<Failure> for ContentError {
    /// Converts the failure of `check_cancelled`; no other failure is converted in this module.
    fn from(_: Failure) -> Self {
        Self::Cancelled
    }
}

/// Calls `read` with the content of a gzip file from the fast reader, and returns its result. If that fails, calls it
/// again with the general reader, which reads every gzip file and whose error messages are exact.
fn read_gzip<T>(
    path: &Path,
    monitor: &Monitor,
    read: impl Fn(&mut dyn Read) -> Result<T, ContentError>,
) -> Result<T, Failure> {
    let failed = |error| Failure::io(path, error);
    let fast = PiecesReader::open(regular::open(path).map_err(failed)?);
    match fast
        .map_err(ContentError::Io)
        .and_then(|mut input| read(&mut input))
    {
        Ok(done) => return Ok(done),
        Err(ContentError::Cancelled) => return Err(Failure::Cancelled),
        Err(ContentError::Io(_) | ContentError::Damaged(_)) => {}
    }
    let damaged = |why: &str| Failure::Damaged(format!("{}: {why}", path.display()));
    let file = regular::open(path).map_err(failed)?;
    let input = Cancellable { file, monitor };
    let mut unpack = Unpack::open(Compression::Gzip, Box::new(input))
        .map_err(|error| damaged(&reason(&error)))?;
    let done = read(&mut unpack).map_err(|fault| match fault {
        ContentError::Cancelled => Failure::Cancelled,
        ContentError::Io(_) if monitor.is_cancelled() => Failure::Cancelled,
        ContentError::Io(error) => damaged(&reason(&error)),
        ContentError::Damaged(why) => damaged(&why),
    })?;
    if unpack.trailing_bytes() > 0 {
        return Err(damaged(TRAILING));
    }
    Ok(done)
}

/// A file whose reading ends with an error once the work is cancelled: behind the content of a gzip file, it may have
/// terabytes of zeros.
struct Cancellable<'a> {
    file: File,
    monitor: &'a Monitor,
}

impl Read for Cancellable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.monitor.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        self.file.read(buffer)
    }
}

const TRAILING: &str = "other bytes follow its end";

fn damaged_member(name: &[u8], what: &str) -> ContentError {
    ContentError::Damaged(format!("{} {what}", escape(name)))
}

/// Returns name, length and hash of each file of a tar.
fn members(input: &mut dyn Read, monitor: &Monitor) -> Result<Vec<NamedHash>, ContentError> {
    let mut tar = TarReader::new(input);
    let mut block = vec![0; BLOCK];
    let mut members = Vec::new();
    while let Some(mut member) = tar.next_member().map_err(ContentError::Io)? {
        if member.kind == MemberKind::Directory {
            continue;
        }
        if member.kind != MemberKind::File {
            return Err(damaged_member(&member.name, "is not a file"));
        }
        let (size, hash) = hash_stream(&mut tar.content(&mut member), &mut block, monitor)?;
        if size != member.size {
            return Err(damaged_member(&member.name, "is cut short"));
        }
        members.push((member.name, size, hash));
    }
    if tar.trailing_bytes() > 0 {
        return Err(ContentError::Damaged(TRAILING.into()));
    }
    Ok(members)
}
