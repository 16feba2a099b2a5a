//! One reader for all compressions: reads each stream of the file to its end mark and checksum.

use std::io::{self, Read};

use liblzma::stream::Stream;

use super::gzip::GzipReader;
use super::invalid;
use super::kind::Compression;
use super::lz4::Lz4Reader;
use super::lzw::LzwReader;
use super::peek::Peeker;
use super::zst::{SkippableFrames, ZstdReader};

/// Limit on the memory of an xz, lzma or lzip decoder, whose dictionary could take gigabytes; the largest preset of xz
/// (9) needs 65 MiB.
const XZ_MEMORY: u64 = 100 << 20;

/// The decoder of one stream. At its end, it returns the input for the next stream.
enum Decoder<'a> {
    Gzip(Box<GzipReader<Peeker<'a>>>),
    Bzip2(bzip2::bufread::BzDecoder<Peeker<'a>>),
    Xz(liblzma::bufread::XzDecoder<Peeker<'a>>),
    Zstd(Box<ZstdReader<'a>>),
    Lz4(Box<Lz4Reader<'a>>),
    Compress(Box<LzwReader<Peeker<'a>>>),
    End(Peeker<'a>),
    Failed,
}

impl<'a> Decoder<'a> {
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

/// The content of a compressed file. It ends only at an end mark, and with a correct checksum if the file has one. A
/// file without its end mark is an error (except `.Z`, which has none).
pub struct Unpack<'a> {
    compression: Compression,
    decoder: Decoder<'a>,
    trailing: u64,
    skippable: SkippableFrames,
}

impl<'a> Unpack<'a> {
    /// Starts reading.
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
            trailing: 0,
            skippable,
        })
    }

    /// Packed bytes consumed so far.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.decoder.input().map_or(0, |input| input.consumed)
    }

    /// Returns the number of bytes after the last stream; known once the end was reached.
    #[must_use]
    pub fn trailing(&self) -> u64 {
        self.trailing
    }

    /// Returns the number of bytes so far in skippable frames of zstd, except those that packers write.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skippable.skipped
    }

    /// Returns a text for each group of bytes of the file that are not in its content; empty if there are none.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        [
            (self.trailing, "bytes follow the compressed data"),
            (
                self.skippable.skipped,
                "bytes are in skippable frames of the compressed data",
            ),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }

    /// At the end of a stream, opens the next one; returns false if there is none.
    fn next_stream(&mut self) -> io::Result<bool> {
        let decoder = std::mem::replace(&mut self.decoder, Decoder::Failed);
        let ended = matches!(decoder, Decoder::End(_) | Decoder::Compress(_));
        let content = match &decoder {
            Decoder::Zstd(decoder) => decoder.produced(),
            _ => 0,
        };
        let Some(mut input) = decoder.into_input() else {
            return Ok(false);
        };
        if !ended {
            let end = input.consumed;
            input.skip_zeros()?;
            if self.compression == Compression::Zstd {
                self.skippable.add_frame(end, content);
                self.skippable.skip(&mut input)?;
            }
            let ahead = input.peek(4)?;
            if begins_stream(self.compression, ahead) {
                self.decoder = Decoder::open(self.compression, input)?;
                return Ok(true);
            }
            if !ahead.is_empty() && ahead.len() < 4 && may_begin_stream(self.compression, ahead) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.trailing = input.drain()?;
        }
        self.decoder = Decoder::End(input);
        Ok(false)
    }
}

/// Replaces the error of a decoder whose dictionary exceeds the limit by an error that names the limit: the file is not
/// damaged. Other errors are unchanged.
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

