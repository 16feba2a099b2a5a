#![no_main]

qxbatch_fuzz::program!("sevenz");
