//! Every field of the table is read from each place in the table.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod object;

use object::{Syntax, header};
use qxbatch_core::header::{Field, SPECS, Spec, Vr};

/// An element with the value 7.
fn seven(syntax: Syntax, tag: u32, vr: Vr) -> Vec<u8> {
    let name = format!("{vr:?}");
    match vr {
        Vr::US | Vr::SS => syntax.element(tag, &name, &[7, 0]),
        Vr::UL | Vr::SL => syntax.element(tag, &name, &[7, 0, 0, 0]),
        Vr::FL => syntax.element(tag, &name, &7_f32.to_le_bytes()),
        Vr::FD => syntax.element(tag, &name, &7_f64.to_le_bytes()),
        _ => syntax.text(tag, &name, "7"),
    }
}

/// A file with enough identity to be assigned to a series without the added elements.
fn file(syntax: Syntax, vendor: &str, added: Vec<(u32, Vec<u8>)>) -> Vec<u8> {
    let mut elements = vec![
        (0x0008_0018, syntax.text(0x0008_0018, "UI", "1.2.3.4.5")),
        (0x0008_0070, syntax.text(0x0008_0070, "LO", vendor)),
        (0x0020_000E, syntax.text(0x0020_000E, "UI", "1.2.3.4")),
        (0x0020_0011, syntax.text(0x0020_0011, "IS", "1")),
        (0x7FE0_0010, syntax.element(0x7FE0_0010, "OW", &[0; 8])),
    ];
    elements.retain(|(tag, _)| added.iter().all(|(other, _)| other != tag));
    elements.extend(added);
    elements.sort_by_key(|(tag, _)| *tag);
    let data: Vec<u8> = elements.into_iter().flat_map(|(_, bytes)| bytes).collect();
    if data.starts_with(&[2, 0]) {
        return [vec![0; 128], b"DICM".to_vec(), data].concat();
    }
    syntax.file(&data)
}

fn raw(bytes: &[u8], field: Field) -> String {
    String::from_utf8_lossy(header(bytes).raw(field)).into_owned()
}

/// Returns the element of a field, after its private creator if it has one.
fn main_data_set(syntax: Syntax, spec: &Spec) -> Vec<(u32, Vec<u8>)> {
    if spec.vr == Vr::SQ {
        let item = syntax.text(spec.within[0].1, "LO", "7");
        return vec![(spec.tag, syntax.sequence(spec.tag, &item, true))];
    }
    let Some(private_creator) = spec.private_creator else {
        return vec![(spec.tag, seven(syntax, spec.tag, spec.vr))];
    };
    let creator = spec.tag & 0xFFFF_0000 | 0x42;
    let tag = spec.tag | 0x4200;
    vec![
        (creator, syntax.text(creator, "LO", private_creator)),
        (tag, seven(syntax, tag, spec.vr)),
    ]
}

#[test]
fn every_field_of_the_main_data_set_is_read() {
    for spec in &SPECS {
        let vendor = if spec.vendor.is_empty() {
            "GE"
        } else {
            spec.vendor
        };
        for syntax in [Syntax::Explicit, Syntax::Implicit] {
            let group_2 = spec.tag >> 16 == 2;
            let syntax = if group_2 { Syntax::Explicit } else { syntax };
            let bytes = file(syntax, vendor, main_data_set(syntax, spec));
            assert_eq!(raw(&bytes, spec.field), "7", "{} {syntax:?}", spec.keyword);
        }
    }
}

#[test]
fn every_field_of_a_functional_group_is_read() {
    for spec in SPECS.iter().filter(|spec| spec.vr != Vr::SQ) {
        for &(macro_tag, inner) in spec.within {
            for (group, syntax) in [
                (0x5200_9229, Syntax::Explicit),
                (0x5200_9230, Syntax::Implicit),
            ] {
                let vr = if inner == spec.tag { spec.vr } else { Vr::FD };
                let element = seven(syntax, inner, vr);
                let within = syntax.sequence(macro_tag, &element, true);
                let groups = syntax.sequence(group, &within, false);
                let frames = syntax.text(0x0028_0008, "IS", "7");
                let bytes = file(syntax, "GE", vec![(0x0028_0008, frames), (group, groups)]);
                assert_eq!(raw(&bytes, spec.field), "7", "{} {group:x}", spec.keyword);
            }
        }
    }
}
