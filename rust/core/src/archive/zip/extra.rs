//! Extra fields, including zip64 (APPNOTE 4.5).

use super::super::source::Fields;

/// Returns the body of the first extra field with the id `wanted`; None if there is none, or a field before it is
/// damaged.
#[must_use]
pub fn extra_field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let fields = Fields(extra);
        let (id, len) = (fields.u16(0)?, usize::from(fields.u16(2)?));
        let body = extra.get(4..4 + len)?;
        if id == wanted {
            return Some(body);
        }
        extra = extra.get(4 + len..)?;
    }
}

/// The zip64 field (APPNOTE 4.5.3): a 64-bit value for each 32-bit value with all bits set, in a fixed order.
pub struct Zip64Values<'a> {
    /// The body of the field.
    fields: Fields<'a>,
    /// Offset of the next value in the body.
    at: usize,
}

impl<'a> Fields<'a> {
    /// Returns the values of a zip64 field; `self` is its body, empty without such a field.
    #[must_use]
    pub fn zip64_values(self) -> Zip64Values<'a> {
        Zip64Values {
            fields: self,
            at: 0,
        }
    }
}

impl Zip64Values<'_> {
    /// Returns the 32-bit value `short`, or the next zip64 value if all bits of `short` are set; None if the zip64
    /// field is too short.
    pub fn value_or_zip64(&mut self, short: u32) -> Option<u64> {
        if short != u32::MAX {
            return Some(u64::from(short));
        }
        // Without a zip64 field, 2^32 - 1 is the value itself: some writers store it in this way.
        if self.fields.0.is_empty() {
            return Some(u64::from(short));
        }
        let value = self.fields.u64(self.at);
        self.at += 8;
        value
    }
}
