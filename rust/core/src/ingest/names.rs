//! File names on disk: safe, and never the same for two files.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher};

use sha2::{Digest, Sha256};

use crate::notation::{Hash, hexadecimal};

/// Longest file name of a file system (NAME_MAX).
const LONGEST_NAME: usize = 255;
/// Longest path below the inbox folder, in bytes; PATH_MAX (4096) leaves as many for the path of that folder.
const LONGEST_PATH: usize = 2048;
/// Limit on the components of a path below the inbox folder, because each of its folders is created on disk.
const MAX_DEPTH: usize = 32;

/// Returns an identifier as part of a file name: letters, digits, dot, dash and underscore of ASCII; others become `_`.
#[must_use]
pub fn identifier(text: &str) -> String {
    let clean = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_') {
            letter
        } else {
            '_'
        }
    };
    text.chars().map(clean).collect()
}

/// Returns stem and extension as a name of at most 255 bytes. In a longer name, a hash of the name replaces the end of
/// the stem, and an extension of more than 32 bytes is omitted.
#[must_use]
pub fn limited_name(stem: &str, extension: &str) -> String {
    if stem.len() + extension.len() <= LONGEST_NAME {
        return format!("{stem}{extension}");
    }
    let hash: Hash = Sha256::digest(format!("{stem}{extension}")).into();
    let hash = hexadecimal(hash.get(..8).unwrap_or_default());
    // A very long "extension" is not one.
    let extension = if extension.len() > 32 { "" } else { extension };
    let mut room = LONGEST_NAME - extension.len() - hash.len() - 1;
    while !stem.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}-{hash}{extension}", stem.get(..room).unwrap_or_default())
}

/// Returns the components of a member's path below the inbox folder: relative, without drive, `..`, control characters
/// or invalid UTF-8, and shortened if they are too long or too many. A backslash separates components, too. An archive
/// becomes a folder with its members: `archive_ends` are the positions of each `!` between an archive and its members.
#[must_use]
pub fn safe_path(path: &[u8], archive_ends: &[u32]) -> Vec<String> {
    let mut bytes = path.to_vec();
    for &end in archive_ends {
        if let Some(byte) = usize::try_from(end).ok().and_then(|at| bytes.get_mut(at)) {
            *byte = b'/';
        }
    }
    let parts = bytes.split(|&byte| byte == b'/' || byte == b'\\');
    let mut parts: Vec<String> = parts
        .map(component)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() {
        parts.push("unnamed".into());
    }
    shorten(parts)
}

/// Returns a component of a path as a safe file name, without a drive (`C:`) at its start; empty for an empty component,
/// a drive alone, `.` and `..`.
fn component(part: &[u8]) -> String {
    if matches!(part, b"." | b"..")
        || matches!(part, [letter, b':'] if letter.is_ascii_alphabetic())
    {
        return String::new();
    }
    let part = match part {
        [letter, b':', rest @ ..] if letter.is_ascii_alphabetic() => rest,
        whole => whole,
    };
    let mut text = String::with_capacity(part.len());
    for chunk in part.utf8_chunks() {
        text.extend(
            chunk
                .valid()
                .chars()
                .map(|letter| if letter.is_control() { '_' } else { letter }),
        );
        text.extend(chunk.invalid().iter().map(|_| '_'));
    }
    if matches!(text.as_str(), "." | "..") {
        return String::new();
    }
    let (stem, extension) = split_extension(&text);
    limited_name(stem, extension)
}

