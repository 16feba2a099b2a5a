//! A slice of an uncompressed NIfTI image as 8-bit grey, for the small pictures that people look at.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The darkest and the brightest hundredth of the pixels are black and white.
const DARK: f64 = 0.01;
const BRIGHT: f64 = 0.99;
/// Bytes that are read at once; pixels of a row that lie further apart are read one by one.
const GULP: u64 = 1 << 20;

/// How a voxel is stored.
#[derive(Clone, Copy, Debug)]
pub struct Voxel {
    kind: Kind,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F32,
    F64,
    /// Shown by their size.
    Complex64,
    Complex128,
    /// Bytes of red, green and blue, shown by their mean; what follows them is left out.
    Colour(u64),
}

impl Voxel {
    /// The type of this code (nifti1.h, `NIFTI_TYPE_...`); None when it cannot be shown.
    #[must_use]
    pub fn new(code: i32, big_endian: bool) -> Option<Self> {
        let kind = match code {
            2 => Kind::U8,
            4 => Kind::I16,
            8 => Kind::I32,
            16 => Kind::F32,
            32 => Kind::Complex64,
            64 => Kind::F64,
            128 => Kind::Colour(3),
            256 => Kind::I8,
            512 => Kind::U16,
            768 => Kind::U32,
            1024 => Kind::I64,
            1280 => Kind::U64,
            1792 => Kind::Complex128,
            2304 => Kind::Colour(4),
            _ => return None,
        };
        Some(Self { kind, big_endian })
    }

    /// Bytes of one.
    fn size(self) -> u64 {
        match self.kind {
            Kind::U8 | Kind::I8 => 1,
            Kind::U16 | Kind::I16 => 2,
            Kind::U32 | Kind::I32 | Kind::F32 => 4,
            Kind::U64 | Kind::I64 | Kind::F64 | Kind::Complex64 => 8,
            Kind::Complex128 => 16,
            Kind::Colour(bytes) => bytes,
        }
    }

    /// The value of one, from its bytes; 0 where it is no number.
    fn value(self, bytes: &[u8]) -> f64 {
        let value = match self.kind {
            Kind::U8 => self.number(bytes, u8::from_le_bytes).into(),
            Kind::I8 => self.number(bytes, i8::from_le_bytes).into(),
            Kind::U16 => self.number(bytes, u16::from_le_bytes).into(),
            Kind::I16 => self.number(bytes, i16::from_le_bytes).into(),
            Kind::U32 => self.number(bytes, u32::from_le_bytes).into(),
            Kind::I32 => self.number(bytes, i32::from_le_bytes).into(),
            Kind::U64 => rounded(self.number(bytes, u64::from_le_bytes).into()),
            Kind::I64 => rounded(self.number(bytes, i64::from_le_bytes).into()),
            Kind::F32 => self.number(bytes, f32::from_le_bytes).into(),
            Kind::F64 => self.number(bytes, f64::from_le_bytes),
            Kind::Complex64 => self.length::<4>(bytes, |part| f32::from_le_bytes(part).into()),
            Kind::Complex128 => self.length::<8>(bytes, f64::from_le_bytes),
            Kind::Colour(_) => bytes.iter().take(3).map(|&one| f64::from(one)).sum::<f64>() / 3.0,
        };
        if value.is_finite() { value } else { 0.0 }
    }

    fn number<const N: usize, T>(self, bytes: &[u8], read: impl Fn([u8; N]) -> T) -> T {
        let mut own = [0; N];
        for (one, &byte) in own.iter_mut().zip(bytes) {
            *one = byte;
        }
        if self.big_endian {
            own.reverse();
        }
        read(own)
    }

    fn length<const N: usize>(self, bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> f64 {
        let (first, second) = bytes.split_at(N.min(bytes.len()));
        self.number(first, &read).hypot(self.number(second, &read))
    }
}

#[allow(clippy::cast_precision_loss, reason = "a grey of 8 bits comes of it")]
fn rounded(value: i128) -> f64 {
    value as f64
}

/// Reads the voxels `row + column`, counted from `offset`, for each of `rows` and `columns`; returns them as grey, row by row.
///
/// # Errors
///
/// When the file cannot be read, or ends before one of them.
pub fn grey(
    path: &Path,
    offset: u64,
    voxel: Voxel,
    rows: &[u64],
    columns: &[u64],
) -> io::Result<Vec<u8>> {
    values(path, offset, voxel, rows, columns).map(|values| shaded(&values))
}

fn values(
    path: &Path,
    offset: u64,
    voxel: Voxel,
    rows: &[u64],
    columns: &[u64],
) -> io::Result<Vec<f64>> {
    let file = File::open(path)?;
    let size = voxel.size();
    let place = |index: Option<u64>| {
        index
            .and_then(|index| index.checked_mul(size)?.checked_add(offset))
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
    };
    let first = columns.iter().copied().min().unwrap_or(0);
    let last = columns.iter().copied().max().unwrap_or(0);
    let together = (last - first).saturating_mul(size) < GULP;
    let mut found = Vec::with_capacity(rows.len() * columns.len());
    let mut buffer = vec![
        0;
        if together {
            usize_of((last - first + 1) * size)
        } else {
            usize_of(size)
        }
    ];
    for &row in rows {
        if together {
            file.read_exact_at(&mut buffer, place(row.checked_add(first))?)?;
        }
        for &column in columns {
            if together {
                let at = usize_of((column - first) * size);
                found.push(voxel.value(buffer.get(at..at + usize_of(size)).unwrap_or_default()));
            } else {
                file.read_exact_at(&mut buffer, place(row.checked_add(column))?)?;
                found.push(voxel.value(&buffer));
            }
        }
    }
    Ok(found)
}

fn usize_of(small: u64) -> usize {
    usize::try_from(small).unwrap_or(usize::MAX)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value lies between 0 and 255"
)]
fn shaded(values: &[f64]) -> Vec<u8> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (mut low, mut high) = (percentile(&sorted, DARK), percentile(&sorted, BRIGHT));
    if high <= low {
        low = sorted.first().copied().unwrap_or(0.0);
        high = sorted.last().copied().unwrap_or(0.0);
    }
    let span = if high > low { high - low } else { 1.0 };
    values
        .iter()
        .map(|value| (((value - low) / span).clamp(0.0, 1.0) * 255.0) as u8)
        .collect()
}

/// The value below which a part of the sorted ones lies, between its two neighbours in proportion.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among some thousand pixels"
)]
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let at = sorted.len().saturating_sub(1) as f64 * part;
    let below = sorted.get(at.floor() as usize).copied().unwrap_or(0.0);
    let above = sorted.get(at.ceil() as usize).copied().unwrap_or(below);
    below + (above - below) * at.fract()
}
