//! The Python extension `qxbatch._core`: convert, call, convert back.

use pyo3::prelude::*;

/// See `python/qxbatch/_core.pyi`.
#[pymodule]
fn _core(_m: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}
