//! Fuzzes with libFuzzer; the code of the target is in `rust/core/tests/fuzz/targets/deflate_blocks.rs`.

#![no_main]

qxbatch_fuzz::program!("deflate_blocks");
