//! DICOM that is kept in the session's inbox folder instead of being sorted into a series.

use super::row::Reason;
use crate::header::{Field, Header};
use crate::series::unsorted_reason;

/// Returns why a DICOM object is not sorted; None if it is. `name` is the name of its file.
#[must_use]
pub fn kept_reason(name: &[u8], header: &Header) -> Option<Reason> {
    let extra = is_philips_extra(name) && !is_image(header.raw(Field::SopClassUid));
    let extra = extra.then_some("a Philips XX_0 or PS_0 file without an image");
    unsorted_reason(header).or(extra).map(Reason::Borrowed)
}

/// Returns whether a file has the name of an examination card or a presentation state, which Philips exports contain
/// beside the images: such as `XX_0012` and `PS_0013`.
fn is_philips_extra(name: &[u8]) -> bool {
    name.starts_with(b"XX_0") || name.starts_with(b"PS_0")
}

/// Returns whether a SOP class is one of images (PS3.4, B.5), by the start of its UID after 1.2.840.10008.5.1.4.1.1;
/// true for an empty class. MR spectroscopy (4.2), segmentations and RT images do not count.
fn is_image(class: &[u8]) -> bool {
    const IMAGES: [&[u8]; 12] = [
        b"1", b"2", b"3", b"4", b"6", b"7", b"12", b"13", b"14", b"20", b"30", b"128",
    ];
    let Some(rest) = class.strip_prefix(b"1.2.840.10008.5.1.4.1.1.") else {
        // Without a class, it may be an image.
        return class.is_empty();
    };
    if rest == b"4.2" {
        return false;
    }
    let first = rest.split(|&byte| byte == b'.').next().unwrap_or_default();
    IMAGES.contains(&first) || rest.starts_with(b"77.1.") || rest == b"130"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(values: &[(Field, &str)]) -> Header {
        Header::from_values(values)
    }

    #[test]
    fn objects_without_uids_are_sorted_when_they_say_what_they_are() {
        let whole = [
            (Field::SeriesInstanceUid, "1.2"),
            (Field::SopInstanceUid, "1.2.3"),
        ];
        assert_eq!(kept_reason(b"a", &header(&whole)), None);
        assert!(kept_reason(b"a", &header(&whole[..1])).is_some());
        assert!(kept_reason(b"a", &header(&whole[1..])).is_some());
        let class = (Field::SopClassUid, "1.2.840.10008.5.1.4.1.1.4");
        assert_eq!(kept_reason(b"a", &header(&[class])), None);
        let size = [(Field::Rows, "64"), (Field::Columns, "64")];
        assert_eq!(kept_reason(b"a", &header(&size)), None);
    }

    #[test]
    fn philips_extras_are_kept_only_without_an_image() {
        let of = |class| {
            header(&[
                (Field::SopClassUid, class),
                (Field::SeriesInstanceUid, "1.2"),
                (Field::SopInstanceUid, "1.2.3"),
            ])
        };
        let raw = of("1.2.840.10008.5.1.4.1.1.66");
        let state = of("1.2.840.10008.5.1.4.1.1.11.1");
        let image = of("1.2.840.10008.5.1.4.1.1.4");
        assert!(kept_reason(b"XX_0012", &raw).is_some());
        assert!(kept_reason(b"PS_0001", &state).is_some());
        assert!(kept_reason(b"XX_0012", &image).is_none());
        assert!(kept_reason(b"IM_0012", &raw).is_none());
    }
}
