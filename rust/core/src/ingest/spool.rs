//! Zip members that are too large for memory.

use super::member::ProcessedMember;
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::process::process_member;
use super::staging::StagingDir;
use super::stop::ReadError;
use crate::archive::zip::entry::Entry;
use crate::archive::zip::unzip::{self, Content};

/// Unpacks a large member to staging, checks its size and CRC, and processes it. Fails with the reason if it is damaged.
pub fn spool(
    pass: &Pass<'_>,
    entry: &Entry,
    mut content: Content<'_>,
    address: &Address,
) -> Result<ProcessedMember, ReadError> {
    let staged = address.staged_file(StagingDir::Other);
    let checksums = pass
        .staging
        .spool(&staged, &mut content, entry.size, pass.monitor)?;
    let checked = unzip::check_size(entry, checksums.size)
        .and_then(|()| unzip::check_crc(entry, checksums.crc));
    if let Err(reason) = checked {
        pass.staging.remove(&staged)?;
        return Err(ReadError::Data(reason));
    }
    let data = MemberBytes::Staged(staged);
    let member = process_member(pass, address, data, checksums.size, checksums.sha256)?;
    Ok(member.with_unused_bytes(content.unused_bytes()))
}
