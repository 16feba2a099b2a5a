//! Reads a data set: main elements, functional groups, tiles, pixel data.

use super::attributes::{Attributes, hash};
use super::csa;
use super::elements::{each_element, each_item, numbers, text};
use super::groups::{fragments, read_groups, read_plain_elements, read_shared_groups};
use super::length;
use super::lossless_jpeg;
use super::object::{Frame, Object, Pixels};
use super::private::{DeferredElement, PrivateBlocks};
use super::tiles::Tiles;
use crate::header::{
    DataSetVisitor, Element, Encoding, ParseError, Reader, TransferSyntax, Vr, Window,
};
use crate::series::is_series_number;

/// SharedFunctionalGroupsSequence.
const SHARED: u32 = 0x5200_9229;
/// PerFrameFunctionalGroupsSequence.
const PER_FRAME: u32 = 0x5200_9230;
const DOUBLE_FLOAT_PIXEL_DATA: u32 = 0x7FE0_0009;
const PIXEL_DATA: u32 = 0x7FE0_0010;
/// Tags of float, double float and integer pixel data.
pub(super) const PIXEL_TAGS: [u32; 3] = [0x7FE0_0008, DOUBLE_FLOAT_PIXEL_DATA, PIXEL_DATA];
/// TransferSyntaxUID of run-length encoding (PS3.5 annex G).
const RLE: &str = "1.2.840.10008.1.2.5";
/// Beginnings of the manufacturers whose frames dcm2niix does not sort by InStackPositionNumber.
const KEEPING_FRAME_ORDER: [&str; 5] = ["siemens", "ge ", "uih", "hitachi", "toshiba"];
/// Limit on frames of one object: ten times those of a long functional scan. Further frames are ignored.
pub(super) const MAX_FRAMES: u32 = 1 << 19;
/// Limit on tiles of a mosaic.
const MAX_TILES: u32 = 4096;

/// Fills an [`Object`] while reading the data set.
pub(super) struct ObjectBuilder {
    object: Object,
    /// The attributes of the main data set and of the shared functional groups.
    main: Attributes,
    /// The private blocks of the main data set.
    blocks: PrivateBlocks,
    /// What the header says about the tiles of a mosaic.
    tiles: Tiles,
    /// Size of the file in bytes; `u64::MAX` for a gzipped file, whose inflated size is unknown.
    size: u64,
    /// Limit on its frames, at most [`MAX_FRAMES`].
    frame_limit: u32,
}

impl ObjectBuilder {
    /// Returns the builder for an object in a file of `size` bytes (`u64::MAX` if unknown). Frames beyond `frame_limit`
    /// are ignored.
    pub(super) fn new(size: u64, frame_limit: u32) -> Self {
        Self {
            object: Object {
                frame_count: 1,
                ..Object::default()
            },
            main: Attributes::default(),
            blocks: PrivateBlocks::default(),
            tiles: Tiles::default(),
            size,
            frame_limit: frame_limit.min(MAX_FRAMES),
        }
    }

    /// Returns the object; `damaged` says that the header could not be read to its end.
    pub(super) fn finish(mut self, damaged: bool) -> Object {
        self.object.is_incomplete |= damaged;
        self.object.is_truncated |= damaged;
        self.object.instance_number = self.main.instance_number;
        if self.object.pixels == Pixels::Absent {
            self.object.frames.clear();
            return self.object;
        }
        // Some exporters rewrite ImageType; the number of tiles identifies a mosaic too.
        let tiled = self.tiles.count.is_some_and(|count| count > 1) && self.object.frame_count == 1;
        if self.tiles.is_mosaic || tiled {
            self.tiles.divide(&mut self.object, &self.main);
            self.object.frames.truncate(self.frame_limit as usize);
        } else if self.object.frames.is_empty() && self.frame_limit > 0 {
            if self.object.frame_count > 1 {
                // The main data set has one position, which belongs to no particular frame.
                self.main.position = None;
                self.main.slice_location = None;
            }
            let count = self.object.frame_count.min(self.max_frames());
            self.object.is_incomplete |= count < self.object.frame_count;
            self.object.frames = (0..count)
                .map(|index| Frame {
                    attributes: self.main.clone(),
                    index,
                    values_hash: None,
                })
                .collect();
        }
        self.object
    }

    /// Returns an upper bound of the number of frames. For uncompressed integers, these are as many as fit into the pixel
    /// data, including an incomplete one, if a pixel has one sample. For other pixel data, a frame counts as 8 bytes: the
    /// header of the fragment of a compressed frame.
    fn max_frames(&self) -> u32 {
        let frames = match self.object.pixels {
            Pixels::Native { offset, length, .. } => {
                let frame_bytes = u64::from(self.object.rows)
                    .saturating_mul(self.object.columns.into())
                    .saturating_mul(u64::from(self.object.encoding.bits_allocated) / 8);
                length
                    .min(self.size.saturating_sub(offset))
                    .div_ceil(frame_bytes.max(1))
            }
            _ => self.size / 8,
        };
        u32::try_from(frames)
            .unwrap_or(u32::MAX)
            .clamp(1, self.frame_limit)
    }

