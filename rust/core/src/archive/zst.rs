//! Reads one Zstandard frame as a stream (RFC 8878), and counts the bytes in skippable frames. Numbers such as 3.1.2
//! are sections of RFC 8878.

use std::hash::{DefaultHasher, Hasher};
use std::io::{self, BufRead, Read};

use zstd::zstd_safe::get_frame_content_size;

use super::invalid;
use super::peek::Peeker;

/// Limit on windows, as a power of two: 128 MiB, the default limit of the `zstd` program.
const MAX_WINDOW_LOG: u32 = 27;
/// Length in bytes of the mark of a frame (3.1.1) and the longest header after it (3.1.1.1).
const LONGEST_HEADER: usize = 18;

/// Reads one frame; the input after it is not consumed. The input is a [`Peeker`], a stream with a lookahead.
///
/// This reader compares the length of the content with the header. The decoder of zstd does so too, but not if the last
/// block is empty and the frame arrives in parts.
pub struct ZstdReader<'a> {
    decoder: zstd::stream::read::Decoder<'static, Peeker<'a>>,
    /// Length of the content in bytes, if the header states it.
    declared_length: Option<u64>,
    /// Bytes of content that were read.
    content_bytes: u64,
}

impl<'a> ZstdReader<'a> {
    /// Reads the header; a window above the limit is an error.
    pub fn new(mut input: Peeker<'a>) -> io::Result<Self> {
        let head = input.peek(LONGEST_HEADER)?;
        let declared_length = get_frame_content_size(head).unwrap_or(None);
        if let Some(window) = window(head).filter(|window| *window > 1 << MAX_WINDOW_LOG) {
            return Err(invalid(format!(
                "it needs a window of {} MiB, more than {} MiB (limit); repack it with `zstd --long={MAX_WINDOW_LOG}`",
                window.div_ceil(1 << 20),
                (1 << MAX_WINDOW_LOG) >> 20
            )));
        }
        let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?.single_frame();
        decoder.window_log_max(MAX_WINDOW_LOG)?;
        Ok(Self {
            decoder,
            declared_length,
            content_bytes: 0,
        })
    }

