//! Iterates over elements, and skips those of undefined length: sequences, items, fragments (PS3.5 section 7.5).

use std::io;

use super::collect::Collector;
use super::element::{
    ELEMENT_HEADER_LENGTH, Element, Encoding, IMPLICIT, ITEM, ITEM_END, SEQUENCE_END,
};
use super::skim::skim;
use super::stored::Header;
use super::wanted::WantedElements;
use super::window::Window;

/// Why reading stopped early.
#[derive(Debug)]
pub(crate) enum ParseError {
    /// The bytes could not be read.
    Io(io::Error),
    /// The bytes are invalid from an offset on.
    Broken { reason: String, offset: u64 },
}

impl ParseError {
    /// Returns the error for invalid bytes from an offset on.
    pub(crate) fn broken(reason: &str, offset: u64) -> Self {
        Self::Broken {
            reason: reason.to_owned(),
            offset,
        }
    }
}

impl From<io::Error> for ParseError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Limit on elements, which bounds the time for hostile input.
const MAX_ELEMENTS: u32 = 4_000_000;
/// Limit on nesting: real objects have about ten levels.
const MAX_DEPTH: usize = 64;

/// Reads and skips elements.
#[derive(Debug)]
pub(crate) struct Reader<'w, W> {
    window: &'w mut W,
    /// The encoding of the main data set.
    pub encoding: Encoding,
    /// Number of elements that [`Reader::element`] has parsed; those that [`Reader::skim`] reads do not count.
    element_count: u32,
}

/// A sequence or an item that is open while an element of undefined length is skipped.
#[derive(Debug, Clone, Copy)]
struct OpenLevel {
    /// Whether it is an item, not a sequence.
    is_item: bool,
    encoding: Encoding,
}

impl<'w, W: Window> Reader<'w, W> {
    pub(crate) fn new(window: &'w mut W, encoding: Encoding) -> Self {
        Self {
            window,
            encoding,
            element_count: 0,
        }
    }

    /// Returns the element at an offset; None at the end of the data set and at the tag (0000,0000), with which padding
    /// begins. Fails after [`MAX_ELEMENTS`] elements.
    #[inline]
    pub(crate) fn element(
        &mut self,
        at: u64,
        encoding: Encoding,
    ) -> Result<Option<Element>, ParseError> {
        self.element_count = self.element_count.saturating_add(1);
        if self.element_count > MAX_ELEMENTS {
            return Err(ParseError::broken(
                "too many data elements before the pixel data",
                at,
            ));
        }
        let head = self.window.at(at, ELEMENT_HEADER_LENGTH)?;
        Ok(encoding
            .element(head, at)
            .filter(|element| element.tag != 0))
    }

    /// Reads elements of the common form (see [`skim`]), and returns where the first other element starts.
    #[inline]
    pub(super) fn skim(
        &mut self,
        at: u64,
        stop: u32,
        wanted: &mut WantedElements,
        collector: &mut Collector,
    ) -> Result<u64, ParseError> {
        let bytes = self.window.at(at, ELEMENT_HEADER_LENGTH)?;
        Ok(at.saturating_add(skim(bytes, self.encoding, stop, wanted, collector) as u64))
    }

    /// Returns the first `length` bytes of a value, at most [`Header::MAX_VALUE`]; fewer if the object ends.
    #[inline]
    pub(crate) fn value(&mut self, element: &Element, length: u32) -> Result<&[u8], ParseError> {
        let length = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(Header::MAX_VALUE);
        let bytes = self.window.at(element.value_offset, length)?;
        Ok(bytes.get(..length).unwrap_or(bytes))
    }

    /// Returns the bytes of a long value, at most the first 4 MiB; fewer if the object ends, none for an undefined length.
    pub(crate) fn long_value(&mut self, element: &Element) -> Result<&[u8], ParseError> {
        const MAX_LONG_VALUE: usize = 1 << 22;
        let length = element.length.unwrap_or(0) as usize;
        let length = length.min(MAX_LONG_VALUE);
        let bytes = self.window.at(element.value_offset, length)?;
        Ok(bytes.get(..length).unwrap_or(bytes))
    }

