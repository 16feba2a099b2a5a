#![no_main]

qxbatch_fuzz::program!("statistics");
