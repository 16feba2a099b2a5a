//! One Zstandard frame as a stream (RFC 8878), checked against the length in its header.

use std::io::{self, BufRead, Read};

use zstd::zstd_safe::get_frame_content_size;

use super::invalid;
use super::peek::Peeker;

/// Windows up to 128 MB: the default limit of the `zstd` program.
const WINDOW_LOG: u32 = 27;
/// Longest header (3.1.1.1).
const HEADER: usize = 18;

/// Reads one frame; the input after it is not consumed.
///
/// The decoder checks the length itself, but not if the last block is empty and the frame arrives in parts.
pub struct ZstdReader<'a> {
    decoder: zstd::stream::read::Decoder<'static, Peeker<'a>>,
    declared: Option<u64>,
    produced: u64,
}

impl<'a> ZstdReader<'a> {
    /// Reads the header.
    pub fn new(mut input: Peeker<'a>) -> io::Result<Self> {
        let head = input.peek(HEADER)?;
        let declared = get_frame_content_size(head).unwrap_or(None);
        if let Some(window) = window(head).filter(|window| *window > 1 << WINDOW_LOG) {
            return Err(invalid(format!(
                "it needs a window of {} MiB, more than {} MiB (limit); repack it with `zstd --long={WINDOW_LOG}`",
                window.div_ceil(1 << 20),
                (1 << WINDOW_LOG) >> 20
            )));
        }
        let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?.single_frame();
        decoder.window_log_max(WINDOW_LOG)?;
        Ok(Self {
            decoder,
            declared,
            produced: 0,
        })
    }

    /// Returns the input after the bytes read so far.
    pub fn get_ref(&self) -> &Peeker<'a> {
        self.decoder.get_ref()
    }

    /// Returns the input.
    pub fn into_inner(self) -> Peeker<'a> {
        self.decoder.finish()
    }
}

/// Returns the window of a frame (3.1.1.1.2), which is its length for a single segment; None for another frame.
fn window(head: &[u8]) -> Option<u64> {
    let [0x28, 0xb5, 0x2f, 0xfd, flags, descriptor, ..] = *head else {
        return None;
    };
    if flags & 0x20 != 0 {
        return get_frame_content_size(head).ok().flatten();
    }
    let base = 1u64 << (10 + (descriptor >> 3));
    Some(base + base / 8 * u64::from(descriptor & 7))
}

/// The content of the frame that `pzstd` writes before each of its frames: its length.
const PZSTD: u32 = 4;
/// The end of a seek table: number of frames, flags, mark. The flag below means that its entries have checksums.
const SEEK_FOOTER: u32 = 9;
const SEEK_MARK: [u8; 4] = [0xb1, 0xea, 0x92, 0x8f];
const SEEK_CHECKSUMS: u8 = 0x80;

