//! Mosaics: one stored image with all slices of a volume as tiles.

use super::attributes::Attributes;
use super::object::{Frame, Object, Tiling};

impl Tiling {
    /// Returns a grid of `count` tiles. Its width is the square root of the count, rounded up. Its height is the same
    /// if the grid is `square` (Siemens), else the number of rows that are needed (United Imaging).
    /// `has_direction` says whether the header has the direction in which the slices follow each other.
    fn of(object: &Object, count: u32, has_direction: bool, square: bool) -> Self {
        let across = ceil_root(count);
        let down = if square {
            across
        } else {
            count.div_ceil(across.max(1))
        };
        Self {
            count,
            tiles_per_row: across,
            rows: object.rows / down.max(1),
            columns: object.columns / across.max(1),
            has_direction,
        }
    }
}

/// Returns the square root of a count, rounded up.
fn ceil_root(count: u32) -> u32 {
    let mut root = count.isqrt();
    if root.saturating_mul(root) < count {
        root = root.saturating_add(1);
    }
    root
}

/// What the header says about tiles.
#[derive(Debug, Default)]
pub(super) struct Tiles {
    /// Whether ImageType names a mosaic.
    pub is_mosaic: bool,
    /// Number of tiles with a slice.
    pub count: Option<u32>,
    /// The direction in which the slices follow each other.
    pub normal: Option<[f64; 3]>,
    /// United Imaging: the position of each tile.
    pub positions: Vec<[f64; 3]>,
    /// Whether ImageType names a mosaic of United Imaging.
    pub is_uih: bool,
}

impl Tiles {
    /// Sets the tiling of a mosaic, and one frame for each tile; `main` are the attributes of its stored image.
    pub(super) fn divide(&self, object: &mut Object, main: &Attributes) {
        let count = self.count.unwrap_or(0);
        let has_direction = self.normal.is_some() || self.positions.len() == count as usize;
        let tiling = Tiling::of(object, count, has_direction, !self.is_uih);
        object.tiling = Some(tiling);
        object.frames = (0..count)
            .map(|index| Frame {
                attributes: Attributes {
                    position: self.position(object, main, &tiling, index),
                    ..main.clone()
                },
                index,
                values_hash: None,
            })
            .collect();
    }

    /// Returns the position of a tile's slice; None if the header does not determine it.
    fn position(
        &self,
        object: &Object,
        main: &Attributes,
        tiling: &Tiling,
        index: u32,
    ) -> Option<[f64; 3]> {
        if let Some(position) = self.positions.get(index as usize) {
            return Some(*position);
        }
        let ([x, y, z], normal) = (main.position?, self.normal?);
        let [a, b, c, d, e, f] = main.orientation?;
        let [between_rows, between_columns] = main.spacing?;
        // ImagePositionPatient is that of a slice as large as the whole grid, whose centre is the centre of the first
        // tile's slice.
        let right =
            f64::from(object.columns.saturating_sub(tiling.columns)) / 2.0 * between_columns;
        let down = f64::from(object.rows.saturating_sub(tiling.rows)) / 2.0 * between_rows;
        let along = f64::from(index) * main.slice_spacing?;
        let [p, q, r] = normal;
        Some([
            x + right * a + down * d + along * p,
            y + right * b + down * e + along * q,
            z + right * c + down * f + along * r,
        ])
    }
}
