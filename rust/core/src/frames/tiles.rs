//! Mosaics: one stored image with all slices of a volume as tiles.

use super::attributes::Attributes;
use super::object::{Frame, Object, Tiling};

impl Tiling {
    /// Returns a grid of `count` tiles; its width is the square root of the count, rounded up, and so is its height if
    /// it is `square` (Siemens, not United Imaging).
    fn of(object: &Object, count: u32, directed: bool, square: bool) -> Self {
        let across = ceil_root(count);
        let down = if square {
            across
        } else {
            count.div_ceil(across.max(1))
        };
        Self {
            count,
            across,
            rows: object.rows / down.max(1),
            columns: object.columns / across.max(1),
            directed,
        }
    }
}

fn ceil_root(count: u32) -> u32 {
    let mut root = count.isqrt();
    if root.saturating_mul(root) < count {
        root = root.saturating_add(1);
    }
    root
}

/// Tile attributes of the header.
#[derive(Debug, Default)]
pub(super) struct Tiles {
    pub mosaic: bool,
    pub count: Option<u32>,
    /// The direction in which the slices follow each other.
    pub normal: Option<[f64; 3]>,
    /// United Imaging: the position of each tile.
    pub positions: Vec<[f64; 3]>,
    pub uih: bool,
}

impl Tiles {
    /// Divides the single frame of a mosaic into one frame for each tile.
    pub(super) fn divide(&self, object: &mut Object, whole: &Attributes) {
        let count = self.count.unwrap_or(0);
        let directed = self.normal.is_some() || self.positions.len() == count as usize;
        let tiling = Tiling::of(object, count, directed, !self.uih);
        object.tiling = Some(tiling);
        object.frames = (0..count)
            .map(|index| Frame {
                attributes: Attributes {
                    position: self.position(object, whole, &tiling, index),
                    ..whole.clone()
                },
                index,
                signature: None,
            })
            .collect();
    }

    fn position(
        &self,
        object: &Object,
        whole: &Attributes,
        tiling: &Tiling,
        index: u32,
    ) -> Option<[f64; 3]> {
        if let Some(position) = self.positions.get(index as usize) {
            return Some(*position);
        }
        let ([x, y, z], normal) = (whole.position?, self.normal?);
        let [a, b, c, d, e, f] = whole.orientation?;
        let [between_rows, between_columns] = whole.spacing?;
        // ImagePositionPatient is that of a slice as large as the whole grid, with the same centre.
        let right =
            f64::from(object.columns.saturating_sub(tiling.columns)) / 2.0 * between_columns;
        let down = f64::from(object.rows.saturating_sub(tiling.rows)) / 2.0 * between_rows;
        let along = f64::from(index) * whole.slice_spacing?;
        let [p, q, r] = normal;
        Some([
            x + right * a + down * d + along * p,
            y + right * b + down * e + along * q,
            z + right * c + down * f + along * r,
        ])
    }
}
