//! The place reached in the table of fields, and the private blocks met on the way.

use super::collect::Collector;
use super::element::{Element, representation};
use super::field::SPECS;
use super::nested::{Fault, Reader};
use super::value;
use super::window::Window;

/// Groups that wanted private elements lie in.
const PRIVATE_GROUPS: [u32; 4] = [0x0019_0000, 0x0021_0000, 0x0025_0000, 0x2001_0000];

/// What is wanted next.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The first line of the table that was not passed.
    pub next: usize,
    /// The tag before.
    pub before: u32,
    /// Blocks of creators that are wanted: the group and the upper half of the element.
    blocks: Vec<(u32, &'static str)>,
}

impl Wanted {
    /// The next public tag that is wanted; beyond all tags when there is none.
    #[inline]
    pub(super) fn next_tag(&self) -> u32 {
        SPECS
            .get(self.next)
            .filter(|spec| spec.owner.is_none())
            .map_or(u32::MAX, |spec| spec.tag)
    }

    /// Whether a tag is a private creator to note, or of a block to look into.
    #[inline]
    pub(super) fn private(&self, tag: u32) -> bool {
        tag & 0x0001_0000 != 0
            && (self
                .blocks
                .iter()
                .any(|(block, _)| tag & 0xFFFF_FF00 == *block)
                || (tag & 0xFF00 == 0 && PRIVATE_GROUPS.contains(&(tag & 0xFFFF_0000))))
    }

    /// Moves on to an element; tags ascend (PS3.5 section 7.1), and one that does not begins the table anew.
    pub(super) fn reach(&mut self, tag: u32) {
        if tag <= self.before {
            self.next = 0;
        }
        self.before = tag;
    }

    /// The line of the table for a public tag.
    pub(super) fn public(&mut self, tag: u32) -> Option<usize> {
        while self.next_tag() < tag {
            self.next = self.next.saturating_add(1);
        }
        (self.next_tag() == tag).then_some(self.next)
    }

    /// Notes a private creator, or takes a private element of a block whose creator is known (PS3.5 section 7.8).
    pub(super) fn take_private<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        length: u32,
        collector: &mut Collector,
    ) -> Result<(), Fault> {
        let group = element.tag & 0xFFFF_0000;
        if !self.private(element.tag) {
            return Ok(());
        }
        let number = element.tag & 0xFFFF;
        let private = || {
            SPECS
                .iter()
                .enumerate()
                .rev()
                .take_while(|(_, spec)| spec.owner.is_some())
        };
        if (0x10..=0xFF).contains(&number) {
            let name = value::trim(reader.value(element, length)?);
            let owner = private()
                .filter(|(_, spec)| spec.tag & 0xFFFF_0000 == group)
                .find_map(|(_, spec)| {
                    spec.owner
                        .filter(|owner| owner.as_bytes().eq_ignore_ascii_case(name))
                });
            self.blocks
                .extend(owner.map(|owner| (group | number << 8, owner)));
            return Ok(());
        }
        let block = element.tag & 0xFFFF_FF00;
        let Some((_, owner)) = self.blocks.iter().find(|(at, _)| *at == block) else {
            return Ok(());
        };
        let tag = element.tag & 0xFFFF_00FF;
        let found = private().find(|(_, spec)| spec.tag == tag && spec.owner == Some(*owner));
        found.map_or(Ok(()), |(index, _)| {
            keep(reader, element, length, index, collector)
        })
    }
}

/// Takes the value of an element for a line of the table.
pub(super) fn keep<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    length: u32,
    index: usize,
    collector: &mut Collector,
) -> Result<(), Fault> {
    if let Some(spec) = SPECS.get(index) {
        let encoding = reader.encoding;
        let bytes = reader.value(element, length)?;
        collector.set_as(
            spec.field,
            representation(element.vr, spec.vr),
            bytes,
            encoding,
        );
    }
    Ok(())
}
