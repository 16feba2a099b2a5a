//! One Zstandard frame as a stream (RFC 8878), checked against the length in its header.

use std::io::{self, Read};

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
