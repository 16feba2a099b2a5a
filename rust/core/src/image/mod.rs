//! NIfTI images: headers, slices as pictures, statistics of time series, and the comparison with the DICOM frames they
//! were converted from.

mod candidate_slices;
mod check;
mod exchanged_slices;
mod frame_order;
mod frame_positions;
mod frame_values;
mod frames_at_position;
mod gradient;
mod grid;
mod mask;
mod matches;
mod mixed_volume;
mod moments;
mod moved_volumes;
mod nifti;
mod picture;
mod repeated_frames;
mod report;
mod scaling;
mod slice_rows;
mod split_images;
mod statistics;
mod statistics_error;
mod steady;
mod time_step;
mod unreadable_frames;
mod value_matcher;
mod volume_labels;
mod volume_order;
mod volume_ranks;
mod volume_reader;
mod voxel_type;

pub use check::compare;
pub use picture::{colours, grey};
pub use report::{Comparison, ImageCheck, MisplacedFrame, RepeatedFrame};
pub use slice_rows::Difference;
pub use statistics::{MIN_VOLUMES, Statistics, statistics};
pub use statistics_error::StatisticsError;
pub use volume_order::VolumeOrder;
pub use voxel_type::VoxelType;
