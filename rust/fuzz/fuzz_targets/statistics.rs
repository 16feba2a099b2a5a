//! Fuzzes with libFuzzer; the code of the target is in `rust/core/tests/fuzz/targets/statistics.rs`.

#![no_main]

qxbatch_fuzz::program!("statistics");
