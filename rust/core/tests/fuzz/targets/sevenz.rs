//! The 7z reader: any bytes give a header or a reason, and written members are read back completely or with damage.

use std::io::Cursor;

use qxbatch_core::archive::sevenz::aes::Keys;
use qxbatch_core::archive::sevenz::{Listing, MemberKind, chain, list};
use sevenz_rust2::encoder_options::{AesEncoderOptions, DeltaOptions};
use sevenz_rust2::{
    ArchiveEntry, ArchiveWriter, EncoderConfiguration, EncoderMethod, SourceReader,
};

use super::pieces::{TestMember, drained, members};

pub const WORDS: &[&[u8]] = &[
    b"7z\xbc\xaf\x27\x1c\0\x04",
    b"\x01\x04\x06",
    b"\x17\x06",
    b"\x07\x0b\x01\0",
    b"\x08\x0d",
    b"\x0a\x01",
    b"\x01\x21\x21\x01",
    b"\x03\x03\x01\x01\x05\x5d",
    b"\x23\x03\x04\x01\x05",
    b"\x06\xf1\x07\x01",
    b"\x13\x03\x03\x01\x1b\x04\x01",
    b"\x0e\x01\x80",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff",
];

/// Limit on the content of a block that is read.
const MOST: u64 = 1 << 17;
const MEMBERS: u64 = 1000;
const WORD: &str = "secret";

/// If the first byte is below 8, the rest is written to an archive. Otherwise the bytes are read as an archive, then
/// again with corrected checksums of the start and of the header, so that the header is parsed.
pub fn run(bytes: &[u8]) {
    if let Some((how @ 0..8, rest)) = bytes.split_first() {
        return written(*how, &members(rest, 5));
    }
    any(bytes);
    any(&mended(bytes.to_vec()));
}

fn mended(mut bytes: Vec<u8>) -> Vec<u8> {
    let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let place = word(12).zip(word(20)).and_then(|(at, size)| {
        let from = usize::try_from(at).ok()?.checked_add(32)?;
        Some(from..from.checked_add(usize::try_from(size).ok()?)?)
    });
    if let Some(list) = place.and_then(|place| bytes.get(place)) {
        let sum = crc32fast::hash(list).to_le_bytes();
        bytes[28..32].copy_from_slice(&sum);
    }
    if bytes.len() >= 32 {
        let sum = crc32fast::hash(&bytes[12..32]).to_le_bytes();
        bytes[8..12].copy_from_slice(&sum);
    }
    bytes
}

fn any(bytes: &[u8]) {
    let keys = Keys::default();
    let Ok(listing) = list(&bytes, MEMBERS, &keys) else {
        return;
    };
    assert!(listing.members.len() as u64 <= MEMBERS);
    assert!(listing.trailing_bytes < bytes.len() as u64);
    for block in &listing.blocks {
        let inside: u64 = block.substreams.iter().map(|(size, _)| size).sum();
        assert!(inside <= block.size(), "members hold more than their block");
        assert!(block.packed_size() <= bytes.len() as u64);
        // Without a password nothing is decrypted; the archive determines how slow decryption is.
        if chain::is_encrypted(block) {
            assert!(chain::find_password(&bytes, block, &keys).is_err());
            continue;
        }
        if let Ok(content) = chain::open(&bytes, block, &keys, 0) {
            let (content, _) = drained(content, MOST);
            assert!(content.len() as u64 <= block.size());
        }
    }
}

/// Returns the content of each member, and the number of bytes in none; None if the archive is damaged.
fn contents(bytes: &[u8], listing: &Listing, keys: &Keys<'_>) -> Option<(Vec<Vec<u8>>, u64)> {
    let mut found = Vec::new();
    let mut unused = listing.gap_bytes + listing.unused_header_bytes;
    for block in &listing.blocks {
        let place = chain::find_password(&bytes, block, keys).ok()?;
        let mut content = chain::open(&bytes, block, keys, place).ok()?;
        for (size, crc) in &block.substreams {
            let (bytes, done) = drained(&mut content, *size);
            done.ok()?;
            if crc.is_some_and(|crc| crc != crc32fast::hash(&bytes)) {
                return None;
            }
            found.push(bytes);
        }
        unused += content.unused_bytes();
    }
    Some((found, unused))
}

