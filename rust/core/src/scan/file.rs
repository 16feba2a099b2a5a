//! Opens one file, reads its header, closes it.

use std::fs::File;
use std::io;

use rustix::fd::AsFd;
use rustix::fs::{Mode, OFlags, SeekFrom, openat, seek};
use rustix::path::Arg;

use crate::header::{
    Bundle, FileWindow, Header, HeaderRange, Inflated, Parsed, Window, is_gzip, parse_into,
};

/// The header of a file, or why it has none. `H` is its header or, during the scan, the range of its header in a [`Bundle`].
#[derive(Debug)]
pub enum Outcome<H = Header> {
    /// A DICOM object.
    Dicom(H),
    /// Not a DICOM object, or not a regular file; with the reason.
    Other(Box<str>),
    /// A DICOM object or gzip file whose bytes are damaged; with the reason.
    Damaged(Box<str>),
    /// The file (or folder) cannot be opened or read.
    Unreadable(io::Error),
}

impl<H> Outcome<H> {
    pub(super) fn other(reason: &str) -> Self {
        Self::Other(reason.into())
    }

    /// Converts the header of a DICOM object; leaves other outcomes unchanged.
    pub(super) fn map<T>(self, with: impl FnOnce(H) -> T) -> Outcome<T> {
        match self {
            Self::Dicom(header) => Outcome::Dicom(with(header)),
            Self::Other(reason) => Outcome::Other(reason),
            Self::Damaged(reason) => Outcome::Damaged(reason),
            Self::Unreadable(error) => Outcome::Unreadable(error),
        }
    }
}

/// What a task passes from one of its files to the next: a buffer, and the headers read so far.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    buffer: Vec<u8>,
    pub bundle: Bundle,
}

/// Reads a file whose name is relative to a folder. Returns its size in bytes, and the range of its header in
/// `buffers.bundle` or why it has none. The size is 0 if the file cannot be opened, or has no size, such as a pipe.
pub(super) fn read_file(
    folder: impl AsFd,
    name: impl Arg,
    buffers: &mut Buffers,
) -> (u64, Outcome<HeaderRange>) {
    // Nonblocking: a pipe in place of a file must not block the scan.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let opened = openat(folder, name, flags, Mode::empty());
    // Seeking to the end gives the size with a cheaper call than fstat.
    let (file, size) =
        match opened.and_then(|fd| Ok((seek(&fd, SeekFrom::End(0))?, File::from(fd)))) {
            Ok((size, file)) => (file, size),
            Err(error) => return (0, Outcome::Unreadable(error.into())),
        };
    let mut window = FileWindow::new(&file, size, std::mem::take(&mut buffers.buffer));
    let parsed = parse_plain_or_gzip_into(&mut window, &mut buffers.bundle);
    buffers.buffer = window.into_buffer();
    let outcome = match parsed {
        Ok(Parsed::Dicom(range)) => Outcome::Dicom(range),
        Ok(Parsed::NotDicom) => Outcome::other("no DICOM"),
        Ok(Parsed::Broken { reason, offset }) => {
            Outcome::Damaged(format!("unreadable DICOM: {reason} (at byte {offset})").into())
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Outcome::Damaged(error.to_string().into())
        }
        Err(error) => Outcome::Unreadable(error),
    };
    (size, outcome)
}

/// Reads the header of a DICOM object, which may be in a gzip file. Fails with `InvalidData` if gzip data are damaged before
/// the start of the object is found. Later damage gives [`Parsed::Broken`], or [`Parsed::NotDicom`] for an object without the
/// prefix `DICM` of which no UID was read.
pub fn parse_plain_or_gzip<W: Window>(window: &mut W) -> io::Result<Parsed> {
    let mut bundle = Bundle::default();
    let parsed = parse_plain_or_gzip_into(window, &mut bundle)?;
    let bundle = bundle.finish();
    Ok(parsed.map(|range| bundle.header(range)))
}

fn parse_plain_or_gzip_into<W: Window>(
    window: &mut W,
    bundle: &mut Bundle,
) -> io::Result<Parsed<HeaderRange>> {
    if is_gzip(window)? {
        return match Inflated::gzip(window)? {
            Some(mut inflated) => parse_into(&mut inflated, bundle),
            None => Ok(Parsed::NotDicom),
        };
    }
    parse_into(window, bundle)
}
