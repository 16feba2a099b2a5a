//! Archives with changed, missing or inserted bytes give what was packed, report damage, or are kept as one file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;
use qxbatch_core::ingest::{Fate, Options, Packet, Reading, ingest};
use qxbatch_core::monitor::Monitor;
use qxbatch_core::notation::hexadecimal;
use sha2::{Digest, Sha256};

type Tree = Vec<(String, Vec<u8>)>;

fn hash(data: &[u8]) -> String {
    hexadecimal(&Sha256::digest(data))
}

/// Returns a small DICOM file without pixels, which belongs to a series.
fn image(instance: u8) -> Vec<u8> {
    let mut data = vec![0; 128];
    data.extend(b"DICM");
    let mut element = |group: u16, element: u16, vr: &[u8; 2], value: &[u8]| {
        data.extend(group.to_le_bytes());
        data.extend(element.to_le_bytes());
        data.extend(vr);
        data.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        data.extend(value);
    };
    element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0");
    element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.4\0");
    element(8, 0x18, b"UI", format!("1.2.3.{instance:03}\0").as_bytes());
    element(0x20, 0xd, b"UI", b"1.2.3.40");
    element(0x20, 0xe, b"UI", b"1.2.3.41");
    element(0x20, 0x11, b"IS", b"3 ");
    element(0x20, 0x13, b"IS", format!("{instance:<4}").as_bytes());
    data
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zip(tree: &Tree, deflate: bool) -> Vec<u8> {
    let (mut data, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in tree {
        let packed = if deflate {
            deflated(content)
        } else {
            content.clone()
        };
        let mut fields = Vec::new();
        for word in [20u16, 0, if deflate { 8 } else { 0 }, 0x5260, 0x582f] {
            fields.extend(word.to_le_bytes());
        }
        for word in [crc32fast::hash(content), len(&packed), len(content)] {
            fields.extend(word.to_le_bytes());
        }
        fields.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        fields.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend(len(&data).to_le_bytes());
        directory.extend(name.as_bytes());
        data.extend(b"PK\x03\x04");
        data.extend(&fields);
        data.extend(name.as_bytes());
        data.extend(&packed);
    }
    let count = u16::try_from(tree.len()).unwrap().to_le_bytes();
    let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
    end.extend([count, count].concat());
    end.extend(len(&directory).to_le_bytes());
    end.extend(len(&data).to_le_bytes());
    end.extend([0, 0]);
    [data, directory, end].concat()
}

fn len(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap()
}

fn tar(tree: &Tree) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in tree {
        let mut block = [0u8; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        block[148..156].copy_from_slice(b"        ");
        block[156] = b'0';
        block[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(block);
        out.extend(content);
        out.resize(out.len().div_ceil(512) * 512, 0);
    }
    out.extend([0; 1024]);
    out
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn tree() -> Tree {
    vec![
        ("a/1".into(), image(1)),
        ("a/2".into(), image(2)),
        ("a/notes.txt".into(), b"words and more words".repeat(9)),
        (
            "b/inner.zip".into(),
            zip(&vec![("3".into(), image(3))], true),
        ),
        ("b/4.gz".into(), gzip(&image(4))),
    ]
}

/// One way to spoil bytes.
#[derive(Debug, Clone)]
enum Spoil {
    Turn(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Put(prop::sample::Index, Vec<u8>),
    Take(prop::sample::Index, u8),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    prop_oneof![
        4 => (any::<prop::sample::Index>(), 1u8..).prop_map(|(at, bits)| Spoil::Turn(at, bits)),
        1 => any::<prop::sample::Index>().prop_map(Spoil::Cut),
        1 => (any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, bytes)| Spoil::Put(at, bytes)),
        1 => (any::<prop::sample::Index>(), 1u8..).prop_map(|(at, count)| Spoil::Take(at, count)),
    ]
}

fn spoiled(mut data: Vec<u8>, spoils: &[Spoil]) -> Vec<u8> {
    for spoil in spoils {
        if data.is_empty() {
            break;
        }
        match spoil {
            Spoil::Turn(at, bits) => {
                let at = at.index(data.len());
                data[at] ^= bits;
            }
            Spoil::Cut(at) => data.truncate(at.index(data.len())),
            Spoil::Put(at, bytes) => {
                let at = at.index(data.len());
                data.splice(at..at, bytes.iter().copied());
            }
            Spoil::Take(at, count) => {
                let at = at.index(data.len());
                let end = (at + usize::from(*count)).min(data.len());
                data.drain(at..end);
            }
        }
    }
    data
}

fn read(data: &[u8], work: &Path) -> Reading {
    let path = work.join("packet");
    fs::write(&path, data).unwrap();
    let packet = Packet {
        path,
        prefix: Vec::new(),
    };
    let options = Options {
        threads: 1,
        ..Options::default()
    };
    ingest(
        &[packet],
        &work.join("staging"),
        &options,
        &Monitor::default(),
    )
    .unwrap()
}

/// Checks that the bytes of sorted and kept rows have a hash of the row, that refused rows have a reason, and that other
/// rows have no bytes.
fn check(reading: &Reading) {
    for (at, row) in reading.rows().iter().enumerate() {
        match row.fate {
            Fate::Sorted | Fate::Kept => {
                let data = fs::read(reading.staged_path(at).expect("staged")).unwrap();
                let found = hash(&data);
                let sums = [row.sha256, row.content_sha256];
                assert!(sums.iter().flatten().any(|sum| hexadecimal(sum) == found));
            }
            Fate::Refused => assert!(!row.reason.is_empty() && !reading.damage().is_empty()),
            Fate::Duplicate | Fate::NoData | Fate::Opened => {
                assert!(reading.staged_path(at).is_none());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_spoiled_zip_gives_what_was_packed_or_says_what_is_wrong(
        deflate: bool,
        spoils in prop::collection::vec(spoil(), 1..3),
    ) {
        let work = tempfile::tempdir().unwrap();
        let whole = zip(&tree(), deflate);
        let data = spoiled(whole, &spoils);
        let reading = read(&data, work.path());
        check(&reading);
        let mut known: HashSet<String> = tree().iter().map(|(_, content)| hash(content)).collect();
        known.extend((1..5).map(|instance| hash(&image(instance))));
        // A file that is no longer an archive is kept unchanged.
        known.insert(hash(&data));
        for row in reading.rows() {
            if let Some(sum) = row.sha256 {
                let right = known.contains(&hexadecimal(&sum));
                prop_assert!(right || !reading.damage().is_empty(), "content that nobody packed");
            }
        }
    }

    #[test]
    fn a_spoiled_tar_gz_gives_what_was_packed_or_says_what_is_wrong(
        spoils in prop::collection::vec(spoil(), 1..3),
    ) {
        let work = tempfile::tempdir().unwrap();
        let data = spoiled(gzip(&tar(&tree())), &spoils);
        let reading = read(&data, work.path());
        check(&reading);
        let whole = reading.rows().iter().filter(|row| row.fate == Fate::Sorted).count() == 4;
        prop_assert!(whole || !reading.damage().is_empty() || reading.rows().len() == 1);
    }
}

#[test]
fn the_whole_archives_are_read() {
    for data in [
        zip(&tree(), true),
        zip(&tree(), false),
        tar(&tree()),
        gzip(&tar(&tree())),
    ] {
        let work = tempfile::tempdir().unwrap();
        let reading = read(&data, work.path());
        check(&reading);
        assert!(reading.damage().is_empty());
        let fates: Vec<Fate> = reading.rows().iter().map(|row| row.fate).collect();
        assert_eq!(
            fates,
            [
                Fate::Sorted,
                Fate::Sorted,
                Fate::Kept,
                Fate::Opened,
                Fate::Sorted,
                Fate::Sorted
            ]
        );
    }
}
