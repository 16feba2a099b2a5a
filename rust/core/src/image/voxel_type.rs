//! Voxels of a NIfTI image as numbers.

/// How a voxel is stored.
#[derive(Clone, Copy, Debug)]
pub struct VoxelType {
    datatype: Datatype,
    big_endian: bool,
}

#[derive(Clone, Copy, Debug)]
enum Datatype {
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
    /// Complex numbers of two 32-bit floats; their value is the magnitude.
    Complex64,
    /// Complex numbers of two 64-bit floats; their value is the magnitude.
    Complex128,
    /// Bytes of red, green and blue; their value is the mean. The number of bytes is 3 or 4; the fourth byte is ignored.
    Colour(u64),
}

impl VoxelType {
    /// Returns the type with this code (nifti1.h, `NIFTI_TYPE_...`); None if it is not supported.
    #[must_use]
    pub fn new(code: i32, big_endian: bool) -> Option<Self> {
        let datatype = match code {
            2 => Datatype::U8,
            4 => Datatype::I16,
            8 => Datatype::I32,
            16 => Datatype::F32,
            32 => Datatype::Complex64,
            64 => Datatype::F64,
            128 => Datatype::Colour(3),
            256 => Datatype::I8,
            512 => Datatype::U16,
            768 => Datatype::U32,
            1024 => Datatype::I64,
            1280 => Datatype::U64,
            1792 => Datatype::Complex128,
            2304 => Datatype::Colour(4),
            _ => return None,
        };
        Some(Self {
            datatype,
            big_endian,
        })
    }

    /// Returns whether a voxel is an integer of at most 32 bits.
    pub(super) fn is_small_integer(self) -> bool {
        matches!(
            self.datatype,
            Datatype::U8
                | Datatype::I8
                | Datatype::U16
                | Datatype::I16
                | Datatype::U32
                | Datatype::I32
        )
    }

    /// Returns whether a little-endian 16-bit voxel is signed; None for others.
    pub(super) fn short_is_signed(self) -> Option<bool> {
        match self.datatype {
            Datatype::I16 if !self.big_endian => Some(true),
            Datatype::U16 if !self.big_endian => Some(false),
            _ => None,
        }
    }

    /// Returns the number of bytes of one voxel.
    pub(super) fn size(self) -> u64 {
        match self.datatype {
            Datatype::U8 | Datatype::I8 => 1,
            Datatype::U16 | Datatype::I16 => 2,
            Datatype::U32 | Datatype::I32 | Datatype::F32 => 4,
            Datatype::U64 | Datatype::I64 | Datatype::F64 | Datatype::Complex64 => 8,
            Datatype::Complex128 => 16,
            Datatype::Colour(bytes) => bytes,
        }
    }

    /// Returns the value of one voxel from its bytes; 0 if it is not finite.
    #[inline]
    pub(super) fn value(self, bytes: &[u8]) -> f64 {
        let value = match self.datatype {
            Datatype::U8 => self.number(bytes, u8::from_le_bytes).into(),
            Datatype::I8 => self.number(bytes, i8::from_le_bytes).into(),
            Datatype::U16 => self.number(bytes, u16::from_le_bytes).into(),
            Datatype::I16 => self.number(bytes, i16::from_le_bytes).into(),
            Datatype::U32 => self.number(bytes, u32::from_le_bytes).into(),
            Datatype::I32 => self.number(bytes, i32::from_le_bytes).into(),
            Datatype::U64 => to_f64(self.number(bytes, u64::from_le_bytes).into()),
            Datatype::I64 => to_f64(self.number(bytes, i64::from_le_bytes).into()),
            Datatype::F32 => self.number(bytes, f32::from_le_bytes).into(),
            Datatype::F64 => self.number(bytes, f64::from_le_bytes),
            Datatype::Complex64 => {
                self.magnitude::<4>(bytes, |part| f32::from_le_bytes(part).into())
            }
            Datatype::Complex128 => self.magnitude::<8>(bytes, f64::from_le_bytes),
            Datatype::Colour(_) => {
                bytes
                    .iter()
                    .take(3)
                    .map(|&component| f64::from(component))
                    .sum::<f64>()
                    / 3.0
            }
        };
        finite_or_zero(value)
    }

    /// Returns whether a voxel is red, green and blue.
    pub(super) fn is_colour(self) -> bool {
        matches!(self.datatype, Datatype::Colour(_))
    }

