//! The zip reader: all ways to read a member agree, and written members are read back completely or with damage.

use std::io;

use qxbatch_core::archive::source::Source;
use qxbatch_core::archive::zip::decryption::{Attempt, EncryptedMember};
use qxbatch_core::archive::zip::directory::Directory;
use qxbatch_core::archive::zip::encryption::Encryption;
use qxbatch_core::archive::zip::entry::Entry;
use qxbatch_core::archive::zip::{gaps, list, local, unzip};
use qxbatch_core::monitor::Monitor;

use super::pieces::{TestMember, drained, members};

pub const WORDS: &[&[u8]] = &[
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"PK\x07\x08",
    b"PK\x05\x05",
    b"\x01\x00\x10\x00",
    b"\x75\x70\x09\x00\x01",
    b"\xff\xff\xff\xff",
    b"\xff\xff",
    b"\x14\x00\x00\x00\x08\x00",
    b"\x14\x00\x08\x00\x08\x00",
    b"\x14\x00\x00\x08\x00\x00",
    b"\x09\x00",
    b"\x0c\x00",
    b"\x0e\x00",
    b"\x5d\x00",
    b"\x5f\x00",
];

/// Limit on the content of one member that is read.
const MOST: u64 = 1 << 16;
const MEMBERS: u64 = 1000;
/// The password of the corpus.
const PASSWORD: &[u8] = b"secret";

/// If the first byte is below 8, the rest is cut into members for a zip that is written here.
pub fn run(bytes: &[u8]) {
    match bytes.split_first() {
        Some((how @ 0..8, rest)) => written(*how, rest),
        _ => any(bytes),
    }
}

/// Reads bytes like those of a file.
struct Far<'a>(&'a [u8]);

impl Source for Far<'_> {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset)
    }
}

fn any(bytes: &[u8]) {
    let directory = list(&bytes, MEMBERS);
    let far = Far(bytes);
    assert_eq!(list(&far, MEMBERS), directory);
    apart(&directory);
    let mut scratch = unzip::Scratch::default();
    let mut left = 4 * MOST;
    for entry in &directory.entries {
        let _ = entry.special_kind();
        if entry.size > MOST.min(left) || unzip::refusal(entry, 1000).is_some() {
            continue;
        }
        left -= entry.size;
        let Ok(local) = local::read(&bytes, entry) else {
            continue;
        };
        match entry.encryption {
            None => both_ways(bytes, entry, local.data_offset, &mut scratch),
            Some(encryption) => {
                let packed = opened(&bytes, entry, encryption, local.data_offset);
                assert!(opened(&far, entry, encryption, local.data_offset) == packed);
                let inside = entry
                    .decrypted_entry(encryption)
                    .expect("one that is not refused");
                if let Some(Ok(packed)) = packed {
                    assert_eq!(packed.len() as u64, inside.packed_size);
                    let _ = unzip::into_memory(&packed.as_slice(), &inside, 0, &mut scratch);
                }
            }
        }
    }
}

/// Returns the decrypted packed bytes of a member if the password is correct.
fn opened(
    source: &dyn Source,
    entry: &Entry,
    encryption: Encryption,
    data: u64,
) -> Option<Result<Vec<u8>, ()>> {
    let locked = EncryptedMember::read(source, entry, encryption, data).ok()?;
    match locked.open(PASSWORD, &Monitor::default()).ok()? {
        Attempt::WrongPassword | Attempt::Damaged(_) => None,
        Attempt::Decrypted(reader) => {
            let (packed, done) = drained(reader, u64::MAX);
            Some(done.map(|()| packed).map_err(|_| ()))
        }
    }
}

/// Checks that valid members share no byte.
fn apart(directory: &Directory) {
    let whole = directory
        .entries
        .iter()
        .filter(|entry| entry.fault.is_none());
    let mut places: Vec<(u64, u64)> = whole
        .map(|entry| {
            (
                entry.offset,
                entry.offset.saturating_add(entry.least_extent()),
            )
        })
        .collect();
    places.sort_unstable();
    assert!(places.windows(2).all(|pair| pair[0].1 <= pair[1].0));
}

/// Reads a member as a stream and in memory: both give the same content, or none. The CRC is corrected, so that content
/// is compared at all.
fn both_ways(bytes: &[u8], entry: &Entry, data: u64, scratch: &mut unzip::Scratch) {
    let mut stream = unzip::stream(&bytes, entry, data);
    let streamed = stream
        .as_mut()
        .map(|stream| drained(stream, entry.size + 1));
    let mut right = entry.clone();
    let mut content = None;
    if let Ok((out, Ok(()))) = streamed {
        right.crc = crc32fast::hash(&out);
        content = (out.len() as u64 == entry.size).then_some(out);
    }
    for source in [&bytes as &dyn Source, &Far(bytes)] {
        let done = unzip::into_memory(source, &right, data, scratch);
        assert_eq!(done.is_ok(), content.is_some(), "{done:?} {entry:?}");
        if let (Ok(stream), Ok(unused)) = (&stream, &done) {
            assert_eq!(stream.unused_bytes(), *unused);
        }
        if let Some(content) = &content {
            assert_eq!(&scratch.content, content);
        }
        if right.crc != entry.crc {
            assert!(unzip::into_memory(source, entry, data, scratch).is_err());
        }
    }
}

