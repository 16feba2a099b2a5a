//! `Header` and `read_header`, which `python/qxbatch/_core.pyi` documents.

use std::collections::HashMap;

use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use qxbatch_core::header::{Field, Header as Core, Parsed, Value};
use qxbatch_core::scan::parse_plain_or_gzip;

#[pyclass(frozen, module = "qxbatch._core")]
pub(crate) struct Header {
    pub(crate) core: Core,
}

#[pymethods]
impl Header {
    fn get<'py>(&self, py: Python<'py>, field: &str) -> PyResult<Bound<'py, PyAny>> {
        convert(py, self.core.value(field_of(field)?))
    }

    fn items<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        Field::ALL
            .into_iter()
            .map(|field| (field, self.core.value(field)))
            .filter(|(_, value)| *value != Value::None)
            .map(|(field, value)| Ok((field.keyword(), convert(py, value)?)))
            .collect()
    }

    #[staticmethod]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "arguments from Python come owned"
    )]
    fn from_values(values: HashMap<String, String>) -> PyResult<Self> {
        let values: Vec<(Field, &str)> = values
            .iter()
            .map(|(keyword, text)| Ok((field_of(keyword)?, text.as_str())))
            .collect::<PyResult<_>>()?;
        Ok(Self {
            core: Core::from_values(&values),
        })
    }

    fn __repr__(&self) -> String {
        let text = |field| self.core.text(field).unwrap_or_default();
        format!(
            "<Header of series {} ({}), instance {}>",
            text(Field::SeriesNumber),
            text(Field::SeriesDescription),
            text(Field::InstanceNumber)
        )
    }
}

/// Returns the keywords of all fields, in the order of [`Field::ALL`].
pub(crate) fn keywords() -> [&'static str; Field::COUNT] {
    Field::ALL.map(Field::keyword)
}

/// Returns the field with a keyword; KeyError if no field has this keyword.
fn field_of(keyword: &str) -> PyResult<Field> {
    Field::from_keyword(keyword).ok_or_else(|| PyKeyError::new_err(keyword.to_owned()))
}

/// Returns a value as a Python object.
fn convert(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::None => py.None().into_bound(py),
        Value::Text(text) => PyString::new(py, &text).into_any(),
        Value::Texts(texts) => texts.into_pyobject(py)?,
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Ints(numbers) => numbers.into_pyobject(py)?,
        Value::Float(number) => number.into_pyobject(py)?.into_any(),
        Value::Floats(numbers) => numbers.into_pyobject(py)?,
    })
}

#[pyfunction]
pub(crate) fn read_header(data: &[u8]) -> PyResult<Header> {
    let mut window = data;
    match parse_plain_or_gzip(&mut window) {
        Ok(Parsed::Dicom(core)) => Ok(Header { core }),
        Ok(Parsed::NotDicom) => Err(PyValueError::new_err("no DICOM object begins at byte 0")),
        Ok(Parsed::Broken { reason, offset }) => Err(PyValueError::new_err(format!(
            "{reason} (at byte {offset})"
        ))),
        Err(error) => Err(PyValueError::new_err(error.to_string())),
    }
}
