//! NIfTI images: headers, slices as pictures, and the comparison with the DICOM frames they were converted from.

mod check;
mod find;
mod gradient;
mod grid;
mod mask;
mod moments;
mod moved_volumes;
mod nifti;
mod order;
mod picture;
mod places;
mod report;
mod samples;
mod scaling;
mod split_images;
mod statistics;
mod statistics_error;
mod steady;
mod time_step;
mod unassigned;
mod values;
mod volume_parts;
mod voxel;

pub use check::compare;
pub use order::Order;
pub use picture::{colours, grey};
pub use report::{Comparison, ImageCheck, Unplaced};
pub use samples::Difference;
pub use statistics::{MIN_VOLUMES, Statistics, statistics};
pub use statistics_error::StatisticsError;
pub use voxel::Voxel;
