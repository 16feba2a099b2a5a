//! Readers that return bytes in pieces of uneven length, and archive members cut out of any bytes.

use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Returns a few bytes at a time: each read between 1 and 61.
pub struct Slow<'a>(pub &'a [u8]);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(1 + self.0.len() % 61).min(self.0.len());
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

/// Bytes that are read like a file, which may return fewer bytes than requested.
pub struct Short<'a>(pub &'a [u8]);

impl FileExt for Short<'_> {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let at = usize::try_from(offset).unwrap().min(self.0.len());
        let rest = &self.0[at..];
        let count = buffer.len().min(rest.len()).min(40 + at % 211);
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A member of an archive that is built from the input.
#[derive(Debug)]
pub struct TestMember {
    /// Its name, without characters that would make it something other than a file.
    pub name: Vec<u8>,
    /// Its content.
    pub content: Vec<u8>,
    /// Chooses how it is written.
    pub how: u8,
}

/// Cuts members out of bytes: method, length of the name, length of the content in 16 bits, name, content.
pub fn members(mut bytes: &[u8], most: usize) -> Vec<TestMember> {
    let mut expected = Vec::new();
    while let [how, name, low, high, rest @ ..] = bytes {
        let (name, rest) = rest.split_at(usize::from(*name).min(rest.len()));
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (content, rest) = rest.split_at(length);
        // Without a slash at the end, a zero or an archive mark.
        let clean = |byte: &u8| match byte {
            0 | b'/' | b'\\' | b'P' => b'_',
            other => *other,
        };
        expected.push(TestMember {
            name: [
                b"m".as_slice(),
                &name.iter().map(clean).collect::<Vec<u8>>(),
            ]
            .concat(),
            content: content
                .iter()
                .map(|byte| if *byte == b'P' { b'Q' } else { *byte })
                .collect(),
            how: *how,
        });
        if expected.len() == most {
            break;
        }
        bytes = rest;
    }
    expected
}

/// Reads a stream up to a limit; also returns the bytes before an error.
pub fn drained(input: impl Read, most: u64) -> (Vec<u8>, Result<(), String>) {
    let mut out = Vec::new();
    let done = input.take(most).read_to_end(&mut out);
    (out, done.map(|_| ()).map_err(|error| error.to_string()))
}
