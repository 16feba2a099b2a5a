//! The core of qxbatch: reads DICOM headers, archives and packets, sorts files by series, packs and hashes, compares
//! images with their headers, and extracts slices of images for pictures.
//!
//! It is independent of Python. `rust/py` is the binding; `python/qxbatch/_core.pyi` documents the Python API.

pub mod archive;
pub mod directory;
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
