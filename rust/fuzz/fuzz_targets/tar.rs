//! Fuzzes with libFuzzer; the code of the target is in `rust/core/tests/fuzz/targets/tar.rs`.

#![no_main]

qxbatch_fuzz::program!("tar");
