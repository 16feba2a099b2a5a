//! Opens only regular files. Other processes may write to packets, sessions and studies: opening a FIFO there would
//! block, and a device may be endless.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Opens a regular file for reading; follows links. Fails for any other file: with `InvalidInput`, or as opening it fails.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = rustix::fs::open(path, flags, Mode::empty())?.into();
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "is not a regular file",
    ))
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    /// Time after which a reader of a FIFO is assumed to wait for a writer.
    const LIMIT: Duration = Duration::from_secs(30);

    /// Runs `read` with the path of a FIFO that has no writer, and returns its result. Panics if it does not end.
    pub(crate) fn with_fifo<T: Send + 'static>(
        read: impl FnOnce(&Path) -> T + Send + 'static,
    ) -> T {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(read(&path)));
        receiver.recv_timeout(LIMIT).expect("it waits for a writer")
    }

    #[test]
    fn a_fifo_is_refused() {
        let error = with_fifo(open).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
