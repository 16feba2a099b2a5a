//! One object read from its file.

use std::fs::File;
use std::io;

use super::object::Object;
use super::parse::Walk;
use crate::header::{Fault, FileWindow, visit};

/// Bytes read at once: most headers of GE and Philips up to their pixel data.
const BLOCK: usize = 1 << 14;

/// Reads the header of one object; None when the file is no DICOM. Returns the buffer for the next one.
///
/// # Errors
///
/// When the file cannot be read. A damaged header gives what could be read of it, with [`Object::cut`] set.
pub fn read(file: &File, buffer: Vec<u8>) -> io::Result<(Option<Object>, Vec<u8>)> {
    let size = file.metadata()?.len();
    let mut window = FileWindow::in_blocks(file, size, buffer, BLOCK);
    let mut walk = Walk::new(size);
    let object = match visit(&mut window, &mut walk) {
        Ok(true) => Some(walk.finish(false)),
        Ok(false) => None,
        Err(Fault::Io(error)) if error.kind() != io::ErrorKind::InvalidData => return Err(error),
        Err(_) => Some(walk.finish(true)),
    };
    Ok((object, window.into_buffer()))
}
