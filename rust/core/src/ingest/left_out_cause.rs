//! Why members that may contain images were not sorted.

/// Why a member was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOutCause {
    /// A damaged or incomplete archive.
    DamagedArchive,
    /// An archive that exceeds a limit.
    LimitedArchive,
    /// An archive that no password decrypts.
    EncryptedArchive,
    /// An archive of an unsupported kind, or one part of an archive in several parts.
    ForeignArchive,
    /// DICOM that belongs to no series, or whose header cannot be read.
    Unsorted,
    /// A file that is empty or filled with zeros, and whose name could be that of an image.
    Empty,
    /// A file that is not DICOM, although it is named like an image.
    NotDicom,
    /// A symbolic link whose target is outside the packet, does not exist, or is unknown.
    Link,
}

impl LeftOutCause {
    /// Returns the name that Python and the summary of a session use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DamagedArchive => "damaged-archive",
            Self::LimitedArchive => "limited-archive",
            Self::EncryptedArchive => "encrypted-archive",
            Self::ForeignArchive => "foreign-archive",
            Self::Unsorted => "unsorted",
            Self::Empty => "empty",
            Self::NotDicom => "not-dicom",
            Self::Link => "link",
        }
    }
}
