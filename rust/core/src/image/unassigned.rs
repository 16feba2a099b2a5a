//! The frames at one position that are not assigned to a slice yet.

/// The frames at one position, and which of them are unassigned. Lists have one entry for each frame.
pub(super) struct Unassigned {
    /// Index of the frame among the members.
    pub frames: Vec<usize>,
    /// Whether the values of the frame can be read.
    pub comparable: Vec<bool>,
    /// The stored values of the frame, once they are read.
    pub stored: Vec<Option<Vec<i64>>>,
    /// Whether the frame is assigned.
    pub assigned: Vec<bool>,
    /// Index of the first unassigned frame.
    pub first: usize,
    /// Whether some slice of some image shows the frame.
    pub covered: Vec<bool>,
}

impl Unassigned {
    /// Makes all frames available again.
    pub(super) fn release(&mut self) {
        self.assigned.fill(false);
        self.first = 0;
    }

    /// Returns the index of the first unassigned frame.
    pub(super) fn next_unassigned(&self) -> Option<usize> {
        let rest = self.assigned.get(self.first..)?;
        let at = rest.iter().position(|assigned| !assigned)?;
        Some(self.first.saturating_add(at))
    }

    /// Assigns the frame at an index, drops its values, and returns its index among the members.
    pub(super) fn assign(&mut self, at: usize) -> usize {
        if let Some(values) = self.stored.get_mut(at) {
            *values = None;
        }
        for flags in [&mut self.assigned, &mut self.covered] {
            if let Some(flag) = flags.get_mut(at) {
                *flag = true;
            }
        }
        while self.assigned.get(self.first) == Some(&true) {
            self.first = self.first.saturating_add(1);
        }
        self.frames.get(at).copied().unwrap_or(usize::MAX)
    }
}
