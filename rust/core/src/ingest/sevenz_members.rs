//! The members of a 7z, in the order of its header: one thread unpacks, the others hash, parse and write. A block (a
//! folder in the terms of 7z) is a group of members that are packed together.

use std::io::{self, Read};

use super::batch::Members;
use super::encrypted::not_decrypted_reason;
use super::kept_whole::ENCRYPTED;
use super::member::ProcessedMember;
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::process::process_member;
use super::row::{A_LINK, LONGEST_TARGET, Row, RowKind, link_reason};
use super::staging::{StagingDir, fill};
use super::stop::{ReadError, Stop};
use super::workers::Workers;
use crate::archive::sevenz::aes::Keys;
use crate::archive::sevenz::chain::{self, BlockContent, Refusal};
use crate::archive::sevenz::streams::Block;
use crate::archive::sevenz::unused_input::Content;
use crate::archive::sevenz::{self, Listing, Member, MemberKind};
use crate::archive::source::Source;
use crate::archive::{expands_too_much, expands_too_much_reason, reason};
use crate::notation::escaped_len;

/// Reads all members. `container` is the address of the 7z as an archive.
pub fn read(
    pass: &Pass<'_>,
    source: &dyn Source,
    container: &Address,
) -> Result<Members<'static>, Stop> {
    pass.check_cancelled()?;
    let keys = Keys::new(
        pass.options
            .passwords
            .last_correct_first(&pass.last_password),
    );
    let keys = keys.with_cache(&pass.key_cache, pass.monitor);
    let mut listing = match sevenz::list(source, pass.options.max_members, &keys) {
        Ok(listing) => listing,
        Err(refusal) => {
            pass.check_cancelled()?;
            return Ok(Members::damaged(reason_of(pass, refusal)));
        }
    };
    if let Some((count, most)) = listing.count_over_limit {
        let text = format!("it has {count} members, more than {most} (limit)");
        return Ok(Members::damaged(text));
    }
    let prefix = escaped_len(&container.path);
    let admitted = admit(pass, source.len(), (container, prefix), &listing);
    let workers = Workers::default();
    let mut unpacker = Unpacker {
        pass,
        source,
        keys,
        blocks: std::mem::take(&mut listing.blocks),
        current: None,
        unused_bytes: listing.unused_header_bytes,
    };
    rayon::scope(|scope| {
        let members = (1u64..).zip(&listing.members).zip(admitted);
        for ((sequence, member), admitted) in members {
            if workers.has_stopped() {
                break;
            }
            let address = container.member(&member.name, sequence);
            let refused = |reason: String| address.refused_row(RowKind::Other, member.size, reason);
            let row = match admitted {
                Err(reason) => Ok(refused(reason)),
                Ok(()) => {
                    match unpacker.read_member(member, (sequence, &address), &workers, scope) {
                        Ok(None) => continue,
                        Ok(Some(row)) => Ok(row),
                        Err(ReadError::Data(reason)) => Ok(refused(reason)),
                        Err(ReadError::Stop(stop)) => Err(stop),
                    }
                }
            };
            workers.store(sequence, row.map(ProcessedMember::from));
        }
    });
    unpacker.close();
    let mut members = Members::of(workers.finish()?);
    let counts = [
        (
            listing.trailing_bytes,
            "bytes follow the archive",
            listing.trailing_begins_like_images,
        ),
        (
            listing.gap_bytes,
            "bytes are in no stream of the archive",
            false,
        ),
        (
            unpacker.unused_bytes,
            "bytes of its streams are not part of any member",
            false,
        ),
    ];
    for (count, text, begins_like_images) in counts {
        members.skipped.add(count, text, begins_like_images);
    }
    Ok(members)
}

/// Returns why an archive or block cannot be read, as a reason for the ledger.
fn reason_of(pass: &Pass<'_>, refusal: Refusal) -> String {
    match refusal {
        Refusal::NoPassword => ENCRYPTED.into(),
        Refusal::WrongPassword => not_decrypted_reason(pass.options.passwords.len(), None),
        Refusal::Data(reason) => reason,
    }
}

