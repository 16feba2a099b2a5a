//! Encrypted members of a zip: tries each password until the decrypted bytes pass every check.

use std::io::Read;

use super::kept_whole::ENCRYPTED;
use super::member::{self, ProcessedMember};
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::row::Kind;
use super::scratch;
use super::spool::spool;
use super::stop::{Fault, Stop};
use super::take::take;
use crate::archive::source::Source;
use crate::archive::zip::decryption::{Attempt, EncryptedMember};
use crate::archive::zip::encryption::Encryption;
use crate::archive::zip::entry::Entry;
use crate::archive::zip::unzip;

/// Returns why an encrypted member is not tried at all.
pub fn refusal(pass: &Pass<'_>, entry: &Entry) -> Option<String> {
    match entry.encryption? {
        Encryption::Unsupported(_) => None, // `unzip::refusal` returns the reason
        _ if pass.options.passwords.is_empty() => Some(ENCRYPTED.into()),
        _ => None,
    }
}

/// Reads an encrypted member; `data` is the start of its data.
pub fn read(
    pass: &Pass<'_>,
    source: &dyn Source,
    entry: &Entry,
    encryption: Encryption,
    data: u64,
    address: &Address,
) -> Result<ProcessedMember, Stop> {
    let refuse = |reason: String| {
        Ok(ProcessedMember::from(address.refused(
            Kind::Other,
            entry.size,
            reason,
        )))
    };
    let (member_data, inside) = match EncryptedMember::read(source, entry, encryption, data)
        .and_then(|it| Ok((it, entry.decrypted_entry(encryption)?)))
    {
        Ok(member_and_inside) => member_and_inside,
        Err(reason) => return refuse(reason),
    };
    let mut broken = None;
    for (at, password) in pass.options.passwords.in_order(&pass.last_fit) {
        pass.check()?;
        let packed = match member_data.open(password, pass.monitor)? {
            Attempt::WrongPassword => continue,
            Attempt::Damaged(reason) => {
                broken = Some(reason.to_owned());
                continue;
            }
            Attempt::Decrypted(packed) => packed,
        };
        match attempt(pass, packed, &inside, address) {
            Ok(member) => {
                pass.last_fit.note(at);
                return Ok(member);
            }
            Err(fault) => broken = Some(fault.reason()?),
        }
    }
    refuse(unopened(pass.options.passwords.len(), broken))
}

/// Returns the reason if none of the passwords decrypts the member.
pub fn unopened(passwords: usize, broken: Option<String>) -> String {
    let none = match passwords {
        1 => format!("{ENCRYPTED}: the given password does not decrypt it"),
        count => format!("{ENCRYPTED}: none of the {count} given passwords decrypts it"),
    };
    // A wrong password may pass the first check by chance; with the correct one, the bytes are damaged.
    broken.map_or(none.clone(), |reason| {
        format!("{none} (one seems correct, but: {reason})")
    })
}

/// Reads the decrypted packed bytes of a member.
fn attempt(
    pass: &Pass<'_>,
    packed: Box<dyn Read + Send + '_>,
    entry: &Entry,
    address: &Address,
) -> Result<ProcessedMember, Fault> {
    let damaged = |error| Fault::Data(crate::archive::reason(&error));
    if entry.size.max(entry.packed) > pass.in_memory {
        let content = unzip::unpack(packed, entry).map_err(damaged)?;
        return spool(pass, entry, content, address);
    }
    let mut clear = Vec::new();
    packed
        .take(entry.packed)
        .read_to_end(&mut clear)
        .map_err(damaged)?;
    scratch::with(|scratch| {
        unzip::into_memory(&clear.as_slice(), entry, 0, scratch).map_err(Fault::Data)?;
        let bytes = scratch.content.as_slice();
        let data = MemberBytes::Bytes(bytes, None);
        Ok(take(pass, address, data, entry.size, member::hash(bytes))?)
    })
}
