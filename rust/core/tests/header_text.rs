//! Any text survives writing and reading.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod object;

use object::Syntax;
use proptest::prelude::*;
use qxbatch_core::header::Field;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_comes_back_from_a_utf8_object(text in "[^\\\\\\p{C} =][^\\\\\\p{C}=]{0,30}[^\\\\\\p{C} =]") {
        let syntax = Syntax::Explicit;
        let data = [
            syntax.text(0x0008_0005, "CS", "ISO_IR 192"),
            syntax.text(0x0008_0018, "UI", "1.2.3"),
            syntax.text(0x0008_103E, "LO", &text),
        ].concat();
        let header = object::header(&syntax.file(&data));
        prop_assert_eq!(header.text(Field::SeriesDescription), Some(text));
    }
}
