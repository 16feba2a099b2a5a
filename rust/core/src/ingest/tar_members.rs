//! The members of a tar: one thread unpacks, the others hash, parse and write.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;

use super::batch::Members;
use super::member::ProcessedMember;
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::process::process_member;
use super::row::{Row, RowKind, link_reason};
use super::staging::{StagingDir, fill};
use super::stop::{ReadError, Stop};
use super::tar_input::Input;
use super::workers::Workers;
use crate::archive::skipped::SkippedBytes;
use crate::archive::tar::{Member, MemberKind, TarReader};
use crate::archive::{expands_too_much, expands_too_much_reason, reason};
use crate::notation::{escape, escaped_len};

/// Reads all members. `container` is the address of the tar as an archive.
pub fn read(
    pass: &Pass<'_>,
    input: Input<'_>,
    container: &Address,
) -> Result<Members<'static>, Stop> {
    let workers = Workers::default();
    let mut unpacker = Unpacker {
        pass,
        tar: TarReader::new(input),
        sequence: 0,
        hole_bytes: 0,
        file_name_hashes: HashSet::new(),
        hash_state: RandomState::new(),
    };
    let mut damage: Option<String> = None;
    rayon::scope(|scope| {
        while !workers.has_stopped() {
            match unpacker.next(container, &workers, scope) {
                Ok(true) => {}
                Ok(false) => break,
                Err(ReadError::Stop(stop)) => workers.store(unpacker.sequence, Err(stop)),
                Err(ReadError::Data(reason)) => {
                    damage = Some(reason);
                    break;
                }
            }
        }
    });
    let mut members = Members::of(workers.finish()?);
    members.damage.extend(damage);
    members.skipped = skipped_by(&unpacker.tar);
    Ok(members)
}

/// Returns notes on the bytes that are in no member; call it after all members were read.
fn skipped_by(tar: &TarReader<Input<'_>>) -> SkippedBytes {
    let mut skipped = SkippedBytes::default();
    skipped.add(
        tar.trailing_bytes(),
        "bytes follow the end mark of the tar",
        tar.trailing_begins_like_images(),
    );
    if let Input::Packed(unpack, ..) = tar.get_ref() {
        skipped.extend(unpack.get_ref().skipped());
    }
    skipped
}

/// State of the thread that unpacks.
struct Unpacker<'p, 'a> {
    pass: &'p Pass<'p>,
    tar: TarReader<Input<'a>>,
    /// Sequence number of the current member.
    sequence: u64,
    /// Bytes in the holes of sparse files so far.
    hole_bytes: u64,
    /// Hashes of the names of the files and of the hard links to them so far, by [`Unpacker::name_hash`].
    file_name_hashes: HashSet<u64>,
    /// The seed of the hashes: an archive cannot contain names that were chosen to have equal hashes.
    hash_state: RandomState,
}

