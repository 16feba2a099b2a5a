//! Parses one object: where it starts, its encoding, the used elements, and where to stop.

use std::io;

use super::bounds::{LAST_PUBLIC, last_private};
use super::bundle::{Bundle, HeaderRange};
use super::collect::Collector;
use super::element::{ELEMENT_HEADER_LENGTH, EXPLICIT, Element, Encoding};
use super::field::{Field, SPECS};
use super::functional;
use super::inflate::Inflated;
use super::meta;
use super::nested::{ParseError, Reader};
use super::sequence;
use super::start::{DEFLATED, Start, encoding_of, is_uncompressed};
use super::stored::Header;
use super::value;
use super::vr::effective_vr;
use super::wanted::WantedElements;
use super::window::Window;

/// The result of parsing some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<H = Header> {
    /// A DICOM object.
    Dicom(H),
    /// Not DICOM.
    NotDicom,
    /// A DICOM object whose header cannot be read.
    Broken {
        /// What is wrong with it.
        reason: String,
        /// The byte offset of the problem; if compressed data are damaged, the offset where the object starts. In a
        /// deflated data set, it counts the inflated bytes.
        offset: u64,
    },
}

impl<H> Parsed<H> {
    /// Converts the header of a DICOM object; other results stay the same.
    pub fn map<T>(self, with: impl FnOnce(H) -> T) -> Parsed<T> {
        match self {
            Self::Dicom(header) => Parsed::Dicom(with(header)),
            Self::NotDicom => Parsed::NotDicom,
            Self::Broken { reason, offset } => Parsed::Broken { reason, offset },
        }
    }
}

/// Reads the header of one object.
///
/// Damaged bytes give a [`Parsed`] value; it is [`Parsed::Dicom`] if the series is known from the bytes before the damage,
/// unless compressed data are damaged. A failed read is an error; so is damage in the compressed data of an [`Inflated`]
/// window before the start of the object is found (`InvalidData`).
pub fn parse<W: Window>(window: &mut W) -> io::Result<Parsed> {
    let mut bundle = Bundle::default();
    let parsed = parse_into(window, &mut bundle)?;
    let bundle = bundle.finish();
    Ok(parsed.map(|range| bundle.header(range)))
}

/// Reads the header of one object into a bundle.
///
/// Damaged bytes and errors are treated as by [`parse`]. The header is available after [`Bundle::finish`].
pub fn parse_into<W: Window>(
    window: &mut W,
    bundle: &mut Bundle,
) -> io::Result<Parsed<HeaderRange>> {
    let Some(start) = Start::find(window)? else {
        return Ok(Parsed::NotDicom);
    };
    bundle.collector.clear();
    let collector = &mut bundle.collector;
    let outcome = read(window, &start, collector);
    if !start.has_prefix && !has_uid(collector) {
        return match outcome {
            Err(ParseError::Io(error)) if error.kind() != io::ErrorKind::InvalidData => Err(error),
            _ => Ok(Parsed::NotDicom),
        };
    }
    match outcome {
        Ok(()) => Ok(Parsed::Dicom(bundle.put())),
        Err(ParseError::Broken { .. }) if is_sortable(collector) => Ok(Parsed::Dicom(bundle.put())),
        Err(ParseError::Broken { reason, offset }) => Ok(Parsed::Broken { reason, offset }),
        Err(ParseError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
            Ok(Parsed::Broken {
                reason: error.to_string(),
                offset: start.at,
            })
        }
        Err(ParseError::Io(error)) => Err(error),
    }
}

/// Returns whether some unique identifier was read, which proves that a file without the prefix `DICM` is DICOM.
fn has_uid(collector: &Collector) -> bool {
    let fields = [
        Field::SopInstanceUid,
        Field::SopClassUid,
        Field::SeriesInstanceUid,
        Field::StudyInstanceUid,
        Field::MediaStorageSopClassUid,
    ];
    fields.into_iter().any(|field| {
        let uid = collector.get(field);
        let is_numeric = uid
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.');
        is_numeric && uid.contains(&b'.') && matches!(uid.first(), Some(b'0'..=b'2'))
    })
}

/// Returns whether enough is known to assign the file to its series, even if later bytes are damaged.
fn is_sortable(collector: &Collector) -> bool {
    [
        Field::SopInstanceUid,
        Field::SeriesInstanceUid,
        Field::SeriesNumber,
    ]
    .into_iter()
    .all(|field| collector.has(field))
}

