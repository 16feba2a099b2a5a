//! One reader for all compressions, which reads the streams of a file one after the other.

use std::io::{self, Read};

use liblzma::stream::Stream;

use super::gzip::GzipReader;
use super::invalid;
use super::kind::{Compression, HEAD_LENGTH};
use super::lz4::Lz4Reader;
use super::lzw::LzwReader;
use super::peek::Peeker;
use super::skipped::{SkippedBytes, begins_like_images};
use super::zst::{SkippableFrames, ZstdReader};

/// Limit on the memory of an xz, lzma or lzip decoder, whose dictionary could take gigabytes; the largest preset of xz
/// (9) needs 65 MiB.
const XZ_MEMORY: u64 = 100 << 20;

/// The decoder of one stream. At its end, it returns the input for the next stream. The input, a [`Peeker`], is the
/// file with a lookahead.
enum Decoder<'a> {
    Gzip(Box<GzipReader<Peeker<'a>>>),
    Bzip2(bzip2::bufread::BzDecoder<Peeker<'a>>),
    Xz(liblzma::bufread::XzDecoder<Peeker<'a>>),
    Zstd(Box<ZstdReader<'a>>),
    Lz4(Box<Lz4Reader<'a>>),
    Compress(Box<LzwReader<Peeker<'a>>>),
    /// No further stream follows.
    End(Peeker<'a>),
    /// The next stream could not be opened; also in place of a decoder whose input is moved to the next one.
    Failed,
}

impl<'a> Decoder<'a> {
    /// Returns the decoder of the stream at which `input` begins.
    fn open(compression: Compression, input: Peeker<'a>) -> io::Result<Self> {
        Ok(match compression {
            Compression::Gzip => Self::Gzip(Box::new(GzipReader::new(input)?)),
            Compression::Bzip2 => Self::Bzip2(bzip2::bufread::BzDecoder::new(input)),
            Compression::Xz | Compression::Lzma | Compression::Lzip => {
                let stream = match compression {
                    Compression::Lzma => Stream::new_lzma_decoder(XZ_MEMORY),
                    Compression::Lzip => Stream::new_lzip_decoder(XZ_MEMORY, 0),
                    _ => Stream::new_stream_decoder(XZ_MEMORY, 0),
                }
                .map_err(|error| invalid(error.to_string()))?;
                Self::Xz(liblzma::bufread::XzDecoder::new_stream(input, stream))
            }
            Compression::Lz4 => Self::Lz4(Box::new(Lz4Reader::new(input))),
            Compression::Zstd => Self::Zstd(Box::new(ZstdReader::new(input)?)),
            Compression::Compress => Self::Compress(Box::new(LzwReader::new(input)?)),
        })
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Bzip2(decoder) => decoder.read(buffer),
            Self::Xz(decoder) => decoder.read(buffer).map_err(naming_memory_limit),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Lz4(decoder) => decoder.read(buffer),
            Self::Compress(decoder) => decoder.read(buffer),
            Self::End(_) | Self::Failed => Ok(0),
        }
    }

    /// Returns the input after the packed bytes that were read so far; None after a failure.
    fn input(&self) -> Option<&Peeker<'a>> {
        match self {
            Self::Gzip(decoder) => Some(decoder.get_ref()),
            Self::Bzip2(decoder) => Some(decoder.get_ref()),
            Self::Xz(decoder) => Some(decoder.get_ref()),
            Self::Zstd(decoder) => Some(decoder.get_ref()),
            Self::Lz4(decoder) => Some(decoder.get_ref()),
            Self::Compress(decoder) => Some(decoder.get_ref()),
            Self::End(input) => Some(input),
            Self::Failed => None,
        }
    }

    /// Returns the input for the next stream; None after a failure.
    fn into_input(self) -> Option<Peeker<'a>> {
        match self {
            Self::Gzip(decoder) => Some(decoder.into_inner()),
            Self::Bzip2(decoder) => Some(decoder.into_inner()),
            Self::Xz(decoder) => Some(decoder.into_inner()),
            Self::Zstd(decoder) => Some(decoder.into_inner()),
            Self::Lz4(decoder) => Some(decoder.into_inner()),
            Self::Compress(decoder) => Some(decoder.into_inner()),
            Self::End(input) => Some(input),
            Self::Failed => None,
        }
    }
}

/// The content of all streams of a compressed file. A stream that is cut short or has a wrong checksum is an error.
/// Only in a `.Z`, which does not mark its end, a cut may remain unnoticed.
pub struct Unpack<'a> {
    compression: Compression,
    decoder: Decoder<'a>,
    trailing_bytes: u64,
    trailing_begins_like_images: bool,
    skippable_frames: SkippableFrames,
}

impl<'a> Unpack<'a> {
    /// Returns the content of a file of this compression; `input` is the whole file.
    pub fn open(compression: Compression, input: Box<dyn Read + Send + 'a>) -> io::Result<Self> {
        let mut input = Peeker::new(input);
        let mut skippable = SkippableFrames::default();
        if compression == Compression::Zstd {
            skippable.skip(&mut input)?;
        }
        let decoder = if input.consumed > 0 && input.peek(1)?.is_empty() {
            Decoder::End(input) // only skippable frames
        } else {
            Decoder::open(compression, input)?
        };
        Ok(Self {
            compression,
            decoder,
            trailing_bytes: 0,
            trailing_begins_like_images: false,
            skippable_frames: skippable,
        })
    }

    /// Returns the number of packed bytes consumed so far; 0 if the next stream could not be opened.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.decoder.input().map_or(0, |input| input.consumed)
    }

    /// Returns the number of bytes after the last stream and its padding with zeros; known once the end was reached.
    #[must_use]
    pub fn trailing_bytes(&self) -> u64 {
        self.trailing_bytes
    }

    /// Returns the number of bytes so far in skippable frames of zstd, except those that packers write.
    #[must_use]
    pub fn user_bytes(&self) -> u64 {
        self.skippable_frames.user_bytes
    }

    /// Returns whether the bytes after the last stream begin like images ([`begins_like_images`]).
    #[must_use]
    pub fn trailing_begins_like_images(&self) -> bool {
        self.trailing_begins_like_images
    }

    /// Returns notes on the bytes of the file that are not part of its content.
    #[must_use]
    pub fn skipped(&self) -> SkippedBytes {
        let mut skipped = SkippedBytes::default();
        skipped.add(
            self.trailing_bytes,
            "bytes follow the compressed data",
            self.trailing_begins_like_images,
        );
        skipped.add(
            self.skippable_frames.user_bytes,
            "bytes are in skippable frames of the compressed data",
            false,
        );
        skipped
    }

    /// Opens the next stream after the end of the current one; returns false if there is none.
    fn next_stream(&mut self) -> io::Result<bool> {
        let decoder = std::mem::replace(&mut self.decoder, Decoder::Failed);
        // A .Z file has one stream, which ends with the file.
        let ended = matches!(decoder, Decoder::End(_) | Decoder::Compress(_));
        let content = match &decoder {
            Decoder::Zstd(decoder) => decoder.content_bytes(),
            _ => 0,
        };
        let Some(mut input) = decoder.into_input() else {
            return Ok(false);
        };
        if !ended {
            let end = input.consumed;
            input.skip_zeros()?;
            if self.compression == Compression::Zstd {
                self.skippable_frames.add_frame(end, content);
                self.skippable_frames.skip(&mut input)?;
            }
            let ahead = input.peek(4)?;
            if begins_stream(self.compression, ahead) {
                self.decoder = Decoder::open(self.compression, input)?;
                return Ok(true);
            }
            if !ahead.is_empty() && ahead.len() < 4 && may_begin_stream(self.compression, ahead) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.trailing_begins_like_images = begins_like_images(input.peek(HEAD_LENGTH)?);
            self.trailing_bytes = input.drain()?;
        }
        self.decoder = Decoder::End(input);
        Ok(false)
    }
}

/// Replaces the error of a decoder that needs more memory than the limit by one that names the limit, because the file
/// is not damaged. Other errors are unchanged.
fn naming_memory_limit(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(liblzma::stream::Error::MemLimit) => invalid(format!(
            "it needs more than {} MiB of memory for its dictionary (limit); repack it with `xz -6`",
            XZ_MEMORY >> 20
        )),
        _ => error,
    }
}

/// Returns the first bytes of a stream, by which a second stream is recognised; empty if it cannot be recognised.
fn mark(compression: Compression) -> &'static [u8] {
    match compression {
        Compression::Gzip => &[0x1f, 0x8b, 8],
        Compression::Bzip2 => b"BZh",
        Compression::Xz => &[0xfd, b'7', b'z', b'X'],
        Compression::Lzip => b"LZIP",
        Compression::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
        Compression::Lz4 => &[4, 0x22, 0x4d, 0x18],
        // A second stream could not be distinguished from other bytes.
        Compression::Lzma | Compression::Compress => &[],
    }
}

/// Returns whether these bytes begin another stream.
fn begins_stream(compression: Compression, ahead: &[u8]) -> bool {
    let mark = mark(compression);
    !mark.is_empty() && ahead.starts_with(mark)
}

/// Returns whether these bytes, fewer than a mark, may be the start of another stream.
fn may_begin_stream(compression: Compression, ahead: &[u8]) -> bool {
    mark(compression).starts_with(ahead)
}

impl Read for Unpack<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let count = self.decoder.read(buffer)?;
            if count > 0 || !self.next_stream()? {
                return Ok(count);
            }
        }
    }
}

#[cfg(test)]
mod tests;
