//! Locates a DICOM frame in the grid of an image.

use super::nifti::Nifti;
use crate::frames::Attributes;

/// Limit on the distance between images that are volumes of one scan, mm.
const MAX_VOLUME_DISTANCE: f64 = 4.0;

/// A point or direction with three coordinates. A more specific type says which axes it has.
pub(super) type Vector3 = [f64; 3];
/// A point in the patient axes of NIfTI (RAS+), mm.
pub(super) type RasPoint = Vector3;
/// A direction in the patient axes of DICOM (LPS+).
pub(super) type LpsDirection = Vector3;
/// A position in the axes of an image, in voxels.
type VoxelPosition = Vector3;

/// Returns the difference of two points.
pub(super) fn minus(a: Vector3, b: Vector3) -> Vector3 {
    let ([a, b, c], [d, e, f]) = (a, b);
    [a - d, b - e, c - f]
}

/// Returns the point `a`, moved by `along` times the direction `b`.
pub(super) fn add_scaled(a: Vector3, along: f64, b: Vector3) -> Vector3 {
    let ([a, b, c], [d, e, f]) = (a, b);
    [a + along * d, b + along * e, c + along * f]
}

/// Returns the scalar product.
pub(super) fn dot(a: Vector3, b: Vector3) -> f64 {
    let ([a, b, c], [d, e, f]) = (a, b);
    a * d + b * e + c * f
}

/// Returns the vector product.
pub(super) fn cross(a: Vector3, b: Vector3) -> Vector3 {
    let ([a, b, c], [d, e, f]) = (a, b);
    [b * f - c * e, c * d - a * f, a * e - b * d]
}

/// Returns the length of a vector.
pub(super) fn norm(a: Vector3) -> f64 {
    dot(a, a).sqrt()
}

/// Returns the angle between two directions, rad.
pub(super) fn angle(a: Vector3, b: Vector3) -> f64 {
    norm(cross(a, b)).atan2(dot(a, b))
}

/// The plane of a frame in RAS+ mm, the axes of NIfTI.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plane {
    /// Centre of the first pixel.
    pub corner: RasPoint,
    /// Unit vectors (RAS+) along a row and along a column.
    pub axes: [Vector3; 2],
    /// Distances between columns and between rows, mm.
    pub spacing: [f64; 2],
    /// Number of columns and of rows.
    pub size: [u32; 2],
}

impl Plane {
    /// Returns the plane of a frame; None if its header is incomplete, the directions are not perpendicular unit
    /// vectors, or a pixel spacing is not positive.
    pub(super) fn of(attributes: &Attributes, columns: u32, rows: u32) -> Option<Self> {
        let [x, y, z] = attributes.position?;
        let [a, b, c, d, e, f] = attributes.orientation?;
        let [between_rows, between_columns] = attributes.spacing?;
        let axes = [[-a, -b, c], [-d, -e, f]];
        let [row, column] = axes;
        let is_orthonormal = (norm(row) - 1.0).abs() < 0.05
            && (norm(column) - 1.0).abs() < 0.05
            && dot(row, column).abs() < 0.05;
        (is_orthonormal && between_rows > 0.0 && between_columns > 0.0).then_some(Self {
            corner: [-x, -y, z],
            axes,
            spacing: [between_columns, between_rows],
            size: [columns, rows],
        })
    }

    /// Returns the unit normal.
    pub(super) fn normal(&self) -> Vector3 {
        let [row, column] = self.axes;
        cross(row, column)
    }

    /// Returns the centre of the frame.
    pub(super) fn centre(&self) -> RasPoint {
        self.point([0.5, 0.5])
    }

    /// Returns the point at a fraction of a row and of a column: 0 is the first pixel, 1 the last.
    pub(super) fn point(&self, fraction: [f64; 2]) -> RasPoint {
        let mut point = self.corner;
        for (((part, size), spacing), axis) in fraction
            .into_iter()
            .zip(self.size)
            .zip(self.spacing)
            .zip(self.axes)
        {
            point = add_scaled(
                point,
                part * f64::from(size.saturating_sub(1)) * spacing,
                axis,
            );
        }
        point
    }

    /// Returns half the diagonal, mm.
    pub(super) fn radius(&self) -> f64 {
        norm(minus(self.point([1.0, 1.0]), self.corner)) / 2.0
    }

    /// Returns the largest angle between the axes of two planes, rad.
    pub(super) fn angle(&self, other: &Self) -> f64 {
        let pairs = self.axes.into_iter().zip(other.axes);
        pairs
            .map(|(axis, other_axis)| angle(axis, other_axis))
            .fold(0.0, f64::max)
    }
}

