//! Reads a zip by its central directory (PKWARE's APPNOTE.TXT 6.3): every entry, including several with the same name.

pub mod decryption;
pub mod deflated;
pub mod directory;
pub mod encryption;
pub mod end;
pub mod entry;
pub mod extra;
pub mod gaps;
pub mod joined;
pub mod local;
pub mod names;
pub mod recover;
pub mod traditional;
pub mod unzip;
pub mod winzip_aes;

use self::directory::Directory;
use self::entry::Entry;
use super::skipped::range_begins_like_images;
use super::source::Source;

/// Returns the members of an archive by its central directory; only their number if there are more than `max_members`.
/// If the end record is missing, invalid, or that of another zip that begins later in the file, searches for at most
/// `max_members` members one after the other.
#[must_use]
pub fn list(source: &dyn Source, max_members: u64) -> Directory {
    let mut directory = Directory::default();
    match end::find(source) {
        Ok(end) if end.entries > max_members => directory.count_over_limit = Some(end.entries),
        Ok(end) if end.archive_start > 0 && begins_with_member(source) => {
            // Several zips are joined. Or this zip contains another zip, stored: then the end record is that of the
            // inner zip, and the one of this zip is missing.
            let missing = || "its end record is missing (cut short?)".to_owned();
            let damage = joined::describe(source, end.archive_start);
            directory.damage.push(damage.unwrap_or_else(missing));
            recover::scan(source, max_members, &mut directory);
        }
        Ok(end) => {
            if end.comment_is_cut {
                directory
                    .damage
                    .push("cut short inside the comment at its end".into());
            }
            let (start, trailing) = (end.archive_start, end.trailing_bytes);
            let begins_like_images = range_begins_like_images(source, 0, start);
            let skipped = &mut directory.skipped;
            skipped.add(start, "bytes precede the archive", begins_like_images);
            let begins_like_images = range_begins_like_images(
                source,
                source.len().saturating_sub(trailing),
                source.len(),
            );
            skipped.add(trailing, "bytes follow the archive", begins_like_images);
            let stop = directory::read_all(source, &end, max_members, &mut directory);
            let is_disjoint = set_extents(&mut directory.entries, end.directory);
            if is_disjoint && directory.damage.is_empty() && directory.count_over_limit.is_none() {
                directory.gaps = gaps::gaps_outside_members(source, &end, stop, &directory.entries);
            } else {
                for entry in &mut directory.entries {
                    entry.extent = 0; // an archive with damage needs no other note
                }
            }
        }
        Err(reason) => {
            directory.damage.push(reason);
            recover::scan(source, max_members, &mut directory);
        }
    }
    directory
}

/// Returns whether the local header of a member is at byte 0.
fn begins_with_member(source: &dyn Source) -> bool {
    let mut signature = [0; 4];
    source.read_exact_at(&mut signature, 0).is_ok() && &signature == b"PK\x03\x04"
}

/// Sets the extent of each member: up to the next one, or to `directory`, the offset of the central directory. Sets the
/// fault of each member whose bytes overlap those of a member before it: a zip bomb uses the same packed data under
/// many names. Returns whether no bytes overlap.
fn set_extents(entries: &mut [Entry], directory: u64) -> bool {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|&at| entries.get(at).map_or((0, 0), |entry| (entry.offset, at)));
    let mut end = 0u64;
    let mut is_disjoint = true;
    let mut following = order.clone().into_iter().skip(1);
    for at in order {
        let next = following.next().and_then(|next| entries.get(next));
        let next = next.map_or(directory, |next| next.offset);
        let Some(entry) = entries.get_mut(at) else {
            continue;
        };
        if entry.offset < end {
            entry.fault = Some("its bytes overlap those of another member".into());
            is_disjoint = false;
        }
        end = end.max(entry.offset.saturating_add(entry.least_extent()));
        entry.extent = next.saturating_sub(entry.offset);
    }
    is_disjoint
}
