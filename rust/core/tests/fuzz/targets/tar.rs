//! The tar reader: the same members for any chunking of the stream; written members are read back completely or give an
//! error.

use std::io::Read;

use qxbatch_core::archive::tar::{MemberKind, TarReader};

use super::pieces::{Slow, TestMember, drained, members};

pub const WORDS: &[&[u8]] = &[
    b"ustar\x0000",
    b"ustar  \0",
    b"././@LongLink",
    b"00000000000\0",
    b"77777777777\0",
    b"\x80\0\0\0\0\0\0\0\0\0\x10\0",
    b"30 path=abcdefghijklmnopqrst\n",
    b"15 linkpath=abc\n",
    b"12 size=100\n",
    b"22 GNU.sparse.major=1\n",
    b"22 GNU.sparse.minor=0\n",
    b"26 GNU.sparse.realsize=99\n",
    b"22 GNU.sparse.map=0,1\n",
    b"23 GNU.sparse.offset=0\n",
    b"25 GNU.sparse.numbytes=1\n",
    b"2\n0\n5\n100\n6\n",
];

/// Limit on the content of one member that is read.
const MOST: u64 = 1 << 16;
const BLOCK: usize = 512;

/// If the first byte is below 8, the rest is cut into members for a tar that is written here. Otherwise the bytes are
/// read as a tar, then again with corrected checksums.
pub fn run(bytes: &[u8]) {
    if let Some((how @ 0..8, rest)) = bytes.split_first() {
        return written(*how, rest);
    }
    any(bytes);
    let mut right = bytes.to_vec();
    if mend_sums(&mut right) {
        any(&right);
    }
}

/// Name, kind, size, content, and the result of reading the content.
type Member = (Vec<u8>, MemberKind, u64, Vec<u8>, Result<(), String>);

/// The members with their content, and the result of reading the tar.
#[derive(Debug, PartialEq)]
struct Found {
    members: Vec<Member>,
    trailing_bytes: u64,
    end: Result<(), String>,
}

fn found(input: impl Read, most: u64) -> Found {
    let mut reader = TarReader::new(input);
    let mut members = Vec::new();
    let end = loop {
        match reader.next_member() {
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.to_string()),
            Ok(Some(mut member)) => {
                let (content, done) = drained(reader.content(&mut member), most);
                if done.is_ok() && member.kind == MemberKind::File {
                    assert_eq!(content.len() as u64, member.size.min(most));
                }
                members.push((member.name, member.kind, member.size, content, done));
            }
        }
    };
    Found {
        members,
        trailing_bytes: reader.trailing_bytes(),
        end,
    }
}

fn any(bytes: &[u8]) {
    let whole = found(bytes, MOST);
    assert_eq!(
        found(Slow(bytes), MOST),
        whole,
        "the answer depends on how the stream comes"
    );
    // A reader that skips the content finds the same members.
    let skipped = found(bytes, 0);
    assert_eq!(skipped.end.is_ok(), whole.end.is_ok());
    assert_eq!(skipped.members.len(), whole.members.len());
    assert_eq!(skipped.trailing_bytes, whole.trailing_bytes);
    let stored: u64 = whole
        .members
        .iter()
        .map(|member| member.3.len() as u64)
        .sum();
    assert!(
        whole.members.len() <= bytes.len() / BLOCK && stored <= MOST * whole.members.len() as u64
    );
}

/// Corrects the checksums of all blocks that look like headers; returns whether one was wrong.
fn mend_sums(bytes: &mut [u8]) -> bool {
    let mut mended = false;
    for block in bytes.chunks_exact_mut(BLOCK) {
        if block[257..262] == *b"ustar" {
            let before: [u8; 8] = block[148..156].try_into().unwrap();
            sum(block);
            mended |= block[148..156] != before;
        }
    }
    mended
}

fn sum(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Writes members as the input says and reads them back; a tar that is cut anywhere ends with an error.
fn written(how: u8, bytes: &[u8]) {
    let [low, high, rest @ ..] = bytes else {
        return;
    };
    let expected = members(rest, 6);
    let mut data = Vec::new();
    for member in &expected {
        write(&mut data, member);
    }
    let marks = data.len();
    data.resize(marks + 2 * BLOCK, 0);
    let back = found(Slow(&data), MOST);
    assert_eq!((&back.end, back.trailing_bytes), (&Ok(()), 0));
    assert_eq!(back.members.len(), expected.len());
    for (member, (name, what, size, content, done)) in expected.iter().zip(&back.members) {
        assert_eq!((name, what), (&member.name, &MemberKind::File));
        assert_eq!(*size, member.content.len() as u64);
        assert_eq!((content, done), (&member.content, &Ok(())));
    }
    if how % 2 == 1 {
        let cut = usize::from(u16::from_le_bytes([*low, *high])) % (marks + 1);
        let short = found(&data[..cut], MOST);
        assert!(short.end.is_err(), "cut at {cut} of {marks}");
        assert!(short.members.len() <= expected.len());
    }
}

/// Writes one member, with its name in a pax record, in a GNU record, or in the header if it fits.
fn write(out: &mut Vec<u8>, member: &TestMember) {
    let short = member.name.len() <= 100;
    match member.how % 4 {
        0 | 3 if short => {}
        1 => {
            let mut length = member.name.len() + 8;
            while format!("{length} path=\n").len() + member.name.len() != length {
                length += 1;
            }
            let record = [format!("{length} path=").as_bytes(), &member.name, b"\n"].concat();
            entry(out, b"pax", b'x', &record);
        }
        _ => entry(
            out,
            b"././@LongLink",
            b'L',
            &[&member.name[..], b"\0"].concat(),
        ),
    }
    let name = &member.name[..member.name.len().min(100)];
    let flag = if member.how & 16 == 0 { b'0' } else { 0 };
    entry(out, name, flag, &member.content);
}

fn entry(out: &mut Vec<u8>, name: &[u8], flag: u8, content: &[u8]) {
    let mut block = [0; BLOCK];
    block[..name.len()].copy_from_slice(name);
    block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    block[156] = flag;
    block[257..265].copy_from_slice(b"ustar\x0000");
    sum(&mut block);
    out.extend(block);
    out.extend(content);
    out.resize(out.len().div_ceil(BLOCK) * BLOCK, 0);
}