/// Counts the members, and returns for each one an error with the reason if it must not be read. Uses only the header of
/// the archive. `len` is the size of the archive, and `prefix` the length of its escaped path, both in bytes.
fn admit(
    pass: &Pass<'_>,
    len: u64,
    (container, prefix): (&Address, u64),
    listing: &Listing,
) -> Vec<Result<(), String>> {
    let max_ratio = pass.options.max_ratio;
    let mut total = 0u64;
    let mut admit_member = |member: &Member| {
        let target = match member.kind {
            MemberKind::Link => member.size.min(LONGEST_TARGET),
            _ => 0,
        };
        let texts = escaped_len(&member.name).saturating_add(target);
        pass.count_member(prefix.saturating_add(texts))?;
        let Some(block) = member.block.and_then(|at| listing.blocks.get(at)) else {
            return Ok(());
        };
        total = total.saturating_add(member.size);
        if expands_too_much(block.size(), block.packed_size(), max_ratio)
            || expands_too_much(total, len, max_ratio)
        {
            return Err(expands_too_much_reason(max_ratio));
        }
        pass.count_expanded(member.size, &member.name)?;
        container.add_to_expansion(member.size)
    };
    listing.members.iter().map(&mut admit_member).collect()
}

/// State of the thread that unpacks.
struct Unpacker<'p> {
    pass: &'p Pass<'p>,
    source: &'p dyn Source,
    /// The passwords, and the keys that are derived from them.
    keys: Keys<'p>,
    blocks: Vec<Block>,
    /// Index of the current block, and its remaining content, or why the rest of it is unreadable.
    current: Option<(usize, Result<BlockContent<'p>, String>)>,
    /// Bytes in the packed streams of a packed header that do not belong to the header, and bytes of the blocks so far
    /// that are in no member.
    unused_bytes: u64,
}

