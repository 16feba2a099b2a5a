//! Images that are parts of one volume, or volumes of one scan, and should be one image.

use super::frame_positions::SeriesFrame;
use super::grid::Grid;
use super::matches::ImageMatch;
use super::nifti::Nifti;
use crate::frames::Component;

/// All images of a series, and its frames.
pub(super) struct SeriesImages<'s> {
    pub images: &'s [Nifti],
    /// Whether each image repeats frames of the other images.
    pub repeats_frames: &'s [bool],
    /// The grid of each image; None if its affine cannot be inverted.
    pub grids: &'s [Option<Grid>],
    /// The frames that each image shows.
    pub matches: &'s [ImageMatch],
    /// The frames of the series; the indices in `matches` refer to them.
    pub series_frames: &'s [SeriesFrame<'s>],
}

impl SeriesImages<'_> {
    /// Returns the indices of two other images: the first one whose slices belong to the same volumes as those of
    /// `image`, and the first one with other volumes of the same slices. Each is None if there is no such image. An image
    /// that repeats frames of other images is related to none.
    pub(super) fn related_images(&self, image: usize) -> (Option<usize>, Option<usize>) {
        let (grids, matches, series_frames) = (self.grids, self.matches, self.series_frames);
        let Some((own, grid)) =
            scan_properties(image, matches, series_frames).zip(grid_of(grids, image))
        else {
            return (None, None);
        };
        let volumes = |index: usize| self.images.get(index).map(|image| image.volumes);
        let others = || {
            (0..self.images.len()).filter(|&other| {
                let repeats =
                    |index: usize| self.repeats_frames.get(index).copied().unwrap_or(false);
                other != image && !repeats(image) && !repeats(other)
            })
        };
        let has_same_properties = |other: usize| {
            scan_properties(other, matches, series_frames)
                .is_some_and(|properties| properties.agree(&own))
        };
        let has_several_slices = grid.size.iter().min() > Some(&1);
        let same_volume_as = others().find(|&other| {
            let adjacent =
                grid_of(grids, other).filter(|second| has_several_slices && grid.continues(second));
            adjacent.is_some() && volumes(other) == volumes(image) && has_same_properties(other)
        });
        let same_scan_as = others().find(|&other| {
            let coinciding = grid_of(grids, other).filter(|second| grid.coincides(second));
            coinciding.is_some() && has_same_properties(other)
        });
        (same_volume_as, same_scan_as)
    }
}

/// Returns the properties of an image, from the first frame that it shows; None if it shows no frame.
fn scan_properties(
    image: usize,
    matches: &[ImageMatch],
    series_frames: &[SeriesFrame<'_>],
) -> Option<ScanProperties> {
    let mut frames = matches.get(image)?.frames.iter().flatten();
    let series_frame = series_frames.get(frames.find_map(|frame| *frame)?)?;
    let frame = &series_frame.frame.attributes;
    Some(ScanProperties {
        exact: (
            frame.image_type_hash,
            frame.ge_image_kind,
            frame.ge_component,
            frame.component,
            frame.stack_id_hash,
            frame.coil_hash,
            series_frame.object.encoding.samples,
        ),
        rounded: [
            frame.echo_time,
            frame.repetition_time,
            frame.inversion_time,
            frame.flip_angle,
            frame.trigger_time,
        ],
    })
}

fn grid_of(grids: &[Option<Grid>], index: usize) -> Option<&Grid> {
    grids.get(index)?.as_ref()
}

/// Properties that agree if two images are parts of one scan.
#[derive(Debug, PartialEq)]
struct ScanProperties {
    /// Must be equal: hash of the image type, kind of image and component (both of GE), component, hash of the stack id,
    /// hash of the coil, samples per pixel.
    exact: (u64, Option<i64>, Option<i64>, Component, u64, u64, u16),
    /// May differ a little: echo time, repetition time, inversion time, flip angle, trigger time.
    rounded: [Option<f64>; 5],
}

impl ScanProperties {
    /// Returns whether two images agree in all properties. Times and angles may differ by 1 percent: scanners round them.
    fn agree(&self, other: &Self) -> bool {
        let near = |number: &Option<f64>, other: &Option<f64>| match (number, other) {
            (Some(number), Some(other)) => (number - other).abs() <= 0.01 * number.abs(),
            (number, other) => number == other,
        };
        self.exact == other.exact
            && self
                .rounded
                .iter()
                .zip(&other.rounded)
                .all(|(number, other)| near(number, other))
    }
}
