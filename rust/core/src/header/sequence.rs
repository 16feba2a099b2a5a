//! Sequences of the field table: the value has the text of one element from each item, such as the ids in
//! OtherPatientIDsSequence.

use super::collect::Collector;
use super::element::{Element, Encoding, ITEM, ITEM_END, SEQUENCE_END};
use super::field::{SPECS, Spec};
use super::nested::{ParseError, Reader};
use super::stored::Header;
use super::vr::Vr;
use super::window::Window;

/// Returns the table's line of a sequence; None for other elements.
pub(super) fn spec_of(element: &Element) -> Option<&'static Spec> {
    if !element.may_be_sequence() {
        return None;
    }
    SPECS
        .iter()
        .find(|spec| spec.vr == Vr::SQ && spec.tag == element.tag)
}

/// Reads one element of each item, and collects the texts as one value with several texts.
///
/// After a damaged item, the value has the texts before it. The caller can skip such a sequence only if its length is
/// defined.
pub(super) fn read<W: Window>(
    reader: &mut Reader<'_, W>,
    sequence: &Element,
    spec: &Spec,
    collector: &mut Collector,
) -> Result<(), ParseError> {
    let mut texts = Vec::new();
    let outcome = read_items(reader, sequence, spec, &mut texts);
    collector.set(spec.field, &texts);
    match outcome {
        Err(ParseError::Io(error)) => Err(ParseError::Io(error)),
        Ok(()) | Err(ParseError::Broken { .. }) => Ok(()),
    }
}

/// Appends the wanted element of each item to the texts, until they reach the limit on a value.
fn read_items<W: Window>(
    reader: &mut Reader<'_, W>,
    sequence: &Element,
    spec: &Spec,
    texts: &mut Vec<u8>,
) -> Result<(), ParseError> {
    let encoding = Reader::<W>::sequence_encoding(sequence, reader.encoding);
    let end = match sequence.length {
        Some(_) => reader.after(sequence)?,
        None => u64::MAX,
    };
    let mut at = sequence.value_offset;
    while at < end && texts.len() < Header::MAX_VALUE {
        let item = reader
            .element(at, encoding)?
            .filter(|item| item.tag == ITEM);
        let Some(item) = item else { break };
        at = read_item(reader, &item, encoding, spec, texts)?;
    }
    Ok(())
}

/// Appends the wanted element of one item to the texts, and returns where the item ends.
fn read_item<W: Window>(
    reader: &mut Reader<'_, W>,
    item: &Element,
    outer: Encoding,
    spec: &Spec,
    texts: &mut Vec<u8>,
) -> Result<u64, ParseError> {
    let end = match item.length {
        Some(_) => reader.after(item)?,
        None => u64::MAX,
    };
    let encoding = reader.item_encoding(item.value_offset, outer)?;
    let mut at = item.value_offset;
    while at < end {
        let Some(element) = reader.element(at, encoding)? else {
            break;
        };
        match element.tag {
            ITEM_END => return Ok(element.value_offset),
            SEQUENCE_END => return Ok(at),
            _ => {}
        }
        let is_wanted = spec.within.contains(&(spec.tag, element.tag));
        if let (true, Some(length)) = (is_wanted, element.length) {
            if !texts.is_empty() {
                texts.push(b'\\');
            }
            texts.extend_from_slice(reader.value(&element, length)?);
        }
        at = reader.after(&element)?;
    }
    Ok(at)
}
