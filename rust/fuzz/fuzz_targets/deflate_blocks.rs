#![no_main]

qxbatch_fuzz::program!("deflate_blocks");
