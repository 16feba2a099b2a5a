//! Private elements of vendors, found by their private creators (PS3.5 section 7.8).

use super::attributes::{Attributes, hash};
use super::elements::{Numbers, numbers, text};
use crate::header::{Element, Encoding, ParseError, Reader, Vr, Window};

/// GE: kinds of the images of one diffusion scan, without and with gradient.
const DIFFUSION_KINDS: [i64; 2] = [14, 16];

/// A private creator whose block has elements that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Creator {
    SiemensMr,
    SiemensCsa,
    GeAcquisition,
    GeParameters,
    PhilipsImaging,
    PhilipsMr,
    Uih,
}

/// The private blocks that a data set reserves, and its vendor.
#[derive(Debug, Default)]
pub(super) struct PrivateBlocks {
    /// Each block with elements that are read: tag of its first element, and its creator.
    creators: Vec<(u32, Creator)>,
    vendor: Option<Vendor>,
}

/// The vendor that Manufacturer names. It determines the meaning of the first block of a group if the creator of this
/// block is unknown: some exporters rename creators, and scanners use the first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vendor {
    Siemens,
    Ge,
    Philips,
    /// United Imaging.
    Uih,
}

/// A private element that the caller has to process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeferredElement {
    /// Siemens: number of images in a mosaic.
    TileCount,
    /// Siemens: the CSA image header.
    Csa,
    /// United Imaging: number of tiles.
    UihTileCount,
    /// United Imaging: a sequence with one item for each tile.
    UihTilePositions,
}

