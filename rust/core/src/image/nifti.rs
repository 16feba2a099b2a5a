//! The header of an uncompressed NIfTI-1 or NIfTI-2 file (nifti1.h).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::voxel_type::VoxelType;
use crate::regular;

/// An open image: its file, and the header fields that are used.
#[derive(Debug)]
pub(super) struct Nifti {
    pub path: PathBuf,
    pub file: File,
    /// Sizes of the first three axes.
    pub size: [u32; 3],
    /// Number of volumes.
    pub volumes: u32,
    /// Rows of the matrix from voxel to RAS+ mm.
    pub affine: [[f64; 4]; 3],
    /// How a voxel is stored; None for an unknown type.
    pub voxel_type: Option<VoxelType>,
    /// Offset of the first voxel.
    pub offset: u64,
    /// Slope and intercept of the values; 1 and 0 if the slope is 0 (nifti1.h) or not finite. An intercept that is not
    /// finite is 0.
    pub scale: [f64; 2],
}

/// Sizes of the headers of NIfTI-1 and NIfTI-2 in bytes. A file begins with this number.
const HEADER_SIZE_1: i32 = 348;
const HEADER_SIZE_2: i32 = 540;

/// The bytes of a header. A number past their end is 0. Offsets are those of the fields in nifti1.h and nifti2.h.
struct Head<'b> {
    bytes: &'b [u8],
    big_endian: bool,
}

impl Head<'_> {
    /// Returns `N` bytes from an offset, in little-endian order.
    fn take<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut array = self
            .bytes
            .get(at..)
            .and_then(<[u8]>::first_chunk::<N>)
            .copied()
            .unwrap_or([0; N]);
        if self.big_endian {
            array.reverse();
        }
        array
    }

    fn i16_at(&self, at: usize) -> i64 {
        i16::from_le_bytes(self.take(at)).into()
    }

    fn i32_at(&self, at: usize) -> i64 {
        i32::from_le_bytes(self.take(at)).into()
    }

    fn i64_at(&self, at: usize) -> i64 {
        i64::from_le_bytes(self.take(at))
    }

    fn f32_at(&self, at: usize) -> f64 {
        f32::from_le_bytes(self.take(at)).into()
    }

    fn f64_at(&self, at: usize) -> f64 {
        f64::from_le_bytes(self.take(at))
    }
}

/// Opens an image, and reads its header; a file that is not NIfTI is an error (`InvalidData`). The affine is sform,
/// else qform, else the voxel sizes alone (nifti1.h, methods 3, 2 and 1).
pub(super) fn open(path: &Path) -> io::Result<Nifti> {
    let file = regular::open(path)?;
    let mut bytes = [0; 544];
    let mut length = 0;
    while let Some(free) = bytes.get_mut(length..).filter(|free| !free.is_empty()) {
        match file.read_at(free, length as u64)? {
            0 => break,
            read => length = length.saturating_add(read),
        }
    }
    let not_nifti = || io::Error::new(io::ErrorKind::InvalidData, "not a NIfTI header");
    let bytes = bytes.get(..length).unwrap_or_default();
    let first = bytes.first_chunk::<4>().ok_or_else(not_nifti)?;
    let (is_nifti2, big_endian) = match (i32::from_le_bytes(*first), i32::from_be_bytes(*first)) {
        (HEADER_SIZE_1, _) => (false, false),
        (HEADER_SIZE_2, _) => (true, false),
        (_, HEADER_SIZE_1) => (false, true),
        (_, HEADER_SIZE_2) => (true, true),
        _ => return Err(not_nifti()),
    };
    let head = Head { bytes, big_endian };
    let dim = |index: usize| {
        if is_nifti2 {
            head.i64_at(16 + 8 * index)
        } else {
            head.i16_at(40 + 2 * index)
        }
    };
    let axes = usize::try_from(dim(0)).unwrap_or(0).min(7);
    let axis = |index: usize| {
        let size = if index <= axes { dim(index) } else { 1 };
        u32::try_from(size.max(1)).unwrap_or(u32::MAX)
    };
    let volumes = (4..=7).fold(1_u32, |product, index| product.saturating_mul(axis(index)));
    let code = i32::try_from(head.i16_at(if is_nifti2 { 12 } else { 70 })).unwrap_or(0);
    let (slope, intercept, offset) = if is_nifti2 {
        (head.f64_at(176), head.f64_at(184), head.i64_at(168))
    } else {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "an offset of a few hundred bytes"
        )]
        (head.f32_at(112), head.f32_at(116), head.f32_at(108) as i64)
    };
    let is_scaled = slope != 0.0 && slope.is_finite();
    let intercept = Some(intercept).filter(|number| number.is_finite());
    let affine = affine(&head, is_nifti2);
    Ok(Nifti {
        path: path.to_owned(),
        size: [axis(1), axis(2), axis(3)],
        volumes,
        affine,
        voxel_type: VoxelType::new(code, big_endian),
        offset: u64::try_from(offset).unwrap_or(0),
        scale: if is_scaled {
            [slope, intercept.unwrap_or(0.0)]
        } else {
            [1.0, 0.0]
        },
        file,
    })
}

/// Returns the affine (see [`open`]).
fn affine(head: &Head<'_>, is_nifti2: bool) -> [[f64; 4]; 3] {
    let (qform, sform) = if is_nifti2 {
        (head.i32_at(344), head.i32_at(348))
    } else {
        (head.i16_at(252), head.i16_at(254))
    };
    // A number of an array whose offset in NIfTI-1 and in NIfTI-2 is given.
    let number = |offset_1: usize, offset_2: usize, index: usize| {
        if is_nifti2 {
            head.f64_at(offset_2 + 8 * index)
        } else {
            head.f32_at(offset_1 + 4 * index)
        }
    };
    let zoom = |index: usize| number(76, 104, index); // pixdim
    if sform > 0 {
        let row = |r: usize| [0, 1, 2, 3].map(|c| number(280, 400, 4 * r + c));
        return [row(0), row(1), row(2)];
    }
    if qform <= 0 {
        return [
            [zoom(1), 0.0, 0.0, 0.0],
            [0.0, zoom(2), 0.0, 0.0],
            [0.0, 0.0, zoom(3), 0.0],
        ];
    }
    let [b, c, d] = [0, 1, 2].map(|index| number(256, 352, index));
    let [x, y, z] = [3, 4, 5].map(|index| number(256, 352, index));
    let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
    let third = zoom(3) * if zoom(0) < 0.0 { -1.0 } else { 1.0 };
    let rotation = [
        [
            a * a + b * b - c * c - d * d,
            2.0 * (b * c - a * d),
            2.0 * (b * d + a * c),
        ],
        [
            2.0 * (b * c + a * d),
            a * a + c * c - b * b - d * d,
            2.0 * (c * d - a * b),
        ],
        [
            2.0 * (b * d - a * c),
            2.0 * (c * d + a * b),
            a * a + d * d - b * b - c * c,
        ],
    ];
    let scaled = |[p, q, r]: [f64; 3], end: f64| [p * zoom(1), q * zoom(2), r * third, end];
    let [first, second, third_row] = rotation;
    [scaled(first, x), scaled(second, y), scaled(third_row, z)]
}
