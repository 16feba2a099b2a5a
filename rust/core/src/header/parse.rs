//! The way through one object: where it starts, how it is written, which elements are wanted, when to stop.

use std::io;

use super::bundle::{Bundle, Spot};
use super::collect::Collector;
use super::element::{EXPLICIT, Element, Encoding, HEAD, IMPLICIT};
use super::field::Field;
use super::functional;
use super::inflate::Inflated;
use super::meta;
use super::nested::{Fault, Reader};
use super::stored::Header;
use super::wanted::{self, Wanted};
use super::window::Window;

/// What some bytes turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed<H = Header> {
    /// A DICOM object.
    Dicom(H),
    /// Something else.
    NotDicom,
    /// A DICOM object whose header cannot be read.
    Broken {
        /// What is wrong with it.
        reason: String,
        /// Where, in bytes from its beginning.
        offset: u64,
    },
}

impl<H> Parsed<H> {
    /// The same with another form of the header.
    pub fn map<T>(self, with: impl FnOnce(H) -> T) -> Parsed<T> {
        match self {
            Self::Dicom(header) => Parsed::Dicom(with(header)),
            Self::NotDicom => Parsed::NotDicom,
            Self::Broken { reason, offset } => Parsed::Broken { reason, offset },
        }
    }
}

/// Elements of the main data set past which there is nothing wanted but private and functional groups.
const LAST_PLAIN: u32 = 0x0028_0030;
/// All tags up to here may be passed without a look inside.
const BEFORE_FUNCTIONAL: u32 = 0x5200_9228;
/// The per-frame functional groups, the last thing that is ever wanted.
const LAST_FUNCTIONAL: u32 = 0x5200_9230;
/// The last private group of a vendor that is wanted (Philips).
const LAST_PRIVATE: u32 = 0x2001_FFFF;
/// Deflated explicit VR little endian.
const DEFLATED: &[u8] = b"1.2.840.10008.1.2.1.99";

/// Reads the header of one object.
///
/// Damaged bytes are a [`Parsed`] value; only reading itself can fail.
pub fn parse<W: Window>(window: &mut W) -> io::Result<Parsed> {
    let mut bundle = Bundle::default();
    let parsed = parse_into(window, &mut bundle)?;
    let bundle = bundle.close();
    Ok(parsed.map(|spot| bundle.header(spot)))
}

/// Something that looks at the elements of a data set itself.
pub(crate) trait Visit {
    /// Called once, with a reader, where the data set begins, and how its elements are written.
    fn visit<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        start: u64,
        syntax: &Syntax,
    ) -> Result<(), Fault>;
}

/// How an object's data set is written.
#[derive(Debug)]
pub(crate) struct Syntax {
    /// TransferSyntaxUID as the meta header gives it; empty without a meta header.
    pub uid: String,
    /// Offsets count in the inflated data set, not in the file.
    pub deflated: bool,
}

/// Shows the data set of one object to a visitor; false when the bytes are no DICOM.
pub(crate) fn visit<W: Window>(window: &mut W, visitor: &mut impl Visit) -> Result<bool, Fault> {
    let Some(start) = Start::find(window)? else {
        return Ok(false);
    };
    let mut collector = Collector::default();
    let at = meta::read(window, start.at, &mut Wanted::default(), &mut collector)?;
    let uid = collector.get(Field::TransferSyntaxUid);
    let claimed = claimed(uid);
    let deflated = uid == DEFLATED && !plain(window.at(at, HEAD)?);
    let uid = String::from_utf8_lossy(uid).into_owned();
    let syntax = Syntax { uid, deflated };
    if deflated {
        let mut inflated = Inflated::raw(window, at);
        return visit_data_set(&mut inflated, 0, EXPLICIT, &syntax, visitor);
    }
    visit_data_set(window, at, claimed, &syntax, visitor)
}

fn visit_data_set<W: Window>(
    window: &mut W,
    start: u64,
    claimed: Encoding,
    syntax: &Syntax,
    visitor: &mut impl Visit,
) -> Result<bool, Fault> {
    let head = window.at(start, HEAD)?;
    let Some(encoding) = Encoding::guess(head, claimed) else {
        return Ok(false);
    };
    visitor.visit(&mut Reader::new(window, encoding), start, syntax)?;
    Ok(true)
}

/// Reads the header of one object into a bundle.
///
/// As [`parse`] does, but what is read can only be had once the bundle is closed.
pub fn parse_into<W: Window>(window: &mut W, bundle: &mut Bundle) -> io::Result<Parsed<Spot>> {
    let Some(start) = Start::find(window)? else {
        return Ok(Parsed::NotDicom);
    };
    bundle.collector.clear();
    let collector = &mut bundle.collector;
    let outcome = read(window, &start, collector);
    if !start.marked && !convincing(collector) {
        return match outcome {
            Err(Fault::Io(error)) if error.kind() != io::ErrorKind::InvalidData => Err(error),
            _ => Ok(Parsed::NotDicom),
        };
    }
    match outcome {
        Ok(()) => Ok(Parsed::Dicom(bundle.put(false))),
        Err(Fault::Broken { .. }) if sortable(collector) => Ok(Parsed::Dicom(bundle.put(false))),
        Err(Fault::Broken { reason, offset }) => Ok(Parsed::Broken { reason, offset }),
        Err(Fault::Io(error)) if error.kind() == io::ErrorKind::InvalidData => Ok(Parsed::Broken {
            reason: error.to_string(),
            offset: start.at,
        }),
        Err(Fault::Io(error)) => Err(error),
    }
}

/// Where an object begins.
struct Start {
    at: u64,
    /// The four letters of PS3.10 section 7.1 were there.
    marked: bool,
}

