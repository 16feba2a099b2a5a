//! Whether symbolic links lead to members of the packet.

use std::collections::{HashMap, HashSet};

use super::row::{A_LINK, IN_PACKET, LINK_TO, Row, RowKind};
use crate::notation::unescape;

/// Limit on the links that lead from a link to its target one after the other.
const MAX_LINKS: usize = 8;
/// Limit on the leading folders of a path that may be links; it bounds the time for hostile input.
const MAX_LINKED_FOLDERS: usize = 32;

/// The paths of all members.
pub struct MemberPaths<'r> {
    /// Paths of all members except symbolic links, sorted: paths may be long, so their folders are not listed separately.
    paths: Vec<&'r [u8]>,
    /// The rows of the symbolic links, by their paths.
    links: HashMap<&'r [u8], &'r Row>,
    /// Paths of the archives that contain members.
    archives: HashSet<&'r [u8]>,
}

impl<'r> MemberPaths<'r> {
    /// Returns the paths of the members with these rows.
    pub fn of(rows: &'r [Row]) -> Self {
        let (links, members): (Vec<&Row>, Vec<&Row>) =
            rows.iter().partition(|row| is_symbolic_link(row));
        let mut paths: Vec<&[u8]> = members.iter().map(|row| &*row.path).collect();
        paths.sort_unstable();
        Self {
            paths,
            links: links.into_iter().map(|row| (&*row.path, row)).collect(),
            archives: rows.iter().flat_map(archives_above).collect(),
        }
    }

    /// Returns whether the target of a symbolic link is not in the packet, or is unknown; false for a hard link. `row` is
    /// that of the link.
    pub fn lack_target(&self, row: &Row) -> bool {
        if row.reason.ends_with(IN_PACKET) {
            return false;
        }
        let Some(target) = row.reason.strip_prefix(LINK_TO) else {
            return row.reason == A_LINK;
        };
        !resolve_target(row, &unescape(target)).is_some_and(|path| self.leads_to_member(path))
    }

    /// Returns whether a path is that of a member, or of a folder or archive that contains a member.
    fn contains(&self, path: &[u8]) -> bool {
        // The first path that is not before `start`.
        let first_from = |start: &[u8]| {
            let at = self.paths.partition_point(|other| *other < start);
            self.paths.get(at).copied().unwrap_or_default()
        };
        let is_folder = || {
            let folder = [path, b"/"].concat();
            first_from(&folder).starts_with(&folder)
        };
        path.is_empty() || first_from(path) == path || is_folder() || self.archives.contains(path)
    }

    /// Returns whether a path leads to a member, or to a folder or archive that contains a member, also through links.
    fn leads_to_member(&self, mut path: Vec<u8>) -> bool {
        for _ in 0..MAX_LINKS {
            if self.contains(&path) {
                return true;
            }
            match self.without_first_link(&path) {
                Some(followed) => path = followed,
                None => return false,
            }
        }
        false
    }

    /// Returns a path in which the target of the first link replaces this link; None if no part of the path is a link,
    /// or if the target is unknown or outside of the packet or archive.
    fn without_first_link(&self, path: &[u8]) -> Option<Vec<u8>> {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let folder_ends = slashes.map(|(at, _)| at).take(MAX_LINKED_FOLDERS);
        let mut parts = folder_ends
            .chain([path.len()])
            .map(|end| path.split_at(end));
        let (link, rest) = parts.find_map(|(start, rest)| Some((self.links.get(start)?, rest)))?;
        let target = link.reason.strip_prefix(LINK_TO)?;
        resolve_target(link, &[&unescape(target), rest].concat())
    }
}

/// Returns whether a row is that of a symbolic link, not of a hard link.
fn is_symbolic_link(row: &Row) -> bool {
    row.kind == RowKind::Link && row.reason.starts_with(A_LINK)
}

/// Returns the path of a link's target, which is relative to the link; None if it is absolute, or outside of the packet
/// or archive.
fn resolve_target(link: &Row, target: &[u8]) -> Option<Vec<u8>> {
    let archive_end = link.archive_ends.last();
    let start = archive_end.map_or(0, |&end| (end as usize).saturating_add(1));
    let (archive, link) = link.path.split_at_checked(start)?;
    let mut parts: Vec<&[u8]> = link.split(|&byte| byte == b'/').collect();
    parts.pop();
    if target.starts_with(b"/") {
        return None;
    }
    for part in target.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Some(archive.strip_suffix(b"!").unwrap_or(archive).to_vec());
    }
    Some([archive, &parts.join(&b'/')].concat())
}

