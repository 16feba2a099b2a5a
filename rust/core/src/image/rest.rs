//! The frames of one place on their way to the slices that show them.

/// The frames of one place that are not shared out yet.
pub(super) struct Rest {
    pub frames: Vec<usize>,
    /// The values of the frame can be read.
    pub comparable: Vec<bool>,
    pub stored: Vec<Option<Vec<i64>>>,
    pub claimed: Vec<bool>,
    /// All frames before this one are claimed.
    pub first: usize,
    /// Some slice of some image shows the frame.
    pub covered: Vec<bool>,
}

impl Rest {
    /// Lets all frames be claimed again.
    pub(super) fn release(&mut self) {
        self.claimed.fill(false);
        self.first = 0;
    }

    pub(super) fn next(&self) -> Option<usize> {
        let rest = self.claimed.get(self.first..)?;
        let at = rest.iter().position(|claimed| !claimed)?;
        Some(self.first.saturating_add(at))
    }

    /// Claims the frame at a position, forgets its values, and returns its index among the members.
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
