//! The core of qxbatch: reads DICOM headers, archives and packets, sorts files by series, packs and hashes, and
//! gives slices of images for pictures.
//!
//! No Python in it. `rust/py` is the binding; `python/qxbatch/_core.pyi` documents what Python sees.

pub mod acquired;
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
