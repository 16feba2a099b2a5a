//! A header in memory: one block of bytes, decoded on access.

use std::fmt;
use std::sync::Arc;

use super::charset::CharacterSets;
use super::field::Field;
use super::value::{self, Value};
use super::vr::ValueType;

/// The fields of one DICOM object that were read.
///
/// It takes a few hundred bytes, so that a hundred thousand headers fit in memory. The first byte says whether the text
/// is UTF-8. After it are the ends of all values (16 bits each, little-endian), then the values one after the other. The
/// values are in DICOM notation and the object's own character set, without padding. Headers that are kept together
/// share one block; a clone shares the block of its original.
#[derive(Clone)]
pub struct Header {
    /// The bytes of one or several headers.
    pub(super) block: Arc<Box<[u8]>>,
    /// Offset of this header's bytes in the block.
    pub(super) start: u32,
    pub(super) length: u32,
}

/// Offset of the first value in the bytes of a header.
pub(super) const VALUES_START: usize = 1 + 2 * Field::COUNT;

/// MediaStorageSOPClassUID of a DICOMDIR (PS3.10 section 8.6).
const DIRECTORY: &[u8] = b"1.2.840.10008.1.3.10";

impl Header {
    /// Limit on the bytes of one value; a longer value is cut. All values of a header together are cut at 65535 bytes.
    pub const MAX_VALUE: usize = 4096;

    /// Returns the bytes of this header.
    fn data(&self) -> &[u8] {
        let from = self.block.get(self.start as usize..).unwrap_or_default();
        from.get(..self.length as usize).unwrap_or_default()
    }

    /// Moves headers into one block, which saves allocations if many are kept. Does nothing if they exceed 4 GiB.
    pub fn move_into_one_block<'h>(headers: impl IntoIterator<Item = &'h mut Self>) {
        let mut headers: Vec<&mut Self> = headers.into_iter().collect();
        let total = headers.iter().map(|header| header.data().len()).sum();
        if u32::try_from(total).is_err() {
            return;
        }
        let mut data = Vec::with_capacity(total);
        for header in &mut headers {
            let start = u32::try_from(data.len()).unwrap_or(u32::MAX);
            data.extend_from_slice(header.data());
            header.start = start;
        }
        let block = Arc::new(data.into_boxed_slice());
        for header in headers {
            header.block = Arc::clone(&block);
        }
    }

    /// Returns whether texts are UTF-8, regardless of SpecificCharacterSet.
    pub(super) fn is_utf8(&self) -> bool {
        self.data().first() == Some(&1)
    }

    /// Returns the end of the value of the field with an index, as an offset from the first value.
    fn end(&self, index: usize) -> usize {
        let at = index.saturating_mul(2).saturating_add(1);
        let bytes = self.data().get(at..).and_then(<[u8]>::first_chunk::<2>);
        bytes.map_or(0, |bytes| usize::from(u16::from_le_bytes(*bytes)))
    }

    /// Returns the value's bytes without padding; empty if the field is absent or empty.
    pub fn raw(&self, field: Field) -> &[u8] {
        let index = field as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.end(before));
        let end = self.end(index);
        self.data()
            .get(VALUES_START..)
            .and_then(|values| values.get(start..end))
            .unwrap_or_default()
    }

    /// Returns the values of a field as text, each trimmed; empty if the field is absent or empty.
    pub fn texts(&self, field: Field) -> Vec<String> {
        let raw = self.raw(field);
        if raw.is_empty() {
            return Vec::new();
        }
        let sets = match field.value_type() {
            _ if self.is_utf8() => CharacterSets::utf8(),
            ValueType::Text | ValueType::Person => {
                CharacterSets::named(self.raw(Field::SpecificCharacterSet))
            }
            _ => CharacterSets::named(b""),
        };
        let mut texts = sets.decode(raw, field.value_type() == ValueType::Person);
        for text in &mut texts {
            let mut trimmed = value::trim_text(text);
            if field.value_type() == ValueType::Person {
                // Empty component groups at the end have no meaning (PS3.5 section 6.2.1).
                trimmed = trimmed.trim_end_matches('=');
            }
            if trimmed.len() != text.len() {
                *text = trimmed.to_owned();
            }
        }
        texts
    }

    /// Returns the field as one text, several values joined by a backslash; None if it is absent or empty.
    pub fn text(&self, field: Field) -> Option<String> {
        let text = self.texts(field).join("\\");
        (!text.is_empty()).then_some(text)
    }

    /// Returns the first value as an integer; None if it is absent or unreadable.
    pub fn int(&self, field: Field) -> Option<i64> {
        value::int(self.raw(field).split(|byte| *byte == b'\\').next()?)
    }

    /// Returns the first value as a decimal number; None if it is absent or unreadable.
    pub fn float(&self, field: Field) -> Option<f64> {
        value::float(self.raw(field).split(|byte| *byte == b'\\').next()?)
    }

    /// Returns the field's value by its [`ValueType`]; [`Value::None`] if it is absent, is empty, or has an
    /// unreadable number.
    pub fn value(&self, field: Field) -> Value {
        match field.value_type() {
            ValueType::Text | ValueType::Person | ValueType::Ascii => {
                Value::of_texts(self.texts(field))
            }
            ValueType::Int => Value::of_ints(self.raw(field)),
            ValueType::Float => Value::of_floats(self.raw(field)),
        }
    }

    /// Returns whether the object is a DICOMDIR: the directory of a medium, not an object of a series.
    pub fn is_dicomdir(&self) -> bool {
        self.raw(Field::MediaStorageSopClassUid) == DIRECTORY
            || self.raw(Field::SopClassUid) == DIRECTORY
    }
}

