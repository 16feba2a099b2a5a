//! Visits elements and items in their order, and reads values as numbers and text.

use crate::header::{
    CharacterSets, Element, Encoding, ITEM, ITEM_END, ParseError, Reader, SEQUENCE_END, Vr, Window,
    effective_vr, trim,
};

/// Limit on the numbers of one value; further ones are ignored.
const MAX_NUMBERS: usize = 16;

/// The numbers of one value, at most [`MAX_NUMBERS`].
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Numbers {
    values: [f64; MAX_NUMBERS],
    count: usize,
}

impl Numbers {
    fn push(&mut self, value: f64) {
        if let Some(slot) = self.values.get_mut(self.count) {
            *slot = value;
            self.count = self.count.saturating_add(1);
        }
    }

    /// Returns the first number.
    pub(super) fn first(&self) -> Option<f64> {
        self.get(0)
    }

    /// Returns the number at an index.
    pub(super) fn get(&self, index: usize) -> Option<f64> {
        (index < self.count)
            .then(|| self.values.get(index).copied())
            .flatten()
    }

    /// Returns the first number, if it is an integer.
    #[allow(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    pub(super) fn integer(&self) -> Option<i64> {
        self.first()
            .filter(|value| value.fract() == 0.0 && value.abs() < 9.0e15)
            .map(|value| value as i64)
    }

    /// Returns all numbers.
    pub(super) fn all(&self) -> Vec<f64> {
        self.values.get(..self.count).unwrap_or_default().to_vec()
    }

    /// Returns all numbers as indices, without their fractions; 0 for a number below 0.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index has 32 bits"
    )]
    pub(super) fn indices(&self) -> Vec<u32> {
        self.all().into_iter().map(|value| value as u32).collect()
    }

    /// Returns all numbers, if there are exactly `N`.
    pub(super) fn array<const N: usize>(&self) -> Option<[f64; N]> {
        if self.count != N {
            return None;
        }
        self.values.first_chunk::<N>().copied()
    }
}

/// Parses a decimal number without padding; returns None unless it is finite.
pub(super) fn finite_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Reads the first [`MAX_NUMBERS`] numbers of a value; returns no numbers if one of them is unreadable or not finite.
/// `default_vr` is the VR if the file states none that is usable ([`effective_vr`]).
pub(super) fn numbers<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    encoding: Encoding,
    default_vr: Vr,
) -> Result<Numbers, ParseError> {
    let vr = effective_vr(element.vr, default_vr);
    let bytes = reader.value(element, element.length.unwrap_or(0))?;
    let mut numbers = Numbers::default();
    let size = match vr {
        Vr::SS | Vr::US => 2,
        Vr::FL | Vr::SL | Vr::UL => 4,
        Vr::FD => 8,
        _ => {
            for text in bytes.split(|byte| *byte == b'\\').take(MAX_NUMBERS) {
                let number = std::str::from_utf8(trim(text)).ok().and_then(finite_number);
                let Some(number) = number else {
                    return Ok(Numbers::default());
                };
                numbers.push(number);
            }
            return Ok(numbers);
        }
    };
    for chunk in bytes.chunks_exact(size).take(MAX_NUMBERS) {
        // The number in little-endian, followed by zeros.
        let mut padded = [0; 8];
        for (to, from) in padded.iter_mut().zip(chunk) {
            *to = *from;
        }
        if encoding.big_endian {
            padded.get_mut(..size).unwrap_or_default().reverse();
        }
        let [a, b, c, d, ..] = padded;
        let value = match vr {
            Vr::SS => i16::from_le_bytes([a, b]).into(),
            Vr::US => u16::from_le_bytes([a, b]).into(),
            Vr::SL => i32::from_le_bytes([a, b, c, d]).into(),
            Vr::UL => u32::from_le_bytes([a, b, c, d]).into(),
            Vr::FL => f32::from_le_bytes([a, b, c, d]).into(),
            _ => f64::from_le_bytes(padded),
        };
        if !f64::is_finite(value) {
            return Ok(Numbers::default());
        }
        numbers.push(value);
    }
    Ok(numbers)
}

/// Returns a value as text without its padding; bytes that are not UTF-8 become U+FFFD. For codes and comparisons.
pub(super) fn text<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
) -> Result<String, ParseError> {
    let bytes = reader.value(element, element.length.unwrap_or(0))?;
    Ok(String::from_utf8_lossy(trim(bytes)).into_owned())
}

/// Returns a value as text in the character sets of its object, without its padding.
pub(super) fn decoded_text<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    sets: CharacterSets,
) -> Result<String, ParseError> {
    let bytes = reader.value(element, element.length.unwrap_or(0))?;
    let is_person_name = false;
    Ok(sets.decode(trim(bytes), is_person_name).join("\\"))
}

/// Receives one element and its encoding; returns the offset after it.
pub(crate) type ElementVisitor<'v, 'w, W> =
    dyn FnMut(&mut Reader<'w, W>, &Element, Encoding) -> Result<u64, ParseError> + 'v;

/// Visits the elements from `start` to `end`, or to the end of their item; returns the offset after them.
pub(crate) fn each_element<'w, W: Window>(
    reader: &mut Reader<'w, W>,
    start: u64,
    end: u64,
    encoding: Encoding,
    visit: &mut ElementVisitor<'_, 'w, W>,
) -> Result<u64, ParseError> {
    let mut at = start;
    while at < end {
        let Some(element) = reader.element(at, encoding)? else {
            break;
        };
        if matches!(element.tag, ITEM_END | SEQUENCE_END) {
            return Ok(element.value_offset);
        }
        at = visit(reader, &element, encoding)?;
    }
    Ok(at)
}

/// Receives one item: its start, its end (`u64::MAX` if its length is undefined) and its encoding. Returns the offset
/// after it, which is used only for an undefined length.
pub(crate) type ItemVisitor<'v, 'w, W> =
    dyn FnMut(&mut Reader<'w, W>, u64, u64, Encoding) -> Result<u64, ParseError> + 'v;

/// Calls `visit` for each item of a sequence; returns the offset after the sequence.
pub(crate) fn each_item<'w, W: Window>(
    reader: &mut Reader<'w, W>,
    sequence: &Element,
    outer: Encoding,
    visit: &mut ItemVisitor<'_, 'w, W>,
) -> Result<u64, ParseError> {
    let encoding = Reader::<W>::sequence_encoding(sequence, outer);
    let end = sequence.length.map_or(u64::MAX, |length| {
        sequence.value_offset.saturating_add(length.into())
    });
    let mut at = sequence.value_offset;
    while at < end {
        let Some(item) = reader.element(at, encoding)? else {
            break;
        };
        match item.tag {
            ITEM => {
                let item_end = item.length.map_or(u64::MAX, |length| {
                    item.value_offset.saturating_add(length.into())
                });
                let inner = reader.item_encoding(item.value_offset, encoding)?;
                let reached = visit(reader, item.value_offset, item_end, inner)?;
                at = if item_end == u64::MAX {
                    reached
                } else {
                    item_end
                };
            }
            SEQUENCE_END => return Ok(item.value_offset),
            _ => break,
        }
    }
    Ok(if end == u64::MAX { at } else { end })
}
