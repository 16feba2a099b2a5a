//! NIfTI images: their headers, their slices as pictures, and the comparison with the DICOM frames they were made of.

mod check;
mod find;
mod grid;
mod nifti;
mod order;
mod picture;
mod places;
mod samples;
mod scaling;
mod values;
mod volumes;
mod voxel;

pub use check::{Comparison, ImageCheck, Unplaced, compare};
pub use order::Order;
pub use picture::grey;
pub use samples::Difference;
pub use voxel::Voxel;
