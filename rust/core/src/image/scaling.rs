//! The scalings from stored values to the values of an image: all slices of an image must use the same kind of scaling.

use super::frame_positions::SeriesFrame;
use super::slice_rows::{difference, scalings_agree};
use crate::frames::{Attributes, StoredValues};

/// Slopes and intercepts that an image of a frame may have used: those of the rescaled values, of Philips'
/// floating-point values, and of the stored values. An option is None if the frame does not allow it.
type ScalingOptions = [Option<[f64; 2]>; 3];

/// The compared values of a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct SliceValues<'s> {
    /// Its voxels.
    pub voxels: &'s [f64],
    /// Slope and intercept of its image.
    pub scale: [f64; 2],
}

/// The scalings that agree with the slices of each image so far.
#[derive(Debug)]
pub(super) struct Scalings {
    /// Whether all frames have the same rescale slope and intercept, so that an image of stored values is correct too.
    has_uniform_rescale: bool,
    /// For each image, and for each of its [`ScalingOptions`], whether it agrees with all slices so far.
    possible_options: Vec<[bool; 3]>,
}

impl Scalings {
    /// Returns the scalings before any slice was compared; `images` is the number of images.
    pub(super) fn new(series_frames: &[SeriesFrame<'_>], images: usize) -> Self {
        let mut rescales = series_frames
            .iter()
            .map(|series_frame| rescale(&series_frame.frame.attributes));
        let first = rescales.next();
        Self {
            has_uniform_rescale: rescales.all(|rescale| Some(rescale) == first),
            possible_options: vec![[true; 3]; images],
        }
    }

    /// Returns the scalings that are correct for a frame.
    fn options(&self, series_frame: &SeriesFrame<'_>) -> ScalingOptions {
        let samples = series_frame.object.encoding.samples;
        // `StoredValues` has the sum of the samples of a colour pixel, a voxel has their mean.
        if samples > 1 {
            return [Some([1.0 / f64::from(samples), 0.0]), None, None];
        }
        let attributes = &series_frame.frame.attributes;
        let [slope, intercept] = rescale(attributes);
        // FP = DV / (RS x SS), DV = PV x RS + RI (Philips MR conformance statement).
        let float = attributes
            .philips_scale
            .map(|[scale, _]| scale)
            .filter(|scale| *scale != 0.0 && slope != 0.0)
            .map(|scale| [1.0 / scale, intercept / (slope * scale)]);
        let stored = self.has_uniform_rescale.then_some([1.0, 0.0]);
        [Some([slope, intercept]), float, stored]
    }

    /// Returns whether a slice shows a frame, by hashes: `hashes_equal` says whether the hash of the slice's voxels is
    /// that of the frame's stored values. Returns None if the `scale` of the image is none of the frame's scalings that
    /// the previous slices allow: then the values must be compared one by one.
    pub(super) fn fits_by_hashes(
        &mut self,
        image: usize,
        series_frame: &SeriesFrame<'_>,
        scale: [f64; 2],
        hashes_equal: bool,
    ) -> Option<bool> {
        let options = self.options(series_frame);
        let possible = self.possible_options.get_mut(image)?;
        let mut fits = [false; 3];
        for ((fit, possible), option) in fits.iter_mut().zip(*possible).zip(options) {
            *fit = possible && option.is_some_and(|option| scalings_agree(option, scale));
        }
        if !fits.contains(&true) {
            return None;
        }
        if hashes_equal {
            *possible = fits;
        }
        Some(hashes_equal)
    }

    /// Returns whether a slice shows a frame with a scaling that the previous slices allow.
    pub(super) fn fits(
        &mut self,
        image: usize,
        series_frame: &SeriesFrame<'_>,
        stored: &StoredValues,
        slice: SliceValues<'_>,
    ) -> bool {
        let options = self.options(series_frame);
        let Some(possible) = self.possible_options.get_mut(image) else {
            return false;
        };
        let mut fits = [false; 3];
        for ((fit, possible), option) in fits.iter_mut().zip(*possible).zip(options) {
            let same = |option| difference(stored, slice.voxels, option, slice.scale).is_none();
            *fit = possible && option.is_some_and(same);
        }
        let fits_any = fits.contains(&true);
        if fits_any {
            *possible = fits;
        }
        fits_any
    }

    /// Returns the first values that differ between a frame and a slice (see [`difference`]), with the first scaling
    /// that the previous slices of the image allow.
    pub(super) fn difference(
        &self,
        image: usize,
        series_frame: &SeriesFrame<'_>,
        stored: &StoredValues,
        slice: SliceValues<'_>,
    ) -> Option<(f64, f64)> {
        let possible = self
            .possible_options
            .get(image)
            .copied()
            .unwrap_or([true; 3]);
        let options = self.options(series_frame);
        let option = possible
            .into_iter()
            .zip(options)
            .find_map(|(possible, option)| option.filter(|_| possible));
        difference(
            stored,
            slice.voxels,
            option.unwrap_or([1.0, 0.0]),
            slice.scale,
        )
    }
}

/// Returns the rescale slope and intercept of a frame; 1 and 0 without them.
fn rescale(attributes: &Attributes) -> [f64; 2] {
    attributes.rescale.unwrap_or([1.0, 0.0])
}