/// Consumes the skippable frames ahead (3.1.2); returns how many bytes they contain, except those of packers: lengths of
/// frames (`pzstd`) and seek tables.
pub fn skip_frames(input: &mut Peeker<'_>) -> io::Result<u64> {
    let mut count = 0;
    loop {
        let (number, size) = match *input.peek(8)? {
            [first, 0x2a, 0x4d, 0x18, a, b, c, d, ..] if first & 0xf0 == 0x50 => {
                (first & 0x0f, u32::from_le_bytes([a, b, c, d]))
            }
            [first, 0x2a, 0x4d, 0x18, ..] if first & 0xf0 == 0x50 => {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            _ => return Ok(count),
        };
        input.consume(8);
        let last = size.min(SEEK_FOOTER);
        input.skip(u64::from(size - last))?;
        let footer = input.peek(last as usize)?.get(..last as usize);
        let is_packers = (number == 0 && size == PZSTD)
            || (number == 0x0e && footer.is_some_and(|footer| is_seek_table(footer, size)));
        input.skip(u64::from(last))?;
        if !is_packers {
            count += u64::from(size);
        }
        input.skip_zeros()?;
    }
}

/// Whether a frame of that size is a seek table, by its footer.
fn is_seek_table(footer: &[u8], size: u32) -> bool {
    let [a, b, c, d, flags, ref mark @ ..] = *footer else {
        return false;
    };
    let entry = if flags & SEEK_CHECKSUMS == 0 { 8 } else { 12 };
    let entries = u32::from_le_bytes([a, b, c, d]).checked_mul(entry);
    *mark == SEEK_MARK && entries == size.checked_sub(SEEK_FOOTER)
}

impl Read for ZstdReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.decoder.read(buffer)?;
        self.produced += got as u64;
        if got == 0
            && !buffer.is_empty()
            && self
                .declared
                .is_some_and(|declared| declared != self.produced)
        {
            return Err(invalid("the length is not that of its header"));
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_window_above_the_limit_is_reported_as_one() {
        // No length, a window of 2 GiB; one segment of 256 MiB.
        for (head, size) in [
            (
                [0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0, 0, 0],
                "2048 MiB",
            ),
            (
                [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0x10, 1, 0],
                "256 MiB",
            ),
        ] {
            let opened = ZstdReader::new(Peeker::new(Box::new(head.as_slice())));
            let error = opened.err().unwrap().to_string();
            assert!(error.contains(size), "{error}");
            assert!(error.contains("128 MiB (limit)"), "{error}");
        }
    }

    /// A skippable frame.
    fn skippable(number: u8, content: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x50 | number, 0x2a, 0x4d, 0x18];
        frame.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        frame.extend(content);
        frame
    }

    /// What is counted, and what is left of the input.
    fn skipped(data: &[u8]) -> io::Result<(u64, Vec<u8>)> {
        let mut input = Peeker::new(Box::new(data));
        let count = skip_frames(&mut input)?;
        let mut rest = Vec::new();
        input.read_to_end(&mut rest)?;
        Ok((count, rest))
    }

    #[test]
    fn bytes_in_skippable_frames_are_counted_except_those_of_packers() {
        let table = |entries: u32, flags: u8, size: usize| {
            let mut content = vec![7; size];
            content.extend(entries.to_le_bytes());
            content.push(flags);
            content.extend(SEEK_MARK);
            skippable(0x0e, &content)
        };
        for (frame, count) in [
            (skippable(0, b""), 0),
            (skippable(3, b"user bytes"), 10),
            (skippable(0, b"four"), 0),
            (skippable(1, b"four"), 4),
            (table(2, 0, 16), 0),
            (table(2, SEEK_CHECKSUMS, 24), 0),
            (table(2, 0, 17), 26),
            (skippable(0x0e, b"long enough user bytes"), 22),
            (skippable(2, &vec![1; 300_000]), 300_000),
        ] {
            let mut data = frame.clone();
            data.extend(b"\0\0");
            data.extend(&frame);
            data.extend(b"rest");
            assert_eq!(skipped(&data).unwrap(), (2 * count, b"rest".to_vec()));
        }
    }

    #[test]
    fn a_cut_skippable_frame_is_an_error() {
        let frame = skippable(5, b"some user bytes");
        for cut in 4..frame.len() {
            assert!(skipped(frame.get(..cut).unwrap()).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_frame_shorter_than_its_header_says_is_an_error() {
        // One segment, 8 bytes of length, then one empty block that is the last.
        for (declared, right) in [(2, false), (0, true)] {
            let frame = [
                0x28, 0xb5, 0x2f, 0xfd, 0xe0, declared, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,
            ];
            // In two parts, so that the decoder cannot read the frame at once.
            let (head, rest) = frame.split_at(9);
            let mut reader = ZstdReader::new(Peeker::new(Box::new(head.chain(rest)))).unwrap();
            let mut out = Vec::new();
            assert_eq!(reader.read_to_end(&mut out).is_ok(), right, "{declared}");
        }
    }
}