/// Returns the paths of the archives that contain a member.
fn archives_above(row: &Row) -> impl Iterator<Item = &[u8]> {
    let ends = row.archive_ends.iter().map(|&at| at as usize);
    ends.filter_map(|end| row.path.get(..end))
}

#[cfg(test)]
mod tests {
    use super::super::row::{Fate, NEITHER_DICOM_NOR_PARREC};
    use super::*;

    fn row(path: &[u8], kind: RowKind, fate: Fate, reason: &'static str) -> Row {
        let mut row = Row::new(path, &[], kind, fate);
        row.reason = reason.into();
        row
    }

    #[test]
    fn links_to_members_are_not_left_out() {
        let rows = [
            row(b"a/1.dcm", RowKind::Dicom, Fate::Sorted, ""),
            Row::new(b"x.zip!d/1.dcm", &[5], RowKind::Dicom, Fate::Sorted),
            row(b"y!1.dcm", RowKind::Dicom, Fate::Sorted, ""),
            row(
                b"a/f\xfc\\",
                RowKind::Other,
                Fate::Kept,
                NEITHER_DICOM_NOR_PARREC,
            ),
        ];
        let members = MemberPaths::of(&rows);
        let lacks_target = |path: &[u8], archive_ends: &[u32], reason: &'static str| {
            let mut link = Row::new(path, archive_ends, RowKind::Link, Fate::NoData);
            link.reason = reason.into();
            members.lack_target(&link)
        };
        let plain_lacks_target = |path: &[u8], reason| lacks_target(path, &[], reason);
        assert!(!plain_lacks_target(b"b/1", "a symbolic link to ../a/1.dcm"));
        assert!(!plain_lacks_target(b"b", "a symbolic link to ./a"));
        let to_member = "a symbolic link to ../d/1.dcm";
        assert!(!lacks_target(b"x.zip!e/1", &[5], to_member));
        assert!(!plain_lacks_target(
            b"c!/1",
            "a symbolic link to ../a/1.dcm"
        ));
        assert!(!plain_lacks_target(
            b"b",
            "a symbolic link to /p/a, which is in the packet"
        ));
        assert!(!plain_lacks_target(
            b"b/1",
            "a symbolic link to ../a/f\\xfc\\x5c"
        ));
        assert!(!plain_lacks_target(b"b", "a symbolic link to x.zip"));
        assert!(plain_lacks_target(b"b", "a symbolic link to y"));
        assert!(plain_lacks_target(
            b"b/1",
            "a symbolic link to ../../a/1.dcm"
        ));
        assert!(lacks_target(b"x.zip!e", &[5], "a symbolic link to a/1.dcm"));
        assert!(plain_lacks_target(b"b", "a symbolic link to /p/a"));
        assert!(plain_lacks_target(b"b", "a symbolic link"));
        assert!(!plain_lacks_target(
            b"b",
            "a hard link to a/1.dcm, whose row has the bytes"
        ));
    }

    #[test]
    fn links_that_lead_to_members_through_links_are_not_left_out() {
        let link = |path: &[u8], reason: &'static str| {
            let mut link = Row::new(path, &[5], RowKind::Link, Fate::NoData);
            link.reason = reason.into();
            link
        };
        let rows = [
            Row::new(b"x.zip!d/1.dcm", &[5], RowKind::Dicom, Fate::Sorted),
            link(
                b"x.zip!hard",
                "a hard link to d/1.dcm, whose row has the bytes",
            ),
            link(b"x.zip!file", "a symbolic link to d/1.dcm"),
            link(b"x.zip!e/folder", "a symbolic link to ../d"),
            link(b"x.zip!top", "a symbolic link to ."),
            link(b"x.zip!broken", "a symbolic link to nothing"),
            link(b"x.zip!circle", "a symbolic link to circle/a"),
            link(b"x.zip!unknown", "a symbolic link"),
        ];
        let members = MemberPaths::of(&rows);
        let lacks_target = |target| members.lack_target(&link(b"x.zip!link", target));
        for target in [
            "a symbolic link to hard",
            "a symbolic link to file",
            "a symbolic link to e/folder/1.dcm",
            "a symbolic link to top",
            "a symbolic link to top/e/folder",
        ] {
            assert!(!lacks_target(target), "{target}");
        }
        for target in [
            "a symbolic link to broken",
            "a symbolic link to circle",
            "a symbolic link to unknown",
            "a symbolic link to file/1.dcm",
            "a symbolic link to ../top",
        ] {
            assert!(lacks_target(target), "{target}");
        }
    }
}
