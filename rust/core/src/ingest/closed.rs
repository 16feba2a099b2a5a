//! Why an archive inside a packet is kept whole: a closed set of words, which its reason in the ledger begins with.

use crate::archive::foreign::NOT_OPENED;

/// The reason of what is encrypted where there is no password. Reasons that begin with this word are about encryption.
pub const ENCRYPTED: &str = "encrypted";

/// Why an archive is kept whole though images may be in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// Its kind is not opened.
    Unopened,
    /// No password opens it, or a member of it.
    Encrypted,
    /// It passes a limit.
    Limit,
    /// It ends too early.
    Cut,
    /// Anything else that is wrong with it.
    Damaged,
}

/// Begins the reason of each, with the word and `: ` behind it.
const KEPT: &str = "kept whole, ";

impl Closed {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Unopened,
        Self::Encrypted,
        Self::Limit,
        Self::Cut,
        Self::Damaged,
    ];

    /// As in the ledger.
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

    /// Tells it from what a reader says of bytes that it could not have. Readers name a limit in parentheses.
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

    /// Tells it from the reason of an archive that is kept whole; None for another reason.
    #[must_use]
    pub fn told(reason: &str) -> Option<Self> {
        let inner = reason.strip_prefix(KEPT)?;
        let told = |closed: &Self| inner.starts_with(closed.word());
        Self::ALL.into_iter().find(told)
    }

    /// The reason of an archive that is kept whole.
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