    /// Writes the values of consecutive voxels to `out`, as [`VoxelType::value`] returns them.
    #[allow(clippy::cast_precision_loss, reason = "voxels of 64 bits are rare")]
    pub(super) fn numbers(self, bytes: &[u8], out: &mut [f64]) {
        let big_endian = self.big_endian;
        match self.datatype {
            Datatype::U8 => convert_each(bytes, out, big_endian, |[byte]: [u8; 1]| byte.into()),
            Datatype::I8 => convert_each(bytes, out, big_endian, |le_bytes| {
                i8::from_le_bytes(le_bytes).into()
            }),
            Datatype::U16 => convert_each(bytes, out, big_endian, |le_bytes| {
                u16::from_le_bytes(le_bytes).into()
            }),
            Datatype::I16 => convert_each(bytes, out, big_endian, |le_bytes| {
                i16::from_le_bytes(le_bytes).into()
            }),
            Datatype::U32 => convert_each(bytes, out, big_endian, |le_bytes| {
                u32::from_le_bytes(le_bytes).into()
            }),
            Datatype::I32 => convert_each(bytes, out, big_endian, |le_bytes| {
                i32::from_le_bytes(le_bytes).into()
            }),
            Datatype::U64 => convert_each(bytes, out, big_endian, |le_bytes| {
                u64::from_le_bytes(le_bytes) as f64
            }),
            Datatype::I64 => convert_each(bytes, out, big_endian, |le_bytes| {
                i64::from_le_bytes(le_bytes) as f64
            }),
            Datatype::F32 => convert_each(bytes, out, big_endian, |le_bytes| {
                finite_or_zero(f32::from_le_bytes(le_bytes).into())
            }),
            Datatype::F64 => convert_each(bytes, out, big_endian, |le_bytes| {
                finite_or_zero(f64::from_le_bytes(le_bytes))
            }),
            Datatype::Complex64 | Datatype::Complex128 | Datatype::Colour(_) => {
                let size = usize::try_from(self.size()).unwrap_or(usize::MAX);
                let cells = bytes.chunks_exact(size);
                for (cell, slot) in cells.zip(out) {
                    *slot = self.value(cell);
                }
            }
        }
    }

    fn number<const N: usize, T>(self, bytes: &[u8], read: impl Fn([u8; N]) -> T) -> T {
        let mut le_bytes = [0; N];
        for (slot, &byte) in le_bytes.iter_mut().zip(bytes) {
            *slot = byte;
        }
        if self.big_endian {
            le_bytes.reverse();
        }
        read(le_bytes)
    }

    fn magnitude<const N: usize>(self, bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> f64 {
        let (first, second) = bytes.split_at(N.min(bytes.len()));
        self.number(first, &read).hypot(self.number(second, &read))
    }
}

/// Returns a value, or 0 if it is not finite.
fn finite_or_zero(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// Converts cells of a fixed size.
#[inline]
fn convert_each<const N: usize>(
    bytes: &[u8],
    out: &mut [f64],
    big_endian: bool,
    read: impl Fn([u8; N]) -> f64,
) {
    // A `filter_map` would prevent vectorisation.
    let cells = bytes.chunks_exact(N);
    let cells = cells.map(|cell| cell.first_chunk::<N>().copied().unwrap_or([0; N]));
    if big_endian {
        for (cell, slot) in cells.zip(out) {
            let mut le_bytes = cell;
            le_bytes.reverse();
            *slot = read(le_bytes);
        }
    } else {
        for (cell, slot) in cells.zip(out) {
            *slot = read(cell);
        }
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "integers of 64 bits are rounded"
)]
fn to_f64(value: i128) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::VoxelType;

    #[test]
    fn many_voxels_have_the_values_of_single_ones() {
        let bytes: Vec<u8> = (0..192).collect();
        for code in [
            2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 1280, 1792, 2304,
        ] {
            for big_endian in [false, true] {
                let voxel_type = VoxelType::new(code, big_endian).unwrap();
                let cells = bytes.chunks_exact(usize::try_from(voxel_type.size()).unwrap());
                let single: Vec<f64> = cells.map(|cell| voxel_type.value(cell)).collect();
                let mut many = vec![-1.0; single.len()];
                voxel_type.numbers(&bytes, &mut many);
                assert_eq!(many, single, "type {code}");
            }
        }
    }
}
