//! One gzip member without name or time (RFC 1952). Content up to `MAX_ONE_BUFFER` is compressed as one buffer.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::hash::SizeAndHash;
use super::pieces::PiecesWriter;
use super::{BLOCK, Failure, MAX_ONE_BUFFER, check_cancelled, write_file};
use crate::monitor::Monitor;

/// A compression level of libdeflate, 1 to 9.
#[derive(Clone, Copy)]
pub(super) struct Level(i32);

/// For images: much faster than gzip -6, with sizes within 5% of those of gzip -6 (docs/performance.md).
const IMAGE: Level = Level(1);
/// For DICOM: the fastest level with sizes within 5% of those of gzip -6 (docs/performance.md).
pub(super) const SERIES: Level = Level(2);

impl Level {
    /// Returns the level as a number.
    pub(super) fn value(self) -> i32 {
        self.0
    }

    /// Returns the requested level, at most 9; for 0, this level.
    pub(super) fn or_requested(self, requested: u32) -> Self {
        match i32::try_from(requested.min(9)) {
            Ok(level @ 1..) => Self(level),
            _ => self,
        }
    }
}

/// Compresses data in memory into one gzip member. `out` is the path of the file that `writer` writes, for errors.
pub(super) fn compress_whole(
    data: &[u8],
    level: Level,
    out: &Path,
    writer: &mut dyn Write,
) -> Result<(), Failure> {
    let level = libdeflater::CompressionLvl::new(level.0).unwrap_or_default();
    let mut compressor = libdeflater::Compressor::new(level);
    let mut packed = vec![0; compressor.gzip_compress_bound(data.len())];
    let size = compressor
        .gzip_compress(data, &mut packed)
        .map_err(|error| Failure::io(out, io::Error::other(error)))?;
    writer
        .write_all(packed.get(..size).unwrap_or_default())
        .map_err(|error| Failure::io(out, error))
}

/// Returns a writer that compresses what is written into one gzip member.
pub(super) fn compressing_writer<W: Write>(writer: W, level: Level) -> io::Result<PiecesWriter<W>> {
    PiecesWriter::new(writer, level.0)
}

/// Passes bytes on to `writer`, and hashes those that it accepts.
struct HashingWriter<'a, W> {
    writer: &'a mut W,
    sha: Sha256,
}

impl<W: Write> Write for HashingWriter<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let done = self.writer.write(buffer)?;
        self.sha.update(buffer.get(..done).unwrap_or_default());
        Ok(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Writes `source` to `out` as one gzip member; returns the length of `out` in bytes, and the SHA-256 of its bytes.
/// `level` 0 is the default, 1 fast, 9 small.
pub fn gzip_file(
    source: &Path,
    out: &Path,
    level: u32,
    monitor: &Monitor,
) -> Result<SizeAndHash, Failure> {
    let failed = |error| Failure::io(source, error);
    let level = IMAGE.or_requested(level);
    let mut file = File::open(source).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let mut hash = [0; 32];
    let packed_size = write_file(out, |writer| {
        let mut writer = HashingWriter {
            writer,
            sha: Sha256::new(),
        };
        if size <= MAX_ONE_BUFFER {
            let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
            file.read_to_end(&mut data).map_err(failed)?;
            check_cancelled(monitor)?;
            compress_whole(&data, level, out, &mut writer)?;
            hash = writer.sha.finalize().into();
            return Ok(());
        }
        let mut encoder =
            compressing_writer(writer, level).map_err(|error| Failure::io(out, error))?;
        let mut block = vec![0; BLOCK];
        loop {
            check_cancelled(monitor)?;
            let got = file.read(&mut block).map_err(failed)?;
            if got == 0 {
                break;
            }
            encoder
                .write_all(block.get(..got).unwrap_or_default())
                .map_err(|error| Failure::io(out, error))?;
        }
        let writer = encoder.finish().map_err(|error| Failure::io(out, error))?;
        hash = writer.sha.finalize().into();
        Ok(())
    })?;
    monitor.add(1, size);
    Ok((packed_size, hash))
}
