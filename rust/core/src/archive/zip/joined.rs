//! Recognises several zips, one after the other in one file. [`end::find`] finds only the end record of the last one.

use std::io;

use super::super::source::Source;
use super::end;

/// Limit on the zips in one file. A file with more is not recognised, because each zip takes a search for its end
/// record.
const MAX_ZIPS: usize = 100;

/// Returns the message about joined zips. Returns None unless the bytes before `last`, the offset of the last zip, are
/// complete zips (at most 99), the first of which begins at byte 0.
pub fn describe(source: &dyn Source, last: u64) -> Option<String> {
    let mut second = last;
    for before in 1..MAX_ZIPS {
        let end = end::find(&Head {
            source,
            len: second,
        })
        .ok()?;
        if end.comment_is_cut || end.trailing_bytes > 0 {
            return None;
        }
        if end.archive_start == 0 {
            return Some(format!(
                "it is {} zip archives, one after the other; the second begins at byte {second}",
                before + 1
            ));
        }
        second = end.archive_start;
    }
    None
}

/// The first bytes of a source.
struct Head<'a> {
    source: &'a dyn Source,
    /// Number of these bytes.
    len: u64,
}

impl Source for Head<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let stop = offset.checked_add(buffer.len() as u64);
        if stop.is_none_or(|stop| stop > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.source.read_exact_at(buffer, offset)
    }
}
