//! What a packet is made of: zip, 7z, tar and the compressions, told by content and read with every check they offer.

pub mod foreign;
pub mod gzip;
pub mod kind;
mod lz4;
pub mod lzw;
mod peek;
pub mod sevenz;
pub mod source;
pub mod tar;
pub mod unpack;
pub mod zip;
mod zst;

/// Expanded bytes are judged against at least this many packed ones, so that 64 MB of zeros are no bomb yet.
pub const LEAST_PACKED: u64 = 64 << 10;

/// Whether so many bytes out of so few is more than `max_ratio` allows.
#[must_use]
pub fn too_much(expanded: u64, packed: u64, max_ratio: u64) -> bool {
    expanded > max_ratio.saturating_mul(packed.max(LEAST_PACKED))
}

/// Bytes that the names of all members may have, however few members there are.
pub const LEAST_NAMES: u64 = 32 << 20;
/// Bytes that a name may have on average where they have more: no file system has names that are so long.
pub const NAME_ON_AVERAGE: u64 = 512;

/// Whether names of so many bytes in all are more than so many members can honestly have. Names are kept in memory.
#[must_use]
pub fn names_too_long(bytes: u64, members: u64) -> bool {
    bytes > LEAST_NAMES.max(members.saturating_mul(NAME_ON_AVERAGE))
}

/// The reason for what is refused by that.
#[must_use]
pub fn names_beyond(members: u64) -> String {
    format!(
        "the names of its first {members} members have more than {} MB (limit on names)",
        LEAST_NAMES >> 20
    )
}

/// The reason for what is refused by [`too_much`].
#[must_use]
pub fn beyond(max_ratio: u64) -> String {
    format!("it expands to more than {max_ratio} times its size (limit on expansion)")
}

/// Turns an error of a reader or decompressor into a reason for the ledger.
#[must_use]
pub fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "cut short".into(),
        // The number behind the words is of no use in a ledger.
        _ => match (
            error.to_string().split_once(" (os error"),
            error.raw_os_error(),
        ) {
            (Some((text, _)), Some(_)) => text.to_owned(),
            _ => error.to_string(),
        },
    }
}

/// An error that says what is wrong with data.
pub(crate) fn invalid(text: impl Into<String>) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, text.into())
}

/// Reads until the buffer is full or the stream ends.
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
