//! The meta header: group 0002 (PS3.10 section 7.1).

use super::collect::Collector;
use super::element::{ELEMENT_HEADER_LENGTH, EXPLICIT, Encoding};
use super::field::SPECS;
use super::nested::ParseError;
use super::skim::skim;
use super::stored::Header;
use super::vr::effective_vr;
use super::wanted::WantedElements;
use super::window::Window;

/// The last tag before the meta header.
const LAST_BEFORE_META: u32 = 0x0001_FFFF;
/// The last tag of the meta header.
const LAST_META: u32 = 0x0002_FFFF;

/// Reads the meta header if there is one, and returns the start of the data set.
///
/// The group length is ignored: the group ends where another one starts.
pub(super) fn read<W: Window>(
    window: &mut W,
    start: u64,
    wanted: &mut WantedElements,
    collector: &mut Collector,
) -> Result<u64, ParseError> {
    let mut at = start;
    let Some(encoding) = Encoding::guess(window.at(at, ELEMENT_HEADER_LENGTH)?, EXPLICIT) else {
        return Ok(at);
    };
    // `skim` stops at a group below 0002: it is not part of the meta header.
    wanted.previous_tag = wanted.previous_tag.max(LAST_BEFORE_META);
    let bytes = window.at(at, ELEMENT_HEADER_LENGTH)?;
    at = at.saturating_add(skim(bytes, encoding, LAST_META, wanted, collector) as u64);
    while let Some(element) = encoding.element(window.at(at, ELEMENT_HEADER_LENGTH)?, at) {
        if element.group() != 2 {
            break;
        }
        let end = element
            .length
            .map(|length| element.value_offset.saturating_add(u64::from(length)));
        let Some(end) = end.filter(|end| *end <= window.len()) else {
            let reason = format!(
                "{} of the meta header is longer than the file",
                element.tag_text()
            );
            return Err(ParseError::Broken { reason, offset: at });
        };
        if let Some(spec) = SPECS.iter().find(|spec| spec.tag == element.tag) {
            let length = usize::try_from(end.saturating_sub(element.value_offset))
                .unwrap_or(usize::MAX)
                .min(Header::MAX_VALUE);
            let bytes = window.at(element.value_offset, length)?;
            collector.set_as(
                spec.field,
                effective_vr(element.vr, spec.vr),
                bytes.get(..length).unwrap_or(bytes),
                encoding,
            );
        }
        at = end;
    }
    Ok(at)
}