/// Splits a name into stem and extension, with the dot in the extension; a leading dot does not start an extension.
fn split_extension(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// Returns the components of a path unchanged unless it is too long or too deep: then the last one, below a single folder
/// that is named by a hash of the path.
fn shorten(parts: Vec<String>) -> Vec<String> {
    let length: usize = parts.iter().map(|part| part.len() + 1).sum();
    let Some(last) = parts
        .last()
        .filter(|_| length > LONGEST_PATH || parts.len() > MAX_DEPTH)
    else {
        return parts;
    };
    let hash: Hash = Sha256::digest(parts.join("/")).into();
    vec![
        format!("deep-{}", hexadecimal(hash.get(..8).unwrap_or_default())),
        last.clone(),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    File,
    Folder,
}

/// Hash of a path, which tables contain in place of the path, since paths may be long. If two paths have the same hash,
/// one of them gets an unneeded number.
type PathHash = u64;

/// The names used so far below one folder. A name that is in use gets `_2`, `_3` and so on before its extension.
#[derive(Debug, Default)]
pub struct UsedNames {
    /// The used paths.
    nodes: HashMap<PathHash, Node>,
    /// The last number that was added to the name of a path; the lower numbers are in use.
    last_numbers: HashMap<PathHash, u64>,
    /// Final paths of renamed folders, by their original name joined to the final path of their parent.
    renamed_folders: HashMap<String, String>,
}

impl UsedNames {
    /// Marks the folders of a path as used, and returns the path of the last folder. A folder gets another name if a file
    /// has its name.
    pub fn claim_folder(&mut self, parts: &[String]) -> String {
        let mut path = String::new();
        for part in parts {
            let wanted = join(&path, part);
            if let Some(renamed) = self.renamed_folders.get(&wanted) {
                path.clone_from(renamed);
                continue;
            }
            let mut name = wanted.clone();
            let mut count = 1u64;
            while self.nodes.get(&path_hash(&name)) == Some(&Node::File) {
                count += 1;
                name = join(&path, &with_number(part, count));
            }
            self.nodes.insert(path_hash(&name), Node::Folder);
            if name != wanted {
                self.renamed_folders.insert(wanted, name.clone());
            }
            path = name;
        }
        path
    }

    /// Returns an unused path for a file, and marks it as used. `is_free` returns whether no file has a path on disk,
    /// where upper and lower case may be the same.
    pub fn claim_file(
        &mut self,
        folder: &str,
        name: &str,
        mut is_free: impl FnMut(&str) -> bool,
    ) -> String {
        let mut path = join(folder, name);
        let wanted = path_hash(&path);
        let mut count = 1u64;
        if self.nodes.contains_key(&wanted) || !is_free(&path) {
            count = self.last_numbers.get(&wanted).copied().unwrap_or(count);
            while count == 1 || self.nodes.contains_key(&path_hash(&path)) || !is_free(&path) {
                count += 1;
                path = join(folder, &with_number(name, count));
            }
            self.last_numbers.insert(wanted, count);
        }
        self.nodes.insert(path_hash(&path), Node::File);
        path
    }
}

fn path_hash(path: &str) -> PathHash {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// Returns a name with a number before its extension: `a_2.txt`.
fn with_number(name: &str, count: u64) -> String {
    let (stem, extension) = split_extension(name);
    limited_name(stem, &format!("_{count}{extension}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn safe_text(path: &[u8]) -> String {
        safe_path(path, &[]).join("/")
    }

    #[test]
    fn dangerous_paths_become_relative_ones() {
        assert_eq!(safe_text(b"../../etc/passwd"), "etc/passwd");
        assert_eq!(safe_text(b"/etc//passwd"), "etc/passwd");
        assert_eq!(safe_text(b"C:\\Windows\\x.txt"), "Windows/x.txt");
        assert_eq!(safe_text(b"c:x.txt"), "x.txt");
        assert_eq!(safe_text(b"c:..\\..\\x"), "x");
        assert_eq!(safe_text(b""), "unnamed");
        assert_eq!(safe_text(b"./."), "unnamed");
        assert_eq!(safe_text(b"a\nb\xff/c\x00"), "a_b_/c_");
        assert_eq!(safe_text("Schädel/ü.txt".as_bytes()), "Schädel/ü.txt");
    }

    #[test]
    fn long_names_keep_their_extension_and_differ() {
        let first = safe_text(format!("{}1.txt", "é".repeat(200)).as_bytes());
        let second = safe_text(format!("{}2.txt", "é".repeat(200)).as_bytes());
        assert!(
            first.len() <= LONGEST_NAME && first.strip_suffix(".txt").is_some() && first != second
        );
        let deep = safe_text("abcdefg/".repeat(1000).as_bytes());
        assert!(deep.len() < LONGEST_PATH);
        let deep = safe_text("d/".repeat(1000).as_bytes());
        assert!(deep.split('/').count() == 2, "{deep}");
    }

    #[test]
    fn members_of_an_archive_are_in_a_folder() {
        assert_eq!(safe_path(b"a/b.zip!c", &[7]).join("/"), "a/b.zip/c");
        assert_eq!(safe_path(b"a/b!c", &[]).join("/"), "a/b!c");
    }

    #[test]
    fn a_used_name_is_numbered_before_its_extension() {
        let mut names = UsedNames::default();
        assert_eq!(names.claim_file("a", "x.txt", |_| true), "a/x.txt");
        assert_eq!(names.claim_file("a", "x.txt", |_| true), "a/x_2.txt");
        assert_eq!(names.claim_file("a", "x_2.txt", |_| true), "a/x_2_2.txt");
        assert_eq!(
            names.claim_file("a", "X.txt", |path| path != "a/X.txt"),
            "a/X_2.txt"
        );
    }

    #[test]
    fn many_files_of_one_name_take_time_in_proportion() {
        let mut names = UsedNames::default();
        let mut lookups = 0u64;
        for count in 2..=3000 {
            names.claim_file("a", "x.txt", |_| {
                lookups += 1;
                true
            });
            assert!(lookups <= 3 * count);
        }
        assert_eq!(names.claim_file("a", "x.txt", |_| true), "a/x_3000.txt");
        assert_eq!(names.claim_file("a", "x_7.txt", |_| true), "a/x_7_2.txt");
    }

    #[test]
    fn a_name_that_is_file_and_folder_stays_both() {
        let mut names = UsedNames::default();
        assert_eq!(names.claim_folder(&["a".into()]), "a");
        assert_eq!(names.claim_file("", "a", |_| true), "a_2");
        assert_eq!(names.claim_file("", "b", |_| true), "b");
        assert_eq!(names.claim_folder(&["b".into(), "c".into()]), "b_2/c");
        assert_eq!(names.claim_folder(&["b".into()]), "b_2");
    }
}