    /// Reads an element. Returns the offset of the next one; `u64::MAX` after the pixel data, to end there.
    fn read_element<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
        syntax: &TransferSyntax,
    ) -> Result<u64, ParseError> {
        if PIXEL_TAGS.contains(&element.tag) {
            self.read_pixel_data(element, encoding, syntax);
            if let (Some(length), false) = (element.length, syntax.deflated) {
                let end = element.value_offset.saturating_add(length.into());
                self.object.has_appended_file = length::file_begins_at(reader, end)?;
            } else if !syntax.deflated {
                let fragments = fragments(reader, element, encoding)?;
                self.object.is_truncated = length::ends_early(&fragments, self.size);
                let end = length::end_of_fragments(&fragments);
                self.object.has_appended_file = length::file_begins_at(reader, end)?;
                if matches!(self.object.pixels, Pixels::Rle | Pixels::LosslessJpeg) {
                    self.object.fragments = fragments;
                }
            }
            return Ok(u64::MAX);
        }
        if element.tag >> 16 & 1 == 1 {
            return self.read_private(reader, element, encoding);
        }
        match element.tag {
            SHARED => return read_shared_groups(reader, element, encoding, &mut self.main),
            PER_FRAME => return self.read_frames(reader, element, encoding),
            _ => {}
        }
        if element.length.is_some() {
            self.read_public(reader, element, encoding)?;
        }
        reader.after(element)
    }

    /// Reads an element of a public group.
    fn read_public<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
    ) -> Result<(), ParseError> {
        let object = &mut self.object;
        let u16_of = |value: Option<i64>| value.and_then(|value| u16::try_from(value).ok());
        let mut get =
            |vr: Vr| Ok::<_, ParseError>(numbers(reader, element, encoding, vr)?.integer());
        match element.tag {
            0x0008_0016 => object.sop_class = text(reader, element)?,
            0x0008_0070 => {
                let name = text(reader, element)?;
                let maker = name.to_ascii_lowercase();
                object.is_siemens = maker.starts_with("siemens");
                object.keeps_frame_order = KEEPING_FRAME_ORDER
                    .iter()
                    .any(|start| maker.starts_with(start));
                self.blocks.set_manufacturer(&name);
            }
            0x0018_1310 => {
                let sides = numbers(reader, element, encoding, Vr::US)?;
                let largest = (0..4)
                    .filter_map(|side| sides.get(side))
                    .fold(0.0, f64::max);
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "an unsigned number of 16 bits"
                )]
                let largest = largest as u32;
                object.acquisition_matrix_side = largest;
            }
            0x0028_0002 => object.encoding.samples = u16_of(get(Vr::US)?).unwrap_or(1),
            0x0028_0004 => object.photometric_interpretation = text(reader, element)?,
            0x0028_0006 => object.encoding.is_planar = get(Vr::US)? == Some(1),
            0x0028_0008 => {
                let count = get(Vr::IS)?.and_then(|count| u32::try_from(count).ok());
                object.frame_count = count.unwrap_or(1).max(1);
            }
            0x0028_0010 => object.rows = u16_of(get(Vr::US)?).unwrap_or(0).into(),
            0x0028_0011 => object.columns = u16_of(get(Vr::US)?).unwrap_or(0).into(),
            0x0028_0100 => object.encoding.bits_allocated = u16_of(get(Vr::US)?).unwrap_or(0),
            0x0028_0101 => object.encoding.bits_stored = u16_of(get(Vr::US)?).unwrap_or(0),
            0x0028_0102 => object.encoding.high_bit = u16_of(get(Vr::US)?).unwrap_or(0),
            0x0028_0103 => object.encoding.is_signed = get(Vr::US)? == Some(1),
            0x0020_000D | 0x0020_000E => {
                let uids = format!("{} {}", object.series_hash, text(reader, element)?);
                object.series_hash = hash(uids.as_bytes());
            }
            0x0020_9162 => object.concatenation_place = get(Vr::US)?,
            0x0020_9228 => {
                object.concatenation_place = get(Vr::UL)?.or(object.concatenation_place);
            }
            0x0020_0011 => object.series_number = get(Vr::IS)?.filter(is_series_number),
            0x0008_0008 => {
                let labels = text(reader, element)?.to_uppercase();
                let mut labels = labels.split('\\').map(str::trim);
                self.tiles.is_uih = labels.clone().any(|label| label == "VFRAME");
                self.tiles.is_mosaic = self.tiles.is_uih || labels.any(|label| label == "MOSAIC");
                self.main.read_element(reader, element, encoding)?;
            }
            _ => self.main.read_element(reader, element, encoding)?,
        }
        Ok(())
    }

    /// Reads an element of a private group; returns the offset after it.
    fn read_private<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
    ) -> Result<u64, ParseError> {
        let deferred = self
            .blocks
            .read_element(reader, element, encoding, &mut self.main)?;
        let u32_of = |value: Option<i64>| value.and_then(|value| u32::try_from(value).ok());
        match deferred {
            Some(DeferredElement::TileCount) => {
                let count = u32_of(numbers(reader, element, encoding, Vr::US)?.integer());
                self.tiles.count = count
                    .filter(|count| (1..=MAX_TILES).contains(count))
                    .or(self.tiles.count);
            }
            Some(DeferredElement::UihTileCount) => {
                let count = u32_of(numbers(reader, element, encoding, Vr::DS)?.integer());
                self.tiles.count = count.filter(|count| (1..=MAX_TILES).contains(count));
            }
            Some(DeferredElement::Csa) => {
                let csa = csa::read(reader.long_value(element)?);
                self.tiles.count = self.tiles.count.or(csa.tile_count);
                self.tiles.normal = csa.normal;
                let b_value = &mut self.main.diffusion.b_value;
                *b_value = b_value.or(csa.b_value);
                self.main.diffusion.extend_range(csa.b_value);
            }
            Some(DeferredElement::UihTilePositions) => {
                return self.read_uih_tiles(reader, element, encoding);
            }
            None => {}
        }
        reader.after(element)
    }

    /// Reads the position of each tile from a sequence of United Imaging; returns the offset after it.
    fn read_uih_tiles<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
    ) -> Result<u64, ParseError> {
        each_item(
            reader,
            element,
            encoding,
            &mut |reader, start, end, inner| {
                let mut tile = Attributes::default();
                let reached = read_plain_elements(reader, start, end, inner, &mut tile)?;
                self.tiles.positions.extend(tile.position);
                Ok(reached)
            },
        )
    }

    /// Adds a frame for each item of the per-frame functional groups; returns the offset after them.
    fn read_frames<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
    ) -> Result<u64, ParseError> {
        let main = &self.main;
        self.object.numbers_frames = true;
        let frames = &mut self.object.frames;
        let frame_limit = self.frame_limit;
        each_item(
            reader,
            element,
            encoding,
            &mut |reader, start, end, inner| {
                let index = u32::try_from(frames.len()).unwrap_or(u32::MAX);
                let mut attributes = Attributes {
                    instance_number: Some(i64::from(index) + 1),
                    ..main.clone()
                };
                // The main data set may repeat the diffusion elements of the first frame: they are not those of all
                // frames.
                attributes.diffusion.b_value_range = None;
                let reached = read_groups(reader, start, end, inner, &mut attributes, 0)?;
                if index < frame_limit {
                    frames.push(Frame {
                        attributes,
                        index,
                        values_hash: None,
                    });
                }
                Ok(reached)
            },
        )
    }

    /// Records where the pixel data are, and whether the file is too short for them. Fragments are checked by the
    /// caller.
    fn read_pixel_data(&mut self, element: &Element, encoding: Encoding, syntax: &TransferSyntax) {
        self.object.transfer_syntax.clone_from(&syntax.uid);
        let plain = element.tag == PIXEL_DATA && !syntax.deflated;
        let offset = element.value_offset;
        // In GE's private syntax, the pixels are big-endian and the header is not.
        let big_endian = encoding.big_endian || syntax.uid == "1.2.840.113619.5.2";
        self.object.pixels = match element.length.map(u64::from) {
            Some(length) if plain => Pixels::Native {
                offset,
                length,
                big_endian,
            },
            Some(length) if !syntax.deflated => Pixels::Floating {
                offset,
                length,
                big_endian,
                is_double: element.tag == DOUBLE_FLOAT_PIXEL_DATA,
            },
            None if plain && syntax.uid == RLE => Pixels::Rle,
            None if plain && lossless_jpeg::TRANSFER_SYNTAXES.contains(&syntax.uid.as_str()) => {
                Pixels::LosslessJpeg
            }
            _ => Pixels::Unreadable,
        };
        let end = element
            .length
            .map_or(0, u64::from)
            .saturating_add(element.value_offset);
        self.object.is_incomplete |= !syntax.deflated && end > self.size;
        if let (Some(length), false) = (element.length, syntax.deflated) {
            let present = u64::from(length).min(self.size.saturating_sub(element.value_offset));
            let need = length::needed_bytes(&self.object).filter(|_| plain);
            // A missing pad byte at the end is no loss.
            self.object.is_truncated = present < need.unwrap_or(length.saturating_sub(1).into());
        }
    }
}

impl DataSetVisitor for ObjectBuilder {
    fn visit<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        start: u64,
        syntax: &TransferSyntax,
    ) -> Result<(), ParseError> {
        self.object.transfer_syntax.clone_from(&syntax.uid);
        let encoding = reader.encoding;
        each_element(
            reader,
            start,
            u64::MAX,
            encoding,
            &mut |reader, element, encoding| self.read_element(reader, element, encoding, syntax),
        )?;
        Ok(())
    }
}
