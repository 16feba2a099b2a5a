//! Run-length encoded frames (PS3.5 annex G).

/// Limit on the bytes that one byte of a fragment can become: a run of up to 128 bytes takes two.
const MAX_EXPANSION: usize = 64;

/// Decodes one fragment, a frame of `pixels` pixels, to little-endian cells of `cell_bytes` bytes, `samples` of them
/// for each pixel; returns None if the fragment is damaged.
///
/// A fragment has one segment for each byte of each sample, the most significant byte first. Its header has 16 numbers
/// of 32 bits: the number of segments, up to 15, and their offsets.
pub(super) fn decode(
    fragment: &[u8],
    pixels: usize,
    cell_bytes: usize,
    samples: usize,
) -> Option<Vec<u8>> {
    let head = fragment.first_chunk::<64>()?;
    let word = |at: usize| {
        let four = head.get(4 * at..).and_then(<[u8]>::first_chunk::<4>);
        four.map_or(0, |four| u32::from_le_bytes(*four) as usize)
    };
    let segments = cell_bytes.checked_mul(samples)?;
    if word(0) != segments || segments > 15 {
        return None;
    }
    // Checked before the allocation: the size is that of the header, and a small fragment cannot fill it.
    let size = pixels.checked_mul(segments)?;
    if size > fragment.len().saturating_mul(MAX_EXPANSION) {
        return None;
    }
    let mut out = vec![0; size];
    for segment in 0..segments {
        let (sample, rank) = (segment / cell_bytes, segment % cell_bytes);
        let start = sample * cell_bytes + (cell_bytes - 1 - rank);
        let slots = out.iter_mut().skip(start).step_by(segments);
        unpack(fragment.get(word(segment + 1)..)?, slots)?;
    }
    Some(out)
}

/// Fills slots with the bytes of one segment; returns None if the segment ends early.
fn unpack<'o>(segment: &[u8], mut slots: impl Iterator<Item = &'o mut u8>) -> Option<()> {
    let mut rest = segment;
    let mut next = slots.next();
    while next.is_some() {
        let (&control, after) = rest.split_first()?;
        rest = after;
        match control {
            0..=127 => {
                let (literal, after) = rest.split_at_checked(usize::from(control) + 1)?;
                rest = after;
                for &byte in literal {
                    let Some(slot) = next else {
                        return Some(());
                    };
                    *slot = byte;
                    next = slots.next();
                }
            }
            128 => {} // no operation
            _ => {
                let (&byte, after) = rest.split_first()?;
                rest = after;
                for _ in 0..257 - usize::from(control) {
                    let Some(slot) = next else {
                        return Some(());
                    };
                    *slot = byte;
                    next = slots.next();
                }
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fragment(segments: &[&[u8]]) -> Vec<u8> {
        let mut head = vec![u32::try_from(segments.len()).unwrap()];
        let mut at = 64;
        for segment in segments {
            head.push(at);
            at += u32::try_from(segment.len()).unwrap();
        }
        head.resize(16, 0);
        let mut bytes: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(segments.iter().copied().flatten());
        bytes
    }

    #[test]
    fn runs_and_literals_of_two_bytes() {
        let high: &[u8] = &[254, 1]; // three times 1
        let low: &[u8] = &[2, 7, 8, 9, 128];
        let decoded = decode(&fragment(&[high, low]), 3, 2, 1);
        assert_eq!(decoded, Some(vec![7, 1, 8, 1, 9, 1]));
    }

    #[test]
    fn colours_are_put_together() {
        let planes: [&[u8]; 3] = [&[255, 1], &[255, 2], &[255, 3]];
        let decoded = decode(&fragment(&planes), 2, 1, 3);
        assert_eq!(decoded, Some(vec![1, 2, 3, 1, 2, 3]));
    }

    #[test]
    fn no_memory_is_requested_for_more_bytes_than_a_fragment_can_fill() {
        let sound = fragment(&[&[129, 1]]);
        assert_eq!(decode(&sound, 128, 1, 1), Some(vec![1; 128]));
        // A machine without so much memory would end the process.
        assert_eq!(decode(&sound, usize::MAX / 4, 1, 1), None);
    }

    #[test]
    fn damaged_fragments_are_refused() {
        let sound = fragment(&[&[254, 1], &[2, 7, 8, 9]]);
        for cut in 0..sound.len() {
            assert_eq!(decode(sound.get(..cut).unwrap(), 3, 2, 1), None, "{cut}");
        }
        assert_eq!(decode(&sound, 3, 1, 1), None);
        assert_eq!(decode(&fragment(&[&[5, 1], &[2, 7, 8, 9]]), 3, 2, 1), None);
    }
}