    /// Returns whether these bytes are at an offset. Returns false without reading if the size of the object is
    /// unknown.
    pub(crate) fn has_bytes(&mut self, at: u64, bytes: &[u8]) -> Result<bool, ParseError> {
        let (size, end) = (self.window.len(), at.saturating_add(bytes.len() as u64));
        if size == u64::MAX || end > size {
            return Ok(false);
        }
        Ok(self.window.at(at, bytes.len())?.starts_with(bytes))
    }

    /// Returns the offset after an element; fails if the object ends within the element, or if the items of an element of
    /// undefined length are invalid.
    #[inline]
    pub(crate) fn after(&mut self, element: &Element) -> Result<u64, ParseError> {
        let Some(length) = element.length else {
            return self.skip(element);
        };
        let end = element.value_offset.saturating_add(u64::from(length));
        if end <= self.window.len() {
            return Ok(end);
        }
        let left = self.window.len().saturating_sub(element.value_offset);
        let reason = format!(
            "{} says it has {length} bytes, but only {left} follow",
            element.tag_text()
        );
        Err(ParseError::Broken {
            reason,
            offset: element.value_offset,
        })
    }

    /// Returns the encoding of the elements of an item, whose first element is at an offset.
    pub(crate) fn item_encoding(
        &mut self,
        at: u64,
        outer: Encoding,
    ) -> Result<Encoding, ParseError> {
        let left = self.window.len().saturating_sub(at);
        Ok(outer.of_item(self.window.at(at, ELEMENT_HEADER_LENGTH)?, left))
    }

    /// Returns the encoding of the items of a sequence.
    pub(crate) fn sequence_encoding(element: &Element, outer: Encoding) -> Encoding {
        // PS3.5 section 6.2.2, note 2: implicit VR little-endian in an element of VR UN.
        if element.vr == Some(*b"UN") {
            IMPLICIT
        } else {
            outer
        }
    }

    /// Returns the offset after an element of undefined length. Works without recursion, so that nesting uses no stack.
    fn skip(&mut self, element: &Element) -> Result<u64, ParseError> {
        let mut open = vec![OpenLevel {
            is_item: false,
            encoding: Self::sequence_encoding(element, self.encoding),
        }];
        let mut at = element.value_offset;
        while let Some(top) = open.last().copied() {
            let Some(inner) = self.element(at, top.encoding)? else {
                let reason = format!("{} has no end", element.tag_text());
                return Err(ParseError::Broken {
                    reason,
                    offset: element.value_offset,
                });
            };
            at = self.step(&inner, top, &mut open)?;
            if open.len() > MAX_DEPTH {
                let reason = format!(
                    "{} is nested more than {MAX_DEPTH} deep",
                    element.tag_text()
                );
                return Err(ParseError::Broken {
                    reason,
                    offset: element.value_offset,
                });
            }
        }
        Ok(at)
    }

    /// Processes one element inside a sequence or item: opens the level that it begins, or closes the level that it
    /// ends. Returns where to continue.
    fn step(
        &mut self,
        inner: &Element,
        top: OpenLevel,
        open: &mut Vec<OpenLevel>,
    ) -> Result<u64, ParseError> {
        match (inner.tag, inner.length) {
            (ITEM, None) => {
                open.push(OpenLevel {
                    is_item: true,
                    encoding: self.item_encoding(inner.value_offset, top.encoding)?,
                });
                Ok(inner.value_offset)
            }
            (ITEM_END, _) => {
                if top.is_item {
                    open.pop();
                }
                Ok(inner.value_offset)
            }
            (SEQUENCE_END, _) => {
                // An item that was left open ends with its sequence.
                while open.pop().is_some_and(|level| level.is_item) {}
                Ok(inner.value_offset)
            }
            (_, None) if top.is_item => {
                open.push(OpenLevel {
                    is_item: false,
                    encoding: Self::sequence_encoding(inner, top.encoding),
                });
                Ok(inner.value_offset)
            }
            (ITEM, Some(_)) => self.after(inner),
            (_, Some(_)) if top.is_item => self.after(inner),
            _ => Err(ParseError::broken(
                "an item of a sequence is missing",
                inner.value_offset,
            )),
        }
    }
}
