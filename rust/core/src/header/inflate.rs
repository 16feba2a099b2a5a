//! A window on compressed bytes, inflated only as far as the parser reads.

use std::io;

use flate2::{Decompress, FlushDecompress, Status};

use super::window::Window;

/// Limit on the bytes that are inflated at a time: the used part of most headers.
const STEP: usize = 8192;
/// Bytes kept before the current position; reading before them inflates again from the start.
const KEPT_BEHIND: usize = 1 << 16;
/// Flags of a gzip header (RFC 1952 section 2.3.1).
const HAS_HEADER_SUM: u8 = 2;
const HAS_EXTRA_FIELD: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;
/// Limit on the inflated header in bytes; a longer one is a decompression bomb or not a header.
const MAX_INFLATED: u64 = 1 << 26;

/// The inflated bytes of a gzip file, or of a data set in the deflated transfer syntax (PS3.5 annex A.5).
#[derive(Debug)]
pub struct Inflated<'w, W> {
    source: &'w mut W,
    /// Start of the deflated bytes. They are inflated again from here if an offset before `out` is requested.
    begin: u64,
    /// Offset of the next deflated byte to read.
    next: u64,
    /// The decoder.
    state: Decompress,
    /// Offset of `out` in the inflated bytes.
    start: u64,
    /// The inflated bytes that are kept.
    out: Vec<u8>,
    /// Whether `out` reaches to the end of the inflated bytes.
    finished: bool,
}

impl<'w, W: Window> Inflated<'w, W> {
    /// Returns a window on the content of a gzip file (RFC 1952); None if the bytes do not start with a complete gzip
    /// header.
    pub fn gzip(source: &'w mut W) -> io::Result<Option<Self>> {
        let Some(begin) = deflated_start(source)? else {
            return Ok(None);
        };
        Ok(Some(Self::raw(source, begin)))
    }

    /// Returns a window on the content of deflated bytes (RFC 1951) that begin at an offset of the source.
    pub(super) fn raw(source: &'w mut W, begin: u64) -> Self {
        let state = Decompress::new(false);
        Self {
            source,
            begin,
            next: begin,
            state,
            start: 0,
            out: Vec::new(),
            finished: false,
        }
    }

    /// Returns the offset after the last inflated byte.
    fn reached(&self) -> u64 {
        self.start.saturating_add(self.out.len() as u64)
    }

    /// Goes back to the start of the inflated bytes.
    fn restart(&mut self) {
        self.state.reset(false);
        (self.next, self.start, self.finished) = (self.begin, 0, false);
        self.out.clear();
    }

    /// Inflates at most [`STEP`] further bytes.
    fn step(&mut self) -> io::Result<()> {
        let input = self.source.at(self.next, STEP / 2)?;
        let input = input.get(..STEP).unwrap_or(input);
        let loaded = self.out.len();
        self.out.resize(loaded.saturating_add(STEP), 0);
        let (read, written) = (self.state.total_in(), self.state.total_out());
        let free = self.out.get_mut(loaded..).unwrap_or_default();
        let status = self.state.decompress(input, free, FlushDecompress::None);
        let read = self.state.total_in().saturating_sub(read);
        let written = self.state.total_out().saturating_sub(written);
        self.out
            .truncate(loaded.saturating_add(usize::try_from(written).unwrap_or(0)));
        self.next = self.next.saturating_add(read);
        let stuck = read == 0 && written == 0;
        match status {
            Ok(Status::StreamEnd) => self.finished = true,
            // No input is left: the object ends here, complete or cut short.
            Ok(_) if stuck => self.finished = true,
            Ok(_) => {}
            Err(_) => return Err(damaged("the compressed data are damaged")),
        }
        Ok(())
    }

    /// Drops inflated bytes far before an offset.
    fn forget(&mut self, offset: u64) {
        let passed = usize::try_from(offset.saturating_sub(self.start))
            .unwrap_or(usize::MAX)
            .min(self.out.len());
        if passed > KEPT_BEHIND.saturating_mul(2) {
            let gone = passed.saturating_sub(KEPT_BEHIND);
            self.out.drain(..gone);
            self.start = self.start.saturating_add(gone as u64);
        }
    }
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Returns whether the bytes start like a gzip file (RFC 1952).
pub fn is_gzip<W: Window>(source: &mut W) -> io::Result<bool> {
    Ok(source.at(0, 2)?.starts_with(&[0x1F, 0x8B]))
}

/// Returns the start of the deflated bytes of a gzip file; None if it has no complete gzip header. A name or comment in
/// the header must end within the bytes that are read for it (at least 4096).
fn deflated_start<W: Window>(source: &mut W) -> io::Result<Option<u64>> {
    let head = source.at(0, 512)?;
    let Some([0x1F, 0x8B, 8, flags, ..]) = head.first_chunk::<10>().copied() else {
        return Ok(None);
    };
    let mut at = 10_usize;
    if flags & HAS_EXTRA_FIELD != 0 {
        let Some(length) = head.get(at..).and_then(<[u8]>::first_chunk::<2>) else {
            return Ok(None);
        };
        at = at
            .saturating_add(2)
            .saturating_add(usize::from(u16::from_le_bytes(*length)));
    }
    for flag in [HAS_NAME, HAS_COMMENT] {
        if flags & flag != 0 {
            let rest = source.at(at as u64, 4096)?;
            let Some(end) = rest.iter().position(|byte| *byte == 0) else {
                return Ok(None);
            };
            at = at.saturating_add(end).saturating_add(1);
        }
    }
    Ok(Some(if flags & HAS_HEADER_SUM != 0 {
        at.saturating_add(2)
    } else {
        at
    } as u64))
}

impl<W: Window> Window for Inflated<'_, W> {
    fn len(&self) -> u64 {
        if self.finished {
            self.reached()
        } else {
            u64::MAX
        }
    }

    fn at(&mut self, offset: u64, want: usize) -> io::Result<&[u8]> {
        if offset < self.start {
            self.restart();
        }
        let end = offset.saturating_add(want as u64);
        while !self.finished && self.reached() < end {
            if end > MAX_INFLATED {
                return Err(damaged("the header is longer than 64 MB of inflated data"));
            }
            self.forget(offset);
            self.step()?;
        }
        let skip = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        Ok(self.out.get(skip..).unwrap_or_default())
    }
}
