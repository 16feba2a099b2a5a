//! The table of header fields. To add a field, add one line: public elements in ascending order of their tags, then
//! private elements. The build fails if a line is at a wrong place.

use super::vr::{ValueType, Vr};

/// One line of the table.
#[derive(Debug)]
pub struct Spec {
    /// The field.
    pub field: Field,
    /// DICOM keyword (PS3.6), or vendor and name of a private element.
    pub keyword: &'static str,
    /// Group and element; for a private element without the block number.
    pub tag: u32,
    /// VR in the dictionary. The VR in the file is used only for numbers.
    pub vr: Vr,
    /// Vendor of a private element: the text with which Manufacturer starts. Empty for public elements.
    pub vendor: &'static str,
    /// Private creator of the element's block; None for public elements.
    pub private_creator: Option<&'static str>,
    /// Where enhanced multi-frame objects store the value: tags of the functional group macro and of the element in it
    /// (PS3.3 C.7.6.16); empty for other fields. For a sequence: its own tag, and that of the element that is read in
    /// each of its items.
    pub within: &'static [(u32, u32)],
}

macro_rules! fields {
    ($($name:ident, $keyword:literal, $tag:literal, $vr:ident
        $(, $vendor:literal private_creator $private_creator:literal)? $(, within $macro_tag:literal / $inner:literal)*;)+) => {
        /// A header field that the core reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the keyword says it")]
        pub enum Field { $($name),+ }

        /// The table: public elements in ascending order of their tags, then private elements.
        pub static SPECS: [Spec; Field::COUNT] = [$(Spec {
            field: Field::$name,
            keyword: $keyword,
            tag: $tag,
            vr: Vr::$vr,
            vendor: fields!(@vendor $($vendor)?),
            private_creator: fields!(@private_creator $($private_creator)?),
            within: &[$(($macro_tag, $inner)),*],
        }),+];

        impl Field {
            /// Number of fields.
            pub const COUNT: usize = [$($keyword),+].len();
            /// All fields in the order of the table.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$name),+];

            /// Returns the DICOM keyword, or vendor and name of a private element.
            pub const fn keyword(self) -> &'static str {
                match self { $(Self::$name => $keyword),+ }
            }

            /// Returns the kind of the decoded value.
            pub const fn value_type(self) -> ValueType {
                match self { $(Self::$name => Vr::$vr.value_type()),+ }
            }

            /// Returns the field with a keyword.
            pub fn from_keyword(keyword: &str) -> Option<Self> {
                match keyword { $($keyword => Some(Self::$name),)+ _ => None }
            }
        }
    };
    (@vendor) => { "" };
    (@vendor $vendor:literal) => { $vendor };
    (@private_creator) => { None };
    (@private_creator $private_creator:literal) => { Some($private_creator) };
}

