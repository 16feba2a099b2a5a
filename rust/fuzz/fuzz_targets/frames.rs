#![no_main]

qxbatch_fuzz::program!("frames");
