//! Where the deflate streams of zip members are: they can be copied into tar.gz files without compressing them again.

use std::collections::HashMap;
use std::path::PathBuf;

/// Position of a raw deflate stream (RFC 1951) in a zip. It was unpacked when the zip was read, and the CRC-32 of its
/// content was correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeflateStream {
    /// Index in [`DeflateStreams::zips`].
    pub zip: u32,
    /// Length in bytes; a stream of 4 GiB or more has no `DeflateStream`.
    pub length: u32,
    /// Offset of the first byte in the zip.
    pub offset: u64,
    /// CRC-32 of the content.
    pub crc: u32,
}

/// The deflate streams of the files of one folder, by file name.
#[derive(Debug, Default)]
pub struct DeflateStreams {
    /// Paths of the zips.
    pub zips: Vec<PathBuf>,
    /// The streams of files whose bytes are the content of a deflated, unencrypted member of one of the zips.
    pub by_name: HashMap<Vec<u8>, DeflateStream>,
}
