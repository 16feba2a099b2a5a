//! Whole packets: every member has one row, every row's bytes are at the stated place with the stated hash, and there
//! are no other files.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use qxbatch_core::archive::kind::{self, FileKind};
use qxbatch_core::archive::sevenz::aes::Keys;
use qxbatch_core::archive::sevenz::list as list_sevenz;
use qxbatch_core::archive::tar::TarReader;
use qxbatch_core::archive::zip::list;
use qxbatch_core::ingest::{Fate, Options, Packet, Reading, Row, ingest};
use qxbatch_core::monitor::Monitor;
use qxbatch_core::notation::hexadecimal;
use sha2::{Digest, Sha256};

pub const WORDS: &[&[u8]] = &[
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"\x1f\x8b\x08\x00\0\0\0\0\0\xff",
    b"7z\xbc\xaf\x27\x1c",
    b"ustar\x0000",
    b"DICM",
    b"DICOMDIR",
    b"../",
    b"/etc/",
    b"a!b",
    b"# CLINICAL TRYOUT",
    b".PAR",
    b".rec",
    b"\xff\xff\xff\xff",
];

const MEMBERS: u64 = 1000;

/// The input is the packet.
pub fn run(bytes: &[u8]) {
    thread_local! {
        static WORK: RefCell<Option<tempfile::TempDir>> = const { RefCell::new(None) };
    }
    WORK.with_borrow_mut(|work| {
        let work = work.get_or_insert_with(folder);
        inside(bytes, work.path());
        for name in ["packet", "staging", "session"] {
            let path = work.path().join(name);
            let _ = fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path));
        }
    });
}

/// A folder in memory if the system has one.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

fn inside(bytes: &[u8], work: &Path) {
    let (path, staging, session) = (
        work.join("packet"),
        work.join("staging"),
        work.join("session"),
    );
    fs::write(&path, bytes).unwrap();
    fs::create_dir(&session).unwrap();
    let packet = Packet {
        path: path.clone(),
        prefix: Vec::new(),
    };
    let options = Options {
        threads: 1,
        max_bytes: 4 << 20,
        max_members: MEMBERS,
        max_nesting: 3,
        passwords: vec![b"other".to_vec(), b"secret".to_vec()].into(),
        ..Options::default()
    };
    let mut reading = ingest(&[packet], &staging, &options, &Monitor::default()).unwrap();
    complete(bytes, &reading);
    staged(&reading, &staging);
    place(&mut reading, &session);
    placed(&reading, &session);
    assert_eq!(
        files(&staging),
        HashSet::new(),
        "something is left in staging"
    );
    assert_eq!(
        fs::read(&path).unwrap(),
        bytes,
        "the packet itself was changed"
    );
    let mut names: Vec<_> = fs::read_dir(work)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["packet", "session", "staging"]);
}

/// Checks that each member found by the archive's own reader has one row; a file that is not an archive has one row.
fn complete(bytes: &[u8], reading: &Reading) {
    let outer = reading
        .rows()
        .iter()
        .filter(|row| row.archive_ends.is_empty());
    let expected = match kind::of_bytes(bytes) {
        FileKind::Zip => list(&bytes, MEMBERS).entries.len(),
        FileKind::SevenZ => {
            let keys = Keys::new([(0, b"other".as_slice()), (1, b"secret")].into_iter());
            list_sevenz(&bytes, MEMBERS, &keys).map_or(0, |listing| listing.members.len())
        }
        FileKind::Tar => {
            let mut tar = TarReader::new(bytes);
            std::iter::from_fn(|| tar.next_member().ok().flatten()).count()
        }
        FileKind::Packed(_) => return,
        _ => 1,
    };
    assert_eq!(outer.count(), expected);
    for row in reading.rows() {
        let explained = !row.reason.is_empty() || row.sha256.is_some() || row.fate == Fate::NoData;
        assert!(explained, "{row:?}");
        if row.fate == Fate::Refused {
            assert!(!row.reason.is_empty() && !reading.damage().is_empty());
        }
    }
}

/// Returns whether a row has bytes.
fn holds(row: &Row) -> bool {
    matches!(row.fate, Fate::Sorted | Fate::Kept)
}

fn staged(reading: &Reading, staging: &Path) {
    let mut known = HashSet::new();
    for (at, row) in reading.rows().iter().enumerate() {
        assert_eq!(reading.staged_path(at).is_some(), holds(row), "{row:?}");
        if let Some(path) = reading.staged_path(at) {
            has_its_hash(row, &path);
            assert!(known.insert(path), "two rows share a file");
        }
    }
    assert_eq!(files(staging), known);
}

fn has_its_hash(row: &Row, path: &Path) {
    let found = hexadecimal(&Sha256::digest(fs::read(path).unwrap()));
    let expected = if row.is_decompressed {
        row.content_sha256
    } else {
        row.sha256
    };
    assert_eq!(
        expected.map(|hash| hexadecimal(&hash)),
        Some(found),
        "{row:?}"
    );
}

fn place(reading: &mut Reading, session: &Path) {
    for group in 0..reading.groups().len() {
        let n = i64::try_from(group).unwrap() + 1;
        reading.place_series(session, n, "S_1", &[group]).unwrap();
    }
    let rows = reading.rows().iter().enumerate();
    let kept: Vec<usize> = rows
        .filter(|(_, row)| row.fate == Fate::Kept)
        .map(|(at, _)| at)
        .collect();
    reading.place_in_inbox(session, &kept).unwrap();
}

fn placed(reading: &Reading, session: &Path) {
    let mut known = HashSet::new();
    for row in reading.rows().iter().filter(|row| holds(row)) {
        let path = session.join(&*row.session_path);
        has_its_hash(row, &path);
        assert!(known.insert(path), "two rows share a place");
    }
    // The session contains exactly the files of the rows: no name led elsewhere, or to another row's place.
    assert_eq!(files(session), known);
    for row in reading
        .rows()
        .iter()
        .filter(|row| row.fate == Fate::Duplicate)
    {
        assert!(session.join(&*row.session_path).is_file(), "{row:?}");
    }
}

fn files(folder: &Path) -> HashSet<PathBuf> {
    let mut found = HashSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.insert(entry.path());
        }
    }
    found
}