impl Start {
    fn find<W: Window>(window: &mut W) -> io::Result<Option<Self>> {
        let head = window.at(0, 144)?;
        if head.get(128..132) == Some(b"DICM") {
            return Ok(Some(Self {
                at: 132,
                marked: true,
            }));
        }
        // Without preamble: nothing but a meta header or the identifying group can come first, in either byte order.
        let begins = matches!(head.first_chunk::<2>(), Some([2 | 8, 0] | [0, 2 | 8]));
        let element = begins && Encoding::guess(head, EXPLICIT).is_some();
        Ok(element.then_some(Self {
            at: 0,
            marked: false,
        }))
    }
}

/// Whether what was read of a file without the DICOM mark proves that it is one: some unique identifier.
fn convincing(collector: &Collector) -> bool {
    let fields = [
        Field::SopInstanceUid,
        Field::SopClassUid,
        Field::SeriesInstanceUid,
        Field::StudyInstanceUid,
        Field::MediaStorageSopClassUid,
    ];
    fields.into_iter().any(|field| {
        let uid = collector.get(field);
        let digits = uid
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.');
        digits && uid.contains(&b'.') && matches!(uid.first(), Some(b'0'..=b'2'))
    })
}

/// Whether enough is known to put the file into its series, whatever is wrong further on.
fn sortable(collector: &Collector) -> bool {
    [
        Field::SopInstanceUid,
        Field::SeriesInstanceUid,
        Field::SeriesNumber,
    ]
    .into_iter()
    .all(|field| collector.has(field))
}

fn read<W: Window>(window: &mut W, start: &Start, collector: &mut Collector) -> Result<(), Fault> {
    let mut wants = Wanted::default();
    let at = meta::read(window, start.at, &mut wants, collector)?;
    let syntax = collector.get(Field::TransferSyntaxUid);
    let claimed = claimed(syntax);
    let deflated = syntax == DEFLATED;
    let head = window.at(at, HEAD)?;
    if deflated && !plain(head) {
        let mut inflated = Inflated::raw(window, at);
        return data_set(&mut inflated, 0, EXPLICIT, &mut wants, collector);
    }
    data_set(window, at, claimed, &mut wants, collector)
}

/// Whether the bytes after a claim of deflation were not deflated at all.
fn plain(head: &[u8]) -> bool {
    matches!(head.first_chunk::<2>(), Some([8, 0]))
        && Encoding::guess(head, EXPLICIT) == Some(EXPLICIT)
}

fn claimed(syntax: &[u8]) -> Encoding {
    match syntax {
        // The second is GE's own: implicit VR, little endian but for the pixels.
        b"1.2.840.10008.1.2" | b"1.2.840.113619.5.2" => IMPLICIT,
        b"1.2.840.10008.1.2.2" => Encoding {
            explicit: true,
            big_endian: true,
        },
        _ => EXPLICIT,
    }
}

fn data_set<W: Window>(
    window: &mut W,
    start: u64,
    claimed: Encoding,
    wants: &mut Wanted,
    collector: &mut Collector,
) -> Result<(), Fault> {
    let head = window.at(start, HEAD)?;
    if head.len() < 8 {
        return Ok(());
    }
    let Some(encoding) = Encoding::guess(head, claimed) else {
        return Err(Fault::broken(
            "no data element where the data set begins",
            start,
        ));
    };
    let mut reader = Reader::new(window, encoding);
    let mut stop = LAST_PLAIN;
    let mut at = start;
    loop {
        at = reader.skim(at, stop.min(BEFORE_FUNCTIONAL), wants, collector)?;
        let Some(element) = reader.element(at, encoding)? else {
            break;
        };
        if element.tag > stop {
            stop = reach(collector);
            if element.tag > stop {
                break;
            }
        }
        wants.reach(element.tag);
        if element.tag == LAST_FUNCTIONAL {
            // Nothing is wanted after it, and its frames may fill the file.
            return functional::read(&mut reader, &element, collector);
        }
        at = take(&mut reader, &element, wants, collector)?;
    }
    Ok(())
}

/// How far to read once the plain elements are passed: what is kept further on, only where it can be.
fn reach(collector: &Collector) -> u32 {
    // A file that does not say where it belongs is read to its end: one wrong tag is no end of the others.
    if !sortable(collector) {
        return u32::MAX;
    }
    // Enhanced MR, MR spectroscopy, enhanced colour and legacy converted MR begin so; others say that they have frames,
    // or show it by a picture without a scale.
    let class = collector.get(Field::SopClassUid);
    let scale = collector.has(Field::PixelSpacing) || !collector.has(Field::Rows);
    let frames = collector.has(Field::NumberOfFrames) || !scale;
    if frames || class.starts_with(b"1.2.840.10008.5.1.4.1.1.4.") {
        return LAST_FUNCTIONAL;
    }
    let maker = collector.get(Field::Manufacturer);
    let philips = maker
        .get(..7)
        .is_some_and(|name| name.eq_ignore_ascii_case(b"philips"));
    if philips || maker.is_empty() {
        LAST_PRIVATE
    } else {
        LAST_PLAIN
    }
}

/// Takes what is wanted of one element of the main data set, and returns where the next one begins.
fn take<W: Window>(
    reader: &mut Reader<'_, W>,
    element: &Element,
    wants: &mut Wanted,
    collector: &mut Collector,
) -> Result<u64, Fault> {
    if functional::is_group(element) {
        functional::read(reader, element, collector)?;
    }
    let next = reader.after(element)?;
    let Some(length) = element.length else {
        return Ok(next);
    };
    if element.group() & 1 == 1 {
        wants.take_private(reader, element, length, collector)?;
    } else if let Some(index) = wants.advance(element.tag) {
        wanted::keep(reader, element, length, index, collector)?;
    }
    Ok(next)
}
