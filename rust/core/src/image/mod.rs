//! NIfTI images: their headers, their slices as pictures, and the comparison with the DICOM frames they were made of.

mod check;
mod find;
mod grid;
mod nifti;
mod order;
mod picture;
mod places;
mod report;
mod rest;
mod samples;
mod scaling;
mod torn;
mod values;
mod volumes;
mod voxel;

pub use check::compare;
pub use order::Order;
pub use picture::grey;
pub use report::{Comparison, ImageCheck, Unplaced};
pub use samples::Difference;
pub use voxel::Voxel;
