//! The frames at one position of the images, and which of them are assigned to a slice.

use crate::frames::StoredValues;

/// The frames at one position, and which of them are unassigned. The fields that are lists have one entry for each frame.
pub(super) struct FramesAtPosition {
    /// Index of each frame among the frames of the series.
    pub indices: Vec<usize>,
    /// Whether the values of the frame can be read and compared.
    pub is_readable: Vec<bool>,
    /// The stored values of the frame, once they are read.
    pub stored_values: Vec<Option<StoredValues>>,
    /// Whether the frame is assigned.
    pub is_assigned: Vec<bool>,
    /// Index of the first unassigned frame in these lists.
    pub first_unassigned: usize,
    /// Whether the frame was assigned to a slice of any image, even if its values differ. `unassign_all` does not
    /// change this.
    pub has_slice: Vec<bool>,
}

impl FramesAtPosition {
    /// Returns the frames with these indices among the frames of the series, all unassigned.
    pub(super) fn new(is_readable: Vec<bool>, indices: Vec<usize>) -> Self {
        let count = indices.len();
        Self {
            indices,
            is_readable,
            stored_values: vec![None; count],
            is_assigned: vec![false; count],
            first_unassigned: 0,
            has_slice: vec![false; count],
        }
    }

    /// Marks all frames as unassigned.
    pub(super) fn unassign_all(&mut self) {
        self.is_assigned.fill(false);
        self.first_unassigned = 0;
    }

    /// Returns the index of the first unassigned frame in these lists; None if all are assigned.
    pub(super) fn next_unassigned(&self) -> Option<usize> {
        let remaining = self.is_assigned.get(self.first_unassigned..)?;
        let at = remaining.iter().position(|assigned| !assigned)?;
        Some(self.first_unassigned.saturating_add(at))
    }

    /// Assigns the frame at an index of these lists, drops its values, and returns its index among the frames of the
    /// series.
    pub(super) fn assign(&mut self, at: usize) -> usize {
        if let Some(values) = self.stored_values.get_mut(at) {
            *values = None;
        }
        for flags in [&mut self.is_assigned, &mut self.has_slice] {
            if let Some(flag) = flags.get_mut(at) {
                *flag = true;
            }
        }
        while self.is_assigned.get(self.first_unassigned) == Some(&true) {
            self.first_unassigned = self.first_unassigned.saturating_add(1);
        }
        self.indices.get(at).copied().unwrap_or(usize::MAX)
    }
}
