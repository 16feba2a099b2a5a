//! Grey frames in lossless JPEG (PS3.5 A.4.1; ISO/IEC 10918-1 annex H).

use jpeg_decoder::{CodingProcess, Decoder};

/// TransferSyntaxUIDs of lossless JPEG: any predictor, and the first one.
pub(super) const TRANSFER_SYNTAXES: [&str; 2] =
    ["1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"];
/// Limit on the pixels of a frame: decoding needs about ten bytes for each.
const MAX_PIXELS: usize = 1 << 26;
/// A pixel has at least one bit of the stream.
const MAX_PIXELS_PER_BYTE: usize = 8;

/// Decodes a frame of one sample per pixel to little-endian cells of `cell_bytes` bytes (1 or 2).
///
/// None if the stream is damaged or has another size, or if it has restart intervals or a point transform, which the
/// decoder does not handle.
pub fn decode(stream: &[u8], rows: u32, columns: u32, cell_bytes: usize) -> Option<Vec<u8>> {
    let pixels = (rows as usize).checked_mul(columns as usize)?;
    let is_possible = pixels > 0 && pixels <= stream.len().saturating_mul(MAX_PIXELS_PER_BYTE);
    // Checked before the allocation: the decoder trusts the size in the stream.
    let (height, width) = plain_size(stream)?;
    if !is_possible
        || pixels > MAX_PIXELS
        || (u32::from(height), u32::from(width)) != (rows, columns)
    {
        return None;
    }
    let mut decoder = Decoder::new(stream);
    let decoded = decoder.decode().ok()?;
    if decoder.info()?.coding_process != CodingProcess::Lossless {
        return None;
    }
    match (cell_bytes, decoded.len() / pixels) {
        (1, 1) => Some(decoded),
        (2, 1) => Some(decoded.iter().flat_map(|&low| [low, 0]).collect()),
        (1 | 2, 2) => {
            let values = decoded.chunks_exact(2).map(|pair| match pair {
                [a, b] => u16::from_ne_bytes([*a, *b]),
                _ => 0,
            });
            Some(
                values
                    .flat_map(|value| value.to_le_bytes().into_iter().take(cell_bytes))
                    .collect(),
            )
        }
        _ => None,
    }
}

/// Returns the height and width of a lossless frame with one component, without restart intervals and point transform;
/// None for any other stream.
fn plain_size(stream: &[u8]) -> Option<(u16, u16)> {
    let mut rest = stream.strip_prefix(&[0xFF, 0xD8])?;
    let mut size = None;
    loop {
        let ([0xFF, marker, high, low], _) = rest.split_first_chunk::<4>()? else {
            return None;
        };
        if *marker == 0xFF {
            rest = rest.get(1..)?; // a fill byte
            continue;
        }
        let end = usize::from(u16::from_be_bytes([*high, *low])).checked_add(2)?;
        let segment = rest.get(4..end)?;
        match (*marker, segment) {
            // SOF3: precision, height, width, number of components
            (0xC3, [2..=16, h1, h0, w1, w0, 1, ..]) => {
                size = Some((
                    u16::from_be_bytes([*h1, *h0]),
                    u16::from_be_bytes([*w1, *w0]),
                ));
            }
            // SOF of other processes; DHT (C4), JPG (C8) and DAC (CC) are in the same range
            (0xC0..=0xCF, _) if !matches!(*marker, 0xC4 | 0xC8 | 0xCC) => return None,
            // DRI
            (0xDD, [0, 0]) => {}
            // SOS of one component: its number and tables, predictor, an unused byte, point transform
            (0xDA, [1, _, _, _, _, 0]) => return size,
            (0xDD | 0xDA, _) => return None,
            _ => {}
        }
        rest = rest.get(end..)?;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use std::fmt::Write as _;

    /// Returns a stream of one component and the first predictor. Each difference has the Huffman code of its number of bits,
    /// 5 bits long.
    fn stream(precision: u8, height: u8, width: u8, differences: &[(u8, u16)]) -> Vec<u8> {
        let mut out = vec![
            0xFF, 0xD8, 0xFF, 0xC3, 0, 11, precision, 0, height, 0, width,
        ];
        out.extend([1, 1, 0x11, 0, 0xFF, 0xC4, 0, 36, 0, 0, 0, 0, 0, 17]);
        out.extend([0; 11]);
        out.extend(0..17);
        out.extend([0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0]);
        let mut bits = String::new();
        for &(count, value) in differences {
            write!(bits, "{count:05b}").unwrap();
            if count > 0 {
                write!(bits, "{value:00$b}", usize::from(count)).unwrap();
            }
        }
        while bits.len() % 8 > 0 {
            bits.push('1');
        }
        for byte in bits.as_bytes().chunks(8) {
            let byte = u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap();
            out.push(byte);
            if byte == 0xFF {
                out.push(0);
            }
        }
        out.extend([0xFF, 0xD9]);
        out
    }

    /// The values 2049, 2050 and 2048, 2048.
    const DIFFERENCES: [(u8, u16); 4] = [(1, 1), (1, 1), (1, 0), (0, 0)];

    #[test]
    fn cells_have_the_bytes_of_their_values() {
        let twelve_bits = stream(12, 2, 2, &DIFFERENCES);
        let expected: Vec<u8> = [2049_u16, 2050, 2048, 2048]
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        assert_eq!(decode(&twelve_bits, 2, 2, 2), Some(expected));
        let eight_bits = stream(8, 2, 2, &DIFFERENCES);
        assert_eq!(decode(&eight_bits, 2, 2, 1), Some(vec![129, 130, 128, 128]));
        let wide = Some(vec![129, 0, 130, 0, 128, 0, 128, 0]);
        assert_eq!(decode(&eight_bits, 2, 2, 2), wide);
    }

    #[test]
    fn another_size_than_that_of_the_header_is_refused() {
        let sound = stream(12, 2, 2, &DIFFERENCES);
        for (rows, columns) in [(2, 3), (3, 2), (0, 2), (1, 4)] {
            assert_eq!(decode(&sound, rows, columns, 2), None, "{rows} {columns}");
        }
    }

    #[test]
    fn no_memory_is_requested_for_more_pixels_than_a_stream_can_have() {
        let short = stream(12, 250, 250, &DIFFERENCES);
        assert_eq!(decode(&short, 250, 250, 2), None);
    }

    #[test]
    fn restart_intervals_and_point_transforms_are_refused() {
        let sound = stream(12, 2, 2, &DIFFERENCES);
        let restart = [&sound[..2], &[0xFF, 0xDD, 0, 4, 0, 2], &sound[2..]].concat();
        assert_eq!(decode(&restart, 2, 2, 2), None);
        let none = [&sound[..2], &[0xFF, 0xDD, 0, 4, 0, 0], &sound[2..]].concat();
        assert_eq!(decode(&none, 2, 2, 2), decode(&sound, 2, 2, 2));
        let scan = sound
            .windows(2)
            .position(|two| two == [0xFF, 0xDA])
            .unwrap();
        let mut shifted = sound;
        shifted[scan + 9] = 1;
        assert_eq!(decode(&shifted, 2, 2, 2), None);
    }

    #[test]
    fn damaged_streams_end_without_a_panic() {
        let sound = stream(12, 2, 2, &DIFFERENCES);
        for at in 0..sound.len() {
            let _: Option<_> = decode(&sound[..at], 2, 2, 2);
            for value in 0..=255 {
                let mut damaged = sound.clone();
                damaged[at] = value;
                let _: Option<_> = decode(&damaged, 2, 2, 2);
            }
        }
    }
}
