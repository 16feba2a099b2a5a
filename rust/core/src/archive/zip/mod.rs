//! Reads a zip by its central directory (APPNOTE.TXT 6.3): every entry, including several with the same name.

pub mod decryption;
pub mod deflated;
pub mod directory;
pub mod encryption;
pub mod end;
pub mod entry;
pub mod extra;
pub mod local;
pub mod names;
pub mod recover;
pub mod traditional;
mod unlisted;
pub mod unzip;
pub mod winzip_aes;

use self::directory::Directory;
use self::entry::Entry;
use super::source::Source;

/// Lists an archive, unless it has more than `max_members`. Without an end record, searches for the members one after
/// the other.
#[must_use]
pub fn list(source: &dyn Source, max_members: u64) -> Directory {
    let mut directory = Directory::default();
    match end::find(source) {
        Ok(end) if end.entries > max_members => directory.too_many = Some(end.entries),
        Ok(end) if end.archive_start > 0 && begins_with_member(source) => {
            // The end record is that of a stored zip inside this zip, whose own end record is missing.
            directory
                .damage
                .push("its end record is missing (cut short?)".into());
            recover::scan(source, max_members, &mut directory);
        }
        Ok(end) => {
            if end.cut_comment {
                directory
                    .damage
                    .push("cut short inside the comment at its end".into());
            }
            if end.archive_start > 0 {
                directory
                    .notes
                    .push(format!("{} bytes precede the archive", end.archive_start));
            }
            if end.trailing > 0 {
                directory
                    .notes
                    .push(format!("{} bytes follow the archive", end.trailing));
            }
            directory::read_all(source, &end, max_members, &mut directory);
            mark_overlaps(&mut directory.entries);
            if let Some(at) = unlisted::find(source, &end, &directory.entries) {
                directory.notes.push(format!(
                    "a member that its directory does not list is at byte {at}"
                ));
            }
        }
        Err(reason) => {
            directory.damage.push(reason);
            recover::scan(source, max_members, &mut directory);
        }
    }
    directory
}

fn begins_with_member(source: &dyn Source) -> bool {
    let mut mark = [0; 4];
    source.read_exact_at(&mut mark, 0).is_ok() && &mark == b"PK\x03\x04"
}

/// Sets the fault of each member whose bytes overlap those of a member before it. Only bombs use the same packed data
/// under many names.
fn mark_overlaps(entries: &mut [Entry]) {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&at| entries.get(at).map_or((0, 0), |entry| (entry.offset, at)));
    let mut end = 0u64;
    for at in order {
        let Some(entry) = entries.get_mut(at) else {
            continue;
        };
        if entry.offset < end {
            entry.fault = Some("its bytes overlap those of another member".into());
        }
        end = end.max(entry.offset.saturating_add(entry.least_extent()));
    }
}
