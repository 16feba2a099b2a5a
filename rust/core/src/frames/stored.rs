//! Stored pixel values of the compared rows of a frame, read from pixel data that are uncompressed, run-length encoded or in
//! lossless JPEG.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::object::{Object, Pixels};
use super::{lossless_jpeg, rle};

/// Number of rows of a frame that are compared with the converted image: in the middle, where the anatomy is.
const COMPARED_ROWS: u32 = 4;

/// Returns the first compared row of a frame with `rows` rows, and the number of compared rows: [`COMPARED_ROWS`], or
/// all with `all_rows`.
pub fn compared_rows(rows: u32, all_rows: bool) -> (u32, u32) {
    let count = if all_rows {
        rows
    } else {
        rows.min(COMPARED_ROWS)
    };
    ((rows - count) / 2, count)
}

/// Returns the number of samples of a pixel.
pub(super) fn samples(object: &Object) -> u64 {
    object.encoding.samples.max(1).into()
}

/// Returns the fragments of one frame: all of them for an object with one frame; None if it has none.
fn fragments_of(object: &Object, frame: u64) -> Option<&[(u64, u32)]> {
    if object.frame_count == 1 {
        return Some(&object.fragments);
    }
    let at = usize::try_from(frame).ok()?;
    object.fragments.get(at..=at)
}

/// Returns the number of colour planes of a frame; 1 if the samples of a pixel are adjacent. Decoding a run-length
/// encoded frame makes them adjacent.
fn planes(object: &Object) -> u64 {
    if object.encoding.is_planar && object.pixels != Pixels::Rle {
        samples(object)
    } else {
        1
    }
}

/// The stored values of the compared rows of a frame.
#[derive(Debug, Clone)]
pub enum StoredValues {
    /// PixelData.
    Integers(Vec<i64>),
    /// FloatPixelData or DoubleFloatPixelData; 0 in place of values that are not finite.
    Floats(Vec<f64>),
}

/// Returns the value of a floating-point pixel from its bytes; 0 if it is not finite.
fn float_value(cell: &[u8], big_endian: bool) -> f64 {
    let value = match (cell.first_chunk::<8>(), cell.first_chunk::<4>()) {
        (Some(bytes), _) if big_endian => f64::from_be_bytes(*bytes),
        (Some(bytes), _) => f64::from_le_bytes(*bytes),
        (None, Some(bytes)) if big_endian => f32::from_be_bytes(*bytes).into(),
        (None, Some(bytes)) => f32::from_le_bytes(*bytes).into(),
        (None, None) => 0.0,
    };
    if value.is_finite() { value } else { 0.0 }
}

/// Reads the compared pixels of the frames of one file. Its buffer serves only that file.
#[derive(Debug, Default)]
pub struct PixelReader {
    /// The buffered bytes. They serve all tiles of a mosaic that are side by side.
    bytes: Vec<u8>,
    /// Offset and length of the buffered bytes in the file. If the buffer contains a decoded frame: the index of the
    /// frame, and 0.
    loaded: Option<(u64, usize)>,
}

impl PixelReader {
    /// Reads the compared rows of a frame as stored values; colours as the sum of their samples.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, ends before the pixels, or contains run-length encoding or lossless JPEG that
    /// cannot be decoded (`InvalidData`).
    pub fn read(&mut self, file: &File, object: &Object, index: u32) -> io::Result<StoredValues> {
        if let Pixels::Floating { big_endian, .. } = object.pixels {
            let size = usize::from(object.encoding.bits_allocated / 8).max(1);
            let lines = self.lines(file, object, index, 0)?;
            let cells = lines.flat_map(|line| line.chunks_exact(size));
            return Ok(StoredValues::Floats(
                cells.map(|cell| float_value(cell, big_endian)).collect(),
            ));
        }
        let mut values = Vec::new();
        self.read_integers(file, object, index, &mut values)?;
        Ok(StoredValues::Integers(values))
    }

