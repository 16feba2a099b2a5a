//! Parses one header from memory: cargo bench -p qxbatch-bench --bench header
//!
//! bench/run measures the scan of folders, including the disk, from Python.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

#[path = "../../core/tests/object/mod.rs"]
mod object;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use object::Syntax;
use qxbatch_core::header::{Parsed, parse};

/// Returns an ordinary object with 150 additional private elements, which the parser skips; scanners write about as many.
fn classic(syntax: Syntax) -> Vec<u8> {
    let private: Vec<u8> = (0..150_u32)
        .flat_map(|number| syntax.text(0x0009_1000 + number, "DS", "1.25"))
        .collect();
    syntax.file(&syntax.plain_with(&private))
}

/// Returns an enhanced object: its echo time is in the shared functional groups. The per-frame functional groups follow: one
/// item of 100,000 zero bytes instead of groups. Its sequences have defined lengths.
fn enhanced() -> Vec<u8> {
    let syntax = Syntax::Explicit;
    let echo = syntax.sequence(0x0018_9114, &syntax.double(0x0018_9082, 2.46), true);
    let data = [
        syntax.identity(),
        syntax.text(0x0020_000E, "UI", "1.2.3"),
        syntax.text(0x0028_0008, "IS", "30"),
        syntax.sequence(0x5200_9229, &echo, true),
        syntax.sequence(0x5200_9230, &vec![0; 100_000], true),
    ];
    syntax.file(&data.concat())
}

fn headers(criterion: &mut Criterion) {
    let objects = [
        ("explicit, 150 private elements", classic(Syntax::Explicit)),
        ("implicit, 150 private elements", classic(Syntax::Implicit)),
        ("big endian, 150 private elements", classic(Syntax::Big)),
        ("enhanced", enhanced()),
    ];
    let mut group = criterion.benchmark_group("header");
    for (name, bytes) in objects {
        assert!(matches!(
            parse(&mut bytes.as_slice()).unwrap(),
            Parsed::Dicom(_)
        ));
        group.bench_function(name, |bencher| {
            bencher.iter(|| parse(&mut black_box(bytes.as_slice())).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, headers);
criterion_main!(benches);
