//! Functional groups: enhanced multi-frame objects store attributes here instead of in the main data set (PS3.3
//! C.7.6.16).

use super::collect::Collector;
use super::element::{Element, Encoding, ITEM, ITEM_END, SEQUENCE_END};
use super::field::{SPECS, Spec};
use super::nested::{ParseError, Reader};
use super::vr::{Vr, effective_vr};
use super::window::Window;

/// The shared functional groups.
const SHARED: u32 = 0x5200_9229;
/// The per-frame functional groups, the last element that is read.
pub(super) const PER_FRAME: u32 = 0x5200_9230;
/// The last tag before the functional groups: elements up to this tag can be read by `skim`.
pub(super) const LAST_BEFORE_GROUPS: u32 = SHARED - 1;

/// Returns whether an element contains functional groups.
pub(super) fn is_group(element: &Element) -> bool {
    matches!(element.tag, SHARED | PER_FRAME) && element.may_be_sequence()
}

/// Reads the fields in the first item of a functional groups element: the groups that all frames share, or those of the
/// first frame.
///
/// Attributes of the main data set take precedence over shared ones, and shared ones over those of the first frame.
pub(super) fn read<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    collector: &mut Collector,
) -> Result<(), ParseError> {
    let outer = reader.encoding;
    for_first_item(reader, element, outer, &mut |reader, group, encoding| {
        let is_in_macro = |spec: &Spec| {
            spec.within
                .iter()
                .any(|(macro_tag, _)| *macro_tag == group.tag)
        };
        if group.may_be_sequence() && SPECS.iter().any(is_in_macro) {
            read_macro(reader, group, encoding, collector)?;
        }
        Ok(())
    })
}

/// Reads the fields in the first item of a functional group macro that have no value yet.
fn read_macro<W: Window>(
    reader: &mut Reader<'_, W>,
    group: &Element,
    encoding: Encoding,
    collector: &mut Collector,
) -> Result<(), ParseError> {
    for_first_item(reader, group, encoding, &mut |reader, element, encoding| {
        let here = (group.tag, element.tag);
        let Some(spec) = SPECS.iter().find(|spec| spec.within.contains(&here)) else {
            return Ok(());
        };
        let Some(length) = element.length.filter(|_| !collector.has(spec.field)) else {
            return Ok(());
        };
        let vr = functional_vr(element.tag, spec);
        let bytes = reader.value(element, length)?;
        collector.set_as(spec.field, effective_vr(element.vr, vr), bytes, encoding);
        Ok(())
    })
}

/// Returns the VR of an element in a macro by the dictionary.
fn functional_vr(tag: u32, spec: &Spec) -> Vr {
    // EffectiveEchoTime and similar elements are doubles; those of the main data set are decimal strings.
    if tag == spec.tag { spec.vr } else { Vr::FD }
}

/// Receives one element and its encoding.
type ElementVisitor<'v, 'w, W> =
    dyn FnMut(&mut Reader<'w, W>, &Element, Encoding) -> Result<(), ParseError> + 'v;

/// Passes each element of a sequence's first item to the visitor; none if the sequence has no item. `outer` is the
/// encoding of the sequence.
fn for_first_item<'w, W: Window>(
    reader: &mut Reader<'w, W>,
    sequence: &Element,
    outer: Encoding,
    visit: &mut ElementVisitor<'_, 'w, W>,
) -> Result<(), ParseError> {
    let encoding = Reader::<W>::sequence_encoding(sequence, outer);
    let Some(item) = reader
        .element(sequence.value_offset, encoding)?
        .filter(|item| item.tag == ITEM)
    else {
        return Ok(());
    };
    let end = match item.length {
        Some(_) => reader.after(&item)?,
        None => u64::MAX,
    };
    let encoding = reader.item_encoding(item.value_offset, encoding)?;
    let mut at = item.value_offset;
    while at < end {
        let Some(element) = reader.element(at, encoding)? else {
            break;
        };
        if matches!(element.tag, ITEM_END | SEQUENCE_END) {
            break;
        }
        visit(reader, &element, encoding)?;
        at = reader.after(&element)?;
    }
    Ok(())
}
