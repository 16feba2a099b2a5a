//! Elements that label the volumes of an image in some scans, without an order of time.

use super::frame_positions::SeriesFrame;
use super::volume_ranks::{have_equal_values, volume_ranks};
use crate::frames::Attributes;

/// The name of an element, and a function that returns a number that is equal for equal values; None if a frame has none.
type LabelKey = (&'static str, fn(&Attributes) -> Option<u64>);

const LABELS: [LabelKey; 6] = [
    ("StackID", |frame| {
        Some(frame.stack_id_hash).filter(|hash| *hash != 0)
    }),
    ("EchoNumbers", |frame| frame.echo_number.map(bits)),
    ("InversionTime", |frame| {
        frame.inversion_time.map(f64::to_bits)
    }),
    ("ImageType", |frame| {
        Some(frame.image_type_hash).filter(|hash| *hash != 0)
    }),
    ("(2005,xx63) or (0019,xxA2)", |frame| {
        frame.vendor_numbers[0].map(bits)
    }),
    ("(2001,xx08)", |frame| frame.vendor_numbers[1].map(bits)),
];

fn bits(number: i64) -> u64 {
    u64::from_ne_bytes(number.to_ne_bytes())
}

/// Returns the elements that label each volume of all slices, with their values `[slice][volume]`: all slices have the
/// same values, each of them once.
pub(super) fn volume_labels<'f>(
    series_frames: &'f [SeriesFrame<'_>],
    frames: &'f [Vec<Option<usize>>],
) -> impl Iterator<Item = (&'static str, Vec<Vec<u64>>)> {
    LABELS.into_iter().filter_map(|(name, key)| {
        let value = |frame: &Option<usize>| key(&series_frames.get((*frame)?)?.frame.attributes);
        let rows: Option<Vec<Vec<u64>>> = frames
            .iter()
            .map(|volumes| volumes.iter().map(value).collect())
            .collect();
        let rows = rows.filter(|rows| have_equal_values(rows))?;
        volume_ranks(&rows, Ord::cmp)?;
        Some((name, rows))
    })
}

/// Returns whether an element labels the volumes of all slices, and each volume has one of its values.
pub(super) fn has_labelled_volumes(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
) -> bool {
    volume_labels(series_frames, frames)
        .any(|(_, rows)| rows.iter().all(|row| Some(row) == rows.first()))
}