    /// Reads the compared rows of a frame of integers into `out`, as [`Self::read`].
    fn read_integers(
        &mut self,
        file: &File,
        object: &Object,
        index: u32,
        out: &mut Vec<i64>,
    ) -> io::Result<()> {
        out.clear();
        let planes = planes(object);
        let format = CellFormat::of(object);
        let sample_bytes = usize::from(object.encoding.bits_allocated / 8).max(1);
        let adjacent_samples = usize::try_from(samples(object) / planes)
            .unwrap_or(1)
            .max(1);
        for plane in 0..planes {
            let mut at = 0;
            for line in self.lines(file, object, index, plane)? {
                for pixel in line.chunks_exact(sample_bytes * adjacent_samples) {
                    let cells = pixel.chunks_exact(sample_bytes);
                    let value: i64 = cells.map(|cell| format.value(cell)).sum();
                    if plane == 0 {
                        out.push(value);
                    } else if let Some(sum) = out.get_mut(at) {
                        *sum += value;
                    }
                    at += 1;
                }
            }
        }
        Ok(())
    }

    /// Returns the bytes of each compared row of one plane of a frame; in a mosaic, only the bytes in the columns of
    /// the frame's tile.
    fn lines(
        &mut self,
        file: &File,
        object: &Object,
        index: u32,
        plane: u64,
    ) -> io::Result<impl Iterator<Item = &[u8]>> {
        let offset = match object.pixels {
            Pixels::Native { offset, .. } | Pixels::Floating { offset, .. } => offset,
            _ => 0,
        };
        let sample_bytes = u64::from(object.encoding.bits_allocated / 8);
        let planes = planes(object);
        let pixel_bytes = sample_bytes * samples(object) / planes;
        let (first, count) = compared_rows(object.frame_rows(), object.compares_all_rows);
        let (frame, row, column) = match &object.tiling {
            Some(tiling) => {
                let (down, right) = (
                    index / tiling.tiles_per_row.max(1),
                    index % tiling.tiles_per_row.max(1),
                );
                (0, down * tiling.rows + first, right * tiling.columns)
            }
            None => (u64::from(index), first, 0),
        };
        let row_bytes = usize::try_from(u64::from(object.columns) * pixel_bytes).unwrap_or(0);
        let length = row_bytes * count as usize;
        let start = if matches!(object.pixels, Pixels::Rle | Pixels::LosslessJpeg) {
            self.unpack(file, object, frame)?;
            row as usize * row_bytes
        } else {
            let line = (frame * planes + plane) * u64::from(object.rows) + u64::from(row);
            self.fill(file, offset + line * row_bytes as u64, length)?;
            0
        };
        let bytes = self.bytes.get(start..start + length).unwrap_or_default();
        let pixel_bytes = usize::try_from(pixel_bytes).unwrap_or(1);
        let (skip, take) = (
            column as usize * pixel_bytes,
            object.frame_columns() as usize * pixel_bytes,
        );
        let lines = bytes.chunks_exact(row_bytes.max(1));
        Ok(lines.map(move |line| line.get(skip..skip + take).unwrap_or_default()))
    }

    /// Returns the hash of the integers that [`Self::read`] returns; `values` is a buffer for them.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn values_hash(
        &mut self,
        file: &File,
        object: &Object,
        index: u32,
        values: &mut Vec<i64>,
    ) -> io::Result<u64> {
        let mut hasher = ValuesHasher::default();
        let format = CellFormat::of(object);
        if samples(object) == 1 && object.encoding.bits_allocated == 16 && !format.big_endian {
            let lines = self.lines(file, object, index, 0)?;
            for line in lines {
                let cells = line.chunks_exact(2);
                hasher.add(cells.map(|cell| match cell {
                    [low, high] => format.of_bits(u16::from_le_bytes([*low, *high]).into()),
                    _ => 0,
                }));
            }
            return Ok(hasher.end());
        }
        self.read_integers(file, object, index, values)?;
        for line in values.chunks(object.frame_columns().max(1) as usize) {
            hasher.add(line.iter().copied());
        }
        Ok(hasher.end())
    }

    /// Reads a frame that is run-length encoded or in lossless JPEG, and decodes it into the buffer.
    fn unpack(&mut self, file: &File, object: &Object, frame: u64) -> io::Result<()> {
        if self.loaded == Some((frame, 0)) {
            return Ok(());
        }
        let damaged = || io::Error::from(io::ErrorKind::InvalidData);
        self.loaded = None;
        self.read_fragments(file, fragments_of(object, frame).ok_or_else(damaged)?)?;
        let bytes = usize::from(object.encoding.bits_allocated / 8);
        let decoded = if object.pixels == Pixels::Rle {
            let pixels = object.rows as usize * object.columns as usize;
            let samples_per_pixel = usize::try_from(samples(object)).unwrap_or(1);
            rle::decode(&self.bytes, pixels, bytes, samples_per_pixel)
        } else {
            lossless_jpeg::decode(&self.bytes, object.rows, object.columns, bytes)
        };
        self.bytes = decoded.ok_or_else(damaged)?;
        self.loaded = Some((frame, 0));
        Ok(())
    }

    /// Reads fragments, one after the other, into the buffer.
    fn read_fragments(&mut self, file: &File, fragments: &[(u64, u32)]) -> io::Result<()> {
        self.bytes.clear();
        for &(offset, length) in fragments {
            let start = self.bytes.len();
            self.bytes.resize(start.saturating_add(length as usize), 0);
            let target = self.bytes.get_mut(start..).unwrap_or_default();
            file.read_exact_at(target, offset)?;
        }
        Ok(())
    }

    /// Reads bytes of the file into the buffer.
    fn fill(&mut self, file: &File, start: u64, length: usize) -> io::Result<()> {
        if self.loaded == Some((start, length)) {
            return Ok(());
        }
        self.loaded = None;
        self.bytes.resize(length, 0);
        file.read_exact_at(&mut self.bytes, start)?;
        self.loaded = Some((start, length));
        Ok(())
    }
}

