//! A compressed file that is not a tar, read as an archive with one member; the check for a compressed tar.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::batch::Members;
use super::expansion::ExpansionReader;
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::plain_file;
use super::process::process_member;
use super::staging::StagingDir;
use super::stop::Stop;
use super::total_size::TotalSizeReader;
use crate::archive::kind::{self, Compression, FileKind, HEAD_LENGTH};
use crate::archive::unpack::Unpack;
use crate::notation::escaped_len;

/// Returns whether a compressed file is a compressed tar, judged by the start of its content. The content of a damaged
/// file is judged up to the damage. Returns false if the file cannot be opened.
#[must_use]
pub fn contains_tar(path: &Path, compression: Compression) -> bool {
    let mut head = Vec::new();
    if let Ok(unpack) =
        plain_file::open(path).and_then(|file| Unpack::open(compression, Box::new(file)))
    {
        let _ = unpack.take(HEAD_LENGTH as u64).read_to_end(&mut head);
    }
    kind::of(&head) == FileKind::Tar
}

/// Reads a compressed file that is not a tar: its content is the only member. Returns no member, but damage, if it
/// cannot be unpacked to its end or exceeds a limit. `container` is the address of the file as an archive.
pub fn read(
    pass: &Pass<'_>,
    mut file: File,
    compression: Compression,
    container: &Address,
) -> Result<Members<'static>, Stop> {
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let name = kind::without_extension(container.archive_name(), compression);
    let address = container.member(name, 1);
    let mut unpack = match Unpack::open(compression, Box::new(&mut file)) {
        Ok(unpack) => unpack,
        Err(error) => return Ok(Members::damaged(crate::archive::reason(&error))),
    };
    let limit = pass
        .options
        .max_ratio
        .saturating_mul(size.max(crate::archive::MIN_PACKED));
    let staged = address.staged_file(StagingDir::Other);
    let checksums = match pass.staging.spool(
        &staged,
        &mut TotalSizeReader::new(
            ExpansionReader::new(&mut unpack, container.expansion()),
            pass,
            &address.path,
        ),
        limit,
        pass.monitor,
    ) {
        Ok(checksums) => checksums,
        Err(fault) => return Ok(Members::damaged(fault.reason_or_stop()?)),
    };
    if let Err(reason) = pass.count_member(escaped_len(&address.path)) {
        pass.staging.remove(&staged)?;
        return Ok(Members::damaged(reason));
    }
    let member = process_member(
        pass,
        &address,
        MemberBytes::Staged(staged),
        checksums.size,
        checksums.sha256,
    )?;
    let mut members = Members::of(vec![member]);
    members.skipped.extend(unpack.skipped());
    Ok(members)
}
