//! The Python extension `qxbatch._core`: converts arguments, calls the core, converts the result.

mod failure;
mod group;
mod header;
mod image;
mod ingest;
mod monitor;
mod pack;
mod scan;
mod stacks;
mod statistics;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// Documented in `python/qxbatch/_core.pyi`, and in `_images.pyi` and `_stacks.pyi` beside it.
#[pymodule]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add("FIELDS", PyTuple::new(m.py(), header::keywords())?)?;
    m.add("VERSION", env!("CARGO_PKG_VERSION"))?;
    m.add(
        "CancelledError",
        m.py().get_type::<monitor::CancelledError>(),
    )?;
    m.add_class::<monitor::Monitor>()?;
    m.add_class::<header::Header>()?;
    m.add_class::<group::Group>()?;
    m.add_class::<scan::ScannedFiles>()?;
    m.add_function(wrap_pyfunction!(header::read_header, m)?)?;
    m.add_function(wrap_pyfunction!(scan::scan_files, m)?)?;
    m.add_class::<ingest::Row>()?;
    m.add_class::<ingest::Reading>()?;
    m.add_class::<ingest::DeflateStreams>()?;
    m.add_function(wrap_pyfunction!(ingest::ingest, m)?)?;
    m.add_function(wrap_pyfunction!(ingest::is_archive, m)?)?;
    m.add_function(wrap_pyfunction!(ingest::sniff, m)?)?;
    m.add_function(wrap_pyfunction!(pack::pack_folder, m)?)?;
    m.add_function(wrap_pyfunction!(pack::gzip_file, m)?)?;
    m.add_function(wrap_pyfunction!(pack::gzip_content_size_and_head, m)?)?;
    m.add_function(wrap_pyfunction!(pack::hash_file, m)?)?;
    m.add_function(wrap_pyfunction!(pack::hash_gzip_content, m)?)?;
    m.add_function(wrap_pyfunction!(pack::hash_tar_gz_members, m)?)?;
    m.add_class::<stacks::AcquiredStacks>()?;
    m.add_class::<stacks::Stack>()?;
    m.add_class::<image::Comparison>()?;
    m.add_class::<image::ImageCheck>()?;
    m.add_class::<image::SeriesFrames>()?;
    m.add_function(wrap_pyfunction!(image::colour_slice, m)?)?;
    m.add_function(wrap_pyfunction!(image::decode_lossless_jpeg, m)?)?;
    m.add_function(wrap_pyfunction!(image::grey_slice, m)?)?;
    m.add_class::<statistics::Statistics>()?;
    Ok(())
}
