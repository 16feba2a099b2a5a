//! The attributes of one frame, read element by element.

use super::date_time::{date_time, day, time_of_day};
use super::elements::{Numbers, finite_number, numbers, text};
use super::midnight::DAY;
use crate::header::{Element, Encoding, ParseError, Reader, Vr, Window};

/// The component of a complex image that a frame shows: ComplexImageComponent (PS3.3 C.8.13.3.1.1), else the third and
/// later values of ImageType or FrameType.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub enum Component {
    /// Not in the header.
    #[default]
    Unknown,
    /// Magnitude.
    Magnitude,
    /// Phase.
    Phase,
    /// Real part.
    Real,
    /// Imaginary part.
    Imaginary,
    /// Several components in one object.
    Mixed,
}

/// The axis of an image along which phase is encoded (InPlanePhaseEncodingDirection, PS3.3 C.8.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhaseAxis {
    /// Along the rows.
    Row,
    /// Along the columns.
    Column,
}

/// Diffusion weighting of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Diffusion {
    /// b-value in s/mm2, from the standard element or the vendor's.
    pub b_value: Option<f64>,
    /// Gradient direction in patient axes (LPS+), if the header has it.
    pub direction: Option<[f64; 3]>,
    /// United Imaging: gradient direction along the rows, the columns and the normal of the image.
    pub image_direction: Option<[f64; 3]>,
    /// A second b-value in s/mm2: the nominal b-value (Siemens, Canon, United Imaging), or the b-value of the scan
    /// multiplied by the squared length of the gradient direction (GE).
    pub second_b_value: Option<f64>,
    /// GE: gradient direction along frequency, phase and slice encoding; its squared length is the b-value of the frame
    /// as a fraction of the highest b-value of the scan.
    pub encoding_direction: Option<[f64; 3]>,
    /// Whether DiffusionDirectionality is `ISOTROPIC`: a trace image.
    pub is_isotropic: bool,
    /// Whether the header says that the frame is part of a diffusion scan, also if its b-value is 0.
    pub in_diffusion_scan: bool,
    /// Lowest and highest of the b-values in the frame's elements, s/mm2. Of GE's private element, `second_b_value`
    /// counts if there is a gradient, and never `b_value`; other second b-values do not count.
    pub b_value_range: Option<[f64; 2]>,
}

impl Diffusion {
    /// Returns the squared length of GE's gradient direction; None without one, and if it is not finite.
    pub(super) fn gradient_squared(&self) -> Option<f64> {
        let parts = self.encoding_direction?;
        let squared: f64 = parts.iter().map(|part| part * part).sum();
        squared.is_finite().then_some(squared)
    }

    /// Extends the range of b-values so that it includes the b-value of an element; None changes nothing.
    pub(super) fn extend_range(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            let [low, high] = self.b_value_range.unwrap_or([value; 2]);
            self.b_value_range = Some([low.min(value), high.max(value)]);
        }
    }
}

