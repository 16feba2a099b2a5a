//! The two-dimensional frames of a DICOM object: position in the patient, storage of the pixels, and the attributes
//! that distinguish frames.
//!
//! An enhanced multi-frame object has one frame for each item of its per-frame functional groups (PS3.3 C.7.6.16). A
//! mosaic has one for each tile. Other objects have NumberOfFrames frames, by default 1. An object without pixel data has
//! none. [`parse`] does not read the pixel values.

mod attributes;
mod csa;
mod date_time;
mod dates;
mod details;
mod elements;
mod groups;
mod length;
mod lossless_jpeg;
mod midnight;
mod numbering;
mod object;
mod obstacle;
mod parse;
mod private;
mod protocol;
mod read;
mod rle;
mod series;
mod stored;
mod tiles;

pub use attributes::{Attributes, Component, Diffusion, PhaseAxis};
pub use details::{Details, details};
pub use lossless_jpeg::decode as decode_lossless_jpeg;
pub use object::{Frame, Object, PixelEncoding, Pixels, Tiling};
pub use obstacle::comparison_obstacle;
pub use read::{parse, pixel_data_offset};
pub use series::{Facts, FileError, Series};
pub use stored::{PixelReader, StoredValues, ValuesHasher, compared_rows};

pub(crate) use elements::{each_element, each_item};
pub(crate) use midnight::{continue_after_midnight, next_day_limit, span};
