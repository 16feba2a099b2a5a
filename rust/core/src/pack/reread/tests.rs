//! The reader by pieces reads what the writer by pieces wrote, and nothing else.
#![allow(clippy::unwrap_used)]

use std::io::Write;

use super::*;
use crate::pack::pieces::PiecesWriter;

fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    PiecesReader::open(bytes)?.read_to_end(&mut content)?;
    Ok(content)
}

/// Returns content whose stored blocks contain marks that end no piece.
fn content(size: usize, every: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut noise = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()
    };
    (0..size / 4)
        .flat_map(|at| if at % every == 0 { MARK } else { noise() })
        .collect()
}

fn gzip_in_pieces(content: &[u8]) -> Vec<u8> {
    let mut writer = PiecesWriter::new(Vec::new(), 1).unwrap();
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

#[test]
fn a_file_written_in_pieces_reads_back() {
    for size in [0, 4, 40_000, 8 << 20, (8 << 20) + 4, 20_000_000] {
        let content = content(size, 300_000);
        assert!(
            read(&gzip_in_pieces(&content)).unwrap() == content,
            "{size}"
        );
        let zeros = vec![0; size];
        assert!(
            read(&gzip_in_pieces(&zeros)).unwrap() == zeros,
            "{size} zeros"
        );
    }
}

#[test]
fn nothing_depends_on_the_size_of_the_buffers() {
    let content = content(9_000_000, 300_000);
    let sound = gzip_in_pieces(&content);
    let longest = 9 << 20;
    for block in [1 << 10, 99_991, 1 << 24] {
        let buffers = Buffers {
            block_length: block,
            max_piece_length: longest,
        };
        let mut back = Vec::new();
        let mut reader = PiecesReader::with_buffers(&*sound, buffers).unwrap();
        reader.read_to_end(&mut back).unwrap();
        assert!(back == content, "{block}");
    }
}

#[test]
fn content_full_of_marks_is_left_to_the_general_reader() {
    let marks = content(4_000_000, 5000);
    assert!(read(&gzip_in_pieces(&marks)).is_err());
}

#[test]
fn any_change_is_an_error() {
    let sound = gzip_in_pieces(&content(9_000_000, 300_000));
    assert!(read(sound.get(..sound.len() - 1).unwrap()).is_err(), "cut");
    assert!(read(&[&*sound, &[0]].concat()).is_err(), "a byte more");
    assert!(read(&[&*sound, &*sound].concat()).is_err(), "two members");
    let (stream, sums) = sound.split_at(sound.len() - TRAILER_LENGTH);
    assert!(
        read(&[stream, &[0], sums].concat()).is_err(),
        "a byte between"
    );
    for at in (10..sound.len()).step_by(sound.len() / 12) {
        let mut bad = sound.clone();
        bad.get_mut(at).map(|byte| *byte ^= 1).unwrap();
        assert!(read(&bad).is_err(), "bit at {at}");
    }
}
