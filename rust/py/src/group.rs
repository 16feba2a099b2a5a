//! `Group`: the files of one series among scanned files or in a reading. `python/qxbatch/_core.pyi` documents its fields.

use pyo3::prelude::*;
use qxbatch_core::header::Header as CoreHeader;
use qxbatch_core::series::Group as Core;

use crate::header::Header;

#[pyclass(frozen, get_all, module = "qxbatch._core")]
pub(crate) struct Group {
    study_uid: String,
    series_uid: String,
    number: Option<i64>,
    folded_patient_id: String,
    files: usize,
    size: u64,
    header: Py<Header>,
    start_time: String,
}

impl Group {
    /// Returns the Python object of a group; `header` is that of its representative file.
    pub(crate) fn new(py: Python<'_>, group: &Core, header: &CoreHeader) -> PyResult<Self> {
        Ok(Self {
            study_uid: group.study_uid.clone(),
            series_uid: group.series_uid.clone(),
            number: group.number,
            folded_patient_id: group.folded_patient_id.clone(),
            files: group.members.len(),
            size: group.size,
            header: Py::new(
                py,
                Header {
                    core: header.clone(),
                },
            )?,
            start_time: group.start_time.clone(),
        })
    }
}

#[pymethods]
impl Group {
    fn __repr__(&self) -> String {
        let number = self
            .number
            .map_or_else(|| "without number".to_owned(), |number| number.to_string());
        format!(
            "<Group {number} of {} files, {}>",
            self.files, self.series_uid
        )
    }
}
