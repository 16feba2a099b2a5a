//! Ranks of the volumes at each slice of an image, by the values of an element.

use std::cmp::Ordering;

/// Returns whether all slices have the same values, `[slice][volume]`, in any order.
pub(super) fn have_equal_values<T: Ord + Clone>(rows: &[Vec<T>]) -> bool {
    let sorted = |row: &Vec<T>| {
        let mut sorted = row.clone();
        sorted.sort_unstable();
        sorted
    };
    let first = rows.first().map(sorted);
    rows.iter().all(|row| Some(sorted(row)) == first)
}

/// Returns the rank of each value, `[slice][volume]`, among the values of its slice. None if a slice has a value twice,
/// or if a value of one rank is not lower than all values of the next rank.
pub(super) fn volume_ranks<T>(
    rows: &[Vec<T>],
    compare: impl Fn(&T, &T) -> Ordering,
) -> Option<Vec<Vec<usize>>> {
    let volumes = rows.first()?.len();
    // The lowest and the highest value of each rank.
    let mut ranges: Vec<(&T, &T)> = Vec::with_capacity(volumes);
    let mut all_ranks = Vec::with_capacity(rows.len());
    for row in rows {
        let mut order: Vec<usize> = (0..row.len()).collect();
        let value = |index: &usize| row.get(*index);
        order.sort_by(|one, other| match (value(one), value(other)) {
            (Some(one), Some(other)) => compare(one, other),
            _ => Ordering::Equal,
        });
        let mut ranks = vec![0; row.len()];
        for (rank, index) in order.iter().enumerate() {
            let value = row.get(*index)?;
            *ranks.get_mut(*index)? = rank;
            match ranges.get_mut(rank) {
                Some((low, high)) => {
                    if compare(value, low).is_lt() {
                        *low = value;
                    }
                    if compare(value, high).is_gt() {
                        *high = value;
                    }
                }
                None => ranges.push((value, value)),
            }
        }
        all_ranks.push(ranks);
    }
    ranges
        .iter()
        .zip(ranges.iter().skip(1))
        .all(|((_, high), (low, _))| compare(high, low).is_lt())
        .then_some(all_ranks)
}
