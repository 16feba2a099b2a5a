//! Gradient directions of frames in patient axes (LPS+).

use super::grid::{LpsDirection, Vector3, add_scaled, cross};
use crate::frames::{Attributes, PhaseAxis};

/// Lowest component of the slice normal (a unit vector) along the patient's long axis in a transversal image.
const TRANSVERSAL: f64 = 0.8;

/// Returns the gradient direction of a frame in patient axes; None if the header has none. A direction that the header
/// has in image axes is turned into patient axes and takes precedence, as in dcm2niix.
pub(super) fn direction(frame: &Attributes) -> Option<LpsDirection> {
    let along_image = frame.diffusion.image_direction.zip(frame.orientation);
    along_image.map_or(frame.diffusion.direction, |(direction, orientation)| {
        Some(in_patient_axes(direction, orientation))
    })
}

/// Returns the gradient direction of a frame, in patient axes, if its header has it by frequency, phase and slice
/// encoding only (classic GE); else None.
///
/// The signs along row, column and normal are those of transversal images. With phase along the columns, frequency is
/// opposite to the row, phase is opposite to the column, and slice is along the normal. With phase along the rows,
/// frequency is along the column, and phase is opposite to the row.
pub(super) fn encoding_direction(frame: &Attributes) -> Option<LpsDirection> {
    if direction(frame).is_some() {
        return None;
    }
    let [frequency, phase, slice] = frame.diffusion.encoding_direction?;
    let along_image = match frame.phase_axis? {
        PhaseAxis::Column => [-frequency, -phase, slice],
        PhaseAxis::Row => [-phase, frequency, slice],
    };
    Some(in_patient_axes(along_image, frame.orientation?))
}

/// Returns whether the signs of [`encoding_direction`] are certain: in transversal images of a patient who lies head
/// first and supine, with phase along the columns, and with rows that run to the patient's left (within 45 degrees). In
/// other images, dcm2niix has not validated them.
pub(super) fn has_known_signs(frame: &Attributes) -> bool {
    let Some([a, b, c, d, e, f]) = frame.orientation else {
        return false;
    };
    let [_, _, up] = cross([a, b, c], [d, e, f]);
    let is_unrotated = a > b.abs() && e > d.abs();
    frame.head_first_supine
        && frame.phase_axis == Some(PhaseAxis::Column)
        && up > TRANSVERSAL
        && is_unrotated
}

/// Turns a direction along the row, the column and the normal of an image into patient axes.
fn in_patient_axes([x, y, z]: Vector3, [a, b, c, d, e, f]: [f64; 6]) -> LpsDirection {
    let (row, column) = ([a, b, c], [d, e, f]);
    let in_plane = add_scaled(add_scaled([0.0; 3], x, row), y, column);
    add_scaled(in_plane, z, cross(row, column))
}

#[cfg(test)]
mod tests {
    use super::{encoding_direction, has_known_signs};
    use crate::frames::{Attributes, PhaseAxis};

    const TRANSVERSAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    const CORONAL: [f64; 6] = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0];
    const TURNED: [f64; 6] = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0];

    fn frame(phase_axis: Option<PhaseAxis>, orientation: [f64; 6]) -> Attributes {
        let mut frame = Attributes::default();
        frame.orientation = Some(orientation);
        frame.phase_axis = phase_axis;
        frame.head_first_supine = true;
        frame.diffusion.encoding_direction = Some([0.48, 0.6, 0.64]);
        frame
    }

    #[test]
    fn frequency_and_phase_are_along_the_rows_or_the_columns() {
        let along = |axis, orientation| {
            encoding_direction(&frame(axis, orientation)).map(|v| v.map(f64::abs))
        };
        let (row, column) = (Some(PhaseAxis::Row), Some(PhaseAxis::Column));
        assert_eq!(along(column, TRANSVERSAL), Some([0.48, 0.6, 0.64]));
        assert_eq!(along(row, TRANSVERSAL), Some([0.6, 0.48, 0.64]));
        assert_eq!(along(column, CORONAL), Some([0.48, 0.64, 0.6]));
        assert_eq!(along(None, TRANSVERSAL), None);
    }

    #[test]
    fn a_direction_in_patient_axes_is_preferred() {
        let mut frame = frame(Some(PhaseAxis::Column), TRANSVERSAL);
        frame.diffusion.direction = Some([0.0, 0.0, 1.0]);
        assert_eq!(encoding_direction(&frame), None);
    }

    #[test]
    fn signs_are_known_in_transversal_images_with_phase_along_the_columns() {
        let column = Some(PhaseAxis::Column);
        assert!(has_known_signs(&frame(column, TRANSVERSAL)));
        let mut prone = frame(column, TRANSVERSAL);
        prone.head_first_supine = false;
        for other in [
            frame(Some(PhaseAxis::Row), TRANSVERSAL),
            frame(column, CORONAL),
            frame(column, TURNED),
            prone,
        ] {
            assert!(!has_known_signs(&other));
        }
    }
}
