//! Reads the items of sequences: functional groups (PS3.3 C.7.6.16), tiles, fragments of pixel data.

use super::attributes::Attributes;
use super::elements::{each_element, each_item};
use super::private::PrivateBlocks;
use crate::header::{Element, Encoding, ITEM, ParseError, Reader, Window};

/// Tag, without the block, of a private sequence in which Philips stores the elements of a classic object for each
/// frame.
const PHILIPS_FRAME: u32 = 0x2005_000F;
/// Limit on the depth of sequences in an item of functional groups.
const MAX_DEPTH: u32 = 4;

/// Returns offset and length of each fragment of encapsulated pixel data, without the first item, which is the offset
/// table (PS3.5 A.4).
pub(super) fn fragments<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    encoding: Encoding,
) -> Result<Vec<(u64, u32)>, ParseError> {
    let mut fragments = Vec::new();
    let mut at = element.value_offset;
    while let Some(item) = reader.element(at, encoding)? {
        let (ITEM, Some(length)) = (item.tag, item.length) else {
            break;
        };
        fragments.push((item.value_offset, length));
        at = item.value_offset.saturating_add(length.into());
    }
    if !fragments.is_empty() {
        fragments.remove(0);
    }
    Ok(fragments)
}

/// Reads the elements of one item, but not those in its sequences; returns the offset after the item.
pub(super) fn read_plain_elements<W: Window>(
    reader: &mut Reader<'_, W>,
    start: u64,
    end: u64,
    encoding: Encoding,
    attributes: &mut Attributes,
) -> Result<u64, ParseError> {
    each_element(
        reader,
        start,
        end,
        encoding,
        &mut |reader, element, encoding| {
            if element.length.is_some() {
                attributes.read_element(reader, element, encoding)?;
            }
            reader.after(element)
        },
    )
}

/// Reads all items of the shared functional groups; real objects have one item. Returns the offset after them.
pub(super) fn read_shared_groups<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    encoding: Encoding,
    attributes: &mut Attributes,
) -> Result<u64, ParseError> {
    each_item(
        reader,
        element,
        encoding,
        &mut |reader, start, end, inner| read_groups(reader, start, end, inner, attributes, 0),
    )
}

/// Reads the macros of one item of functional groups into `attributes`, and the sequences in the macros. Returns the
/// offset after the item. `depth` is 0 for an item of the groups themselves, and 1 higher in each nested sequence.
pub(super) fn read_groups<W: Window>(
    reader: &mut Reader<'_, W>,
    start: u64,
    end: u64,
    encoding: Encoding,
    attributes: &mut Attributes,
    depth: u32,
) -> Result<u64, ParseError> {
    let mut blocks = PrivateBlocks::default();
    each_element(
        reader,
        start,
        end,
        encoding,
        &mut |reader, element, encoding| {
            let private = element.tag >> 16 & 1 == 1;
            if depth < MAX_DEPTH && is_wanted_macro(element) {
                return each_item(
                    reader,
                    element,
                    encoding,
                    &mut |reader, start, end, inner| {
                        if private {
                            read_philips_frame(reader, start, end, inner, attributes)
                        } else {
                            read_groups(reader, start, end, inner, attributes, depth + 1)
                        }
                    },
                );
            }
            if private {
                blocks.read_element(reader, element, encoding, attributes)?;
            } else if element.length.is_some() {
                attributes.read_element(reader, element, encoding)?;
            }
            reader.after(element)
        },
    )
}

/// Reads the private elements of an item of [`PHILIPS_FRAME`]; its public elements repeat those of the functional
/// groups.
fn read_philips_frame<W: Window>(
    reader: &mut Reader<'_, W>,
    start: u64,
    end: u64,
    encoding: Encoding,
    attributes: &mut Attributes,
) -> Result<u64, ParseError> {
    let mut blocks = PrivateBlocks::default();
    each_element(
        reader,
        start,
        end,
        encoding,
        &mut |reader, element, encoding| {
            if element.tag >> 16 & 1 == 1 {
                blocks.read_element(reader, element, encoding, attributes)?;
            }
            reader.after(element)
        },
    )
}

/// Returns whether a sequence of functional groups contains used attributes (PS3.3 C.7.6.16, C.8.13.5).
fn is_wanted_macro(element: &Element) -> bool {
    let wanted = matches!(
        element.tag,
        0x0018_9112 // MR timing and related parameters
            | 0x0018_9114 // MR echo
            | 0x0018_9115 // MR modifier
            | 0x0018_9117 // MR diffusion
            | 0x0018_9076 // gradient direction
            | 0x0018_9226 // MR image frame type
            | 0x0018_9118 // cardiac synchronization
            | 0x0020_9111 // frame content
            | 0x0020_9113 // plane position
            | 0x0020_9116 // plane orientation
            | 0x0028_9110 // pixel measures
            | 0x0028_9145 // pixel value transformation
    );
    element.may_be_sequence() && (wanted || element.tag & 0xFFFF_00FF == PHILIPS_FRAME)
}
