//! Why an archive that may contain images is kept whole: as one file, not as its members. Its reason in the ledger (the
//! list of all input files of a session) starts with `kept whole, ` and one of a fixed set of phrases.

use super::left_out_cause::LeftOutCause;
use super::row::Row;
use crate::archive::foreign::NOT_OPENED;

/// The description of encrypted data if no password was given. Other descriptions of encrypted data start with this word.
pub const ENCRYPTED: &str = "encrypted";

/// Why an archive that may contain images is kept whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptWholeCause {
    /// Its kind is not supported, or it is one part of an archive in several parts.
    Unsupported,
    /// No password decrypts it, or one of its members.
    Encrypted,
    /// It exceeds a limit.
    Limit,
    /// It ends too early.
    CutShort,
    /// It is damaged in another way.
    Damaged,
}

/// Each reason starts with this, the phrase and `: `.
const REASON_START: &str = "kept whole, ";

impl KeptWholeCause {
    /// All values.
    pub const ALL: [Self; 5] = [
        Self::Unsupported,
        Self::Encrypted,
        Self::Limit,
        Self::CutShort,
        Self::Damaged,
    ];

    /// Returns the phrase in the ledger.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Unsupported => "not opened",
            Self::Encrypted => "encrypted",
            Self::Limit => "over a limit",
            Self::CutShort => "cut short",
            Self::Damaged => "damaged",
        }
    }

    /// Returns the cause for a text that says why something cannot be read. If the text is the reason of a nested archive
    /// that is kept whole, this is the cause of that archive. The texts about exceeded limits contain `(limit`.
    #[must_use]
    pub fn from_fault(fault: &str) -> Self {
        if let Some(cause) = Self::from_reason(fault) {
            return cause;
        }
        let has = |word: &str| fault.contains(word);
        if has(NOT_OPENED) || has("one part of an archive") {
            Self::Unsupported
        } else if has("(limit") {
            Self::Limit
        } else if fault.starts_with(ENCRYPTED) {
            Self::Encrypted
        } else if has("cut short") || has("end too early") {
            Self::CutShort
        } else {
            Self::Damaged
        }
    }

    /// Returns the cause that the reason of an archive in the ledger names; None if the archive was opened, or is kept
    /// because it contains no images.
    #[must_use]
    pub fn from_reason(reason: &str) -> Option<Self> {
        let inner = reason.strip_prefix(REASON_START)?;
        let matches = |cause: &Self| inner.starts_with(cause.phrase());
        Self::ALL.into_iter().find(matches)
    }

    /// Returns the reason of an archive that is kept whole. `fault` says why it, or something in it, cannot be read.
    #[must_use]
    pub fn reason(self, fault: &str) -> String {
        format!("{}{fault}", self.reason_start())
    }

    fn reason_start(self) -> String {
        format!("{REASON_START}{}: ", self.phrase())
    }
}

impl From<KeptWholeCause> for LeftOutCause {
    fn from(cause: KeptWholeCause) -> Self {
        match cause {
            KeptWholeCause::Unsupported => Self::ForeignArchive,
            KeptWholeCause::Encrypted => Self::EncryptedArchive,
            KeptWholeCause::Limit => Self::LimitedArchive,
            KeptWholeCause::CutShort | KeptWholeCause::Damaged => Self::DamagedArchive,
        }
    }
}

/// The reason of an archive without images, which is kept as one file although it can be read.
const IMAGELESS: &str = "an archive without DICOM or PAR";

/// Why an archive is kept as one file.
#[derive(Debug, Clone)]
pub struct KeptArchive {
    /// The reason of its row.
    pub reason: String,
    /// Why images in it may be left out; None if nothing suggests that it contains any.
    pub left_out: Option<LeftOutCause>,
    /// Whether bytes outside of its content, or of the content of a member, begin like an archive, a compressed file or
    /// a DICOM file.
    pub extra_bytes_may_contain_images: bool,
}

impl KeptArchive {
    /// Returns why a sound archive without images is kept.
    #[must_use]
    pub fn imageless() -> Self {
        Self {
            reason: IMAGELESS.into(),
            left_out: None,
            extra_bytes_may_contain_images: false,
        }
    }

    /// Returns why an archive is kept that cannot be read because of `fault`.
    #[must_use]
    pub fn of_fault(fault: &str) -> Self {
        let cause = KeptWholeCause::from_fault(fault);
        Self {
            reason: cause.reason(fault),
            left_out: Some(cause.into()),
            extra_bytes_may_contain_images: false,
        }
    }

