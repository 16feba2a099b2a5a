//! The frames at one position that are not assigned to a slice yet.

/// The unassigned frames at one position.
pub(super) struct Unassigned {
    pub frames: Vec<usize>,
    /// Whether the values of the frame can be read.
    pub comparable: Vec<bool>,
    pub stored: Vec<Option<Vec<i64>>>,
    pub claimed: Vec<bool>,
    /// All frames before this one are assigned.
    pub first: usize,
    /// Whether some slice of some image shows the frame.
    pub covered: Vec<bool>,
}

impl Unassigned {
    /// Makes all frames available again.
    pub(super) fn release(&mut self) {
        self.claimed.fill(false);
        self.first = 0;
    }

    pub(super) fn next(&self) -> Option<usize> {
        let rest = self.claimed.get(self.first..)?;
        let at = rest.iter().position(|claimed| !claimed)?;
        Some(self.first.saturating_add(at))
    }

    /// Assigns the frame at an index, drops its values, and returns its index among the members.
    pub(super) fn take(&mut self, at: usize) -> usize {
        if let Some(values) = self.stored.get_mut(at) {
            *values = None;
        }
        for flags in [&mut self.claimed, &mut self.covered] {
            if let Some(flag) = flags.get_mut(at) {
                *flag = true;
            }
        }
        while self.claimed.get(self.first) == Some(&true) {
            self.first = self.first.saturating_add(1);
        }
        self.frames.get(at).copied().unwrap_or(usize::MAX)
    }
}
