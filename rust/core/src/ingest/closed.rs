//! Why a nested archive is kept whole: a fixed set of phrases with which its reason in the ledger starts.

use crate::archive::foreign::NOT_OPENED;

/// The reason for encrypted data if no password was given. Reasons that start with this word concern encryption.
pub const ENCRYPTED: &str = "encrypted";

/// Why an archive that may contain images is kept whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Its kind is not supported.
    Unopened,
    /// No password decrypts it, or one of its members.
    Encrypted,
    /// It exceeds a limit.
    Limit,
    /// It ends too early.
    Cut,
    /// It is damaged in another way.
    Damaged,
}

/// Each reason starts with this, the phrase and `: `.
const KEPT: &str = "kept whole, ";

impl Closed {
    /// All values.
    pub const ALL: [Self; 5] = [
        Self::Unopened,
        Self::Encrypted,
        Self::Limit,
        Self::Cut,
        Self::Damaged,
    ];

    /// Returns the phrase in the ledger.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unopened => "not opened",
            Self::Encrypted => "encrypted",
            Self::Limit => "over a limit",
            Self::Cut => "cut short",
            Self::Damaged => "damaged",
        }
    }

    /// Returns the value for a reader's description of unreadable bytes. Readers name a limit in parentheses.
    #[must_use]
    pub fn of(fault: &str) -> Self {
        if let Some(closed) = Self::told(fault) {
            return closed;
        }
        let has = |word: &str| fault.contains(word);
        if has(NOT_OPENED) || has("one part of an archive") {
            Self::Unopened
        } else if has("(limit") {
            Self::Limit
        } else if fault.starts_with(ENCRYPTED) {
            Self::Encrypted
        } else if has("cut short") || has("end too early") {
            Self::Cut
        } else {
            Self::Damaged
        }
    }

    /// Returns the value for the reason of an archive that is kept whole; None for another reason.
    #[must_use]
    pub fn told(reason: &str) -> Option<Self> {
        let inner = reason.strip_prefix(KEPT)?;
        let told = |closed: &Self| inner.starts_with(closed.word());
        Self::ALL.into_iter().find(told)
    }

    /// Returns the reason of an archive that is kept whole.
    #[must_use]
    pub fn reason(self, fault: &str) -> String {
        format!("{KEPT}{}: {fault}", self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_of_which_kind_it_is() {
        for (fault, closed) in [
            (
                "a RAR archive, which qxbatch does not open",
                Closed::Unopened,
            ),
            (
                "it is one part of an archive in several parts",
                Closed::Unopened,
            ),
            ("encrypted", Closed::Encrypted),
            (
                "encrypted: the one password given does not open it",
                Closed::Encrypted,
            ),
            (
                "encrypted with 2^60 rounds, more than 2^24 (limit)",
                Closed::Limit,
            ),
            (
                "it expands to more than 9 bytes (limit on total size)",
                Closed::Limit,
            ),
            ("its end record is missing (cut short?)", Closed::Cut),
            ("its packed data end too early", Closed::Cut),
            ("its CRC is 0, its header says 1", Closed::Damaged),
        ] {
            assert_eq!(Closed::of(fault), closed, "{fault}");
        }
    }

    #[test]
    fn what_is_inside_of_an_archive_that_is_kept_says_the_same() {
        for closed in Closed::ALL {
            let reason = closed.reason("scan.zip: wrong");
            assert_eq!(Closed::told(&reason), Some(closed));
            assert_eq!(Closed::of(&reason), closed);
        }
    }
}
