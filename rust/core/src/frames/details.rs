//! How one object was measured: named values of its header, functional groups and private elements.
//!
//! One object represents a series. If a name occurs several times, its first value is used, so the main data set takes
//! precedence over the functional groups. Of several Siemens protocols, the last one takes precedence.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::csa;
use super::elements::{decoded_text, each_element, each_item, finite_number, numbers, text};
use super::protocol;
use crate::header::{
    CharacterSets, DataSetVisitor, Element, Encoding, FileWindow, Inflated, ParseError, Reader,
    TransferSyntax, Vr, Window, is_gzip, visit,
};
use crate::regular;

/// Named values of one object's header.
#[derive(Debug, Default, Clone)]
pub struct Details {
    /// Numbers by name: a DICOM keyword, vendor and private name, or `Protocol.` and the name in the protocol of
    /// Siemens.
    pub numbers: BTreeMap<String, Vec<f64>>,
    /// Texts by name. `Protocol.read` is set if the header contains the protocol of Siemens.
    pub texts: BTreeMap<String, String>,
}

/// Bytes read at once: these elements are spread over the header.
const READ_LENGTH: usize = 1 << 16;
/// SpecificCharacterSet.
const CHARACTER_SET: u32 = 0x0008_0005;
/// The lowest tag of pixel data: the header ends before it.
const FIRST_PIXEL_TAG: u32 = 0x7FE0_0008;
/// Limit on the depth of nested sequences.
const MAX_DEPTH: u32 = 4;
/// Limit on the length of a value in bytes; longer values are skipped. The longest used ones are the protocol texts of
/// Siemens.
const MAX_VALUE_LENGTH: u32 = 1 << 22;

/// Standard elements (PS3.6): tag, VR (a number can have another VR in the file), keyword.
const STANDARD: &[(u32, Vr, &str)] = &[
    (0x0008_0070, Vr::LO, "Manufacturer"),
    (0x0018_0020, Vr::CS, "ScanningSequence"),
    (0x0018_0022, Vr::CS, "ScanOptions"),
    (0x0018_0024, Vr::SH, "SequenceName"),
    (0x0018_0050, Vr::DS, "SliceThickness"),
    (0x0018_0080, Vr::DS, "RepetitionTime"),
    (0x0018_0082, Vr::DS, "InversionTime"),
    (0x0018_0087, Vr::DS, "MagneticFieldStrength"),
    (0x0018_0088, Vr::DS, "SpacingBetweenSlices"),
    (0x0018_0095, Vr::DS, "PixelBandwidth"),
    (0x0018_1020, Vr::LO, "SoftwareVersions"),
    (0x0018_1090, Vr::IS, "CardiacNumberOfImages"),
    (0x0018_1250, Vr::SH, "ReceiveCoilName"),
    (0x0018_1312, Vr::CS, "InPlanePhaseEncodingDirection"),
    (0x0018_1314, Vr::DS, "FlipAngle"),
    (0x0018_9005, Vr::SH, "PulseSequenceName"),
    (0x0018_9069, Vr::FD, "ParallelReductionFactorInPlane"),
    (0x0018_9018, Vr::CS, "EchoPlanarPulseSequence"),
    (0x0018_9073, Vr::FD, "AcquisitionDuration"),
    (0x0018_9079, Vr::FD, "InversionTimes"),
    (0x0018_9081, Vr::CS, "PartialFourier"),
    (0x0020_0105, Vr::IS, "NumberOfTemporalPositions"),
    (0x0020_1002, Vr::IS, "ImagesInAcquisition"),
    (0x0020_4000, Vr::LO, "ImageComments"),
];

