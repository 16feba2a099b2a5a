//! Counts the bytes of an archive that neither its header nor its packed data contain.

use super::streams::Block;

/// The ranges of an archive that its header refers to: offset and length in bytes.
#[derive(Default)]
pub struct ReferencedRanges(Vec<(u64, u64)>);

impl ReferencedRanges {
    /// Adds a range.
    pub fn add(&mut self, at: u64, length: u64) {
        self.0.push((at, length));
    }

    /// Adds the packed streams of a block (data that are packed together), unless its content is empty.
    pub fn add_block(&mut self, block: &Block) {
        if block.size() > 0 {
            let streams = block
                .packed_streams
                .iter()
                .map(|(_, at, length)| (*at, *length));
            self.0.extend(streams);
        }
    }

    /// Returns how many bytes up to `end` are in no range.
    pub fn gap_bytes(mut self, end: u64) -> u64 {
        self.0.sort_unstable();
        let (mut end_so_far, mut gap_bytes) = (0, 0u64);
        for (start, length) in self.0 {
            gap_bytes += start.min(end).saturating_sub(end_so_far);
            end_so_far = end_so_far.max(start.saturating_add(length));
        }
        gap_bytes + end.saturating_sub(end_so_far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_outside_of_every_range_are_counted_once() {
        let gaps = |ranges: &[(u64, u64)]| ReferencedRanges(ranges.to_vec()).gap_bytes(100);
        assert_eq!(gaps(&[(0, 32), (32, 68)]), 0);
        assert_eq!(gaps(&[(90, 10), (0, 32), (42, 8)]), 10 + 40);
        assert_eq!(gaps(&[(0, 60), (10, 20), (50, 60)]), 0);
        assert_eq!(gaps(&[(10, u64::MAX), (200, 5)]), 10);
        assert_eq!(gaps(&[]), 100);
    }
}