fn begins_stream(compression: Compression, ahead: &[u8]) -> bool {
    let mark = mark(compression);
    !mark.is_empty() && ahead.starts_with(mark)
}

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
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use std::io::Write;

    fn packed(compression: Compression, data: &[u8]) -> Vec<u8> {
        match compression {
            Compression::Gzip => {
                let mut out =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
                out.write_all(data).unwrap();
                out.finish().unwrap()
            }
            Compression::Bzip2 => {
                let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(6));
                out.write_all(data).unwrap();
                out.finish().unwrap()
            }
            Compression::Xz => {
                let mut out = liblzma::write::XzEncoder::new(Vec::new(), 3);
                out.write_all(data).unwrap();
                out.finish().unwrap()
            }
            Compression::Lzma => {
                let options = liblzma::stream::LzmaOptions::new_preset(3).unwrap();
                let stream = Stream::new_lzma_encoder(&options).unwrap();
                let mut out = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
                out.write_all(data).unwrap();
                out.finish().unwrap()
            }
            Compression::Lz4 => {
                let mut info = lz4_flex::frame::FrameInfo::new();
                info.content_checksum = true;
                let mut out = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
                out.write_all(data).unwrap();
                out.finish().unwrap()
            }
            Compression::Zstd => {
                let mut out = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
                out.include_checksum(true).unwrap();
                out.write_all(data).unwrap();
                out.finish().unwrap()
            }
            Compression::Compress | Compression::Lzip => Vec::new(),
        }
    }

    const STREAMED: [Compression; 5] = [
        Compression::Gzip,
        Compression::Bzip2,
        Compression::Xz,
        Compression::Zstd,
        Compression::Lz4,
    ];

    fn unpack(compression: Compression, data: &[u8]) -> io::Result<(Vec<u8>, u64)> {
        let mut reader = Unpack::open(compression, Box::new(data))?;
        let mut out = Vec::new();
        reader.read_to_end(&mut out)?;
        Ok((out, reader.trailing()))
    }

    fn sample() -> Vec<u8> {
        (0..3000u32)
            .flat_map(|i| (i * i / 7).to_le_bytes())
            .collect()
    }

    #[test]
    fn streams_after_one_another_are_one_content() {
        for compression in STREAMED {
            let mut two = packed(compression, &sample());
            two.extend(packed(compression, b"more"));
            let mut want = sample();
            want.extend(b"more");
            assert_eq!(
                unpack(compression, &two).unwrap(),
                (want, 0),
                "{compression:?}"
            );
        }
    }

    #[test]
    fn lzma_alone_is_read_to_its_end() {
        let mut data = packed(Compression::Lzma, &sample());
        data.extend(b"rest");
        assert_eq!(unpack(Compression::Lzma, &data).unwrap(), (sample(), 4));
    }

    #[test]
    fn lzip_is_read_to_its_end() {
        // LZMA with its usual settings after another header, with a checksum and two lengths.
        let lzma = packed(Compression::Lzma, &sample());
        let mut data = b"LZIP\x01\x17".to_vec();
        data.extend(&lzma[13..]);
        data.extend(crc32fast::hash(&sample()).to_le_bytes());
        data.extend((sample().len() as u64).to_le_bytes());
        data.extend((data.len() as u64 + 8).to_le_bytes());
        assert_eq!(unpack(Compression::Lzip, &data).unwrap(), (sample(), 0));
        data.truncate(data.len() - 1);
        assert!(unpack(Compression::Lzip, &data).is_err());
    }

    #[test]
    fn a_dictionary_above_the_limit_is_reported_as_one() {
        let mut header = packed(Compression::Lzma, b"content");
        header[1..5].copy_from_slice(&(256u32 << 20).to_le_bytes());
        let error = unpack(Compression::Lzma, &header).unwrap_err().to_string();
        assert!(error.contains("100 MiB of memory"), "{error}");
        assert!(error.contains("(limit)"), "{error}");
    }

    #[test]
    fn a_cut_at_every_byte_is_an_error() {
        for compression in STREAMED.into_iter().chain([Compression::Lzma]) {
            let whole = packed(compression, &sample()[..400]);
            for cut in 0..whole.len() {
                assert!(
                    unpack(compression, &whole[..cut]).is_err(),
                    "{compression:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn other_bytes_after_the_end_are_counted() {
        for compression in STREAMED {
            let mut data = packed(compression, b"content");
            data.extend(b"\0\0\0\0rest of a disk");
            let (content, trailing) = unpack(compression, &data).unwrap();
            assert_eq!(
                (content.as_slice(), trailing),
                (&b"content"[..], 14),
                "{compression:?}"
            );
        }
    }

    #[test]
    fn bytes_in_skippable_frames_are_counted_wherever_they_are() {
        let mut frame = vec![0x53, 0x2a, 0x4d, 0x18, 4, 0, 0, 0];
        frame.extend(b"mine");
        let content = packed(Compression::Zstd, b"content");
        let data = [&frame[..], &content, &frame, &content, &frame, b"rest"].concat();
        let mut reader = Unpack::open(Compression::Zstd, Box::new(&data[..])).unwrap();
        let mut out = Vec::new();
        reader.read_to_end(&mut out).unwrap();
        assert_eq!(out, b"contentcontent");
        assert_eq!((reader.trailing(), reader.skipped()), (4, 12));
        assert_eq!(unpack(Compression::Zstd, &frame).unwrap(), (Vec::new(), 0));
    }

    #[test]
    fn lengths_and_seek_tables_of_packers_are_not_counted() {
        let skippable = |number: u8, content: &[u8]| {
            let size = u32::try_from(content.len()).unwrap();
            [
                &[0x50 | number, 0x2a, 0x4d, 0x18][..],
                &size.to_le_bytes(),
                content,
            ]
            .concat()
        };
        let frames = [
            packed(Compression::Zstd, b"content"),
            packed(Compression::Zstd, &sample()),
        ];
        let length = |frame: &Vec<u8>| u32::try_from(frame.len()).unwrap();
        let mut data = Vec::new();
        let mut table = Vec::new();
        for (frame, content) in frames.iter().zip([7, 12_000u32]) {
            data.extend(skippable(0, &length(frame).to_le_bytes()));
            data.extend(frame);
            table.extend(length(frame).to_le_bytes());
            table.extend(content.to_le_bytes());
        }
        table.extend([2, 0, 0, 0, 0, 0xb1, 0xea, 0x92, 0x8f]);
        data.extend(skippable(0x0e, &table));
        let skipped = |data: &[u8]| {
            let mut reader = Unpack::open(Compression::Zstd, Box::new(data)).unwrap();
            let mut out = Vec::new();
            reader.read_to_end(&mut out).unwrap();
            assert_eq!(out.len(), 12_007);
            reader.skipped()
        };
        assert_eq!(skipped(&data), 0);
        for (at, count) in [(8, 4), (data.len() - 12, 25)] {
            let mut other = data.clone();
            other[at] ^= 1;
            assert_eq!(skipped(&other), count);
        }
    }

    #[test]
    fn a_changed_byte_never_changes_the_content_unnoticed() {
        for compression in STREAMED {
            let whole = packed(compression, &sample());
            let mut bad = whole.clone();
            let middle = bad.len() / 2;
            bad[middle] ^= 0x10;
            assert!(
                unpack(compression, &bad).map_or(true, |(content, _)| content == sample()),
                "{compression:?}"
            );
        }
    }
}
