//! One file: opened, read as far as its header goes, closed.

use std::fs::File;
use std::io;

use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, SeekFrom, openat, seek};
use rustix::path::Arg;

use crate::header::{FileWindow, Header, Inflated, Parsed, Window, parse};

/// What a file turned out to be.
#[derive(Debug)]
pub enum Outcome {
    /// A DICOM object.
    Dicom(Header),
    /// Something else, or nothing that can be read; says what.
    Other(Box<str>),
    /// The system refused it.
    Unreadable(io::Error),
}

impl Outcome {
    pub(super) fn other(reason: &str) -> Self {
        Self::Other(reason.into())
    }
}

/// Reads the header of a file named relative to a folder; gives its size too. `buffer` is used again from file to file.
pub fn read_file(folder: impl AsFd, name: impl Arg, buffer: &mut Vec<u8>) -> (u64, Outcome) {
    // Nonblocking: a pipe that took the place of a file must not hold the scan up.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let opened = openat(folder, name, flags, Mode::empty());
    // The end as the size: a cheaper call than fstat.
    let (file, size) =
        match opened.and_then(|fd| Ok((seek(&fd, SeekFrom::End(0))?, File::from(fd)))) {
            Ok((size, file)) => (file, size),
            Err(error) => return (0, Outcome::Unreadable(error.into())),
        };
    let mut window = FileWindow::new(&file, size, std::mem::take(buffer));
    let parsed = parse_any(&mut window);
    *buffer = window.into_buffer();
    let outcome = match parsed {
        Ok(Parsed::Dicom(header)) => Outcome::Dicom(header),
        Ok(Parsed::NotDicom) => Outcome::other("no DICOM"),
        Ok(Parsed::Broken { reason, offset }) => {
            Outcome::Other(format!("unreadable DICOM: {reason} (at byte {offset})").into())
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Outcome::Other(error.to_string().into())
        }
        Err(error) => Outcome::Unreadable(error),
    };
    (size, outcome)
}

/// Reads the header of an object that may lie in a gzip file.
pub fn parse_any<W: Window>(window: &mut W) -> io::Result<Parsed> {
    if window.at(0, 2)?.starts_with(&[0x1F, 0x8B]) {
        return match Inflated::gzip(window)? {
            Some(mut inflated) => parse(&mut inflated),
            None => Ok(Parsed::NotDicom),
        };
    }
    parse(window)
}