/// How to read the bits of a pixel cell as a number (PS3.5 section 8.1.1).
#[derive(Clone, Copy)]
struct CellFormat {
    /// The least significant bit of the value.
    low_bit: u32,
    /// Number of bits of the value.
    bits: u32,
    signed: bool,
    big_endian: bool,
}

impl CellFormat {
    fn of(object: &Object) -> Self {
        let encoding = &object.encoding;
        let bits = u32::from(encoding.bits_stored);
        Self {
            low_bit: u32::from(encoding.high_bit.saturating_add(1)).saturating_sub(bits),
            bits,
            signed: encoding.is_signed,
            big_endian: matches!(
                object.pixels,
                Pixels::Native {
                    big_endian: true,
                    ..
                }
            ),
        }
    }

    /// Returns the value of a cell from its bytes.
    #[inline]
    fn value(self, bytes: &[u8]) -> i64 {
        let cell = match (bytes, self.big_endian) {
            ([a, b], false) => u16::from_le_bytes([*a, *b]).into(),
            ([a, b], true) => u16::from_be_bytes([*a, *b]).into(),
            ([a, b, c, d], false) => u32::from_le_bytes([*a, *b, *c, *d]),
            ([a, b, c, d], true) => u32::from_be_bytes([*a, *b, *c, *d]),
            ([a], _) => u32::from(*a),
            _ => 0,
        };
        self.of_bits(cell)
    }

    /// Returns the value of a cell from its bits.
    #[inline]
    fn of_bits(self, cell: u32) -> i64 {
        let value = i64::from(cell) >> self.low_bit & ((1_i64 << self.bits) - 1);
        if self.signed && value >> (self.bits - 1) == 1 {
            value - (1_i64 << self.bits)
        } else {
            value
        }
    }
}

/// Computes a hash of pixel values in their order. It has four lanes, so that multiplications are independent.
#[derive(Debug, Clone, Copy)]
pub struct ValuesHasher {
    lanes: [u64; 4],
}

impl Default for ValuesHasher {
    fn default() -> Self {
        Self {
            lanes: [0x9E37_79B9_7F4A_7C15; 4],
        }
    }
}

impl ValuesHasher {
    /// Adds the values of one row of pixels; the first one goes to the first lane.
    #[inline]
    pub fn add(&mut self, mut values: impl Iterator<Item = i64>) {
        loop {
            for lane in &mut self.lanes {
                let Some(value) = values.next() else {
                    return;
                };
                let bits = u64::from_ne_bytes(value.to_ne_bytes());
                *lane = (lane.rotate_left(5) ^ bits).wrapping_mul(0x517C_C1B7_2722_0A95);
            }
        }
    }

    /// Returns the hash.
    pub fn end(self) -> u64 {
        self.lanes.into_iter().fold(0, |all: u64, lane| {
            (all.rotate_left(13) ^ lane).wrapping_mul(0x517C_C1B7_2722_0A95)
        })
    }
}
