//! The formats of packets (what qxbatch imports): zip, 7z, tar and the compressions. They are recognised by content.
//! What is unpacked is compared with its checksum, if the format stores one.

mod counting_reader;
pub mod foreign;
pub mod gzip;
pub mod kind;
mod lz4;
pub mod lzw;
mod peek;
pub mod sevenz;
pub mod skipped;
pub mod source;
pub mod tar;
pub mod unpack;
pub mod zip;
mod zst;

/// The limit on expansion counts smaller archives and members as if they had this many packed bytes. With the default
/// ratio of 1000, they may expand to about 65 MB.
pub const MIN_PACKED: u64 = 64 << 10;

/// Returns whether `expanded` bytes are more than `max_ratio` allows for `packed` bytes.
#[must_use]
pub fn expands_too_much(expanded: u64, packed: u64, max_ratio: u64) -> bool {
    expanded > max_ratio.saturating_mul(packed.max(MIN_PACKED))
}

/// Bytes that the names of all members may take, however few members there are.
pub const MIN_NAMES: u64 = 32 << 20;
/// Limit on the average length of a name in bytes, once all names take more than [`MIN_NAMES`].
pub const MAX_AVERAGE_NAME: u64 = 512;

/// Returns the limit in bytes on the names of `members` members. It exists because names are kept in memory.
fn max_name_bytes(members: u64) -> u64 {
    MIN_NAMES.max(members.saturating_mul(MAX_AVERAGE_NAME))
}

/// Returns whether `bytes` bytes of names are too many for `members` members.
#[must_use]
pub fn names_too_long(bytes: u64, members: u64) -> bool {
    bytes > max_name_bytes(members)
}

/// Returns the reason for names of `members` members that are too long.
#[must_use]
pub fn names_too_long_reason(members: u64) -> String {
    format!(
        "the names of its first {members} members have more than {} MB (limit on names)",
        max_name_bytes(members) >> 20
    )
}

/// Returns the reason for an expansion that is too large.
#[must_use]
pub fn expands_too_much_reason(max_ratio: u64) -> String {
    format!("it expands to more than {max_ratio} times its size (limit on expansion)")
}

/// Returns the text of an error of a reader or decompressor, as a reason for the ledger (the list of all input files of
/// a session).
#[must_use]
pub fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "cut short".into(),
        // The ledger contains the text without the error number.
        _ => match (
            error.to_string().split_once(" (os error"),
            error.raw_os_error(),
        ) {
            (Some((text, _)), Some(_)) => text.to_owned(),
            _ => error.to_string(),
        },
    }
}

/// Returns an error that describes invalid data.
pub(crate) fn invalid(text: impl Into<String>) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, text.into())
}

/// Reads until the buffer is full or the stream ends; returns the number of bytes.
pub fn fill(input: &mut dyn std::io::Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match input.read(buffer.get_mut(done..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(got) => done += got,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