/// The attributes of one frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes {
    /// Centre of the first pixel in patient coordinates, LPS+ mm (PS3.3 C.7.6.2.1.1).
    pub position: Option<[f64; 3]>,
    /// Direction cosines of a row and of a column.
    pub orientation: Option<[f64; 6]>,
    /// Axis of phase encoding in the image.
    pub phase_axis: Option<PhaseAxis>,
    /// Whether PatientPosition is `HFS`, head first and supine.
    pub head_first_supine: bool,
    /// Distances between rows and between columns, mm.
    pub spacing: Option<[f64; 2]>,
    /// Distance between slice centres, mm.
    pub slice_spacing: Option<f64>,
    /// SliceLocation, mm.
    pub slice_location: Option<f64>,
    /// Echo time, ms.
    pub echo_time: Option<f64>,
    /// Repetition time, ms.
    pub repetition_time: Option<f64>,
    /// Inversion time, ms; the first one if the frame has several.
    pub inversion_time: Option<f64>,
    /// EchoNumbers; the first one if the frame has several.
    pub echo_number: Option<i64>,
    /// Flip angle, degrees.
    pub flip_angle: Option<f64>,
    /// A hash of the name of the receive coil; 0 if the header has none.
    pub coil_hash: u64,
    /// Component of a complex image.
    pub component: Component,
    /// GE: component of a complex image (0043,xx2F): 0 magnitude or a map, 1 phase, 2 real part, 3 imaginary part.
    /// ImageType of GE images usually does not name it.
    pub ge_component: Option<i64>,
    /// GE: number of the kind of image (0043,xx30): the maps of a field map scan have 0, its magnitude images 2. None
    /// for the two kinds of a diffusion scan.
    pub ge_image_kind: Option<i64>,
    /// A hash of all values of ImageType or FrameType; 0 if the header has none.
    pub image_type_hash: u64,
    /// Whether ImageType or FrameType says that the frame is derived.
    pub is_derived: bool,
    /// The signal of a Dixon scan that ImageType or FrameType names: `water`, `fat`, `in phase` or `out of phase`; None
    /// without such a value.
    pub dixon_signal: Option<&'static str>,
    /// Diffusion weighting.
    pub diffusion: Diffusion,
    /// Rescale slope and intercept (PS3.3 C.11.1).
    pub rescale: Option<[f64; 2]>,
    /// Whether the values have a lookup table (ModalityLUTSequence).
    pub has_lookup_table: bool,
    /// Philips scale slope and intercept, for floating-point values.
    pub philips_scale: Option<[f64; 2]>,
    /// A hash of StackID; 0 if the header has none.
    pub stack_id_hash: u64,
    /// InStackPositionNumber.
    pub in_stack_position: Option<i64>,
    /// DimensionIndexValues, the first 16; empty if the header has none.
    pub dimension_indices: Vec<u32>,
    /// TemporalPositionIndex or TemporalPositionIdentifier.
    pub temporal_position: Option<i64>,
    /// AcquisitionNumber or FrameAcquisitionNumber.
    pub acquisition_number: Option<i64>,
    /// InstanceNumber; in objects with per-frame functional groups the frame number (`number_frames`).
    pub instance_number: Option<i64>,
    /// Acquisition date and time in seconds since 1 March of the year 0; since midnight if no date is known.
    pub acquisition_time: Option<f64>,
    /// ContentTime in seconds since midnight, or FrameReferenceDateTime in seconds since 1 March of the year 0.
    pub content_time: Option<f64>,
    /// Trigger time or trigger delay, ms.
    pub trigger_time: Option<f64>,
    /// Seconds from the start of the scan to the start of the volume (TemporalPositionTimeOffset, or an element of
    /// Philips).
    pub time_offset: Option<f64>,
    /// FrameReferenceTime of PET, ms.
    pub frame_reference_time: Option<f64>,
    /// ImageIndex of PET: the number of the image in its series.
    pub image_index: Option<i64>,
    /// Numbers of volumes in some scans: of Philips (2005,xx63), or of GE (0019,xxA2); and of Philips (2001,xx08).
    pub vendor_numbers: [Option<i64>; 2],
    /// Acquisition date in days since 1 March of the year 0, from the main data set.
    pub(super) acquisition_day: Option<f64>,
}

