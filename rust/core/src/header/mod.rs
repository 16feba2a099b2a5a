//! Reads one DICOM header from bytes: transfer syntaxes, values, character sets, functional groups (PS3.5, PS3.10).
//!
//! [`parse`] stops at the last used element if the series is known there, else at the end of the data set. It accepts
//! any bytes without a panic, and never follows a length past the end of the input.

mod bounds;
mod bundle;
mod charset;
mod collect;
mod element;
mod field;
mod functional;
mod inflate;
mod iso2022;
mod meta;
mod nested;
mod parse;
mod sequence;
mod skim;
mod start;
mod stored;
mod value;
mod visit;
mod vr;
mod wanted;
mod window;

pub use bundle::{Bundle, FinishedBundle, HeaderRange};
pub use field::{Field, SPECS, Spec};
pub use inflate::{Inflated, is_gzip};
pub use parse::{Parsed, parse, parse_into};
pub use stored::Header;
pub use value::Value;
pub use vr::{ValueType, Vr};
pub use window::{FileWindow, Window};

pub(crate) use charset::CharacterSets;
pub(crate) use element::{Element, Encoding, ITEM, ITEM_END, SEQUENCE_END};
pub(crate) use nested::{ParseError, Reader};
pub(crate) use value::trim;
pub(crate) use visit::{DataSetVisitor, TransferSyntax, visit};
pub(crate) use vr::effective_vr;
