//! Copies packed bytes from a zip into a gzip member: deflated data are not compressed again.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::pieces::PiecesWriter;
use super::{MAX_ONE_BUFFER, blocks};
use crate::archive::zip::deflated::{DeflateStream, DeflateStreams};
use crate::regular;

/// Limit in bytes on the sample that [`Splicer::streams_are_small`] compresses; its first file may be larger.
const SAMPLE_LENGTH: u64 = 256 << 10;
/// Room for the bytes that `make_extendable` adds: up to 5.
const EXTENDABLE_ROOM: usize = 8;

/// Copies deflate streams from the open zips that contain the files of a folder.
pub struct Splicer<'a> {
    streams: &'a DeflateStreams,
    /// None for a zip that cannot be opened.
    zips: Vec<Option<File>>,
    /// Buffer for one stream.
    packed: Vec<u8>,
}

impl<'a> Splicer<'a> {
    /// Opens the zips. The files of a zip that cannot be opened are compressed again.
    pub fn open(streams: &'a DeflateStreams) -> Self {
        let zips = streams.zips.iter().map(|path| regular::open(path).ok());
        Self {
            zips: zips.collect(),
            streams,
            packed: Vec::new(),
        }
    }

    /// Returns whether the streams in the zips are about as small in total as one stream of the same files would be. They
    /// can be larger: similar small files compress better in one stream than in one stream each.
    ///
    /// Compares a sample, the first of `files` (name and path), which is compressed with libdeflate and `level`. Returns
    /// false if a file of the sample has no stream, and true if its first file is too large to compress it at once.
    pub fn streams_are_small<'f>(
        &self,
        files: impl Iterator<Item = (&'f [u8], &'f Path)>,
        level: i32,
    ) -> io::Result<bool> {
        let (mut content, mut zip_length) = (Vec::new(), 0);
        for (name, path) in files {
            let Some(stream) = self.streams.by_name.get(name) else {
                return Ok(false);
            };
            let size = std::fs::metadata(path)?.len();
            if content.is_empty() && size > MAX_ONE_BUFFER {
                return Ok(true);
            }
            if !content.is_empty() && content.len() as u64 + size > SAMPLE_LENGTH {
                break;
            }
            content.extend(std::fs::read(path)?);
            zip_length += stream.length as usize;
        }
        let level = libdeflater::CompressionLvl::new(level).unwrap_or_default();
        let mut compressor = libdeflater::Compressor::new(level);
        let mut packed = vec![0; compressor.deflate_compress_bound(content.len())];
        let joint_length = compressor
            .deflate_compress(&content, &mut packed)
            .map_err(io::Error::other)?;
        // "About as small": up to 1% and 64 bytes larger.
        Ok(zip_length <= joint_length + joint_length / 100 + 64)
    }

    /// Writes the content of a file as its zip stores it; returns false, without writing anything, if that is impossible.
    /// `name` is the file's name in [`DeflateStreams::by_name`], and `size` its size in bytes.
    pub fn put<W: Write>(
        &mut self,
        name: &[u8],
        size: u64,
        gzip: &mut PiecesWriter<W>,
    ) -> io::Result<bool> {
        let Some(&stream) = self.streams.by_name.get(name) else {
            return Ok(false);
        };
        match self.read(stream) {
            Some(length) => {
                let packed = self.packed.get(..length).unwrap_or_default();
                gzip.splice(packed, stream.crc, size).map(|()| true)
            }
            None => Ok(false),
        }
    }

    /// Reads a stream into `packed` and changes it so that another one can follow; returns its length. Returns None if
    /// it is too long, cannot be read, or is not exactly one complete stream.
    fn read(&mut self, stream: DeflateStream) -> Option<usize> {
        let zip = self.zips.get(stream.zip as usize)?.as_ref()?;
        let length = stream.length as usize;
        if u64::from(stream.length) > MAX_ONE_BUFFER {
            return None;
        }
        if self.packed.len() < length + EXTENDABLE_ROOM {
            self.packed.resize(length + EXTENDABLE_ROOM, 0);
        }
        let packed = self.packed.get_mut(..length)?;
        zip.read_exact_at(packed, stream.offset).ok()?;
        blocks::make_extendable(&mut self.packed, length)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_fifo_in_place_of_a_zip_is_not_opened() {
        let is_open = regular::tests::with_fifo(|fifo| {
            let streams = DeflateStreams {
                by_name: HashMap::new(),
                zips: vec![fifo.to_owned()],
            };
            Splicer::open(&streams).zips.iter().any(Option::is_some)
        });
        assert!(!is_open);
    }
}