impl PartialEq for Header {
    fn eq(&self, other: &Self) -> bool {
        self.data() == other.data()
    }
}

impl Eq for Header {}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let present = Field::ALL
            .into_iter()
            .filter(|field| !self.raw(*field).is_empty());
        f.debug_map()
            .entries(present.map(|field| (field.keyword(), self.value(field))))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::float_cmp)]
    use super::*;

    #[test]
    fn values_come_back_by_their_kind() {
        let header = Header::from_values(&[
            (Field::PatientName, "Müller^Jörg "),
            (Field::SeriesNumber, " 04 "),
            (Field::EchoTime, "3.25"),
            (Field::ImageType, "ORIGINAL\\PRIMARY \\M"),
            (Field::PixelSpacing, "2\\2.5"),
        ]);
        assert_eq!(header.text(Field::PatientName).unwrap(), "Müller^Jörg");
        assert_eq!(header.int(Field::SeriesNumber), Some(4));
        assert_eq!(header.float(Field::EchoTime), Some(3.25));
        assert_eq!(
            header.value(Field::PixelSpacing),
            Value::Floats(vec![2.0, 2.5])
        );
        assert_eq!(
            header.text(Field::ImageType).unwrap(),
            "ORIGINAL\\PRIMARY\\M"
        );
        assert_eq!(header.value(Field::StudyDate), Value::None);
        assert!(!header.is_dicomdir());
    }

    #[test]
    fn a_header_with_another_value_keeps_the_others_and_their_character_set() {
        let header = Header::from_values(&[
            (Field::PatientName, "Müller^Jörg"),
            (Field::EchoTime, "3.25\\4"),
        ]);
        let other = header.with(&[(Field::SopInstanceUid, "2.25.7"), (Field::EchoTime, "5")]);
        assert_eq!(other.text(Field::PatientName).unwrap(), "Müller^Jörg");
        assert_eq!(other.raw(Field::SopInstanceUid), b"2.25.7");
        assert_eq!(other.value(Field::EchoTime), Value::Float(5.0));
        assert_eq!(header.with(&[]), header);
    }

    #[test]
    fn moved_headers_are_unchanged() {
        let of = |text: &str| Header::from_values(&[(Field::PatientId, text)]);
        let mut headers = [of("a"), of("bcd"), of("")];
        Header::move_into_one_block(headers.iter_mut());
        assert_eq!(headers, [of("a"), of("bcd"), of("")]);
        assert_eq!(headers[1].clone().text(Field::PatientId).unwrap(), "bcd");
    }

    #[test]
    fn many_long_values_never_run_into_each_other() {
        let long = "x".repeat(5000);
        let values: Vec<(Field, &str)> = Field::ALL
            .into_iter()
            .map(|field| (field, long.as_str()))
            .collect();
        let header = Header::from_values(&values);
        assert_eq!(header.raw(Field::ALL[0]).len(), Header::MAX_VALUE);
        let total: usize = Field::ALL
            .into_iter()
            .map(|field| header.raw(field).len())
            .sum();
        assert_eq!(total, usize::from(u16::MAX));
    }
}
