//! Iterates over elements, and skips those of undefined length: sequences, items, fragments (PS3.5 section 7.5).

use std::io;

use super::collect::Collector;
use super::element::{Element, Encoding, HEAD, IMPLICIT, ITEM, ITEM_END, SEQUENCE_END};
use super::skim::skim;
use super::stored::Header;
use super::wanted::Wanted;
use super::window::Window;

/// Why reading stopped early.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The bytes could not be read.
    Io(io::Error),
    /// The bytes are invalid from here on.
    Broken { reason: String, offset: u64 },
}

impl Fault {
    pub(crate) fn broken(reason: &str, offset: u64) -> Self {
        Self::Broken {
            reason: reason.to_owned(),
            offset,
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Limit on elements: real objects have a few thousand before the last used one; this bounds the time for hostile
/// input.
const MAX_ELEMENTS: u32 = 4_000_000;
/// Limit on nesting: real objects have about ten levels.
const MAX_DEPTH: usize = 64;

/// Reads and skips elements.
#[derive(Debug)]
pub(crate) struct Reader<'w, W> {
    window: &'w mut W,
    /// The encoding of the main data set.
    pub encoding: Encoding,
    elements: u32,
}

/// A sequence or an item that is open while an element of undefined length is skipped.
#[derive(Debug, Clone, Copy)]
struct Open {
    item: bool,
    encoding: Encoding,
}

impl<'w, W: Window> Reader<'w, W> {
    pub(crate) fn new(window: &'w mut W, encoding: Encoding) -> Self {
        Self {
            window,
            encoding,
            elements: 0,
        }
    }

    /// Returns the element at an offset; None at the end of the data set and at the tag (0000,0000), with which padding
    /// begins.
    #[inline]
    pub(crate) fn element(
        &mut self,
        at: u64,
        encoding: Encoding,
    ) -> Result<Option<Element>, Fault> {
        self.elements = self.elements.saturating_add(1);
        if self.elements > MAX_ELEMENTS {
            return Err(Fault::broken(
                "too many data elements before the pixel data",
                at,
            ));
        }
        let head = self.window.at(at, HEAD)?;
        Ok(encoding
            .element(head, at)
            .filter(|element| element.tag != 0))
    }

    /// Reads common elements the fast way as far as possible, and returns where the next element starts.
    #[inline]
    pub(super) fn skim(
        &mut self,
        at: u64,
        stop: u32,
        wanted: &mut Wanted,
        collector: &mut Collector,
    ) -> Result<u64, Fault> {
        let bytes = self.window.at(at, HEAD)?;
        Ok(at.saturating_add(skim(bytes, self.encoding, stop, wanted, collector) as u64))
    }

    /// Returns the bytes of a value, up to the limit for fields.
    #[inline]
    pub(crate) fn value(&mut self, element: &Element, length: u32) -> Result<&[u8], Fault> {
        let length = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(Header::MAX_VALUE);
        let bytes = self.window.at(element.value, length)?;
        Ok(bytes.get(..length).unwrap_or(bytes))
    }

    /// Returns all bytes of a value, at most 4 MiB; fewer if the object ends, none for an undefined length.
    pub(crate) fn bytes(&mut self, element: &Element) -> Result<&[u8], Fault> {
        const LONGEST: usize = 1 << 22;
        let length = element.length.unwrap_or(0) as usize;
        let length = length.min(LONGEST);
        let bytes = self.window.at(element.value, length)?;
        Ok(bytes.get(..length).unwrap_or(bytes))
    }

    /// Returns the end of an element.
    #[inline]
    pub(crate) fn after(&mut self, element: &Element) -> Result<u64, Fault> {
        let Some(length) = element.length else {
            return self.skip(element);
        };
        let end = element.value.saturating_add(u64::from(length));
        if end <= self.window.len() {
            return Ok(end);
        }
        let left = self.window.len().saturating_sub(element.value);
        let reason = format!(
            "{} says it has {length} bytes, but only {left} follow",
            element.name()
        );
        Err(Fault::Broken {
            reason,
            offset: element.value,
        })
    }

    /// Returns the encoding in an item that starts at an offset.
    pub(crate) fn inside(&mut self, at: u64, outer: Encoding) -> Result<Encoding, Fault> {
        let left = self.window.len().saturating_sub(at);
        Ok(outer.inside(self.window.at(at, HEAD)?, left))
    }

    /// Returns the encoding of the items of a sequence.
    pub(crate) fn within(element: &Element, outer: Encoding) -> Encoding {
        // PS3.5 section 6.2.2, note 2: implicit VR little-endian in an element of VR UN.
        if element.vr == Some(*b"UN") {
            IMPLICIT
        } else {
            outer
        }
    }

    /// Skips an element of undefined length without recursion, so that nesting uses no stack.
    fn skip(&mut self, element: &Element) -> Result<u64, Fault> {
        let mut open = vec![Open {
            item: false,
            encoding: Self::within(element, self.encoding),
        }];
        let mut at = element.value;
        while let Some(top) = open.last().copied() {
            let Some(inner) = self.element(at, top.encoding)? else {
                let reason = format!("{} has no end", element.name());
                return Err(Fault::Broken {
                    reason,
                    offset: element.value,
                });
            };
            at = self.step(&inner, top, &mut open)?;
            if open.len() > MAX_DEPTH {
                let reason = format!("{} is nested more than {MAX_DEPTH} deep", element.name());
                return Err(Fault::Broken {
                    reason,
                    offset: element.value,
                });
            }
        }
        Ok(at)
    }

    fn step(&mut self, inner: &Element, top: Open, open: &mut Vec<Open>) -> Result<u64, Fault> {
        match (inner.tag, inner.length) {
            (ITEM, None) => {
                open.push(Open {
                    item: true,
                    encoding: self.inside(inner.value, top.encoding)?,
                });
                Ok(inner.value)
            }
            (ITEM_END, _) => {
                if top.item {
                    open.pop();
                }
                Ok(inner.value)
            }
            (SEQUENCE_END, _) => {
                // An item that was left open ends with its sequence.
                while open.pop().is_some_and(|level| level.item) {}
                Ok(inner.value)
            }
            (_, None) if top.item => {
                open.push(Open {
                    item: false,
                    encoding: Self::within(inner, top.encoding),
                });
                Ok(inner.value)
            }
            (ITEM, Some(_)) => self.after(inner),
            (_, Some(_)) if top.item => self.after(inner),
            _ => Err(Fault::broken(
                "an item of a sequence is missing",
                inner.value,
            )),
        }
    }
}