/// Collects the fields of the object that starts at `start`.
fn read<W: Window>(
    window: &mut W,
    start: &Start,
    collector: &mut Collector,
) -> Result<(), ParseError> {
    let mut wanted = WantedElements::default();
    let at = meta::read(window, start.at, &mut wanted, collector)?;
    let syntax = collector.get(Field::TransferSyntaxUid);
    let claimed = encoding_of(syntax);
    let deflated = syntax == DEFLATED;
    let head = window.at(at, ELEMENT_HEADER_LENGTH)?;
    if deflated && !is_uncompressed(head) {
        let mut inflated = Inflated::raw(window, at);
        return read_data_set(&mut inflated, 0, EXPLICIT, &mut wanted, collector);
    }
    read_data_set(window, at, claimed, &mut wanted, collector)
}

/// Collects the fields of the data set from offset `start`. `claimed` is the encoding by its transfer syntax.
fn read_data_set<W: Window>(
    window: &mut W,
    start: u64,
    claimed: Encoding,
    wanted: &mut WantedElements,
    collector: &mut Collector,
) -> Result<(), ParseError> {
    let head = window.at(start, ELEMENT_HEADER_LENGTH)?;
    if head.len() < 8 {
        return Ok(());
    }
    let Some(encoding) = Encoding::guess(head, claimed) else {
        return Err(ParseError::broken(
            "the data set does not start with a data element",
            start,
        ));
    };
    let mut reader = Reader::new(window, encoding);
    let mut stop = LAST_PUBLIC;
    let mut at = start;
    loop {
        at = reader.skim(
            at,
            stop.min(functional::LAST_BEFORE_GROUPS),
            wanted,
            collector,
        )?;
        let Some(element) = reader.element(at, encoding)? else {
            break;
        };
        if element.tag > stop {
            stop = last_tag(collector);
            if element.tag > stop {
                break;
            }
        }
        wanted.note_tag(element.tag);
        if element.tag == functional::PER_FRAME {
            // Nothing after it is used, and its frames may fill the file.
            return functional::read(&mut reader, &element, collector);
        }
        at = collect_element(&mut reader, &element, wanted, collector)?;
    }
    Ok(())
}

/// Returns the last tag to read, after a tag above [`LAST_PUBLIC`] was found. If the object can have functional
/// groups or private fields, it is the last tag of these, else [`LAST_PUBLIC`]. It is `u32::MAX` if the series is not
/// known yet.
fn last_tag(collector: &Collector) -> u32 {
    // An object whose series is not known yet is read to its end: its tags may be in another than ascending order.
    if !is_sortable(collector) {
        return u32::MAX;
    }
    // The class UIDs of enhanced MR, MR spectroscopy, enhanced colour and legacy converted MR start with the class UID
    // of MR images and a dot. Other objects with functional groups have NumberOfFrames, or an image whose PixelSpacing
    // is not in the main data set.
    let class = collector.get(Field::SopClassUid);
    let has_spacing = collector.has(Field::PixelSpacing) || !collector.has(Field::Rows);
    let has_frames = collector.has(Field::NumberOfFrames) || !has_spacing;
    if has_frames || class.starts_with(b"1.2.840.10008.5.1.4.1.1.4.") {
        return functional::PER_FRAME;
    }
    last_private(collector.get(Field::Manufacturer))
}

/// Collects the fields in an element of the main data set, and returns where the next element starts.
fn collect_element<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    wanted: &mut WantedElements,
    collector: &mut Collector,
) -> Result<u64, ParseError> {
    if functional::is_group(element) {
        functional::read(reader, element, collector)?;
    }
    if let Some(spec) = sequence::spec_of(element) {
        sequence::read(reader, element, spec, collector)?;
        return reader.after(element);
    }
    let next = reader.after(element)?;
    let Some(length) = element.length else {
        return Ok(next);
    };
    if element.group() & 1 == 1 {
        collect_private(reader, element, length, wanted, collector)?;
    } else if let Some(index) = wanted.advance(element.tag) {
        collect_value(reader, element, length, index, collector)?;
    }
    Ok(next)
}

/// Records a private creator, or collects a private element of a known creator (PS3.5 section 7.8).
fn collect_private<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    length: u32,
    wanted: &mut WantedElements,
    collector: &mut Collector,
) -> Result<(), ParseError> {
    if !wanted.wants_private(element.tag) {
        return Ok(());
    }
    if (0x10..=0xFF).contains(&(element.tag & 0xFFFF)) {
        wanted.note_creator(element.tag, value::trim(reader.value(element, length)?));
        return Ok(());
    }
    wanted.private_line(element.tag).map_or(Ok(()), |index| {
        collect_value(reader, element, length, index, collector)
    })
}

/// Collects the value of an element for the field in the line `index` of the field table.
fn collect_value<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    length: u32,
    index: usize,
    collector: &mut Collector,
) -> Result<(), ParseError> {
    if let Some(spec) = SPECS.get(index) {
        let encoding = reader.encoding;
        let bytes = reader.value(element, length)?;
        collector.set_as(
            spec.field,
            effective_vr(element.vr, spec.vr),
            bytes,
            encoding,
        );
    }
    Ok(())
}
