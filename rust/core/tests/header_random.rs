//! Any bytes at all: no panic, no read out of bounds, bounded work.
//!
//! QXBATCH_FUZZ_ROUNDS makes the mutations as many as one likes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod object;

use object::{Counting, Syntax};
use proptest::prelude::*;
use qxbatch_core::header::{Field, Parsed, parse};
use qxbatch_core::scan::parse_any;
use qxbatch_core::series::{Entry, group};

/// Parses and looks at everything; fails on a panic, on a read out of bounds, and on work out of proportion.
fn survives(bytes: &[u8]) {
    let size = bytes.len() as u64;
    let mut window = Counting::new(size, |at| bytes[usize::try_from(at).unwrap()]);
    let counted = parse(&mut window).unwrap();
    assert!(window.furthest <= size);
    assert!(
        window.calls <= 20 * size + 100,
        "{} calls for {size} bytes",
        window.calls
    );
    let mut slice = bytes;
    let parsed = parse(&mut slice).unwrap();
    assert_eq!(
        parsed,
        counted,
        "the answer depends on the window: {}",
        bytes.escape_ascii()
    );
    let mut slice = bytes;
    let _ = parse_any(&mut slice);
    match parsed {
        Parsed::Dicom(header) => {
            for field in Field::ALL {
                let _ = (
                    header.value(field),
                    header.text(field),
                    header.int(field),
                    header.float(field),
                );
            }
            let entry = Entry {
                path: b"a",
                header: &header,
                size,
            };
            let groups = group(&[entry, entry]);
            assert!(groups.iter().all(|group| group.members == [0, 1]));
        }
        Parsed::Broken { offset, .. } => assert!(offset <= size.max(1 << 20)),
        Parsed::NotDicom => {}
    }
}

/// Objects that use every part of the reader.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for syntax in Syntax::ALL {
        let nested = syntax.sequence(
            0x0011_1001,
            &syntax.sequence(0x0011_1002, &syntax.text(0x0011_1003, "LO", "x"), false),
            false,
        );
        let groups = syntax.sequence(
            0x5200_9229,
            &syntax.sequence(0x0018_9114, &syntax.double(0x0018_9082, 2.46), false),
            true,
        );
        let philips = [
            syntax.text(0x2001_0010, "LO", "Philips Imaging DD 001"),
            syntax.element(0x2001_1018, "SL", &[1, 0, 0, 0]),
        ]
        .concat();
        let enhanced = [
            syntax.text(0x0008_0005, "CS", "\\ISO 2022 IR 87"),
            syntax.text(0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.4.1"),
            syntax.text(0x0008_0018, "UI", "1.2.3"),
            syntax.element(
                0x0010_0010,
                "PN",
                b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
            ),
            syntax.text(0x0020_000E, "UI", "1.2.3.4"),
            syntax.text(0x0028_0008, "IS", "30"),
            philips,
            groups,
        ]
        .concat();
        seeds.push(syntax.file(&syntax.with(&nested)));
        seeds.push(syntax.plain());
        seeds.push(syntax.file(&enhanced));
    }
    seeds
}

/// A generator that is the same everywhere (xorshift, 64 bit).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).unwrap()
    }
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    const ODD: [u8; 10] = [0, 1, 0x7F, 0x80, 0xFE, 0xFF, b'\\', b'S', b'Q', 0x1B];
    let at = random.below(bytes.len());
    match random.below(6) {
        0 => bytes.truncate(at),
        1 => bytes
            .splice(at..at, std::iter::repeat_n(ODD[random.below(ODD.len())], 8))
            .for_each(drop),
        2 => {
            let end = (at + random.below(64)).min(bytes.len());
            bytes.drain(at..end);
        }
        3 => {
            let end = (at + random.below(256)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        4 => bytes
            .iter_mut()
            .skip(at)
            .take(4)
            .for_each(|byte| *byte = 0xFF),
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = ODD[random.below(ODD.len())] ^ u8::try_from(random.below(3)).unwrap();
            }
        }
    }
}

#[test]
fn mutated_objects_are_survived() {
    let rounds = std::env::var("QXBATCH_FUZZ_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(4000);
    let seeds = seeds();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..rounds {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut bytes, &mut random);
        }
        survives(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        survives(&bytes);
        let marked = [&[0; 128][..], b"DICM", &bytes].concat();
        survives(&marked);
        let begun = [&[8, 0][..], &bytes].concat();
        survives(&begun);
    }

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