impl Attributes {
    /// Reads an element of a data set or of a functional group macro (PS3.3 C.7.6.16, C.8.13.5); ignores elements that
    /// are not used.
    pub(super) fn read_element<W: Window>(
        &mut self,
        reader: &mut Reader<'_, W>,
        element: &Element,
        encoding: Encoding,
    ) -> Result<(), ParseError> {
        let mut get = |vr: Vr| numbers(reader, element, encoding, vr);
        match element.tag {
            0x0020_0032 => self.position = get(Vr::DS)?.array().or(self.position),
            0x0020_0037 => self.orientation = get(Vr::DS)?.array().or(self.orientation),
            0x0028_0030 => self.spacing = get(Vr::DS)?.array().or(self.spacing),
            0x0018_0088 => self.slice_spacing = get(Vr::DS)?.first(),
            0x0020_1041 => self.slice_location = get(Vr::DS)?.first(),
            0x0018_0081 => self.echo_time = get(Vr::DS)?.first(),
            0x0018_9082 => self.echo_time = get(Vr::FD)?.first(),
            0x0018_0080 => self.repetition_time = get(Vr::DS)?.first(),
            0x0018_0082 => self.inversion_time = get(Vr::DS)?.first(),
            0x0018_9079 => self.inversion_time = get(Vr::FD)?.first().or(self.inversion_time),
            0x0018_0086 => self.echo_number = get(Vr::IS)?.integer(),
            0x0018_1314 => self.flip_angle = get(Vr::DS)?.first(),
            0x0018_1312 => {
                self.phase_axis = match text(reader, element)?.as_str() {
                    "ROW" => Some(PhaseAxis::Row),
                    "COL" => Some(PhaseAxis::Column),
                    _ => None,
                }
            }
            0x0018_5100 => self.head_first_supine = text(reader, element)? == "HFS",
            0x0018_1250 => self.coil_hash = hash(text(reader, element)?.as_bytes()),
            0x0018_9089 => self.diffusion.direction = get(Vr::FD)?.array(),
            0x0018_9087 => {
                self.diffusion.b_value = get(Vr::FD)?.first();
                self.diffusion.extend_range(self.diffusion.b_value);
            }
            0x0028_3000 => self.has_lookup_table = true,
            0x0028_1052 => self.set_rescale(1, get(Vr::DS)?),
            0x0028_1053 => self.set_rescale(0, get(Vr::DS)?),
            0x0020_0012 => self.acquisition_number = get(Vr::IS)?.integer(),
            0x0020_9156 => {
                self.acquisition_number = get(Vr::US)?.integer().or(self.acquisition_number);
            }
            0x0020_0013 => self.instance_number = get(Vr::IS)?.integer(),
            0x0020_0100 => self.temporal_position = get(Vr::IS)?.integer(),
            0x0020_9057 => self.in_stack_position = get(Vr::UL)?.integer(),
            0x0020_9157 => self.dimension_indices = get(Vr::UL)?.indices(),
            0x0020_9128 => self.temporal_position = get(Vr::UL)?.integer(),
            0x0054_1300 => self.frame_reference_time = get(Vr::DS)?.first(),
            0x0054_1330 => self.image_index = get(Vr::US)?.integer(),
            0x0018_1060 => self.trigger_time = get(Vr::DS)?.first(),
            0x0020_930D => self.time_offset = get(Vr::FD)?.first(),
            0x0020_9153 => self.trigger_time = get(Vr::FD)?.first(),
            0x0008_0008 | 0x0008_9007 => self.read_image_type(&text(reader, element)?),
            0x0008_9208 => self.read_complex_component(&text(reader, element)?),
            0x0018_9075 => self.read_directionality(&text(reader, element)?),
            0x0018_0024 => self.read_sequence_name(&text(reader, element)?),
            0x0020_4000 => self.read_comments(&text(reader, element)?),
            0x0020_9056 => self.stack_id_hash = hash(text(reader, element)?.as_bytes()),
            0x0008_0022 => self.acquisition_day = day(&text(reader, element)?),
            0x0008_0032 => {
                let time = time_of_day(&text(reader, element)?);
                let time = time.map(|time| time + self.acquisition_day.unwrap_or(0.0) * DAY);
                // Without a date, the time does not replace AcquisitionDateTime, which is read before it.
                self.acquisition_time = time
                    .filter(|_| self.acquisition_day.is_some() || self.acquisition_time.is_none())
                    .or(self.acquisition_time);
            }
            0x0008_0033 => self.content_time = time_of_day(&text(reader, element)?),
            0x0008_002A | 0x0018_9074 => self.acquisition_time = date_time(&text(reader, element)?),
            0x0018_9151 => self.content_time = date_time(&text(reader, element)?),
            _ => {}
        }
        Ok(())
    }

    /// Sets the slope (`which` 0) or the intercept (1).
    fn set_rescale(&mut self, which: usize, value: Numbers) {
        if let Some(value) = value.first() {
            let both = self.rescale.get_or_insert([1.0, 0.0]);
            if let Some(slot) = both.get_mut(which) {
                *slot = value;
            }
        }
    }

