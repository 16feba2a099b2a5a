//! Values collected while a header is read.

use super::element::Encoding;
use super::field::Field;
use super::stored::Header;
use super::value;
use super::vr::Vr;

/// The bytes of the values, and the position of each field's value in them.
#[derive(Debug)]
pub(super) struct Collector {
    /// All values one after the other, also replaced ones.
    values: Vec<u8>,
    /// For each field: offset and length of its value; length 0 for a field without a value.
    spans: [(u32, u16); Field::COUNT],
}

impl Default for Collector {
    fn default() -> Self {
        Self {
            values: Vec::with_capacity(1024),
            spans: [(0, 0); Field::COUNT],
        }
    }
}

impl Collector {
    /// Stores a text value without its padding, cut to [`Header::MAX_VALUE`]; a later value of a field replaces an
    /// earlier one.
    pub(super) fn set(&mut self, field: Field, bytes: &[u8]) {
        let mut bytes = value::trim(bytes);
        if let Some(cut) = bytes.get(..Header::MAX_VALUE) {
            bytes = value::trim(cut);
        }
        let start = self.values.len();
        self.values.extend_from_slice(bytes);
        self.set_span(field, start);
    }

    /// Stores the value of an element, binary numbers as decimal text. `vr` is the VR in which its bytes are encoded
    /// (see [`effective_vr`](super::vr::effective_vr)).
    pub(super) fn set_as(&mut self, field: Field, vr: Vr, bytes: &[u8], encoding: Encoding) {
        match vr {
            Vr::FD | Vr::FL | Vr::SL | Vr::SS | Vr::UL | Vr::US => {
                let start = self.values.len();
                value::write_numbers(vr, bytes, encoding.big_endian, &mut self.values);
                self.values
                    .truncate(start.saturating_add(Header::MAX_VALUE));
                self.set_span(field, start);
            }
            _ => self.set(field, bytes),
        }
    }

    /// Records the position of a field's value, which is at the end of the collected bytes.
    fn set_span(&mut self, field: Field, start: usize) {
        let length = u16::try_from(self.values.len().saturating_sub(start)).unwrap_or(u16::MAX);
        if let (Some(span), Ok(start)) = (self.spans.get_mut(field as usize), u32::try_from(start))
        {
            *span = (start, length);
        }
    }

    /// Returns the collected value of a field; empty if it has none.
    pub(super) fn get(&self, field: Field) -> &[u8] {
        let (start, length) = self.spans.get(field as usize).copied().unwrap_or_default();
        self.at(start, u32::from(length))
    }

    /// Removes all values.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.spans = [(0, 0); Field::COUNT];
    }

    /// Appends all values in the order of `Field::ALL`, at most `room` bytes. Passes the end of each value to
    /// `each_end`, as an offset from the first value.
    pub(super) fn write(&self, room: u16, out: &mut Vec<u8>, mut each_end: impl FnMut(u16)) {
        // Most files store the fields in this order: adjacent values are copied together.
        let (mut start, mut length, mut end) = (0_u32, 0_u32, 0_u16);
        for (at, size) in &self.spans {
            let size = *size.min(&room.saturating_sub(end));
            if size > 0 {
                if *at != start.saturating_add(length) {
                    out.extend_from_slice(self.at(start, length));
                    (start, length) = (*at, 0);
                }
                length = length.saturating_add(u32::from(size));
                end = end.saturating_add(size);
            }
            each_end(end);
        }
        out.extend_from_slice(self.at(start, length));
    }

    /// Returns `length` bytes of the values from `start`; empty if there are fewer.
    #[inline]
    fn at(&self, start: u32, length: u32) -> &[u8] {
        let from = self.values.get(start as usize..).unwrap_or_default();
        from.get(..length as usize).unwrap_or_default()
    }

    /// Returns whether a field has a value that is not empty.
    pub(super) fn has(&self, field: Field) -> bool {
        !self.get(field).is_empty()
    }
}
