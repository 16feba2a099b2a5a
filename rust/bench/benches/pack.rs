//! Measures how fast a file is compressed and read back, and how fast the last block of a deflate stream is found, in bytes of
//! content per second: cargo bench -p qxbatch-bench --bench pack
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::fs;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::write::DeflateEncoder;
use qxbatch_core::archive::kind::Compression;
use qxbatch_core::archive::unpack::Unpack;
use qxbatch_core::monitor::Monitor;
use qxbatch_core::pack::gzip::gzip_file;
use qxbatch_core::pack::{blocks, hash};

/// Bytes of content: more than `gzip_file` compresses as one buffer, so that the file is written in pieces.
const SIZE: usize = 40 << 20;

/// Sixteen-bit voxels: a smooth picture with noise in its lowest bits.
fn voxels(size: usize) -> Vec<u8> {
    let mut state = 1_u32;
    (0..size / 2)
        .flat_map(|at| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = u16::try_from(state >> 28).unwrap_or(0);
            let slope = u16::try_from(at % 4096 / 16).unwrap_or(0);
            (slope + noise).to_le_bytes()
        })
        .collect()
}

fn compression(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let (source, packed) = (folder.path().join("in"), folder.path().join("out.gz"));
    fs::write(&source, voxels(SIZE)).unwrap();
    let monitor = Monitor::default();
    let mut group = criterion.benchmark_group("pack");
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(SIZE as u64));
    group.bench_function("gzip a file", |bencher| {
        bencher.iter(|| {
            let _ = fs::remove_file(&packed);
            gzip_file(&source, &packed, 0, &monitor).unwrap()
        });
    });
    group.bench_function("read it back and hash it", |bencher| {
        bencher.iter(|| hash::gzip_content(&packed, &monitor).unwrap());
    });
    let bytes = fs::read(&packed).unwrap();
    group.bench_function(
        "the same by the general reader, without the hash",
        |bencher| {
            bencher.iter(|| {
                let input = black_box(bytes.as_slice());
                let mut unpack = Unpack::open(Compression::Gzip, Box::new(input)).unwrap();
                std::io::copy(&mut unpack, &mut std::io::sink()).unwrap()
            });
        },
    );
    let mut stream = DeflateEncoder::new(Vec::new(), flate2::Compression::new(6));
    std::io::copy(&mut voxels(SIZE).as_slice(), &mut stream).unwrap();
    let stream = stream.finish().unwrap();
    group.bench_function("find the last block of a zip's stream", |bencher| {
        bencher.iter(|| blocks::find_last_block(black_box(&stream)).unwrap());
    });
    group.finish();
}

criterion_group!(benches, compression);
criterion_main!(benches);
