//! Value representations (PS3.5 section 6.2): the kind of a value, and the length of its element's header.

/// The value representations that the core distinguishes (PS3.5 section 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vr {
    /// Code string.
    CS,
    /// Date.
    DA,
    /// Decimal string.
    DS,
    /// Date and time.
    DT,
    /// 64-bit float.
    FD,
    /// 32-bit float.
    FL,
    /// Integer string.
    IS,
    /// Long string.
    LO,
    /// Person name.
    PN,
    /// Short string.
    SH,
    /// Signed 32-bit integer.
    SL,
    /// Sequence; the value has the text of one element from each item.
    SQ,
    /// Signed 16-bit integer.
    SS,
    /// Time.
    TM,
    /// Unique identifier.
    UI,
    /// Unsigned 32-bit integer.
    UL,
    /// Unsigned 16-bit integer.
    US,
}

/// The kind of a decoded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    /// Text in the object's character set.
    Text,
    /// A person's name in the object's character set.
    Person,
    /// Text that is ASCII by definition: codes, dates, times, identifiers.
    Ascii,
    /// An integer.
    Int,
    /// A decimal number.
    Float,
}

impl Vr {
    /// Returns the kind of a value with this VR.
    pub const fn value_type(self) -> ValueType {
        match self {
            Self::LO | Self::SH | Self::SQ => ValueType::Text,
            Self::PN => ValueType::Person,
            Self::CS | Self::DA | Self::DT | Self::TM | Self::UI => ValueType::Ascii,
            Self::IS | Self::SL | Self::SS | Self::UL | Self::US => ValueType::Int,
            Self::DS | Self::FD | Self::FL => ValueType::Float,
        }
    }
}

/// Returns the VR in which the bytes of a value are encoded. `vr` is that of the file, `known` that of the dictionary.
///
/// The dictionary decides for texts, and if the file has no usable VR (none, UN, OB, OW). Other numbers have the VR of
/// the file if it is binary, else LO: they are text.
#[inline]
pub(crate) fn effective_vr(vr: Option<[u8; 2]>, known: Vr) -> Vr {
    match (vr.as_ref(), known.value_type()) {
        (None | Some(b"UN" | b"OB" | b"OW"), _)
        | (_, ValueType::Text | ValueType::Person | ValueType::Ascii) => known,
        (Some(b"FD"), _) => Vr::FD,
        (Some(b"FL"), _) => Vr::FL,
        (Some(b"SL"), _) => Vr::SL,
        (Some(b"SS"), _) => Vr::SS,
        (Some(b"UL"), _) => Vr::UL,
        (Some(b"US"), _) => Vr::US,
        _ => Vr::LO,
    }
}

/// The form of elements with a 16-bit length.
pub(super) const SHORT_FORM: u8 = 1;
/// The form of elements with a 32-bit length after two reserved bytes.
pub(super) const LONG_FORM: u8 = 2;

/// Number of rows and columns of [`FORMS`]: the low five bits distinguish capital letters (0x41 to 0x5A).
const LETTERS: usize = 32;
/// The form of each VR, by its two letters.
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
        forms[index_of(u16::from_le_bytes([short[at], short[at + 1]]))] = SHORT_FORM;
        at += 2;
    }
    at = 0;
    while at < long.len() {
        forms[index_of(u16::from_le_bytes([long[at], long[at + 1]]))] = LONG_FORM;
        at += 2;
    }
    forms
}

/// Returns the index of a VR in the table.
const fn index_of(vr: u16) -> usize {
    ((vr & 0x1F) << 5 | (vr >> 8 & 0x1F)) as usize
}

/// Returns the form of an element's header by its VR: [`SHORT_FORM`] or [`LONG_FORM`]; 0 if the two letters are not a
/// VR.
#[inline]
pub(super) fn form(vr: u16) -> u8 {
    if vr & 0xE0E0 == 0x4040 {
        FORMS.get(index_of(vr)).copied().unwrap_or(0)
    } else {
        0
    }
}

/// Returns whether the header has a 16-bit length.
#[inline]
pub(super) fn is_short(vr: [u8; 2]) -> bool {
    form(u16::from_le_bytes(vr)) == SHORT_FORM
}

/// Returns whether the header has a 32-bit length after two reserved bytes.
#[inline]
pub(super) fn is_long(vr: [u8; 2]) -> bool {
    form(u16::from_le_bytes(vr)) == LONG_FORM
}
