//! Why an archive that may contain images is kept whole: as one file, not as its members. Its reason in the ledger (the
//! list of all input files of a session) starts with `kept whole, ` and one of a fixed set of phrases.

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
        format!("{REASON_START}{}: {fault}", self.phrase())
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn an_archive_around_a_kept_one_has_the_same_cause() {
        for cause in KeptWholeCause::ALL {
            let reason = cause.reason("scan.zip: wrong");
            assert_eq!(KeptWholeCause::from_reason(&reason), Some(cause));
            assert_eq!(KeptWholeCause::from_fault(&reason), cause);
        }
    }
}
