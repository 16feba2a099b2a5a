//! A fast path for elements of the common form, which most elements of a header have.

use super::collect::Collector;
use super::element::Encoding;
use super::field::SPECS;
use super::vr::{LONG_FORM, SHORT_FORM, Vr, effective_vr, form};
use super::wanted::WantedElements;

/// Reads elements of the common form: ascending tags up to `stop`, little-endian, a known VR (if VRs are explicit), and
/// a length within the available bytes. Sequences of the field table, and private elements that are read, do not have
/// this form. Returns where the first other element starts: the number of bytes that were read.
#[inline]
pub(super) fn skim(
    bytes: &[u8],
    encoding: Encoding,
    stop: u32,
    wanted: &mut WantedElements,
    collector: &mut Collector,
) -> usize {
    match encoding {
        Encoding {
            big_endian: true, ..
        } => 0,
        Encoding { explicit: true, .. } => {
            skim_as::<true>(bytes, encoding, stop, wanted, collector)
        }
        Encoding {
            explicit: false, ..
        } => skim_as::<false>(bytes, encoding, stop, wanted, collector),
    }
}

/// Does the work of [`skim`] for explicit or implicit VR. Most elements of most files pass through here; this loop
/// determines the speed of a scan.
fn skim_as<const EXPLICIT: bool>(
    bytes: &[u8],
    encoding: Encoding,
    stop: u32,
    wanted: &mut WantedElements,
    collector: &mut Collector,
) -> usize {
    let mut rest = bytes;
    let (mut previous_tag, mut next_tag) = (wanted.previous_tag, wanted.next_tag());
    while let Some((head, tail)) = rest.split_first_chunk::<8>() {
        let [t0, t1, t2, t3, v0, v1, l0, l1] = *head;
        // A tag is two little-endian numbers of 16 bits, the group first.
        let tag = u32::from_le_bytes([t0, t1, t2, t3]).rotate_left(16);
        if tag <= previous_tag
            || tag > stop
            || (tag & 0x0001_0000 != 0 && wanted.wants_private(tag))
        {
            break;
        }
        let (tail, length) = if EXPLICIT {
            match form(u16::from_le_bytes([v0, v1])) {
                SHORT_FORM => (tail, usize::from(u16::from_le_bytes([l0, l1]))),
                LONG_FORM => match tail.split_first_chunk::<4>() {
                    Some((length, tail)) => (tail, u32::from_le_bytes(*length) as usize),
                    None => break,
                },
                _ => break,
            }
        } else {
            (tail, u32::from_le_bytes([v0, v1, l0, l1]) as usize)
        };
        let Some((value, after)) = tail.split_at_checked(length) else {
            break;
        };
        if tag >= next_tag {
            if let Some(spec) = wanted.advance(tag).and_then(|index| SPECS.get(index)) {
                if spec.vr == Vr::SQ {
                    break;
                }
                let vr = EXPLICIT.then_some([v0, v1]);
                collector.set_as(spec.field, effective_vr(vr, spec.vr), value, encoding);
            }
            next_tag = wanted.next_tag();
        }
        previous_tag = tag;
        rest = after;
    }
    wanted.previous_tag = previous_tag;
    bytes.len().saturating_sub(rest.len())
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
            &mut WantedElements::default(),
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
            b"\x08\0\x05\0XX\x02\0AB",                    // unknown VR
            b"\x08\0\x05\0CS\x03\0AB",                    // a length past the end
            b"\x19\0\x10\0LO\x02\0AB",                    // a private creator
            b"\x29\0\x10\0LO\x02\0AB",                    // after the last used tag
            b"\x08\0\x05",
        ] {
            assert_eq!(skimmed(bytes, EXPLICIT).0, 0, "{bytes:?}");
        }
        let descending = b"\x08\0\x05\0\x02\0\0\0AB\x08\0\x01\0\0\0\0\0";
        assert_eq!(skimmed(descending, IMPLICIT).0, 10);
    }
}