    /// Returns how many bytes of content were read.
    pub fn content_bytes(&self) -> u64 {
        self.content_bytes
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

/// Returns the window size of a frame in bytes (3.1.1.1.2): for a single segment, the length of the content. Returns
/// None for bytes that do not start a frame, and for an unknown length.
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

/// The mark of a frame (3.1.1).
const MARK: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Number of the mark of a skippable frame that `pzstd` writes before each frame. Skippable frames have one of 16 marks
/// (3.1.2), numbered 0 to 15 by the low half of their first byte.
const PZSTD_FRAME: u8 = 0;
/// Length in bytes of the content of such a frame: the length of the next frame, as a 32-bit number.
const PZSTD_LENGTH: u32 = 4;
/// Number of the mark of a skippable frame that contains a seek table. The table has the lengths of all frames before
/// it.
const SEEK_TABLE: u8 = 0x0e;
/// Length of the end of a seek table: number of frames, flags, mark.
const SEEK_FOOTER_LENGTH: u32 = 9;
const SEEK_MARK: [u8; 4] = [0xb1, 0xea, 0x92, 0x8f];
/// The flag of a seek table whose entries have checksums.
const SEEK_CHECKSUMS: u8 = 0x80;

/// Counts the bytes in skippable frames (3.1.2). Does not count what packers write, if it agrees with the frames: the
/// length of the next frame (`pzstd`), and seek tables.
#[derive(Default)]
pub struct SkippableFrames {
    /// Lengths of the frames since the last seek table.
    lengths: FrameLengths,
    /// Length of the next frame, according to the skippable frame before it.
    announced_length: Option<u32>,
    /// Offset in the input at which the current frame begins.
    start: u64,
    /// Bytes in skippable frames that no packer put there.
    pub user_bytes: u64,
}

impl SkippableFrames {
    /// Consumes the skippable frames at the start of `input`, and zeros after each of them.
    pub fn skip(&mut self, input: &mut Peeker<'_>) -> io::Result<()> {
        while let Some((number, size)) = next_skippable(input)? {
            self.count_announced();
            input.consume(8);
            if number == PZSTD_FRAME && size == PZSTD_LENGTH {
                self.announced_length = word(input.peek(4)?);
                input.skip(u64::from(size))?;
            } else if number == SEEK_TABLE {
                let is_table = self.lengths.match_seek_table(input, size)?;
                self.user_bytes += if is_table { 0 } else { u64::from(size) };
            } else {
                input.skip(u64::from(size))?;
                self.user_bytes += u64::from(size);
            }
            input.skip_zeros()?;
        }
        if !input.peek(MARK.len())?.starts_with(&MARK) {
            self.count_announced();
        }
        self.start = input.consumed;
        Ok(())
    }

    /// Records a frame with content: `end` is the offset after it, `content` the length of its content in bytes.
    pub fn add_frame(&mut self, end: u64, content: u64) {
        let packed = end.saturating_sub(self.start);
        if self.announced_length.map(u64::from) == Some(packed) {
            self.announced_length = None;
        }
        self.count_announced();
        self.lengths.add(packed, content);
    }

    /// Counts the announced length, if there is one, as bytes of a user: called if no frame of this length follows.
    fn count_announced(&mut self) {
        if self.announced_length.take().is_some() {
            self.user_bytes += u64::from(PZSTD_LENGTH);
        }
    }
}

/// Returns the number of the skippable frame ahead (0 to 15, the low half of its first byte) and the size of its
/// content; None if there is none.
fn next_skippable(input: &mut Peeker<'_>) -> io::Result<Option<(u8, u32)>> {
    match *input.peek(8)? {
        [first, 0x2a, 0x4d, 0x18, a, b, c, d, ..] if first & 0xf0 == 0x50 => {
            Ok(Some((first & 0x0f, u32::from_le_bytes([a, b, c, d]))))
        }
        [first, 0x2a, 0x4d, 0x18, ..] if first & 0xf0 == 0x50 => {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
        _ => Ok(None),
    }
}

/// Returns the first 32 bits, little-endian.
fn word(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_le_bytes)
}

/// The number of frames, and a hash of their packed and content lengths: there may be too many frames to store them.
#[derive(Default)]
struct FrameLengths {
    count: u32,
    hash: DefaultHasher,
}

impl FrameLengths {
    /// Adds a frame by the lengths of its packed bytes and of its content.
    fn add(&mut self, packed: u64, content: u64) {
        self.count = self.count.saturating_add(1);
        for length in [packed, content] {
            match u32::try_from(length) {
                Ok(length) => self.hash.write_u32(length),
                Err(_) => self.hash.write_u64(length), // no seek table can contain it
            }
        }
    }

    /// Consumes the content of a skippable frame, `size` bytes; returns whether it is the seek table of the frames so
    /// far. If it is, forgets these frames: a later table has the lengths of later frames only. Does not compare the
    /// checksums in the table.
    fn match_seek_table(&mut self, input: &mut Peeker<'_>, size: u32) -> io::Result<bool> {
        let Some(entries_length) = size.checked_sub(SEEK_FOOTER_LENGTH) else {
            input.skip(u64::from(size))?;
            return Ok(false);
        };
        let (mut plain, mut with_checksums) = (DefaultHasher::new(), DefaultHasher::new());
        for index in 0..entries_length / 4 {
            let Some(length) = word(input.peek(4)?) else {
                return Err(io::ErrorKind::UnexpectedEof.into());
            };
            input.consume(4);
            plain.write_u32(length);
            if index % 3 < 2 {
                with_checksums.write_u32(length);
            }
        }
        input.skip(u64::from(entries_length % 4))?;
        let Some(&[a, b, c, d, flags, ref mark @ ..]) = input.peek(9)?.first_chunk::<9>() else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let (entry_length, hash) = match flags {
            0 => (8, plain),
            SEEK_CHECKSUMS => (12, with_checksums),
            _ => (0, plain),
        };
        let count = u32::from_le_bytes([a, b, c, d]);
        let is_table = *mark == SEEK_MARK
            && count == self.count
            && count.checked_mul(entry_length) == Some(entries_length)
            && hash.finish() == self.hash.finish();
        input.skip(u64::from(SEEK_FOOTER_LENGTH))?;
        if is_table {
            *self = Self::default();
        }
        Ok(is_table)
    }
}

impl Read for ZstdReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.decoder.read(buffer)?;
        self.content_bytes += got as u64;
        if got == 0
            && !buffer.is_empty()
            && self
                .declared_length
                .is_some_and(|declared| declared != self.content_bytes)
        {
            return Err(invalid("its length differs from that in its header"));
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
    fn skipped(frames: &mut SkippableFrames, data: &[u8]) -> io::Result<(u64, Vec<u8>)> {
        let mut input = Peeker::new(Box::new(data));
        frames.skip(&mut input)?;
        let mut rest = Vec::new();
        input.read_to_end(&mut rest)?;
        Ok((frames.user_bytes, rest))
    }

    #[test]
    fn bytes_in_skippable_frames_are_counted() {
        for (frame, count) in [
            (skippable(0, b""), 0),
            (skippable(3, b"user bytes"), 10),
            (skippable(0, b"four"), 4),
            (skippable(1, b"four"), 4),
            (skippable(0x0e, b"long enough user bytes"), 22),
            (skippable(0x0e, b"short"), 5),
            (skippable(2, &vec![1; 300_000]), 300_000),
        ] {
            let mut data = frame.clone();
            data.extend(b"\0\0");
            data.extend(&frame);
            data.extend(b"rest");
            let counted = skipped(&mut SkippableFrames::default(), &data).unwrap();
            assert_eq!(counted, (2 * count, b"rest".to_vec()));
        }
    }

    #[test]
    fn the_length_of_the_next_frame_is_not_counted() {
        let mut data = skippable(0, &17u32.to_le_bytes());
        data.extend(MARK);
        for (packed, count) in [(17, 0), (18, 4)] {
            let mut frames = SkippableFrames::default();
            assert_eq!(skipped(&mut frames, &data).unwrap().0, 0);
            frames.add_frame(frames.start + packed, 100);
            assert_eq!(frames.user_bytes, count);
        }
        let two = [&skippable(0, &17u32.to_le_bytes())[..], &data].concat();
        assert_eq!(skipped(&mut SkippableFrames::default(), &two).unwrap().0, 4);
    }

    #[test]
    fn the_seek_table_of_the_frames_is_not_counted() {
        let table = |words: &[u32], entries: u32, flags: u8| {
            let mut content: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            content.extend(entries.to_le_bytes());
            content.push(flags);
            content.extend(SEEK_MARK);
            skippable(0x0e, &content)
        };
        for (frame, count) in [
            (table(&[17, 100, 18, 200], 2, 0), 0),
            (table(&[17, 100, 9, 18, 200, 9], 2, SEEK_CHECKSUMS), 0),
            (table(&[17, 100, 18, 201], 2, 0), 25),
            (table(&[17, 100], 1, 0), 17),
            (table(&[17, 100, 18, 200], 2, SEEK_CHECKSUMS), 25),
            (table(&[17, 100, 18, 200], 2, 1), 25),
            (table(&[17, 100, 18, 200, 0], 2, 0), 29),
        ] {
            let mut frames = SkippableFrames::default();
            for (packed, content) in [(17, 100), (18, 200)] {
                frames.add_frame(frames.start + packed, content);
            }
            assert_eq!(skipped(&mut frames, &frame).unwrap().0, count);
            // After a table, its frames are forgotten: the same table again describes no frames.
            let again = skipped(&mut frames, &frame).unwrap().0;
            assert!(again > count);
        }
        let mut frames = SkippableFrames::default();
        frames.add_frame(1 << 33, 5);
        let long = table(&[0, 5], 1, 0);
        assert_eq!(skipped(&mut frames, &long).unwrap().0, 17);
    }

    #[test]
    fn a_cut_skippable_frame_is_an_error() {
        for frame in [
            skippable(5, b"some user bytes"),
            skippable(0x0e, b"some user bytes"),
            skippable(0, b"four"),
        ] {
            for cut in 4..frame.len() {
                let counted = skipped(&mut SkippableFrames::default(), frame.get(..cut).unwrap());
                assert!(counted.is_err(), "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_frame_shorter_than_its_header_says_is_an_error() {
        // One segment, 8 bytes of length, then one empty block that is the last.
        for (declared, is_valid) in [(2, false), (0, true)] {
            let frame = [
                0x28, 0xb5, 0x2f, 0xfd, 0xe0, declared, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0,
            ];
            // In two parts, so that the decoder cannot read the frame at once.
            let (head, rest) = frame.split_at(9);
            let mut reader = ZstdReader::new(Peeker::new(Box::new(head.chain(rest)))).unwrap();
            let mut out = Vec::new();
            assert_eq!(reader.read_to_end(&mut out).is_ok(), is_valid, "{declared}");
        }
    }
}