impl<'p> Unpacker<'p, '_> {
    /// Reads one member from the stream, and stores its row in `workers` or has them process it; returns false at the end.
    /// Fails if the rest of the archive cannot be read, or exceeds a limit.
    fn next<'s>(
        &mut self,
        container: &Address,
        workers: &'s Workers,
        scope: &rayon::Scope<'s>,
    ) -> Result<bool, ReadError>
    where
        'p: 's,
    {
        self.pass.check_cancelled()?;
        self.sequence += 1;
        let next = self.tar.next_member();
        let Some(mut member) = next.map_err(|error: io::Error| ReadError::Data(reason(&error)))?
        else {
            return Ok(false);
        };
        let target = match &member.kind {
            MemberKind::Link { target, .. } => escaped_len(target),
            _ => 0,
        };
        let texts = escaped_len(&container.path) + escaped_len(&member.name) + target;
        self.pass.count_member(texts).map_err(ReadError::Data)?;
        let address = container.member(&member.name, self.sequence);
        if let Some(row) = self.member_without_data(&address, &member) {
            workers.store(self.sequence, Ok(row));
            return Ok(true);
        }
        self.check_holes(&member)?;
        let size = member.size;
        let holes = size.saturating_sub(member.stored_size);
        let within_limits = self.pass.count_expanded(size, &address.path);
        within_limits
            .and_then(|()| container.add_to_expansion(holes)) // other bytes count when they are read
            .map_err(ReadError::Data)?;
        if size > self.pass.max_in_memory {
            return self.read_large_member(&address, &mut member, workers);
        }
        let len = usize::try_from(size).unwrap_or(0);
        let mut buffer = workers.buffer(len);
        let mut content = self.tar.content(&mut member);
        let part = buffer.get_mut(..len).unwrap_or_default();
        if let Err(error) = fill(&mut content, part) {
            return self.refuse_and_end(&address, size, reason(&error), workers);
        }
        workers.submit(scope, self.pass, (self.sequence, address), (buffer, len));
        Ok(true)
    }

    /// Adds the holes of a member. Fails once all holes together exceed the limit on expansion: they take no space in the
    /// archive, so many small ones can form a decompression bomb, too.
    fn check_holes(&mut self, member: &Member) -> Result<(), ReadError> {
        let holes = member.size.saturating_sub(member.stored_size);
        self.hole_bytes = self.hole_bytes.saturating_add(holes);
        let max_ratio = self.pass.options.max_ratio;
        if expands_too_much(self.hole_bytes, self.tar.get_ref().consumed(), max_ratio) {
            return Err(ReadError::Data(expands_too_much_reason(max_ratio)));
        }
        Ok(())
    }

    /// Unpacks to disk a member that is too large for memory.
    fn read_large_member(
        &mut self,
        address: &Address,
        member: &mut Member,
        workers: &Workers,
    ) -> Result<bool, ReadError> {
        let (pass, size) = (self.pass, member.size);
        // If the tar ends before the member does, the member takes less space than its size.
        if !self.tar.get_ref().ends_before(member.stored_size) {
            pass.check_free_space(size, &address.path)?;
        }
        let staged = address.staged_file(StagingDir::Other);
        let mut content = self.tar.content(member);
        let checksums = pass
            .staging
            .spool(&staged, &mut content, size, pass.monitor);
        match checksums {
            Ok(checksums) => {
                let data = MemberBytes::Staged(staged);
                let result = process_member(pass, address, data, checksums.size, checksums.sha256);
                workers.store(self.sequence, result);
                Ok(true)
            }
            Err(fault) => self.refuse_and_end(address, size, fault.reason_or_stop()?, workers),
        }
    }

    /// Refuses a member whose data cannot be read to their end, and ends the archive: the next header cannot be found.
    fn refuse_and_end(
        &self,
        address: &Address,
        size: u64,
        reason: String,
        workers: &Workers,
    ) -> Result<bool, ReadError> {
        let row = address.refused_row(RowKind::Other, size, reason.clone());
        workers.store(self.sequence, Ok(row.into()));
        Err(ReadError::Data(reason))
    }

    /// Returns the row of a member that is not a file, or of a file with too many holes; None for another file.
    fn member_without_data(
        &mut self,
        address: &Address,
        member: &Member,
    ) -> Option<ProcessedMember> {
        let max_ratio = self.pass.options.max_ratio;
        let row = match &member.kind {
            MemberKind::File if expands_too_much(member.size, member.stored_size, max_ratio) => {
                let text = format!(
                    "its holes make it more than {max_ratio} times its size in the archive (limit on expansion)"
                );
                address.refused_row(RowKind::Other, member.size, text)
            }
            MemberKind::File => {
                self.file_name_hashes.insert(self.name_hash(&member.name));
                return None;
            }
            MemberKind::Directory => address.no_data_row(RowKind::Directory, ""),
            MemberKind::Link { hard, target } => self.link_row(address, member, *hard, target),
            MemberKind::Device(word) => address.no_data_row(RowKind::Device, *word),
        };
        Some(row.into())
    }

    /// Returns the row of a hard link or, if `is_hard` is false, of a symbolic link. A hard link whose target is no
    /// earlier file of the archive is refused.
    fn link_row(
        &mut self,
        address: &Address,
        member: &Member,
        is_hard: bool,
        target: &[u8],
    ) -> Row {
        if !is_hard {
            return address.no_data_row(RowKind::Link, link_reason(target));
        }
        let escaped = escape(target);
        if self.file_name_hashes.contains(&self.name_hash(target)) {
            self.file_name_hashes.insert(self.name_hash(&member.name));
            let text = format!("a hard link to {escaped}, whose row has the bytes");
            return address.no_data_row(RowKind::Link, text);
        }
        let text = format!("a hard link to {escaped}, which is not in the archive before it");
        address.refused_row(RowKind::Link, 0, text)
    }

    /// Returns a hash for comparing the name of a file with the target of a hard link.
    fn name_hash(&self, name: &[u8]) -> u64 {
        self.hash_state
            .hash_one(name.strip_prefix(b"./").unwrap_or(name))
    }
}