fn methods(how: u8) -> Vec<EncoderConfiguration> {
    match how {
        0 => vec![EncoderMethod::COPY.into()],
        1 => vec![EncoderMethod::LZMA.into()],
        2 => vec![
            EncoderMethod::BCJ_X86_FILTER.into(),
            EncoderMethod::LZMA2.into(),
        ],
        3 => vec![
            DeltaOptions::from_distance(4).into(),
            EncoderMethod::LZMA2.into(),
        ],
        4 => vec![EncoderMethod::PPMD.into()],
        5 => vec![EncoderMethod::BZIP2.into()],
        6 => vec![EncoderMethod::DEFLATE.into()],
        _ => vec![
            AesEncoderOptions::new(WORD.into()).into(),
            EncoderMethod::COPY.into(),
        ],
    }
}

fn written(how: u8, expected: &[TestMember]) {
    let mut writer = ArchiveWriter::new(Cursor::new(Vec::new())).unwrap();
    writer.set_content_methods(methods(how));
    writer.set_encrypt_header(how == 7 && expected.len() % 2 == 0);
    let name = |member: &TestMember| String::from_utf8_lossy(&member.name).into_owned();
    let solid = expected.first().is_some_and(|member| member.how % 2 == 0);
    let full: Vec<&TestMember> = expected
        .iter()
        .filter(|member| !member.content.is_empty())
        .collect();
    if solid && !full.is_empty() {
        let entries = full
            .iter()
            .map(|member| ArchiveEntry::new_file(&name(member)));
        let readers: Vec<SourceReader<&[u8]>> = full
            .iter()
            .map(|member| member.content.as_slice().into())
            .collect();
        writer
            .push_archive_entries(entries.collect(), readers)
            .unwrap();
    } else {
        for member in &full {
            let entry = ArchiveEntry::new_file(&name(member));
            writer
                .push_archive_entry(entry, Some(member.content.as_slice()))
                .unwrap();
        }
    }
    let bytes = writer.finish().unwrap().into_inner();
    let words = [(0, b"wrong".as_slice()), (1, WORD.as_bytes())];
    let keys = Keys::new(words.into_iter());
    let listing = list(&bytes.as_slice(), MEMBERS, &keys).unwrap();
    let names: Vec<Vec<u8>> = full
        .iter()
        .map(|member| name(member).into_bytes())
        .collect();
    let listed: Vec<_> = listing
        .members
        .iter()
        .map(|member| member.name.clone())
        .collect();
    assert_eq!(listed, names);
    assert!(
        listing
            .members
            .iter()
            .all(|member| member.kind == MemberKind::File)
    );
    let right: Vec<_> = full.iter().map(|member| member.content.clone()).collect();
    assert!(
        contents(&bytes, &listing, &keys) == Some((right.clone(), 0)),
        "{how}"
    );
    if full.is_empty() {
        return;
    }
    let cut = expected
        .iter()
        .fold(7, |sum, member| sum * 31 % 65_521 + member.content.len())
        % bytes.len();
    assert!(
        list(&&bytes[..cut], MEMBERS, &keys).is_err(),
        "cut at {cut}"
    );
    let mut changed = bytes.clone();
    changed[cut] ^= 1;
    if let Ok(listing) = list(&changed.as_slice(), MEMBERS, &keys) {
        let found = contents(&changed, &listing, &keys);
        assert!(
            found.is_none_or(|(found, _)| found == right),
            "changed at {cut}"
        );
    }
}