impl<'p> Unpacker<'p> {
    /// Reads one member from its block. Returns its row; None for a file, whose row will be in `workers`. `sequence` is the
    /// number of the member in the archive, from 1.
    fn read_member<'s>(
        &mut self,
        member: &Member,
        (sequence, address): (u64, &Address),
        workers: &'s Workers,
        scope: &rayon::Scope<'s>,
    ) -> Result<Option<Row>, ReadError>
    where
        'p: 's,
    {
        self.pass.check_cancelled()?;
        match member.kind {
            MemberKind::Directory => return Ok(Some(address.no_data_row(RowKind::Directory, ""))),
            MemberKind::Anti => {
                let text = "an anti-item: it asks to remove a file of this name";
                return Ok(Some(address.no_data_row(RowKind::Other, text)));
            }
            MemberKind::Device => {
                self.skip(member)?;
                return Ok(Some(address.no_data_row(RowKind::Device, "a device")));
            }
            MemberKind::Link => {
                let target = self.read_link_target(member)?;
                let text = target.map_or(A_LINK.into(), |target| link_reason(&target));
                return Ok(Some(address.no_data_row(RowKind::Link, text)));
            }
            MemberKind::File => {}
        }
        if member.size > self.pass.max_in_memory {
            return self.read_large_member(member, (sequence, address), workers);
        }
        let len = usize::try_from(member.size).unwrap_or(0);
        let mut buffer = workers.buffer(len);
        let part = buffer.get_mut(..len).unwrap_or_default();
        self.fill(member, part)?;
        workers.submit(scope, self.pass, (sequence, address.clone()), (buffer, len));
        Ok(None)
    }

    /// Returns the bytes of a member: the next bytes of its block, since the members of a block are read in order.
    /// Returns an empty stream for a member without a block.
    fn content(&mut self, member: &Member) -> Result<Content<'_>, ReadError> {
        let Some(block) = member.block else {
            return Ok(Box::new(io::empty()));
        };
        if self.current.as_ref().is_none_or(|(at, _)| *at != block) {
            self.close();
            self.current = Some((block, self.open(block)?));
        }
        match &mut self.current {
            Some((_, Ok(content))) => Ok(Box::new(content.take(member.size))),
            Some((_, Err(reason))) => Err(ReadError::Data(reason.clone())),
            None => Ok(Box::new(io::empty())),
        }
    }

    /// Opens the block with the index `at`; if it is encrypted, with the password that decrypts its first member. The
    /// inner result is the reason if the block cannot be opened.
    fn open(&self, at: usize) -> Result<Result<BlockContent<'p>, String>, Stop> {
        self.pass.check_cancelled()?;
        let Some(block) = self.blocks.get(at) else {
            return Ok(Err("its list of members is damaged".into()));
        };
        let mut password = 0;
        if chain::is_encrypted(block) {
            match chain::find_password(self.source, block, &self.keys) {
                Ok(index) => password = index,
                Err(refusal) => {
                    self.pass.check_cancelled()?;
                    return Ok(Err(reason_of(self.pass, refusal)));
                }
            }
            self.pass.last_password.note(password);
        }
        Ok(chain::open(self.source, block, &self.keys, password))
    }

    /// Ends a block: counts its bytes that are in no member.
    fn close(&mut self) {
        if let Some((_, Ok(content))) = self.current.take() {
            self.unused_bytes = self.unused_bytes.saturating_add(content.unused_bytes());
        }
    }

    /// Marks the rest of the current block as unreadable.
    fn fail_block(&mut self, reason: &str) {
        if let Some((_, content)) = &mut self.current {
            *content = Err(reason.to_owned());
        }
    }

    /// Reads a member into `part`, which has its size, and checks its CRC.
    fn fill(&mut self, member: &Member, part: &mut [u8]) -> Result<(), ReadError> {
        let got = fill(&mut self.content(member)?, part);
        match got {
            Ok(got) if got == part.len() => check_crc(member, crc32fast::hash(part)),
            Ok(_) => Err(ReadError::Data("cut short".into())),
            Err(error) => {
                self.fail_block(&reason(&error));
                Err(ReadError::Data(reason(&error)))
            }
        }
    }

    /// Unpacks to disk a member that is too large for memory, and stores its row in `workers`: returns no row.
    fn read_large_member(
        &mut self,
        member: &Member,
        (sequence, address): (u64, &Address),
        workers: &Workers,
    ) -> Result<Option<Row>, ReadError> {
        let pass = self.pass;
        let staged = address.staged_file(StagingDir::Other);
        let mut content = self.content(member)?;
        let checksums = pass
            .staging
            .spool(&staged, &mut content, member.size, pass.monitor);
        drop(content);
        let checksums = match checksums {
            Ok(checksums) => checksums,
            Err(fault) => {
                let reason = fault.reason_or_stop()?;
                self.fail_block(&reason);
                return Err(ReadError::Data(reason));
            }
        };
        if let Err(fault) = check_crc(member, checksums.crc) {
            pass.staging.remove(&staged)?;
            return Err(fault);
        }
        let data = MemberBytes::Staged(staged);
        workers.store(
            sequence,
            process_member(pass, address, data, checksums.size, checksums.sha256),
        );
        Ok(None)
    }

    /// Returns the target of a link, which is its content; None for one that is too long.
    fn read_link_target(&mut self, member: &Member) -> Result<Option<Vec<u8>>, ReadError> {
        if member.size > LONGEST_TARGET {
            self.skip(member)?;
            return Ok(None);
        }
        let mut target = vec![0; usize::try_from(member.size).unwrap_or(0)];
        self.fill(member, &mut target)?;
        Ok(Some(target))
    }

    /// Reads past a member, to the next one of its block.
    fn skip(&mut self, member: &Member) -> Result<(), ReadError> {
        let mut content = self.content(member)?;
        let skipped = io::copy(&mut content, &mut io::sink());
        drop(content);
        skipped.map(|_| ()).map_err(|error| {
            self.fail_block(&reason(&error));
            ReadError::Data(reason(&error))
        })
    }
}

/// Fails if the CRC-32 of a member's bytes differs from that in the archive; a member without one is accepted.
fn check_crc(member: &Member, crc: u32) -> Result<(), ReadError> {
    match member.crc {
        Some(declared) if declared != crc => {
            let text = format!("its CRC is {crc:08x}, the archive says {declared:08x}");
            Err(ReadError::Data(text))
        }
        _ => Ok(()),
    }
}