/// Writes members as the input says and reads them back. A zip that is cut anywhere reports it, and the members found
/// are correct.
fn written(how: u8, bytes: &[u8]) {
    let [low, high, rest @ ..] = bytes else {
        return;
    };
    let expected = members(rest, 6);
    let (data, directory_at) = write(&expected);
    let directory = list(&data.as_slice(), MEMBERS);
    assert_eq!(directory.damage, Vec::<String>::new());
    assert!(directory.skipped.is_empty(), "{:?}", directory.skipped);
    assert_eq!(directory.gaps, Vec::new());
    assert_eq!(directory.entries.len(), expected.len());
    right(&data, &directory.entries, &expected);
    if how % 2 == 1 {
        let cut = usize::from(u16::from_le_bytes([*low, *high])) % data.len();
        let short = list(&&data[..cut], MEMBERS);
        assert!(!short.damage.is_empty(), "cut at {cut} of {}", data.len());
        let whole = |entry: &&Entry| entry.fault.is_none();
        let found: Vec<Entry> = short.entries.iter().filter(whole).cloned().collect();
        right(&data[..cut], &found, &expected);
        // Only members without size and end mark cannot be distinguished from the following bytes.
        if cut >= directory_at && expected.iter().all(|member| !stored_later(member)) {
            assert_eq!(found.len(), expected.len());
        }
    }
}

fn right(data: &[u8], entries: &[Entry], expected: &[TestMember]) {
    let mut scratch = unzip::Scratch::default();
    for (entry, member) in entries.iter().zip(expected) {
        assert_eq!(entry.raw_name(), member.name);
        let local = local::read(&data, entry).expect("a local header");
        assert!(
            local.differing_fields.is_empty(),
            "{:?}",
            local.differing_fields
        );
        let unused = unzip::into_memory(&data, entry, local.data_offset, &mut scratch);
        assert_eq!(unused, Ok(0));
        assert_eq!(
            gaps::gap_after_member(&data, entry, local.data_offset),
            None
        );
        assert_eq!(scratch.content, member.content);
    }
}

fn packs(member: &TestMember) -> bool {
    member.how & 1 != 0
}

/// Sizes and CRC follow the data.
fn later(member: &TestMember) -> bool {
    member.how & 2 != 0
}

fn stored_later(member: &TestMember) -> bool {
    later(member) && !packs(member)
}

/// Returns a zip with the members, and the offset of its directory.
fn write(expected: &[TestMember]) -> (Vec<u8>, usize) {
    let (mut data, mut directory) = (Vec::new(), Vec::new());
    for member in expected {
        let packed = if packs(member) {
            packed(&member.content)
        } else {
            member.content.clone()
        };
        let sums = [
            crc32fast::hash(&member.content),
            len(&packed),
            len(&member.content),
        ];
        let sums: Vec<u8> = sums.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut head = Vec::new();
        let flags = if later(member) { 8 } else { 0 };
        let method = if packs(member) { 8 } else { 0 };
        for word in [20_u16, flags, method, 0x5260, 0x582f] {
            head.extend(word.to_le_bytes());
        }
        let names = [
            u16::try_from(member.name.len()).unwrap().to_le_bytes(),
            [0, 0],
        ]
        .concat();
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend([&head, &sums, &names].map(Vec::as_slice).concat());
        directory.extend([0; 10]);
        directory.extend(len(&data).to_le_bytes());
        directory.extend(&member.name);
        data.extend(b"PK\x03\x04");
        data.extend(&head);
        data.extend(if later(member) {
            &[0; 12]
        } else {
            sums.as_slice()
        });
        data.extend(&names);
        data.extend(&member.name);
        data.extend(&packed);
        if later(member) {
            data.extend(b"PK\x07\x08");
            data.extend(&sums);
        }
    }
    let at = data.len();
    let count = u16::try_from(expected.len()).unwrap().to_le_bytes();
    let end = [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count].concat();
    let (size, start) = (len(&directory), len(&data));
    data.extend(directory);
    data.extend(end);
    data.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
    data.extend([0, 0]);
    (data, at)
}

fn len(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap()
}

fn packed(content: &[u8]) -> Vec<u8> {
    let mut deflate = libdeflater::Compressor::new(libdeflater::CompressionLvl::fastest());
    let mut packed = vec![0; deflate.deflate_compress_bound(content.len())];
    let length = deflate.deflate_compress(content, &mut packed).unwrap();
    packed.truncate(length);
    packed
}
