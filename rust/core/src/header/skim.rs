//! The short way through elements of the commonest shape: most of a header.

use super::collect::Collector;
use super::element::{Encoding, representation};
use super::field::SPECS;
use super::wanted::Wanted;

/// Element heads that have a 16-bit length, by the two letters of their representation.
const SHORT: u8 = 1;
/// Element heads that have a 32-bit length after two reserved bytes.
const LONG: u8 = 2;

const LETTERS: usize = 26;
static FORMS: [u8; LETTERS * LETTERS] = forms();

#[allow(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses a wrong index"
)]
const fn forms() -> [u8; LETTERS * LETTERS] {
    let short = b"AEASATCSDADSDTFDFLISLOLTPNSHSLSSSTTMUIULUS";
    let long = b"OBODOFOLOVOWSQSVUCUNURUTUV";
    let mut forms = [0; LETTERS * LETTERS];
    let mut at = 0;
    while at < short.len() {
        forms[(short[at] - b'A') as usize * LETTERS + (short[at + 1] - b'A') as usize] = SHORT;
        at += 2;
    }
    at = 0;
    while at < long.len() {
        forms[(long[at] - b'A') as usize * LETTERS + (long[at + 1] - b'A') as usize] = LONG;
        at += 2;
    }
    forms
}

/// Takes what is wanted from as many elements as have the commonest shape: ascending tags up to `stop`, a known
/// representation, a length that stays within the bytes at hand. Returns where the first other element begins.
#[inline]
pub(super) fn skim(
    bytes: &[u8],
    encoding: Encoding,
    stop: u32,
    wanted: &mut Wanted,
    collector: &mut Collector,
) -> usize {
    if encoding.big_endian {
        return 0;
    }
    let mut rest = bytes;
    let (mut before, mut next_tag) = (wanted.before, wanted.next_tag());
    while let Some((&[g0, g1, e0, e1, v0, v1, l0, l1], tail)) = rest.split_first_chunk::<8>() {
        let tag = u32::from_le_bytes([e0, e1, g0, g1]);
        if tag <= before || tag > stop || (tag & 0x0001_0000 != 0 && wanted.private(tag)) {
            break;
        }
        let (tail, length) = match (encoding.explicit, form(v0, v1)) {
            (true, SHORT) => (tail, usize::from(u16::from_le_bytes([l0, l1]))),
            (false, _) => (tail, u32::from_le_bytes([v0, v1, l0, l1]) as usize),
            (true, LONG) => match tail.split_first_chunk::<4>() {
                Some((length, tail)) => (tail, u32::from_le_bytes(*length) as usize),
                None => break,
            },
            _ => break,
        };
        let Some((value, after)) = tail.split_at_checked(length) else {
            break;
        };
        if tag >= next_tag {
            if let Some(spec) = wanted.advance(tag).and_then(|index| SPECS.get(index)) {
                let vr = encoding.explicit.then_some([v0, v1]);
                collector.set_as(spec.field, representation(vr, spec.vr), value, encoding);
            }
            next_tag = wanted.next_tag();
        }
        before = tag;
        rest = after;
    }
    wanted.before = before;
    bytes.len().saturating_sub(rest.len())
}

/// The form of an element's head.
#[inline]
fn form(v0: u8, v1: u8) -> u8 {
    let (first, second) = (v0.wrapping_sub(b'A'), v1.wrapping_sub(b'A'));
    if usize::from(second) >= LETTERS {
        return 0;
    }
    FORMS
        .get(usize::from(first) * LETTERS + usize::from(second))
        .copied()
        .unwrap_or(0)
}

/// Whether the head has a 16-bit length.
#[inline]
pub(super) fn is_short(vr: [u8; 2]) -> bool {
    form(vr[0], vr[1]) == SHORT
}

/// Whether the head has a 32-bit length after two reserved bytes.
#[inline]
pub(super) fn is_long(vr: [u8; 2]) -> bool {
    form(vr[0], vr[1]) == LONG
}

#[cfg(test)]
mod tests {
    use super::super::element::{EXPLICIT, IMPLICIT};
    use super::super::field::Field;
    use super::*;

    const STOP: u32 = 0x0028_0030;

    fn skimmed(bytes: &[u8], encoding: Encoding) -> (usize, Collector) {
        let mut collector = Collector::default();
        let at = skim(
            bytes,
            encoding,
            STOP,
            &mut Wanted::default(),
            &mut collector,
        );
        (at, collector)
    }

    #[test]
    fn it_takes_what_is_wanted_and_passes_the_rest() {
        let bytes = b"\x08\0\x01\0CS\x02\0AB\x08\0\x40\x11SQ\0\0\x02\0\0\0??\x10\0\x10\0PN\x02\0AB";
        let (at, collector) = skimmed(bytes, EXPLICIT);
        assert_eq!((at, collector.get(Field::PatientName)), (34, &b"AB"[..]));
    }

    #[test]
    fn it_stops_before_what_is_not_plain() {
        for bytes in [
            &b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff"[..], // undefined length
            b"\x08\0\x05\0XX\x02\0AB",                    // unknown representation
            b"\x08\0\x05\0CS\x03\0AB",                    // a length past the end
            b"\x19\0\x10\0LO\x02\0AB",                    // a private creator
            b"\x29\0\x10\0LO\x02\0AB",                    // past the last wanted tag
            b"\x08\0\x05",
        ] {
            assert_eq!(skimmed(bytes, EXPLICIT).0, 0, "{bytes:?}");
        }
        let descending = b"\x08\0\x05\0\x02\0\0\0AB\x08\0\x01\0\0\0\0\0";
        assert_eq!(skimmed(descending, IMPLICIT).0, 10);
    }
}
