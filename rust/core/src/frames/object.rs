//! The header of one object: its frames, pixel encoding and tiles.

use super::attributes::Attributes;

/// Where and how an object stores its pixels (PS3.5 section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pixels {
    /// The object has no pixel data element.
    #[default]
    Absent,
    /// Uncompressed, in the file.
    Native {
        /// Offset of the first byte in the file.
        offset: u64,
        /// Number of bytes.
        length: u64,
        /// Byte order of a pixel of 16 bits or more.
        big_endian: bool,
    },
    /// Run-length encoded (PS3.5 annex G).
    Rle,
    /// In lossless JPEG (PS3.5 A.4.1).
    LosslessJpeg,
    /// Pixels that are not read: another compression, a form of lossless JPEG that is not decoded, or a deflated data set.
    Unreadable,
    /// The pixels of some frame are damaged.
    Damaged,
    /// Uncompressed floating-point pixels, in the file.
    Floating {
        /// Offset of the first byte in the file.
        offset: u64,
        /// Number of bytes.
        length: u64,
        /// Byte order of a pixel.
        big_endian: bool,
        /// Whether a pixel has 64 bits (DoubleFloatPixelData), not 32.
        is_double: bool,
    },
}

/// The image pixel module of an object (PS3.3 C.7.6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub struct PixelEncoding {
    /// Bits of a stored pixel cell.
    pub bits_allocated: u16,
    /// Bits that carry the value.
    pub bits_stored: u16,
    /// The most significant bit of the value.
    pub high_bit: u16,
    /// Whether values are two's complement.
    pub is_signed: bool,
    /// 1 for grey, 3 for colour; 0 if SamplesPerPixel is absent.
    pub samples: u16,
    /// Whether colours are stored plane by plane.
    pub is_planar: bool,
}

/// One frame of an object.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Its attributes.
    pub attributes: Attributes,
    /// Index of the frame in its object; index of its tile in a mosaic.
    pub index: u32,
    /// The hash ([`ValuesHasher`](super::ValuesHasher)) of the stored values in the rows that are compared with the converted
    /// image; None if the values were not read, cannot be compared, or are floating-point numbers.
    pub values_hash: Option<u64>,
}

/// One DICOM object.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Object {
    /// SOPClassUID; empty if absent.
    pub sop_class: String,
    /// SeriesNumber.
    pub series_number: Option<i64>,
    /// A hash of StudyInstanceUID and SeriesInstanceUID, equal for objects of one series.
    pub series_hash: u64,
    /// TransferSyntaxUID; empty if absent, or if only headers were read.
    pub transfer_syntax: String,
    /// Rows of a stored image; for a mosaic, of all tiles together.
    pub rows: u32,
    /// Columns of a stored image; for a mosaic, of all tiles together.
    pub columns: u32,
    /// The larger side of AcquisitionMatrix; 0 if absent.
    pub acquisition_matrix_side: u32,
    /// Whether Siemens is the manufacturer.
    pub is_siemens: bool,
    /// Whether dcm2niix keeps the order of the frames of an object of this manufacturer, and does not sort them by
    /// InStackPositionNumber.
    pub keeps_frame_order: bool,
    /// NumberOfFrames; 1 if it is absent or not positive.
    pub frame_count: u32,
    /// Encoding of the pixels.
    pub encoding: PixelEncoding,
    /// PhotometricInterpretation; empty if absent, or if only headers were read.
    pub photometric_interpretation: String,
    /// Where and how the pixels are stored.
    pub pixels: Pixels,
    /// Whether all rows of its frames are compared with the converted image, and not only
    /// [`compared_rows`](super::compared_rows), because the encoding differs within the series.
    pub compares_all_rows: bool,
    /// Offset and length of each fragment of pixels that are run-length encoded or in lossless JPEG.
    pub fragments: Vec<(u64, u32)>,
    /// Division of a mosaic into tiles; None for other objects.
    pub tiling: Option<Tiling>,
    /// Whether the file is not DICOM, its header cannot be read to its end, or the file ends before the length that the
    /// element of its pixel data states. Without per-frame functional groups, also whether NumberOfFrames is larger than its
    /// pixel data allow. A cut fragment does not count.
    pub is_incomplete: bool,
    /// Whether pixel values are missing: the file has fewer bytes of pixel data than Rows, Columns and the other
    /// attributes need (for floating-point pixels and subsampled colours, than their element states; a missing pad byte
    /// does not count), a fragment is cut, or the file is unreadable before them.
    pub is_truncated: bool,
    /// Whether another DICOM file begins directly after its pixel data: two files were joined.
    pub has_appended_file: bool,
    /// InstanceNumber.
    pub instance_number: Option<i64>,
    /// Place of the object in its concatenation (PS3.3 C.7.6.16.2.2.4): ConcatenationFrameOffsetNumber, else
    /// InConcatenationNumber; None for an object that is no part of one.
    pub concatenation_place: Option<i64>,
    /// Whether it has per-frame functional groups, so that its frames are numbered by their order.
    pub numbers_frames: bool,
    /// Its frames; empty without pixel data, and for a mosaic whose header lacks the number of tiles.
    pub frames: Vec<Frame>,
}

impl Object {
    /// Returns the rows of one frame.
    pub fn frame_rows(&self) -> u32 {
        self.tiling.as_ref().map_or(self.rows, |tiling| tiling.rows)
    }

    /// Returns whether it looks like a mosaic without tile attributes: a square Siemens image with at least three times
    /// as many rows as were acquired.
    pub fn may_be_mosaic(&self) -> bool {
        let has_one_frame = self.frames.len() == 1 && self.tiling.is_none();
        let is_large = self.acquisition_matrix_side > 0
            && self.rows >= self.acquisition_matrix_side.saturating_mul(3);
        self.is_siemens && has_one_frame && is_large && self.rows == self.columns
    }

    /// Returns the columns of one frame.
    pub fn frame_columns(&self) -> u32 {
        self.tiling
            .as_ref()
            .map_or(self.columns, |tiling| tiling.columns)
    }
}

/// Division of a stored image into tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tiling {
    /// Number of tiles with a slice; 0 if the header lacks it.
    pub count: u32,
    /// Number of tiles side by side in a row of tiles.
    pub tiles_per_row: u32,
    /// Rows of a tile.
    pub rows: u32,
    /// Columns of a tile.
    pub columns: u32,
    /// Whether the header has the direction in which the slices follow each other, or the position of each tile.
    pub has_direction: bool,
}
