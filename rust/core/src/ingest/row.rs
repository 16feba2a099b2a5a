//! Rows of the ledger, the list of all input files of a session: one for each member of a packet.

use std::borrow::Cow;

use super::left_out_cause::LeftOutCause;
use super::staging::StagedFile;
use crate::archive::zip::deflated::DeflateStream;
use crate::header::Header;
use crate::notation::{Hash, escape};

/// The kind of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A DICOM object.
    Dicom,
    /// The directory of a DICOM medium.
    DicomDir,
    /// Philips PAR.
    Par,
    /// Philips REC.
    Rec,
    /// An archive, also a compressed one, or one of an unsupported kind.
    Archive,
    /// Another file.
    Other,
    /// A folder.
    Directory,
    /// A symbolic or hard link.
    Link,
    /// A device, FIFO or socket; also the volume label of a tar.
    Device,
}

impl RowKind {
    /// Returns the name in the ledger.
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

/// What happened to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Sorted into its series.
    Sorted,
    /// Its bytes are already in the series.
    Duplicate,
    /// Kept outside of the series, for example in the session's inbox folder.
    Kept,
    /// An archive whose members have their own rows.
    Opened,
    /// It has no data: a folder, link or device, or an anti-item of a 7z (an instruction to remove a file).
    NoData,
    /// Its bytes are not used, for example because they are damaged or exceed a limit.
    Refused,
}

impl Fate {
    /// Returns the name in the ledger.
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

/// A reason; usually a fixed text.
pub type Reason = Cow<'static, str>;

/// The reason of a kept file that is neither an image nor an archive.
pub const NEITHER_DICOM_NOR_PARREC: &str = "neither DICOM nor PAR/REC";
/// Middle of the reason of a compressed file whose content begins like no image and cannot be unpacked further: the name
/// of its compression is before it, the cause after it.
pub const UNREADABLE: &str = " data that cannot be read: ";
/// The reason of a file without bytes.
pub const EMPTY: &str = "empty";
/// The reason of a file that consists of zeros, as incomplete transfers leave it.
pub const ZEROS: &str = "filled with zeros";
/// Start of the reason of a symbolic link; its target, escaped, follows.
pub const LINK_TO: &str = "a symbolic link to ";
/// The reason of a symbolic link whose target is not known.
pub const A_LINK: &str = "a symbolic link";
/// End of the reason of a link in a folder if its target is in the packet.
pub const IN_PACKET: &str = ", which is in the packet";

/// Returns the reason of a symbolic link with this target.
pub fn link_reason(target: &[u8]) -> String {
    let mut text = escape(target);
    if let Some(start) = text.strip_suffix(IN_PACKET).map(str::len) {
        // The target itself ends like the remark: its comma is escaped, so that it is not taken for the remark.
        text.replace_range(start..=start, "\\x2c");
    }
    format!("{LINK_TO}{text}")
}

/// Longest target of a link that is read from a zip or 7z, in bytes (PATH_MAX). Those of a tar can be longer.
pub const LONGEST_TARGET: u64 = 4096;

/// One member.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct Row {
    /// The prefix of the packet ([`super::Packet::prefix`]) and the member's path in the packet; an archive and its
    /// members are joined by `!`.
    pub path: Box<[u8]>,
    /// Positions in `path` of each `!` between an archive and its members.
    pub archive_ends: Box<[u32]>,
    /// Size of the original in bytes.
    pub size: u64,
    /// SHA-256 of the original; None if it was not read, or has no data ([`Fate::NoData`]).
    pub sha256: Option<Hash>,
    /// SHA-256 of the decompressed bytes; that of the original if it was not unpacked, or is kept compressed. None as for
    /// `sha256`, and if unpacking failed and the member was refused.
    pub content_sha256: Option<Hash>,
    /// Its kind.
    pub kind: RowKind,
    /// What happened to it.
    pub fate: Fate,
    /// Why; empty if there is nothing to explain.
    pub reason: Reason,
    /// Location of its bytes in staging; None if they are not there, for example once they are placed.
    pub staged: Option<StagedFile>,
    /// Location of its deflate stream in a zip that remains in place; None without such a stream.
    pub deflate_stream: Option<DeflateStream>,
    /// Header of a DICOM object.
    pub header: Option<Header>,
    /// Why images in an archive that is kept as one file may be left out; None for other members, and if nothing suggests
    /// that it contains any.
    pub left_out: Option<LeftOutCause>,
    /// Whether it looks like DICOM, but its header could not be parsed.
    pub is_unparsed_dicom: bool,
    /// Whether it has bytes outside of its content:
    /// - bytes of an archive that are in none of its members,
    /// - bytes in or after the data of a compressed file,
    /// - bytes in or after the packed data of a zip member.
    ///
    /// The first two kinds remain in an archive or compressed file that is stored as it is. In this case they count only if
    /// they begin like images (`extra_bytes_may_contain_images`). With `is_gzipped`, all count.
    pub has_extra_bytes: bool,
    /// Whether some of these bytes begin like an archive, a compressed file or a DICOM file.
    pub extra_bytes_may_contain_images: bool,
    /// Whether the staged bytes are a DICOM file that is still gzipped: without the option `gunzip`. False for other kept
    /// gzip files.
    pub is_gzipped: bool,
    /// Whether the member is a compressed file, such as `.gz`, and the staged bytes are its decompressed content.
    pub is_decompressed: bool,
    /// Index of its group in [`super::Reading::groups`]; -1 without one.
    pub group: i64,
    /// The n of its series (docs/numbers.md), the column `series` of the ledger; 0 without a series.
    pub series_n: i64,
    /// Path below the session folder, the column `at` of the ledger; empty until the file is placed.
    pub session_path: Box<str>,
}

