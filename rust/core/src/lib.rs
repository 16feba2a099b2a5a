//! The core of qxbatch: reads packets, sorts and packs their DICOM files by series, and compares NIfTI images with the
//! DICOM files they were converted from.
//!
//! It is independent of Python. `rust/py` is the binding; `python/qxbatch/_core.pyi` documents the Python API.

pub mod archive;
pub mod dicomdir;
pub mod frames;
pub mod header;
pub mod image;
pub mod ingest;
pub mod monitor;
pub mod notation;
pub mod pack;
mod regular;
pub mod scan;
pub mod series;
pub mod stacks;