/// Private elements: creator, tag without the block, VR (a number can have another VR in the file), name.
const PRIVATE: &[(&str, u32, Vr, &str)] = &[
    ("SIEMENS CSA HEADER", 0x0029_0010, Vr::LO, CSA),
    ("SIEMENS CSA HEADER", 0x0029_0020, Vr::LO, CSA),
    ("SIEMENS MR SDS 01", 0x0021_0019, Vr::LO, PROTOCOL),
    (
        "SIEMENS MR SDI 02",
        0x0021_0053,
        Vr::FD,
        "SiemensBandwidthPerPixelPhaseEncode",
    ),
    (
        "SIEMENS MR HEADER",
        0x0019_0028,
        Vr::FD,
        "SiemensBandwidthPerPixelPhaseEncode",
    ),
    (
        "SIEMENS MR SDI 02",
        0x0021_001C,
        Vr::IS,
        "SiemensPhaseEncodingDirectionPositive",
    ),
    ("SIEMENS MR HEADER", 0x0051_000F, Vr::LO, "SiemensCoil"),
    (
        "GEMS_RELA_01",
        0x0021_004F,
        Vr::SS,
        "GELocationsInAcquisition",
    ),
    ("GEMS_SERS_01", 0x0025_0007, Vr::SL, "GEImagesInSeries"),
    ("GEMS_ACQU_01", 0x0019_009C, Vr::LO, "GEPulseSequence"),
    ("GEMS_PARM_01", 0x0043_0083, Vr::DS, "GEAssetFactors"),
    (
        "Philips Imaging DD 001",
        0x2001_0018,
        Vr::SL,
        "PhilipsNumberOfSlices",
    ),
    (
        "Philips Imaging DD 001",
        0x2001_0081,
        Vr::IS,
        "PhilipsNumberOfDynamicScans",
    ),
];
/// In place of a name: the element is a CSA header, which contains named values.
const CSA: &str = "(CSA)";
/// In place of a name: the element is a protocol text of Siemens, which contains named values.
const PROTOCOL: &str = "(protocol)";

/// Reads the details of one file, which may be gzipped; empty if it is not DICOM.
///
/// # Errors
///
/// Fails if the file cannot be read.
pub fn details(path: &Path) -> io::Result<Details> {
    let file = regular::open(path)?;
    let size = file.metadata()?.len();
    let mut window = FileWindow::with_read_length(&file, size, Vec::new(), READ_LENGTH);
    let mut collector = DetailsCollector::default();
    let read = if is_gzip(&mut window)? {
        match Inflated::gzip(&mut window)? {
            Some(mut inflated) => visit(&mut inflated, &mut collector),
            None => Ok(false),
        }
    } else {
        visit(&mut window, &mut collector)
    };
    match read {
        Err(ParseError::Io(error)) if error.kind() != io::ErrorKind::InvalidData => Err(error),
        // Values from a damaged header are used.
        _ => Ok(collector.details),
    }
}

/// Collects the details of an object while its data set is read.
#[derive(Default)]
struct DetailsCollector {
    details: Details,
    /// The character sets of the main data set.
    character_sets: CharacterSets,
}