impl Row {
    /// Returns a row without known properties.
    #[must_use]
    pub fn new(path: &[u8], archive_ends: &[u32], kind: RowKind, fate: Fate) -> Self {
        Self {
            path: path.into(),
            archive_ends: archive_ends.into(),
            size: 0,
            sha256: None,
            content_sha256: None,
            kind,
            fate,
            reason: Reason::Borrowed(""),
            staged: None,
            deflate_stream: None,
            header: None,
            left_out: None,
            is_unparsed_dicom: false,
            has_extra_bytes: false,
            extra_bytes_may_contain_images: false,
            is_gzipped: false,
            is_decompressed: false,
            group: -1,
            series_n: 0,
            session_path: "".into(),
        }
    }

    /// Returns where the file name starts in the path: after the last `/`, or after the `!` of the innermost archive that
    /// contains the member. A `!` in a name does not separate.
    #[must_use]
    pub fn name_start(&self) -> usize {
        let slash = self.path.iter().rposition(|&byte| byte == b'/');
        let archive = self.archive_ends.last().map(|&at| at as usize);
        slash
            .max(archive)
            .map_or(0, |at| at.saturating_add(1))
            .min(self.path.len())
    }

    /// Returns the file name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.path.get(self.name_start()..).unwrap_or_default()
    }

    /// Returns the folder or archive that contains the member, without the `/` or `!` at its end; empty on the top
    /// level.
    #[must_use]
    pub fn folder(&self) -> &[u8] {
        let end = self.name_start().saturating_sub(1);
        self.path.get(..end).unwrap_or_default()
    }

    /// Adds a text to the reason, after a semicolon if there is a reason already.
    pub fn add_reason(&mut self, text: String) {
        self.reason = if self.reason.is_empty() {
            text
        } else {
            format!("{}; {text}", self.reason)
        }
        .into();
    }

    /// Returns the positions of the `archive_ends` in the path as the ledger writes it, in characters.
    #[must_use]
    pub fn ledger_archive_ends(&self) -> Vec<usize> {
        let ends = self.archive_ends.iter().map(|&at| at as usize);
        ends.filter_map(|end| self.path.get(..end))
            .map(|archive| escape(archive).chars().count())
            .collect()
    }

    /// Returns the path as the ledger writes it.
    #[must_use]
    pub fn ledger_path(&self) -> String {
        escape(&self.path)
    }
}