    /// Reads ImageType or FrameType.
    fn read_image_type(&mut self, values: &str) {
        self.image_type_hash = hash(values.as_bytes());
        let labels: Vec<&str> = values.split('\\').map(str::trim).collect();
        self.is_derived = labels.first() == Some(&"DERIVED");
        self.diffusion.in_diffusion_scan |= labels.contains(&"DIFFUSION");
        // The third and later values; ComplexImageComponent (group 0008, read after this) takes precedence.
        let named = labels.iter().skip(2).find_map(|label| match *label {
            "M" | "MAGNITUDE" | "M_FFE" | "M_SE" | "M_IR" => Some(Component::Magnitude),
            "P" | "PHASE" | "PHASE MAP" | "B0" => Some(Component::Phase),
            "R" | "REAL" => Some(Component::Real),
            "I" | "IMAGINARY" => Some(Component::Imaginary),
            _ => None,
        });
        self.component = named.unwrap_or_default();
        self.dixon_signal = labels.iter().skip(2).find_map(|label| match *label {
            "W" | "WATER" => Some("water"),
            "F" | "FAT" => Some("fat"),
            "IP" | "IN_PHASE" => Some("in phase"),
            "OP" | "OUT_PHASE" | "OPP_PHASE" => Some("out of phase"),
            _ => None,
        });
    }

    /// Reads ComplexImageComponent; an unknown value changes nothing.
    fn read_complex_component(&mut self, value: &str) {
        self.component = match value {
            "MAGNITUDE" => Component::Magnitude,
            "PHASE" => Component::Phase,
            "REAL" => Component::Real,
            "IMAGINARY" => Component::Imaginary,
            "MIXED" => Component::Mixed,
            _ => self.component,
        };
    }

    /// Reads DiffusionDirectionality (PS3.3 C.8.13.5.9).
    fn read_directionality(&mut self, value: &str) {
        self.diffusion.is_isotropic = value == "ISOTROPIC";
        self.diffusion.in_diffusion_scan |=
            matches!(value, "DIRECTIONAL" | "BMATRIX" | "ISOTROPIC");
    }

    /// Reads the nominal b-value from SequenceName of Siemens, such as `*ep_b1000#12` or `ep_b0`.
    fn read_sequence_name(&mut self, name: &str) {
        let Some(rest) = name
            .trim_start_matches('*')
            .split_once("_b")
            .map(|(_, rest)| rest)
        else {
            return;
        };
        let digits = rest
            .find(|letter: char| !letter.is_ascii_digit())
            .unwrap_or(rest.len());
        let (value, after) = rest.split_at(digits);
        if let (Some(value), "" | "t" | "#") = (finite_number(value), after.get(..1).unwrap_or(""))
        {
            self.diffusion.second_b_value = Some(value);
            self.diffusion.in_diffusion_scan = true;
        }
    }

    /// Reads the b-value that Canon (formerly Toshiba) writes into ImageComments: `b=1500(0.445,0.000,0.895)`.
    fn read_comments(&mut self, comments: &str) {
        let Some(rest) = comments.trim().strip_prefix("b=") else {
            return;
        };
        let end = rest.find('(').unwrap_or(rest.len());
        let value = rest.get(..end).unwrap_or_default().trim();
        if let Some(value) = finite_number(value) {
            self.diffusion.second_b_value = Some(value);
            self.diffusion.in_diffusion_scan = true;
        }
    }
}

/// Returns a number that is equal for equal bytes (FNV-1a), and never 0.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for &byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash.max(1)
}

#[cfg(test)]
mod tests {
    use super::Attributes;

    #[test]
    fn b_values_in_texts_are_finite() {
        for comments in ["b=inf", "b=nan(0,0,1)", "b=1e999"] {
            let mut attributes = Attributes::default();
            attributes.read_comments(comments);
            assert_eq!(attributes, Attributes::default(), "{comments}");
        }
        let mut attributes = Attributes::default();
        attributes.read_sequence_name(&format!("*ep_b1{}", "0".repeat(400)));
        assert_eq!(attributes, Attributes::default());
    }
}
