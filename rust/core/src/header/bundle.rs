//! Headers read into one block of memory, which saves allocations if many are kept.

use std::sync::Arc;

use super::collect::Collector;
use super::field::Field;
use super::stored::{Header, VALUES_START};

/// Headers that are being read.
#[derive(Debug, Default)]
pub struct Bundle {
    /// The values of the current header.
    pub(super) collector: Collector,
    /// The bytes of all headers so far.
    block: Vec<u8>,
    /// Whether texts are UTF-8, regardless of SpecificCharacterSet.
    utf8: bool,
}

/// Position of a header in its [`Bundle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderRange {
    start: u32,
    length: u32,
}

/// A complete [`Bundle`].
#[derive(Debug)]
pub struct FinishedBundle {
    block: Arc<Box<[u8]>>,
}

impl Bundle {
    /// Adds the collected values as a header, and returns its position.
    pub(super) fn put(&mut self) -> HeaderRange {
        let start = self.block.len();
        let mut head = [0; VALUES_START];
        head[0] = u8::from(self.utf8);
        self.block.extend_from_slice(&head);
        let mut slots = head[1..].chunks_exact_mut(2);
        // Ends count from the first value, to use the whole range of 16 bits.
        self.collector.write(u16::MAX, &mut self.block, |end| {
            if let Some(slot) = slots.next() {
                slot.copy_from_slice(&end.to_le_bytes());
            }
        });
        // Only now does `head` have the ends.
        let added = self.block.get_mut(start..).unwrap_or_default();
        for (byte, final_byte) in added.iter_mut().zip(head) {
            *byte = final_byte;
        }
        HeaderRange {
            start: u32::try_from(start).unwrap_or(u32::MAX),
            length: u32::try_from(added.len()).unwrap_or(u32::MAX),
        }
    }

    /// Completes the bundle; its headers are available from then on.
    pub fn finish(self) -> FinishedBundle {
        FinishedBundle {
            block: Arc::new(self.block.into_boxed_slice()),
        }
    }
}

impl FinishedBundle {
    /// Returns the header at a position.
    pub fn header(&self, range: HeaderRange) -> Header {
        Header {
            block: Arc::clone(&self.block),
            start: range.start,
            length: range.length,
        }
    }
}

impl Header {
    /// Returns a header with these fields and their texts. A text is in DICOM notation: values separated by a backslash.
    pub fn from_values(values: &[(Field, &str)]) -> Self {
        let mut bundle = Bundle {
            utf8: true,
            ..Bundle::default()
        };
        for (field, text) in values {
            bundle.collector.set(*field, text.as_bytes());
        }
        let range = bundle.put();
        bundle.finish().header(range)
    }

    /// Returns the header with other ASCII values in some fields.
    #[must_use]
    pub fn with(&self, values: &[(Field, &str)]) -> Self {
        let mut bundle = Bundle {
            utf8: self.is_utf8(),
            ..Bundle::default()
        };
        for field in Field::ALL {
            bundle.collector.set(field, self.raw(field));
        }
        for (field, text) in values {
            bundle.collector.set(*field, text.as_bytes());
        }
        let range = bundle.put();
        bundle.finish().header(range)
    }
}