fields! {
    MediaStorageSopClassUid, "MediaStorageSOPClassUID", 0x0002_0002, UI;
    TransferSyntaxUid, "TransferSyntaxUID", 0x0002_0010, UI;
    SpecificCharacterSet, "SpecificCharacterSet", 0x0008_0005, CS;
    ImageType, "ImageType", 0x0008_0008, CS;
    SopClassUid, "SOPClassUID", 0x0008_0016, UI;
    SopInstanceUid, "SOPInstanceUID", 0x0008_0018, UI;
    StudyDate, "StudyDate", 0x0008_0020, DA;
    SeriesDate, "SeriesDate", 0x0008_0021, DA;
    AcquisitionDate, "AcquisitionDate", 0x0008_0022, DA;
    ContentDate, "ContentDate", 0x0008_0023, DA;
    AcquisitionDateTime, "AcquisitionDateTime", 0x0008_002A, DT;
    StudyTime, "StudyTime", 0x0008_0030, TM;
    SeriesTime, "SeriesTime", 0x0008_0031, TM;
    AcquisitionTime, "AcquisitionTime", 0x0008_0032, TM;
    ContentTime, "ContentTime", 0x0008_0033, TM;
    AccessionNumber, "AccessionNumber", 0x0008_0050, SH;
    Modality, "Modality", 0x0008_0060, CS;
    Manufacturer, "Manufacturer", 0x0008_0070, LO;
    InstitutionName, "InstitutionName", 0x0008_0080, LO;
    StationName, "StationName", 0x0008_1010, SH;
    StudyDescription, "StudyDescription", 0x0008_1030, LO;
    SeriesDescription, "SeriesDescription", 0x0008_103E, LO;
    ManufacturerModelName, "ManufacturerModelName", 0x0008_1090, LO;
    ComplexImageComponent, "ComplexImageComponent", 0x0008_9208, CS, within 0x0018_9226 / 0x0008_9208;
    PatientName, "PatientName", 0x0010_0010, PN;
    PatientId, "PatientID", 0x0010_0020, LO;
    PatientBirthDate, "PatientBirthDate", 0x0010_0030, DA;
    OtherPatientIds, "OtherPatientIDs", 0x0010_1000, LO;
    OtherPatientNames, "OtherPatientNames", 0x0010_1001, PN;
    OtherPatientIdsSequence, "OtherPatientIDsSequence", 0x0010_1002, SQ, within 0x0010_1002 / 0x0010_0020;
    PatientBirthName, "PatientBirthName", 0x0010_1005, PN;
    PatientMotherBirthName, "PatientMotherBirthName", 0x0010_1060, PN;
    MedicalRecordLocator, "MedicalRecordLocator", 0x0010_1090, LO;
    ResponsiblePerson, "ResponsiblePerson", 0x0010_2297, PN;
    ContrastBolusAgent, "ContrastBolusAgent", 0x0018_0010, LO;
    ScanningSequence, "ScanningSequence", 0x0018_0020, CS;
    SequenceVariant, "SequenceVariant", 0x0018_0021, CS;
    ScanOptions, "ScanOptions", 0x0018_0022, CS;
    MrAcquisitionType, "MRAcquisitionType", 0x0018_0023, CS;
    SequenceName, "SequenceName", 0x0018_0024, SH;
    SliceThickness, "SliceThickness", 0x0018_0050, DS, within 0x0028_9110 / 0x0018_0050;
    RepetitionTime, "RepetitionTime", 0x0018_0080, DS, within 0x0018_9112 / 0x0018_0080;
    EchoTime, "EchoTime", 0x0018_0081, DS, within 0x0018_9114 / 0x0018_9082;
    InversionTime, "InversionTime", 0x0018_0082, DS, within 0x0018_9115 / 0x0018_9079;
    EchoNumbers, "EchoNumbers", 0x0018_0086, IS;
    MagneticFieldStrength, "MagneticFieldStrength", 0x0018_0087, DS;
    SpacingBetweenSlices, "SpacingBetweenSlices", 0x0018_0088, DS, within 0x0028_9110 / 0x0018_0088;
    PixelBandwidth, "PixelBandwidth", 0x0018_0095, DS, within 0x0018_9006 / 0x0018_0095;
    SoftwareVersions, "SoftwareVersions", 0x0018_1020, LO;
    ProtocolName, "ProtocolName", 0x0018_1030, LO;
    ReceiveCoilName, "ReceiveCoilName", 0x0018_1250, SH, within 0x0018_9042 / 0x0018_1250;
    InPlanePhaseEncodingDirection, "InPlanePhaseEncodingDirection", 0x0018_1312, CS, within 0x0018_9125 / 0x0018_1312;
    FlipAngle, "FlipAngle", 0x0018_1314, DS, within 0x0018_9112 / 0x0018_1314;
    PulseSequenceName, "PulseSequenceName", 0x0018_9005, SH;
    DiffusionBValue, "DiffusionBValue", 0x0018_9087, FD, within 0x0018_9117 / 0x0018_9087;
    StudyInstanceUid, "StudyInstanceUID", 0x0020_000D, UI;
    SeriesInstanceUid, "SeriesInstanceUID", 0x0020_000E, UI;
    StudyId, "StudyID", 0x0020_0010, SH;
    SeriesNumber, "SeriesNumber", 0x0020_0011, IS;
    AcquisitionNumber, "AcquisitionNumber", 0x0020_0012, IS;
    InstanceNumber, "InstanceNumber", 0x0020_0013, IS;
    ImagePositionPatient, "ImagePositionPatient", 0x0020_0032, DS, within 0x0020_9113 / 0x0020_0032;
    ImageOrientationPatient, "ImageOrientationPatient", 0x0020_0037, DS, within 0x0020_9116 / 0x0020_0037;
    FrameOfReferenceUid, "FrameOfReferenceUID", 0x0020_0052, UI;
    TemporalPositionIdentifier, "TemporalPositionIdentifier", 0x0020_0100, IS;
    NumberOfTemporalPositions, "NumberOfTemporalPositions", 0x0020_0105, IS;
    ImagesInAcquisition, "ImagesInAcquisition", 0x0020_1002, IS;
    SliceLocation, "SliceLocation", 0x0020_1041, DS;
    NumberOfFrames, "NumberOfFrames", 0x0028_0008, IS;
    Rows, "Rows", 0x0028_0010, US;
    Columns, "Columns", 0x0028_0011, US;
    PixelSpacing, "PixelSpacing", 0x0028_0030, DS, within 0x0028_9110 / 0x0028_0030;
    SiemensNumberOfImagesInMosaic, "SiemensNumberOfImagesInMosaic", 0x0019_000A, US, "SIEMENS" private_creator "SIEMENS MR HEADER";
    SiemensBValue, "SiemensBValue", 0x0019_000C, IS, "SIEMENS" private_creator "SIEMENS MR HEADER";
    GeLocationsInAcquisition, "GELocationsInAcquisition", 0x0021_004F, SS, "GE" private_creator "GEMS_RELA_01";
    GeImagesInSeries, "GEImagesInSeries", 0x0025_0007, SL, "GE" private_creator "GEMS_SERS_01";
    PhilipsDiffusionBFactor, "PhilipsDiffusionBFactor", 0x2001_0003, FL, "Philips" private_creator "Philips Imaging DD 001";
    PhilipsNumberOfEchoes, "PhilipsNumberOfEchoes", 0x2001_0014, SL, "Philips" private_creator "Philips Imaging DD 001";
    PhilipsNumberOfSlices, "PhilipsNumberOfSlices", 0x2001_0018, SL, "Philips" private_creator "Philips Imaging DD 001";
    PhilipsNumberOfDynamicScans, "PhilipsNumberOfDynamicScans", 0x2001_0081, IS, "Philips" private_creator "Philips Imaging DD 001";
}

/// Checks the order of the table: the parser searches it for public fields in ascending order of their tags, up to the
/// first private field.
const _: () = {
    let mut rest: &[Spec] = &SPECS;
    while let [before, after @ ..] = rest {
        if let [this, ..] = after {
            assert!(
                this.private_creator.is_some() || before.private_creator.is_none(),
                "a public field follows a private one in the table of fields"
            );
            assert!(
                this.private_creator.is_some() || before.tag < this.tag,
                "the public fields are not in ascending order of their tags"
            );
        }
        assert!(
            before.private_creator.is_some() == (before.tag >> 16 & 1 == 1),
            "only private elements have an odd group and a private creator"
        );
        rest = after;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_leads_back_to_its_field() {
        for field in Field::ALL {
            assert_eq!(Field::from_keyword(field.keyword()), Some(field));
        }
        assert_eq!(Field::from_keyword("PixelData"), None);
    }
}
