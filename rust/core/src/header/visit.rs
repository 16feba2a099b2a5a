//! Passes the data set of one object to a visitor, which reads its elements.

use super::collect::Collector;
use super::element::{ELEMENT_HEADER_LENGTH, EXPLICIT, Encoding};
use super::field::Field;
use super::inflate::Inflated;
use super::meta;
use super::nested::{ParseError, Reader};
use super::start::{DEFLATED, Start, encoding_of, is_uncompressed};
use super::wanted::WantedElements;
use super::window::Window;

/// Reads the elements of a data set.
pub(crate) trait DataSetVisitor {
    /// Called once, with a reader of the data set's encoding, the start of the data set, and its transfer syntax.
    fn visit<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        start: u64,
        syntax: &TransferSyntax,
    ) -> Result<(), ParseError>;
}

/// Transfer syntax of an object.
#[derive(Debug)]
pub(crate) struct TransferSyntax {
    /// TransferSyntaxUID of the meta header; empty without one.
    pub uid: String,
    /// Whether offsets count in the inflated data set, not in the file.
    pub deflated: bool,
}

/// Passes the data set of one object to a visitor, and returns true; returns false if the bytes are not DICOM. Fails if
/// the meta header is damaged, the bytes cannot be read, or the visitor fails.
pub(crate) fn visit<W: Window>(
    window: &mut W,
    visitor: &mut impl DataSetVisitor,
) -> Result<bool, ParseError> {
    let Some(start) = Start::find(window)? else {
        return Ok(false);
    };
    let mut collector = Collector::default();
    let at = meta::read(
        window,
        start.at,
        &mut WantedElements::default(),
        &mut collector,
    )?;
    let uid = collector.get(Field::TransferSyntaxUid);
    let claimed = encoding_of(uid);
    let deflated = uid == DEFLATED && !is_uncompressed(window.at(at, ELEMENT_HEADER_LENGTH)?);
    let uid = String::from_utf8_lossy(uid).into_owned();
    let syntax = TransferSyntax { uid, deflated };
    if deflated {
        let mut inflated = Inflated::raw(window, at);
        return visit_data_set(&mut inflated, 0, EXPLICIT, &syntax, visitor);
    }
    visit_data_set(window, at, claimed, &syntax, visitor)
}

fn visit_data_set<W: Window>(
    window: &mut W,
    start: u64,
    claimed: Encoding,
    syntax: &TransferSyntax,
    visitor: &mut impl DataSetVisitor,
) -> Result<bool, ParseError> {
    let head = window.at(start, ELEMENT_HEADER_LENGTH)?;
    let Some(encoding) = Encoding::guess(head, claimed) else {
        return Ok(false);
    };
    visitor.visit(&mut Reader::new(window, encoding), start, syntax)?;
    Ok(true)
}
