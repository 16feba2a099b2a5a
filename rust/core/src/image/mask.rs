//! The mask of a time series: the voxels of the scanned object, from the mean image.

use super::volume_reader::BLOCK;

/// A voxel belongs to the mask if its mean is above this fraction of the mask's median.
const THRESHOLD_FRACTION: f32 = 0.5;
/// Limit on the iterations until the threshold is stable; real images need fewer.
const MAX_ITERATIONS: usize = 50;
/// The colour scale of a map ends at a limit that about this fraction of its values do not exceed ([`upper_limit`]).
const DISPLAYED_FRACTION: f64 = 0.98;

/// The voxels of a mask.
#[derive(Debug)]
pub(super) struct Mask {
    /// Whether each voxel of a volume is in the mask.
    in_mask: Vec<bool>,
    /// Number of voxels in the mask.
    pub count: usize,
}

impl Mask {
    /// Returns the mask of the block of voxels that starts at `first`: for each voxel all bits set, or none. None if no
    /// voxel of the block is in the mask.
    pub(super) fn block(&self, first: usize) -> Option<[u64; BLOCK]> {
        let mut bits = [0; BLOCK];
        let inside = self.in_mask.get(first..).unwrap_or_default();
        for (bits, inside) in bits.iter_mut().zip(inside) {
            *bits = if *inside { u64::MAX } else { 0 };
        }
        bits.iter().any(|bits| *bits != 0).then_some(bits)
    }

    /// Returns a range of whole blocks that contains all voxels of the mask from `first`, where a block starts, to
    /// `end`; a last block that goes past `end` is cut there. None if none of these voxels is in the mask.
    pub(super) fn span(&self, first: usize, end: usize) -> Option<(usize, usize)> {
        let inside = self.in_mask.get(first..end)?;
        let from = inside.iter().position(|inside| *inside)?;
        let last = inside.iter().rposition(|inside| *inside)?;
        Some((
            first + from / BLOCK * BLOCK,
            (first + (last / BLOCK + 1) * BLOCK).min(end),
        ))
    }
}

/// Returns the voxels above a threshold that is half the median of the voxels above it; None if no voxel is positive,
/// or if a positive voxel is infinite.
///
/// The search starts from half the mean of the positive voxels. AFNI's 3dClipLevel searches for such a threshold, too.
pub(super) fn mask(mean: &[f32]) -> Option<Mask> {
    let mut positive: Vec<f32> = mean.iter().copied().filter(|value| *value > 0.0).collect();
    let threshold = threshold(&mut positive)?;
    let in_mask: Vec<bool> = mean.iter().map(|value| *value > threshold).collect();
    let count = in_mask.iter().filter(|inside| **inside).count();
    (count > 0).then_some(Mask { in_mask, count })
}

/// Returns the threshold of [`mask`]; None if no value is above it. `values` are the positive voxels, which it
/// reorders.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a number of voxels, and the first guess at a threshold"
)]
fn threshold(values: &mut [f32]) -> Option<f32> {
    let sum: f64 = values.iter().copied().map(f64::from).sum();
    let mut threshold = (sum / values.len().max(1) as f64) as f32 * THRESHOLD_FRACTION;
    for _ in 0..MAX_ITERATIONS {
        let above = partition_above(values, threshold);
        let (_, middle, _) = values
            .get_mut(..above)
            .filter(|values| !values.is_empty())?
            .select_nth_unstable_by(above / 2, f32::total_cmp);
        let next = *middle * THRESHOLD_FRACTION;
        if next.to_bits() == threshold.to_bits() {
            break;
        }
        threshold = next;
    }
    Some(threshold)
}

/// Moves the values above a threshold to the front; returns their number.
fn partition_above(values: &mut [f32], threshold: f32) -> usize {
    let mut above = 0;
    for index in 0..values.len() {
        if values.get(index).is_some_and(|value| *value > threshold) {
            values.swap(above, index);
            above += 1;
        }
    }
    above
}

/// Returns a round number that nearly all values do not exceed (see [`DISPLAYED_FRACTION`]). Reorders the values.
///
/// None without values, or if the value at that fraction is not positive or not finite.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index among the voxels of a volume"
)]
pub(super) fn upper_limit(values: &mut [f32]) -> Option<f64> {
    let at = (values.len().checked_sub(1)? as f64 * DISPLAYED_FRACTION) as usize;
    let (_, high, _) = values.select_nth_unstable_by(at, f32::total_cmp);
    let high = f64::from(*high);
    let step = 10_f64.powf(high.log10().floor()) / 2.0;
    let limit = (high / step).ceil() * step;
    limit.is_finite().then_some(limit)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::float_cmp,
        clippy::cast_precision_loss
    )]

    use super::{BLOCK, mask, upper_limit};

    #[test]
    fn what_is_bright_belongs_to_the_object() {
        let mut mean = vec![10.0; 1000];
        mean.extend([900.0; 300]);
        mean.extend([0.0, -900.0, 1100.0, 480.0, 400.0]);
        let mask = mask(&mean).unwrap();
        assert_eq!(mask.count, 302);
        assert_eq!(mask.span(0, mean.len()), Some((960, mean.len())));
        assert_eq!(mask.span(64, 1024), Some((960, 1024)));
        assert_eq!(mask.span(0, 1000), None);
        assert_eq!(mask.block(896), None);
        let bits = mask.block(1280).unwrap();
        let inside: Vec<usize> = (0..BLOCK).filter(|index| bits[*index] != 0).collect();
        assert_eq!(inside, (0..20).chain([22, 23]).collect::<Vec<_>>());
    }

    #[test]
    fn an_image_without_a_positive_voxel_has_no_mask() {
        for mean in [vec![], vec![0.0, -3.0], vec![f32::INFINITY]] {
            assert!(mask(&mean).is_none());
        }
        assert_eq!(mask(&[5.0; 8]).unwrap().count, 8);
    }

    #[test]
    fn the_limit_is_a_round_number_above_nearly_all_values() {
        let mut values: Vec<f32> = (0..1000).map(|value| value as f32 / 8.0).collect();
        assert_eq!(upper_limit(&mut values), Some(150.0));
        assert_eq!(upper_limit(&mut [41.0]), Some(45.0));
        assert_eq!(upper_limit(&mut []), None);
    }
}
