//! Plain files, which are files that are in no archive; and links in a folder.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::pass::Address;
use super::row::{IN_PACKET, Row, RowKind, link_reason};

/// Opens a file; does not wait if it became a FIFO, and fails if it became a link.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// Returns the row of a symbolic link, which has no data. `root` is the folder of the packet.
///
/// The reason of the row names the target. It ends with [`IN_PACKET`] if the target is in the packet.
pub fn link_row(address: &Address, root: &Path, path: &Path) -> Row {
    let target = fs::read_link(path).unwrap_or_default();
    let reason = link_reason(target.as_os_str().as_bytes());
    let inside = match (fs::canonicalize(path), fs::canonicalize(root)) {
        (Ok(file), Ok(root)) if file.starts_with(&root) => IN_PACKET,
        _ => "",
    };
    address.no_data_row(RowKind::Link, format!("{reason}{inside}"))
}