    /// Returns why an archive is kept because of one of its members, which cannot be read or is itself kept whole. The
    /// reason names the innermost member.
    #[must_use]
    pub fn of_member(member: &Row) -> Self {
        let path = member.ledger_path();
        let cause = KeptWholeCause::from_fault(&member.reason);
        let fault = member.reason.strip_prefix(&cause.reason_start());
        let fault = fault.unwrap_or(&member.reason);
        let names_innermost = fault.starts_with(&format!("{path}!"));
        Self {
            reason: if names_innermost {
                cause.reason(fault)
            } else {
                cause.reason(&format!("{path}: {fault}"))
            },
            left_out: if KeptWholeCause::from_reason(&member.reason).is_some() {
                member.left_out
            } else {
                Some(cause.into())
            },
            extra_bytes_may_contain_images: false,
        }
    }

    /// Returns the same for a copy of the archive: the paths of members begin with `to`, not with `from`. Both are paths
    /// in the ledger.
    #[must_use]
    pub fn of_copy(&self, from: &str, to: &str) -> Self {
        let mut copy = self.clone();
        let start = KeptWholeCause::from_reason(&self.reason).map(KeptWholeCause::reason_start);
        let in_from = start.and_then(|start| {
            let fault = self.reason.strip_prefix(&start)?;
            let inside = fault.strip_prefix(from).filter(|it| it.starts_with('!'))?;
            Some(format!("{start}{to}{inside}"))
        });
        copy.reason = in_from.unwrap_or(copy.reason);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::{Fate, RowKind};
    use super::*;

    #[test]
    fn each_fault_has_a_cause() {
        for (fault, cause) in [
            (
                "a RAR archive, which qxbatch does not open",
                KeptWholeCause::Unsupported,
            ),
            (
                "it is one part of an archive in several parts",
                KeptWholeCause::Unsupported,
            ),
            ("encrypted", KeptWholeCause::Encrypted),
            (
                "encrypted: the given password does not decrypt it",
                KeptWholeCause::Encrypted,
            ),
            (
                "encrypted with 2^60 rounds, more than 2^24 (limit)",
                KeptWholeCause::Limit,
            ),
            (
                "it expands to more than 9 bytes (limit on total size)",
                KeptWholeCause::Limit,
            ),
            (
                "its end record is missing (cut short?)",
                KeptWholeCause::CutShort,
            ),
            ("its packed data end too early", KeptWholeCause::CutShort),
            ("its CRC is 0, its header says 1", KeptWholeCause::Damaged),
        ] {
            assert_eq!(KeptWholeCause::from_fault(fault), cause, "{fault}");
        }
    }

    fn kept_member(path: &[u8], kept: KeptArchive) -> Row {
        let mut row = Row::new(path, &[], RowKind::Archive, Fate::Kept);
        row.left_out = kept.left_out;
        row.reason = kept.reason.into();
        row
    }

    #[test]
    fn the_reason_names_the_innermost_member_once() {
        let inner = kept_member(b"a.zip!b.zip!c.rar", KeptArchive::of_fault("a RAR archive"));
        let middle = kept_member(b"a.zip!b.zip", KeptArchive::of_member(&inner));
        let outer = KeptArchive::of_member(&middle);
        let reason = "kept whole, damaged: a.zip!b.zip!c.rar: a RAR archive";
        assert_eq!(outer.reason, reason);
        assert_eq!(outer.left_out, Some(LeftOutCause::DamagedArchive));
    }

    #[test]
    fn the_reason_of_a_copy_names_its_own_member() {
        let row = kept_member(b"a.zip!c.rar", KeptArchive::of_fault("wrong"));
        let kept = KeptArchive::of_member(&row);
        let of_copy = kept.of_copy("a.zip", "d/b.zip");
        assert_eq!(of_copy.reason, "kept whole, damaged: d/b.zip!c.rar: wrong");
        let unchanged = KeptArchive::of_fault("a.zip.").of_copy("a.zip", "b.zip");
        assert_eq!(unchanged.reason, "kept whole, damaged: a.zip.");
        assert_eq!(KeptArchive::imageless().of_copy("a", "b").reason, IMAGELESS);
    }

    #[test]
    fn an_archive_around_a_kept_one_has_the_same_cause() {
        for cause in KeptWholeCause::ALL {
            let reason = cause.reason("scan.zip: wrong");
            assert_eq!(KeptWholeCause::from_reason(&reason), Some(cause));
            assert_eq!(KeptWholeCause::from_fault(&reason), cause);
        }
    }
}