/// How the axes of a frame map to the axes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AxisMap {
    /// The image axes along a row, along a column, and from slice to slice.
    pub axes: [usize; 3],
    /// Whether rows and columns run in the opposite direction of their image axis.
    pub reversed: [bool; 2],
}

/// Where a frame is in an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Location {
    pub axis_map: AxisMap,
    /// Index of the nearest slice along the slice axis.
    pub slice: u32,
    /// Distance between the centres of the frame and that slice, mm.
    pub distance: f64,
    /// The largest distance of a corner of the frame from that of the slice, mm.
    pub corner_distance: f64,
}

/// The grid of an image.
#[derive(Debug)]
pub(super) struct Grid {
    /// Rows of the matrix from voxel coordinates to RAS+ mm.
    affine: [[f64; 4]; 3],
    /// Rows of the inverse of the first three columns of `affine`.
    inverse: [[f64; 3]; 3],
    /// Number of voxels along each axis.
    pub size: [u32; 3],
}

impl Grid {
    /// Returns the grid of an image; None if its affine cannot be inverted.
    pub(super) fn of(image: &Nifti) -> Option<Self> {
        let [[a, b, c, _], [d, e, f, _], [g, h, i, _]] = image.affine;
        let rows = [[a, b, c], [d, e, f], [g, h, i]];
        let [p, q, r] = rows;
        let determinant = dot(p, cross(q, r));
        if determinant.abs() < 1e-12 || !determinant.is_finite() {
            return None;
        }
        // Columns of the inverse are the cross products of the rows.
        let columns = [cross(q, r), cross(r, p), cross(p, q)];
        let [u, v, w] = columns;
        let row = |index: usize| {
            [u, v, w].map(|column| column.get(index).copied().unwrap_or(0.0) / determinant)
        };
        Some(Self {
            affine: image.affine,
            inverse: [row(0), row(1), row(2)],
            size: image.size,
        })
    }

    /// Returns the vector (RAS+) from one voxel to the next along an axis, mm.
    pub(super) fn step(&self, axis: usize) -> Vector3 {
        self.affine.map(|row| row.get(axis).copied().unwrap_or(0.0))
    }

    /// Returns the largest angle between a plane's axes and the image axes they map to, rad.
    pub(super) fn angle(&self, plane: &Plane, axis_map: &AxisMap) -> f64 {
        let runs = axis_map
            .axes
            .into_iter()
            .zip(axis_map.reversed)
            .zip(plane.axes);
        runs.map(|((axis, reversed), direction)| {
            let sign = if reversed { -1.0 } else { 1.0 };
            angle(direction, self.step(axis).map(|part| part * sign))
        })
        .fold(0.0, f64::max)
    }

    /// Turns a position in voxels into a point.
    fn to_ras(&self, voxel: VoxelPosition) -> RasPoint {
        self.affine.map(|[a, b, c, d]| dot([a, b, c], voxel) + d)
    }

    /// Turns a point into a position in voxels.
    fn to_voxel(&self, point: RasPoint) -> VoxelPosition {
        let origin = self.affine.map(|[.., end]| end);
        self.inverse.map(|row| dot(row, minus(point, origin)))
    }

    /// Returns the number of voxels along an axis.
    pub(super) fn axis_size(&self, axis: usize) -> u32 {
        self.size.get(axis).copied().unwrap_or(1)
    }

    /// Returns the axes that a plane's rows and columns map to, independent of the plane's position; None if no axes
    /// have their directions and sizes.
    pub(super) fn axis_map(&self, plane: &Plane) -> Option<AxisMap> {
        let mut axes = [0; 2];
        let mut reversed = [false; 2];
        for (index, direction) in plane.axes.into_iter().enumerate() {
            let cosines = [0, 1, 2].map(|axis| {
                let step = self.step(axis);
                dot(direction, step) / norm(step).max(1e-9)
            });
            let (axis, cosine) = cosines
                .into_iter()
                .enumerate()
                .max_by(|(_, one), (_, two)| one.abs().total_cmp(&two.abs()))?;
            if cosine.abs() < 0.99 || self.axis_size(axis) != plane.size.get(index).copied()? {
                return None;
            }
            *axes.get_mut(index)? = axis;
            *reversed.get_mut(index)? = cosine < 0.0;
        }
        let [rows, columns] = axes;
        (rows != columns).then_some(AxisMap {
            axes: [rows, columns, 3 - rows - columns],
            reversed,
        })
    }

