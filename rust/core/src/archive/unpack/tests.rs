//! Reads streams of each compression: whole, cut short, one after the other, and with other bytes after them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::io::Write;

use super::*;

fn packed(compression: Compression, data: &[u8]) -> Vec<u8> {
    match compression {
        Compression::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            out.write_all(data).unwrap();
            out.finish().unwrap()
        }
        Compression::Bzip2 => {
            let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(6));
            out.write_all(data).unwrap();
            out.finish().unwrap()
        }
        Compression::Xz => {
            let mut out = liblzma::write::XzEncoder::new(Vec::new(), 3);
            out.write_all(data).unwrap();
            out.finish().unwrap()
        }
        Compression::Lzma => {
            let options = liblzma::stream::LzmaOptions::new_preset(3).unwrap();
            let stream = Stream::new_lzma_encoder(&options).unwrap();
            let mut out = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
            out.write_all(data).unwrap();
            out.finish().unwrap()
        }
        Compression::Lz4 => {
            let mut info = lz4_flex::frame::FrameInfo::new();
            info.content_checksum = true;
            let mut out = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
            out.write_all(data).unwrap();
            out.finish().unwrap()
        }
        Compression::Zstd => {
            let mut out = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
            out.include_checksum(true).unwrap();
            out.write_all(data).unwrap();
            out.finish().unwrap()
        }
        Compression::Compress | Compression::Lzip => Vec::new(),
    }
}

/// Compressions of which a file can contain several streams.
const MULTI_STREAM: [Compression; 5] = [
    Compression::Gzip,
    Compression::Bzip2,
    Compression::Xz,
    Compression::Zstd,
    Compression::Lz4,
];

fn unpack(compression: Compression, data: &[u8]) -> io::Result<(Vec<u8>, u64)> {
    let mut reader = Unpack::open(compression, Box::new(data))?;
    let mut out = Vec::new();
    reader.read_to_end(&mut out)?;
    Ok((out, reader.trailing_bytes()))
}

fn sample() -> Vec<u8> {
    (0..3000u32)
        .flat_map(|i| (i * i / 7).to_le_bytes())
        .collect()
}

#[test]
fn streams_after_one_another_are_one_content() {
    for compression in MULTI_STREAM {
        let mut two = packed(compression, &sample());
        two.extend(packed(compression, b"more"));
        let mut want = sample();
        want.extend(b"more");
        assert_eq!(
            unpack(compression, &two).unwrap(),
            (want, 0),
            "{compression:?}"
        );
    }
}

#[test]
fn lzma_alone_is_read_to_its_end() {
    let mut data = packed(Compression::Lzma, &sample());
    data.extend(b"rest");
    assert_eq!(unpack(Compression::Lzma, &data).unwrap(), (sample(), 4));
}

#[test]
fn lzip_is_read_to_its_end() {
    // LZMA with its usual settings after another header, with a checksum and two lengths.
    let lzma = packed(Compression::Lzma, &sample());
    let mut data = b"LZIP\x01\x17".to_vec();
    data.extend(&lzma[13..]);
    data.extend(crc32fast::hash(&sample()).to_le_bytes());
    data.extend((sample().len() as u64).to_le_bytes());
    data.extend((data.len() as u64 + 8).to_le_bytes());
    assert_eq!(unpack(Compression::Lzip, &data).unwrap(), (sample(), 0));
    data.truncate(data.len() - 1);
    assert!(unpack(Compression::Lzip, &data).is_err());
}

#[test]
fn a_dictionary_above_the_limit_is_reported_as_one() {
    let mut header = packed(Compression::Lzma, b"content");
    header[1..5].copy_from_slice(&(256u32 << 20).to_le_bytes());
    let error = unpack(Compression::Lzma, &header).unwrap_err().to_string();
    assert!(error.contains("100 MiB of memory"), "{error}");
    assert!(error.contains("(limit)"), "{error}");
}

#[test]
fn a_cut_at_every_byte_is_an_error() {
    for compression in MULTI_STREAM.into_iter().chain([Compression::Lzma]) {
        let whole = packed(compression, &sample()[..400]);
        for cut in 0..whole.len() {
            assert!(
                unpack(compression, &whole[..cut]).is_err(),
                "{compression:?} cut at {cut}"
            );
        }
    }
}

#[test]
fn other_bytes_after_the_end_are_counted() {
    for compression in MULTI_STREAM {
        let mut data = packed(compression, b"content");
        data.extend(b"\0\0\0\0rest of a disk");
        let (content, trailing) = unpack(compression, &data).unwrap();
        assert_eq!(
            (content.as_slice(), trailing),
            (&b"content"[..], 14),
            "{compression:?}"
        );
    }
}

#[test]
fn bytes_in_skippable_frames_are_counted_wherever_they_are() {
    let mut frame = vec![0x53, 0x2a, 0x4d, 0x18, 4, 0, 0, 0];
    frame.extend(b"mine");
    let content = packed(Compression::Zstd, b"content");
    let data = [&frame[..], &content, &frame, &content, &frame, b"rest"].concat();
    let mut reader = Unpack::open(Compression::Zstd, Box::new(&data[..])).unwrap();
    let mut out = Vec::new();
    reader.read_to_end(&mut out).unwrap();
    assert_eq!(out, b"contentcontent");
    assert_eq!((reader.trailing_bytes(), reader.user_bytes()), (4, 12));
    assert_eq!(unpack(Compression::Zstd, &frame).unwrap(), (Vec::new(), 0));
}

#[test]
fn lengths_and_seek_tables_of_packers_are_not_counted() {
    let skippable = |number: u8, content: &[u8]| {
        let size = u32::try_from(content.len()).unwrap();
        [
            &[0x50 | number, 0x2a, 0x4d, 0x18][..],
            &size.to_le_bytes(),
            content,
        ]
        .concat()
    };
    let frames = [
        packed(Compression::Zstd, b"content"),
        packed(Compression::Zstd, &sample()),
    ];
    let length = |frame: &Vec<u8>| u32::try_from(frame.len()).unwrap();
    let mut data = Vec::new();
    let mut table = Vec::new();
    for (frame, content) in frames.iter().zip([7, 12_000u32]) {
        data.extend(skippable(0, &length(frame).to_le_bytes()));
        data.extend(frame);
        table.extend(length(frame).to_le_bytes());
        table.extend(content.to_le_bytes());
    }
    table.extend([2, 0, 0, 0, 0, 0xb1, 0xea, 0x92, 0x8f]);
    data.extend(skippable(0x0e, &table));
    let user_bytes = |data: &[u8]| {
        let mut reader = Unpack::open(Compression::Zstd, Box::new(data)).unwrap();
        let mut out = Vec::new();
        reader.read_to_end(&mut out).unwrap();
        assert_eq!(out.len(), 12_007);
        reader.user_bytes()
    };
    assert_eq!(user_bytes(&data), 0);
    for (at, count) in [(8, 4), (data.len() - 12, 25)] {
        let mut other = data.clone();
        other[at] ^= 1;
        assert_eq!(user_bytes(&other), count);
    }
}

#[test]
fn a_changed_byte_never_changes_the_content_unnoticed() {
    for compression in MULTI_STREAM {
        let whole = packed(compression, &sample());
        let mut bad = whole.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 0x10;
        assert!(
            unpack(compression, &bad).map_or(true, |(content, _)| content == sample()),
            "{compression:?}"
        );
    }
}
