//! Reading one object from a file or from bytes.

use std::fs::File;
use std::io;

use super::object::Object;
use super::parse::Walk;
use crate::header::{Fault, FileWindow, Window, visit};

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
    let object = parse(&mut window)?;
    Ok((object, window.into_buffer()))
}

/// Reads the header of one object; None when the bytes are no DICOM.
///
/// # Errors
///
/// When the bytes cannot be read. A damaged header gives what could be read of it, with [`Object::cut`] set.
pub fn parse<W: Window>(window: &mut W) -> io::Result<Option<Object>> {
    let mut walk = Walk::new(window.len());
    match visit(window, &mut walk) {
        Ok(true) => Ok(Some(walk.finish(false))),
        Ok(false) => Ok(None),
        Err(Fault::Io(error)) if error.kind() != io::ErrorKind::InvalidData => Err(error),
        Err(_) => Ok(Some(walk.finish(true))),
    }
}