impl PrivateBlocks {
    /// Processes a private element: records a creator, fills `attributes`, or returns an element that the
    /// caller has to process.
    pub(super) fn read_element<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
        attributes: &mut Attributes,
    ) -> Result<Option<DeferredElement>, ParseError> {
        let block = element.tag >> 8 & 0xFF;
        if block == 0 {
            if (0x10..=0xFF).contains(&(element.tag & 0xFFFF)) {
                self.record_creator(element.tag, &text(reader, element)?);
            }
            return Ok(None);
        }
        let block_tag = element.tag & 0xFFFF_FF00;
        let creator = self.creators.iter().find(|(tag, _)| *tag == block_tag);
        let Some(creator) = creator
            .map(|(_, creator)| *creator)
            .or(self.usual_creator(block_tag))
        else {
            return Ok(None);
        };
        let mut get = |vr: Vr| numbers(reader, element, encoding, vr);
        match (creator, element.tag & 0xFFFF_00FF) {
            (Creator::SiemensMr, 0x0019_000A) => return Ok(Some(DeferredElement::TileCount)),
            (Creator::SiemensMr, 0x0019_000C) => {
                let value = get(Vr::IS)?.first();
                attributes.diffusion.b_value = value.or(attributes.diffusion.b_value);
                attributes.diffusion.extend_range(value);
            }
            (Creator::SiemensMr, 0x0019_000E) => {
                attributes.diffusion.direction = get(Vr::FD)?.array();
            }
            (Creator::SiemensMr, 0x0051_000F) => {
                attributes.coil_hash = hash(text(reader, element)?.as_bytes());
            }
            (Creator::SiemensCsa, 0x0029_0010) => return Ok(Some(DeferredElement::Csa)),
            (Creator::GeParameters, 0x0043_0039) => {
                // The first of four numbers; some software adds 10^9 to it.
                let value = get(Vr::IS)?.first().map(|value| value % 100_000.0);
                let diffusion = &mut attributes.diffusion;
                diffusion.b_value = diffusion.b_value.or(value);
                // All images of a scan have the same number here; those with a lower b-value have a shorter gradient
                // (group 0019, which is read first).
                let squared = diffusion.gradient_squared();
                diffusion.second_b_value = value
                    .zip(squared)
                    .map(|(value, squared)| value * squared)
                    .filter(|value| value.is_finite());
                if squared.is_some_and(|squared| squared > 0.0) {
                    diffusion.extend_range(diffusion.second_b_value);
                }
            }
            (Creator::GeParameters, 0x0043_002F) => {
                attributes.ge_component = get(Vr::SS)?.integer();
            }
            (Creator::GeParameters, 0x0043_0030) => {
                let kind = get(Vr::SS)?.integer();
                attributes.ge_image_kind = kind.filter(|kind| !DIFFUSION_KINDS.contains(kind));
            }
            (Creator::PhilipsImaging, 0x2001_0003) => {
                let value = get(Vr::FL)?.first();
                attributes.diffusion.b_value = attributes.diffusion.b_value.or(value);
                attributes.diffusion.extend_range(value);
            }
            (Creator::GeAcquisition, 0x0019_00BB..=0x0019_00BD) => {
                let part = get(Vr::DS)?.first().unwrap_or(0.0);
                let axis = (element.tag & 0xFF) - 0xBB;
                let direction = attributes
                    .diffusion
                    .encoding_direction
                    .get_or_insert([0.0; 3]);
                if let Some(slot) = direction.get_mut(axis as usize) {
                    *slot = part;
                }
            }
            (Creator::PhilipsMr, 0x2005_00B0..=0x2005_00B2) => {
                let part = get(Vr::FL)?.first().unwrap_or(0.0);
                let axis = (element.tag & 0x3) as usize;
                let direction = attributes.diffusion.direction.get_or_insert([0.0; 3]);
                if let Some(slot) = direction.get_mut(axis) {
                    *slot = part;
                }
            }
            (Creator::PhilipsMr, 0x2005_00A0) => attributes.time_offset = get(Vr::FL)?.first(),
            (Creator::PhilipsMr, 0x2005_000D) => {
                set_philips_scale(attributes, 1, get(Vr::FL)?.first());
            }
            (Creator::PhilipsMr, 0x2005_000E) => {
                set_philips_scale(attributes, 0, get(Vr::FL)?.first());
            }
            (Creator::Uih, 0x0065_0009) => {
                let value = get(Vr::FD)?.first();
                attributes.diffusion.b_value = value.or(attributes.diffusion.b_value);
                attributes.diffusion.extend_range(value);
            }
            (Creator::Uih, 0x0065_000A) => {
                attributes.diffusion.second_b_value = get(Vr::FD)?.first();
            }
            (Creator::Uih, 0x0065_0037) => {
                attributes.diffusion.image_direction = get(Vr::FD)?.array();
            }
            (Creator::Uih, 0x0065_0050) => return Ok(Some(DeferredElement::UihTileCount)),
            (Creator::Uih, 0x0065_0051) => return Ok(Some(DeferredElement::UihTilePositions)),
            (creator, tag) => read_vendor_number(creator, tag, attributes, get)?,
        }
        Ok(None)
    }

    /// Sets the vendor by the value of Manufacturer.
    pub(super) fn set_manufacturer(&mut self, name: &str) {
        let name = name.to_ascii_lowercase();
        let vendors = [
            ("siemens", Vendor::Siemens),
            ("ge ", Vendor::Ge),
            ("philips", Vendor::Philips),
            ("uih", Vendor::Uih),
        ];
        let mut vendors = vendors.into_iter();
        self.vendor = vendors
            .find(|(start, _)| name.starts_with(start))
            .map(|(_, vendor)| vendor);
    }

    /// Returns the creator that the vendor's scanners write for the first block of a group; None for other blocks, and
    /// without a known vendor. `block` is the tag of the block's first element.
    fn usual_creator(&self, block: u32) -> Option<Creator> {
        if block & 0xFF00 != 0x1000 {
            return None;
        }
        match (self.vendor?, block >> 16) {
            (Vendor::Siemens, 0x0019) => Some(Creator::SiemensMr),
            (Vendor::Siemens, 0x0029) => Some(Creator::SiemensCsa),
            (Vendor::Ge, 0x0019) => Some(Creator::GeAcquisition),
            (Vendor::Ge, 0x0043) => Some(Creator::GeParameters),
            (Vendor::Philips, 0x2001) => Some(Creator::PhilipsImaging),
            (Vendor::Philips, 0x2005) => Some(Creator::PhilipsMr),
            (Vendor::Uih, 0x0065) => Some(Creator::Uih),
            _ => None,
        }
    }

    /// Records the private creator in an element, if its block has elements that are read.
    fn record_creator(&mut self, tag: u32, name: &str) {
        let group = tag >> 16;
        let creator = match (group, name) {
            (0x0019 | 0x0051, "SIEMENS MR HEADER") => Creator::SiemensMr,
            (0x0029, "SIEMENS CSA HEADER") => Creator::SiemensCsa,
            (0x0019, "GEMS_ACQU_01") => Creator::GeAcquisition,
            (0x0043, "GEMS_PARM_01") => Creator::GeParameters,
            (0x2001, "Philips Imaging DD 001") => Creator::PhilipsImaging,
            (0x2005, "Philips MR Imaging DD 001") => Creator::PhilipsMr,
            (0x0065, "Image Private Header") => Creator::Uih,
            _ => return,
        };
        self.creators
            .push((group << 16 | (tag & 0xFF) << 8, creator));
    }
}

/// Reads an element, whose tag is without the block, into `vendor_numbers`; ignores all others.
fn read_vendor_number(
    creator: Creator,
    tag: u32,
    attributes: &mut Attributes,
    mut get: impl FnMut(Vr) -> Result<Numbers, ParseError>,
) -> Result<(), ParseError> {
    let [first, second] = &mut attributes.vendor_numbers;
    match (creator, tag) {
        (Creator::PhilipsMr, 0x2005_0063) | (Creator::GeAcquisition, 0x0019_00A2) => {
            *first = get(Vr::SL)?.integer();
        }
        (Creator::PhilipsImaging, 0x2001_0008) => *second = get(Vr::IS)?.integer(),
        _ => {}
    }
    Ok(())
}

/// Sets the scale slope (`which` 0) or the scale intercept (1).
fn set_philips_scale(attributes: &mut Attributes, which: usize, value: Option<f64>) {
    if let Some(value) = value {
        let both = attributes.philips_scale.get_or_insert([1.0, 0.0]);
        if let Some(slot) = both.get_mut(which) {
            *slot = value;
        }
    }
}
