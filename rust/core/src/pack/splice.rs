//! Copies packed bytes from a zip into a gzip member: deflated data are not compressed again.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::pieces::PiecesWriter;
use super::{MAX_WHOLE, blocks};
use crate::archive::zip::deflated::{Deflated, Streams};

/// Size of a sample of several files in bytes.
const SAMPLE: u64 = 256 << 10;
/// Room for the bytes that `open_end` adds.
const SPARE: usize = 8;

/// The open zips of a folder's files.
pub struct Splicer<'a> {
    streams: &'a Streams,
    zips: Vec<Option<File>>,
    packed: Vec<u8>,
}

impl<'a> Splicer<'a> {
    /// Opens the zips. A missing zip is skipped: the files themselves exist.
    pub fn open(streams: &'a Streams) -> Self {
        let zips = streams.zips.iter().map(|path| File::open(path).ok());
        Self {
            zips: zips.collect(),
            streams,
            packed: Vec::new(),
        }
    }

    /// Returns whether the zip's streams of some adjacent files are about as small as `level` of libdeflate would make
    /// the files together: small files gain from repeating the previous one. Returns false if a file has no stream.
    pub fn are_small<'f>(
        &self,
        files: impl Iterator<Item = (&'f [u8], &'f Path)>,
        level: i32,
    ) -> io::Result<bool> {
        let (mut content, mut theirs) = (Vec::new(), 0);
        for (name, path) in files {
            let Some(stream) = self.streams.of.get(name) else {
                return Ok(false);
            };
            let size = std::fs::metadata(path)?.len();
            if content.is_empty() && size > MAX_WHOLE {
                return Ok(true);
            }
            if !content.is_empty() && content.len() as u64 + size > SAMPLE {
                break;
            }
            content.extend(std::fs::read(path)?);
            theirs += stream.length as usize;
        }
        let level = libdeflater::CompressionLvl::new(level).unwrap_or_default();
        let mut compressor = libdeflater::Compressor::new(level);
        let mut packed = vec![0; compressor.deflate_compress_bound(content.len())];
        let ours = compressor
            .deflate_compress(&content, &mut packed)
            .map_err(io::Error::other)?;
        Ok(theirs <= ours + ours / 100 + 64)
    }

    /// Writes a file's content as its zip stores it; returns false, with nothing written, if that is impossible.
    pub fn put<W: Write>(
        &mut self,
        name: &[u8],
        size: u64,
        gzip: &mut PiecesWriter<W>,
    ) -> io::Result<bool> {
        let Some(&stream) = self.streams.of.get(name) else {
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

    /// Reads a stream as one that continues; returns its length.
    fn read(&mut self, stream: Deflated) -> Option<usize> {
        let zip = self.zips.get(stream.zip as usize)?.as_ref()?;
        let length = stream.length as usize;
        if u64::from(stream.length) > MAX_WHOLE {
            return None;
        }
        if self.packed.len() < length + SPARE {
            self.packed.resize(length + SPARE, 0);
        }
        let packed = self.packed.get_mut(..length)?;
        zip.read_exact_at(packed, stream.offset).ok()?;
        blocks::open_end(&mut self.packed, length)
    }
}
