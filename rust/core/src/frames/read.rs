//! Reads one object from a file or from bytes.

use std::fs::File;
use std::io;

use super::elements::each_element;
use super::object::Object;
use super::parse::{MAX_FRAMES, ObjectBuilder, PIXEL_TAGS};
use crate::header::{
    DataSetVisitor, FileWindow, Inflated, ParseError, Reader, TransferSyntax, Window, is_gzip,
    visit,
};

/// Bytes read at once: enough for most headers of GE and Philips.
const READ_LENGTH: usize = 1 << 14;

/// Reads the header of one object, with at most `frame_limit` frames; None if the file is not DICOM. Also returns
/// `buffer`, which the next call can reuse.
///
/// # Errors
///
/// Fails if the file cannot be read. From a damaged header, returns the readable part with [`Object::is_incomplete`]
/// set.
pub(super) fn read(
    file: &File,
    buffer: Vec<u8>,
    frame_limit: u32,
) -> io::Result<(Option<Object>, Vec<u8>)> {
    let size = file.metadata()?.len();
    let mut window = FileWindow::with_read_length(file, size, buffer, READ_LENGTH);
    let object = parse_limited(&mut window, frame_limit)?;
    Ok((object, window.into_buffer()))
}

/// Reads the header of one object, which may be gzipped; otherwise like [`read`].
///
/// # Errors
///
/// As [`read`].
pub(super) fn read_any(
    file: &File,
    buffer: Vec<u8>,
    frame_limit: u32,
) -> io::Result<(Option<Object>, Vec<u8>)> {
    let size = file.metadata()?.len();
    let mut window = FileWindow::with_read_length(file, size, buffer, READ_LENGTH);
    let object = if is_gzip(&mut window)? {
        match Inflated::gzip(&mut window)? {
            Some(mut inflated) => parse_limited(&mut inflated, frame_limit)?,
            None => None,
        }
    } else {
        parse_limited(&mut window, frame_limit)?
    };
    Ok((object, window.into_buffer()))
}

/// Reads the header of one object; None if the bytes are not DICOM.
///
/// # Errors
///
/// Fails if the bytes cannot be read. From a damaged header, returns the readable part with [`Object::is_incomplete`]
/// set.
pub fn parse<W: Window>(window: &mut W) -> io::Result<Option<Object>> {
    parse_limited(window, MAX_FRAMES)
}

/// As [`parse`], with at most `frame_limit` frames.
fn parse_limited<W: Window>(window: &mut W, frame_limit: u32) -> io::Result<Option<Object>> {
    let mut builder = ObjectBuilder::new(window.len(), frame_limit);
    match visit(window, &mut builder) {
        Ok(true) => Ok(Some(builder.finish(false))),
        Ok(false) => Ok(None),
        Err(ParseError::Io(error)) if error.kind() != io::ErrorKind::InvalidData => Err(error),
        Err(_) => Ok(Some(builder.finish(true))),
    }
}

/// Returns the offset of the pixel data of an object; None if it is not found, or if its data set is deflated.
///
/// # Errors
///
/// Fails if the bytes cannot be read.
pub fn pixel_data_offset<W: Window>(window: &mut W) -> io::Result<Option<u64>> {
    let mut offset = PixelDataOffset::default();
    match visit(window, &mut offset) {
        Err(ParseError::Io(error)) if error.kind() != io::ErrorKind::InvalidData => Err(error),
        _ => Ok(offset.0),
    }
}

/// The offset of the pixel data, once it is found.
#[derive(Default)]
struct PixelDataOffset(Option<u64>);

impl DataSetVisitor for PixelDataOffset {
    fn visit<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        start: u64,
        syntax: &TransferSyntax,
    ) -> Result<(), ParseError> {
        if syntax.deflated {
            return Ok(());
        }
        let encoding = reader.encoding;
        each_element(
            reader,
            start,
            u64::MAX,
            encoding,
            &mut |reader, element, _| {
                if PIXEL_TAGS.contains(&element.tag) {
                    self.0 = Some(element.value_offset);
                    return Ok(u64::MAX);
                }
                reader.after(element)
            },
        )?;
        Ok(())
    }
}