    /// Locates a frame in the image; returns None if its size or directions differ from the image's.
    pub(super) fn locate(&self, plane: &Plane) -> Option<Location> {
        let axis_map = self.axis_map(plane)?;
        let [.., axis] = axis_map.axes;
        let centre = self.to_voxel(plane.centre());
        let along = centre.get(axis).copied()?;
        let last = f64::from(self.axis_size(axis).saturating_sub(1));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the size of the axis"
        )]
        let slice = along.round().clamp(0.0, last) as u32;
        let distance = |fraction: [f64; 2]| {
            norm(minus(
                plane.point(fraction),
                self.point(&axis_map, slice, fraction),
            ))
        };
        let corners = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        Some(Location {
            axis_map,
            slice,
            distance: distance([0.5, 0.5]),
            corner_distance: corners.into_iter().map(distance).fold(0.0, f64::max),
        })
    }

    /// Returns the point of a slice at a fraction of the frame's rows and columns.
    pub(super) fn point(&self, axis_map: &AxisMap, slice: u32, fraction: [f64; 2]) -> RasPoint {
        let mut voxel = [0.0; 3];
        let [.., axis] = axis_map.axes;
        if let Some(slot) = voxel.get_mut(axis) {
            *slot = f64::from(slice);
        }
        for ((axis, reversed), part) in axis_map
            .axes
            .into_iter()
            .zip(axis_map.reversed)
            .zip(fraction)
        {
            let last = f64::from(self.axis_size(axis).saturating_sub(1));
            if let Some(slot) = voxel.get_mut(axis) {
                *slot = last * if reversed { 1.0 - part } else { part };
            }
        }
        self.to_ras(voxel)
    }

    /// Returns the centre of a slice along the third axis.
    fn slice_centre(&self, slice: f64) -> RasPoint {
        let [x, y, _] = self.size.map(|size| f64::from(size - 1) / 2.0);
        self.to_ras([x, y, slice])
    }

    /// Returns the positions of the slices along a direction, mm, ascending; slices follow the third axis.
    fn slices_along(&self, normal: Vector3) -> Vec<f64> {
        let [origin, end] = [0, 1].map(|slice| dot(self.slice_centre(f64::from(slice)), normal));
        let [.., count] = self.size;
        let mut positions: Vec<f64> = (0..count)
            .map(|slice| origin + f64::from(slice) * (end - origin))
            .collect();
        positions.sort_by(f64::total_cmp);
        positions
    }

    /// Returns whether the slices of another image have the same number of rows and columns, pixel size and directions.
    fn is_parallel_to(&self, other: &Self) -> bool {
        let ([x, y, _], [u, v, _]) = (self.size, other.size);
        let close = |axis: usize| {
            let (one, two) = (self.step(axis), other.step(axis));
            angle(one, two) < 0.01 && (norm(one) - norm(two)).abs() < 0.01 * norm(one)
        };
        (x, y) == (u, v) && close(0) && close(1)
    }

    /// Returns whether another image has the same grid, up to a movement of less than [`MAX_VOLUME_DISTANCE`].
    pub(super) fn coincides(&self, other: &Self) -> bool {
        let distance = norm(minus(self.slice_centre(0.0), other.slice_centre(0.0)));
        let step_difference = norm(minus(self.step(2), other.step(2)));
        self.size == other.size
            && self.is_parallel_to(other)
            && distance < MAX_VOLUME_DISTANCE
            && step_difference < 0.1
    }

    /// Returns whether the slices of another, parallel image fill gaps between the slices of this image, or continue
    /// them at the same step. False if slices of the two images are at the same place, if the images are shifted in
    /// their plane, or if this image has one slice.
    pub(super) fn continues(&self, other: &Self) -> bool {
        if !self.is_parallel_to(other) {
            return false;
        }
        let perpendicular = cross(self.step(0), self.step(1));
        let normal = perpendicular.map(|part| part / norm(perpendicular).max(1e-9));
        let shift = minus(other.slice_centre(0.0), self.slice_centre(0.0));
        let shift_in_plane = minus(shift, normal.map(|part| part * dot(shift, normal)));
        let (positions, others) = (self.slices_along(normal), other.slices_along(normal));
        let ([first, second, ..], Some(last)) = (positions.as_slice(), positions.last()) else {
            return false;
        };
        let step = second - first;
        if norm(shift_in_plane) > 1.0
            || others.iter().any(|other| {
                positions
                    .iter()
                    .any(|position| (position - other).abs() < 0.25 * step)
            })
        {
            return false;
        }
        let between = others
            .iter()
            .any(|position| position > first && position < last);
        let next = |gap: f64| (gap - step).abs() < 0.1;
        let after = others.first().is_some_and(|position| next(position - last));
        let before = others.last().is_some_and(|position| next(first - position));
        between || after || before
    }
}
