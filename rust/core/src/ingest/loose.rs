//! Loose files of a folder, and its links.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::pass::Place;
use super::row::{Kind, Row};
use crate::notation::escape;

/// Opens a regular file, and never waits for one that turned into a FIFO or follows one that turned into a link.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// The row of a symbolic link, which is no data.
pub fn link(place: &Place, target: &Path) -> Row {
    let target = escape(target.as_os_str().as_bytes());
    place.no_data(Kind::Link, format!("a symbolic link to {target}"))
}
