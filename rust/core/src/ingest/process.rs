//! Processes one member according to its content.

use super::compressed_member;
use super::member::{self, ProcessedMember};
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::row::{Fate, RowKind};
use super::stop::Stop;
use crate::archive::kind::{self, FileKind};
use crate::notation::Hash;

/// Processes a member by its content: stages and parses it, unpacks it, or defers it if it is an archive. `size` and
/// `sha256` are those of its bytes.
pub fn process_member(
    pass: &Pass<'_>,
    address: &Address,
    data: MemberBytes<'_>,
    size: u64,
    sha256: Hash,
) -> Result<ProcessedMember, Stop> {
    pass.check_cancelled()?;
    let mut row = address.row(RowKind::Other, Fate::Kept);
    row.size = size;
    row.sha256 = Some(sha256);
    row.content_sha256 = Some(sha256);
    let file_kind = kind::by_content_and_name(data.kind(pass)?, &address.path);
    let result = match file_kind {
        FileKind::Dicom => {
            member::process_file(pass, address, row, data, file_kind).map(ProcessedMember::from)
        }
        // A REC consists of pixels only: bytes that look like the mark of another format are coincidence.
        _ if kind::is_rec(&address.path) => {
            member::process_file(pass, address, row, data, file_kind).map(ProcessedMember::from)
        }
        FileKind::Zip | FileKind::SevenZ | FileKind::Tar => {
            member::defer_archive(pass, address, row, data)
        }
        FileKind::Packed(compression) => {
            compressed_member::process(pass, address, row, data, compression)
        }
        FileKind::Par | FileKind::Empty | FileKind::Foreign(_) | FileKind::Other => {
            member::process_file(pass, address, row, data, file_kind).map(ProcessedMember::from)
        }
    };
    pass.monitor.add(1, size);
    result
}