/// The private creators of a data set: tag of the block's first element, and creator.
type Creators = Vec<(u32, &'static str)>;

impl DetailsCollector {
    /// Reads the elements of the main data set or of an item; returns the offset after them.
    fn read_elements<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        start: u64,
        end: u64,
        encoding: Encoding,
        depth: u32,
    ) -> Result<u64, ParseError> {
        let mut creators = Creators::new();
        each_element(
            reader,
            start,
            end,
            encoding,
            &mut |reader, element, encoding| {
                if element.tag >= FIRST_PIXEL_TAG {
                    return Ok(u64::MAX);
                }
                if depth == 0 && element.tag == CHARACTER_SET {
                    self.character_sets = CharacterSets::named(reader.long_value(element)?);
                }
                if depth < MAX_DEPTH && is_wanted(element, depth) {
                    return self.read_first_item(reader, element, encoding, depth);
                }
                if element
                    .length
                    .is_some_and(|length| length <= MAX_VALUE_LENGTH)
                {
                    self.read_element(reader, element, encoding, &mut creators)?;
                }
                reader.after(element)
            },
        )
    }

    /// Reads only the first item of a sequence, for example the groups of the first frame; returns the offset after the
    /// sequence.
    fn read_first_item<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
        depth: u32,
    ) -> Result<u64, ParseError> {
        let mut first = true;
        each_item(
            reader,
            element,
            encoding,
            &mut |reader, start, end, inner| {
                if std::mem::take(&mut first) {
                    return self.read_elements(reader, start, end, inner, depth.saturating_add(1));
                }
                // The end of an item of undefined length is after its elements.
                if end == u64::MAX {
                    return each_element(reader, start, end, inner, &mut |reader, element, _| {
                        reader.after(element)
                    });
                }
                Ok(end)
            },
        )
    }

    /// Stores the value of an element if it is in the tables; records a private creator in `creators`.
    fn read_element<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
        creators: &mut Creators,
    ) -> Result<(), ParseError> {
        if element.tag >> 16 & 1 == 0 {
            let known = STANDARD.iter().find(|(tag, _, _)| *tag == element.tag);
            return match known {
                Some((_, vr, name)) => self.store_value(reader, element, encoding, *vr, name),
                None => Ok(()),
            };
        }
        if element.tag & 0xFF00 == 0 {
            let name = text(reader, element)?;
            let known = PRIVATE.iter().find(|(creator, ..)| *creator == name);
            if let Some((creator, ..)) = known {
                creators.push((
                    element.tag & 0xFFFF_0000 | (element.tag & 0xFF) << 8,
                    creator,
                ));
            }
            return Ok(());
        }
        let block = element.tag & 0xFFFF_FF00;
        let creator = creators.iter().find(|(tag, _)| *tag == block);
        let known = creator.and_then(|(_, creator)| {
            let is_same = |candidate: &&(&str, u32, Vr, &str)| {
                candidate.0 == *creator && candidate.1 == element.tag & 0xFFFF_00FF
            };
            PRIVATE.iter().find(is_same)
        });
        match known {
            Some((_, _, _, CSA)) => self.read_csa(reader.long_value(element)?),
            Some((_, _, _, PROTOCOL)) => self.read_protocol(reader.long_value(element)?),
            Some((_, _, vr, name)) => {
                return self.store_value(reader, element, encoding, *vr, name);
            }
            None => {}
        }
        Ok(())
    }

    /// Stores the value of an element under a name, unless the name has one already.
    fn store_value<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
        vr: Vr,
        name: &str,
    ) -> Result<(), ParseError> {
        if matches!(vr, Vr::LO | Vr::SH | Vr::CS) {
            let value = decoded_text(reader, element, self.character_sets)?;
            if !value.is_empty() {
                self.details.texts.entry(name.to_owned()).or_insert(value);
            }
            return Ok(());
        }
        let values = numbers(reader, element, encoding, vr)?.all();
        if !values.is_empty() {
            self.details
                .numbers
                .entry(name.to_owned())
                .or_insert(values);
        }
        Ok(())
    }

    /// Stores the used values of a CSA header.
    fn read_csa(&mut self, bytes: &[u8]) {
        let details = &mut self.details;
        csa::each_name(bytes, &mut |name, values| match name {
            b"PhaseEncodingDirectionPositive" | b"BandwidthPerPixelPhaseEncode" => {
                let value = values.first().and_then(|text| finite_number(text));
                let name = format!("Siemens{}", String::from_utf8_lossy(name));
                value.map(|value| details.numbers.entry(name).or_insert(vec![value]));
            }
            b"MrPhoenixProtocol" | b"MrProtocol" => {
                for text in values {
                    protocol::read(text, &mut details.numbers, &mut details.texts);
                }
            }
            _ => {}
        });
    }

    /// Stores the used values of a protocol text of Siemens.
    fn read_protocol(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        protocol::read(&text, &mut self.details.numbers, &mut self.details.texts);
    }
}

impl DataSetVisitor for DetailsCollector {
    fn visit<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        start: u64,
        _: &TransferSyntax,
    ) -> Result<(), ParseError> {
        let encoding = reader.encoding;
        self.read_elements(reader, start, u64::MAX, encoding, 0)?;
        Ok(())
    }
}

/// Returns whether an element is a sequence whose first item is read: functional groups and, inside them, macros with a
/// tag of group 0018 or 0028 and private sequences of Siemens XA.
fn is_wanted(element: &Element, depth: u32) -> bool {
    let tag = element.tag;
    let is_group = matches!(tag, 0x5200_9229 | 0x5200_9230);
    // Without VRs in the file, a value may look like a sequence.
    let is_value = STANDARD.iter().any(|(known, ..)| *known == tag);
    let is_macro = depth > 0 && matches!(tag >> 16, 0x0018 | 0x0028) && !is_value;
    let is_siemens = depth > 0 && tag >> 16 == 0x0021 && matches!(tag & 0xFF, 0xFE);
    element.may_be_sequence() && (is_group || is_macro || is_siemens)
}
