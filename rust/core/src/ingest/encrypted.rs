//! Encrypted members of a zip: tries each password until the decrypted bytes pass every check.

use std::io::Read;

use super::kept_whole::ENCRYPTED;
use super::member::{self, ProcessedMember};
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::process::process_member;
use super::row::RowKind;
use super::scratch;
use super::spool::spool;
use super::stop::{ReadError, Stop};
use crate::archive::source::Source;
use crate::archive::zip::decryption::{Attempt, EncryptedMember};
use crate::archive::zip::encryption::Encryption;
use crate::archive::zip::entry::Entry;
use crate::archive::zip::unzip;

/// Returns the reason if a member is encrypted and no password was given; else None, also for an unsupported
/// encryption: [`unzip::refusal`] returns the reason for it.
pub fn refusal(pass: &Pass<'_>, entry: &Entry) -> Option<String> {
    match entry.encryption? {
        Encryption::Unsupported(_) => None,
        _ if pass.options.passwords.is_empty() => Some(ENCRYPTED.into()),
        _ => None,
    }
}

/// Reads an encrypted member with the first password whose result passes every check; refuses the member if no password
/// does. `data_offset` is the offset of its data in the zip.
pub fn read(
    pass: &Pass<'_>,
    source: &dyn Source,
    entry: &Entry,
    encryption: Encryption,
    data_offset: u64,
    address: &Address,
) -> Result<ProcessedMember, Stop> {
    let refuse = |reason: String| {
        Ok(ProcessedMember::from(address.refused_row(
            RowKind::Other,
            entry.size,
            reason,
        )))
    };
    let (member_data, decrypted_entry) =
        match EncryptedMember::read(source, entry, encryption, data_offset)
            .and_then(|member| Ok((member, entry.decrypted_entry(encryption)?)))
        {
            Ok(member_and_entry) => member_and_entry,
            Err(reason) => return refuse(reason),
        };
    let mut damage = None;
    for (at, password) in pass
        .options
        .passwords
        .last_correct_first(&pass.last_password)
    {
        pass.check_cancelled()?;
        let packed = match member_data.open(password, pass.monitor)? {
            Attempt::WrongPassword => continue,
            Attempt::Damaged(reason) => {
                damage = Some(reason);
                continue;
            }
            Attempt::Decrypted(packed) => packed,
        };
        match read_decrypted(pass, packed, &decrypted_entry, address) {
            Ok(member) => {
                pass.last_password.note(at);
                return Ok(member);
            }
            Err(fault) => damage = Some(fault.reason_or_stop()?),
        }
    }
    refuse(not_decrypted_reason(pass.options.passwords.len(), damage))
}

/// Returns the reason for data that none of the passwords decrypts. `damage` is the reason if a password passed the
/// first check, but the data did not pass a later one.
pub fn not_decrypted_reason(password_count: usize, damage: Option<String>) -> String {
    let no_password = match password_count {
        1 => format!("{ENCRYPTED}: the given password does not decrypt it"),
        count => format!("{ENCRYPTED}: none of the {count} given passwords decrypts it"),
    };
    // Either this password passed the first check by chance, or it is correct and the bytes are damaged.
    damage.map_or(no_password.clone(), |reason| {
        format!("{no_password} (one seems correct, but: {reason})")
    })
}

/// Unpacks and processes a member. `packed` are its decrypted bytes, and `entry` describes these.
fn read_decrypted(
    pass: &Pass<'_>,
    packed: Box<dyn Read + Send + '_>,
    entry: &Entry,
    address: &Address,
) -> Result<ProcessedMember, ReadError> {
    let damaged = |error| ReadError::Data(crate::archive::reason(&error));
    if entry.size.max(entry.packed_size) > pass.max_in_memory {
        let content = unzip::unpack(packed, entry).map_err(damaged)?;
        return spool(pass, entry, content, address);
    }
    let mut decrypted = Vec::new();
    packed
        .take(entry.packed_size)
        .read_to_end(&mut decrypted)
        .map_err(damaged)?;
    scratch::with(|scratch| {
        let unused = unzip::into_memory(&decrypted.as_slice(), entry, 0, scratch)
            .map_err(ReadError::Data)?;
        let bytes = scratch.content.as_slice();
        let data = MemberBytes::Bytes(bytes, None);
        let member = process_member(pass, address, data, entry.size, member::hash(bytes))?;
        Ok(member.with_unused_bytes(unused))
    })
}
