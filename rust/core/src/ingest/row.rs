//! Rows of the ledger: one for each member of a packet.

use std::borrow::Cow;

use super::staging::Staged;
use crate::archive::zip::deflated::Deflated;
use crate::header::Header;
use crate::notation::{Hash, escape};

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A DICOM object.
    Dicom,
    /// The directory of a DICOM medium.
    DicomDir,
    /// Philips PAR.
    Par,
    /// Philips REC.
    Rec,
    /// A zip, 7z or tar, or an archive of a kind that is not opened.
    Archive,
    /// Anything else with bytes.
    Other,
    /// A folder.
    Directory,
    /// A symbolic or hard link.
    Link,
    /// A device, FIFO or socket.
    Device,
}

impl Kind {
    /// As in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dicom => "dicom",
            Self::DicomDir => "dicomdir",
            Self::Par => "par",
            Self::Rec => "rec",
            Self::Archive => "archive",
            Self::Other => "other",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Device => "device",
        }
    }
}

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// In its series.
    Sorted,
    /// Its bytes are in the series already.
    Duplicate,
    /// In the session's inbox.
    Kept,
    /// An archive whose members have rows of their own.
    Opened,
    /// It has no bytes.
    NoData,
    /// Its bytes could not be had.
    Refused,
}

impl Fate {
    /// As in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sorted => "sorted",
            Self::Duplicate => "duplicate",
            Self::Kept => "kept",
            Self::Opened => "opened",
            Self::NoData => "nodata",
            Self::Refused => "refused",
        }
    }
}

/// A reason: mostly fixed text.
pub type Reason = Cow<'static, str>;

/// The reason of a file that is nothing of use here.
pub const NOT_WANTED: &str = "neither DICOM nor PAR/REC";
/// The reason of a file without bytes.
pub const EMPTY: &str = "empty";
/// The reason of a file that a broken transfer left.
pub const ZEROS: &str = "filled with zeros";
/// How the reason of a symbolic link begins; its target follows.
pub const LINK_TO: &str = "a symbolic link to ";
/// How the reason of a link in a folder ends when its target is a member too.
pub const IN_PACKET: &str = ", which is in the packet";

/// One member.
#[derive(Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "four facts that are independent of each other"
)]
pub struct Row {
    /// The member's name as it came, behind the packet's prefix; archives within are joined by `!`.
    pub path: Box<[u8]>,
    /// Where in `path` those joints are.
    pub joints: Box<[u32]>,
    /// Bytes as it came.
    pub size: u64,
    /// Of the bytes as they came.
    pub sha256: Option<Hash>,
    /// Of the bytes with the compression taken off.
    pub content_sha256: Option<Hash>,
    /// What it is.
    pub kind: Kind,
    /// What became of it.
    pub fate: Fate,
    /// Why; empty where nothing has to be said.
    pub reason: Reason,
    /// Where its bytes wait; None when there are none.
    pub staged: Option<Staged>,
    /// Where the same bytes lie deflated in the packet.
    pub deflated: Option<Deflated>,
    /// Of a DICOM object.
    pub header: Option<Header>,
    /// DICOM by its look, yet its header could not be parsed.
    pub suspect: bool,
    /// Bytes around its content, or around the members of this archive, are in no member.
    pub surrounded: bool,
    /// The staged bytes are still gzipped.
    pub gzipped: bool,
    /// The staged bytes are what was inside a compression.
    pub unpacked: bool,
    /// Index of its group; -1 when none.
    pub group: i64,
    /// n of its series; 0 when none.
    pub series: i64,
    /// Below the session folder, once placed.
    pub at: Box<str>,
}

impl Row {
    /// A row about which nothing is known yet.
    #[must_use]
    pub fn new(path: &[u8], joints: &[u32], kind: Kind, fate: Fate) -> Self {
        Self {
            path: path.into(),
            joints: joints.into(),
            size: 0,
            sha256: None,
            content_sha256: None,
            kind,
            fate,
            reason: Reason::Borrowed(""),
            staged: None,
            deflated: None,
            header: None,
            suspect: false,
            surrounded: false,
            gzipped: false,
            unpacked: false,
            group: -1,
            series: 0,
            at: "".into(),
        }
    }

    /// The path as the ledger writes it.
    #[must_use]
    pub fn ledger_path(&self) -> String {
        escape(&self.path)
    }
}
