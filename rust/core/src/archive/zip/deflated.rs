//! A member's packed bytes, which need not be packed again where the same content is stored in a gzip file.

use std::collections::HashMap;
use std::path::PathBuf;

/// Where a raw deflate stream (RFC 1951) lies in a zip. Its content was read once, and had this size and CRC-32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deflated {
    /// Which zip of the reading.
    pub zip: u32,
    /// Packed bytes; below 4 GB, as what is larger is not held in memory.
    pub length: u32,
    /// First byte in the zip.
    pub offset: u64,
    /// CRC-32 of the content.
    pub crc: u32,
}

/// The streams of files that lie in one folder, by the files' names.
#[derive(Debug, Default)]
pub struct Streams {
    /// The zips.
    pub zips: Vec<PathBuf>,
    /// Of each file that came out of one of them.
    pub of: HashMap<Vec<u8>, Deflated>,
}
