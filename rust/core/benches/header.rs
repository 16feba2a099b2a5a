//! Nanoseconds per header, from memory: cargo bench -p qxbatch-core --bench header -- [FILE...]
//!
//! Made objects of three shapes, and the files that are named. The scan of folders, disk included, is measured from
//! Python by bench/run.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

#[path = "../tests/object/mod.rs"]
mod object;

use std::hint::black_box;
use std::time::Instant;

use object::Syntax;
use qxbatch_core::header::{Parsed, parse};

const ROUNDS: u32 = 50;
const REPEATS: u32 = 2_000;

/// An object with as many unwanted elements as a scanner writes.
fn classic(syntax: Syntax) -> Vec<u8> {
    let private: Vec<u8> = (0..150_u32)
        .flat_map(|number| syntax.text(0x0009_1000 + number, "DS", "1.25"))
        .collect();
    syntax.file(&syntax.with(&private))
}

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

/// The least of some rounds: what is above it is the machine's other work.
fn nanoseconds(bytes: &[u8]) -> u128 {
    let round = || {
        let start = Instant::now();
        for _ in 0..REPEATS {
            let mut window = black_box(bytes);
            black_box(parse(&mut window).unwrap());
        }
        start.elapsed().as_nanos() / u128::from(REPEATS)
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}

fn main() {
    let mut objects = vec![
        (
            "explicit, 180 elements".to_owned(),
            classic(Syntax::Explicit),
        ),
        (
            "implicit, 180 elements".to_owned(),
            classic(Syntax::Implicit),
        ),
        ("big endian, 180 elements".to_owned(), classic(Syntax::Big)),
        ("enhanced".to_owned(), enhanced()),
    ];
    for path in std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
    {
        let bytes = std::fs::read(&path).unwrap();
        objects.push((path, bytes));
    }
    for (name, bytes) in objects {
        let mut window = bytes.as_slice();
        let kind = match parse(&mut window).unwrap() {
            Parsed::Dicom(header) => format!("header of {} bytes", header.memory()),
            _ => "no header".to_owned(),
        };
        println!("{:>7} ns  {name}: {kind}", nanoseconds(&bytes));
    }
}
