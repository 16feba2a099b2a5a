//! The volumes at the start of a scan before the magnetisation reaches its steady state.

/// A volume with a modified z-score above this is an outlier (Iglewicz and Hoaglin 1993, How to Detect and Handle
/// Outliers).
const OUTLIER: f64 = 3.5;
/// The median absolute deviation of a normal distribution whose standard deviation is 1.
const NORMAL: f64 = 0.6745;
/// Smallest difference, as a fraction of the signal, for which a volume is dropped, however stable the others are.
const MIN_DIFFERENCE: f64 = 1e-3;

/// Returns how many consecutive volumes at the start differ from the others. `means` has the mean signal of each volume.
pub(super) fn count_unsteady(means: &[f64]) -> usize {
    let median_signal = median(means);
    let deviations: Vec<f64> = means
        .iter()
        .map(|mean| (mean - median_signal).abs())
        .collect();
    let median_deviation = median(&deviations);
    let differs = |deviation: &&f64| {
        **deviation * NORMAL > OUTLIER * median_deviation
            && **deviation > MIN_DIFFERENCE * median_signal.abs()
    };
    deviations.iter().take_while(differs).count()
}

/// Returns the median; 0 without values.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        at(half)
    } else {
        f64::midpoint(at(half.saturating_sub(1)), at(half))
    }
}

#[cfg(test)]
mod tests {
    use super::count_unsteady;

    fn scan(first: &[f64]) -> Vec<f64> {
        let rest = (0..40).map(|volume| 1000.0 + f64::from(volume % 5));
        first.iter().copied().chain(rest).collect()
    }

    #[test]
    fn volumes_that_are_brighter_at_the_beginning_are_counted() {
        assert_eq!(count_unsteady(&scan(&[1400.0, 1100.0, 1020.0])), 3);
        assert_eq!(count_unsteady(&scan(&[])), 0);
    }

    #[test]
    fn a_volume_that_differs_later_is_kept() {
        assert_eq!(count_unsteady(&scan(&[1400.0, 1001.0, 1400.0])), 1);
    }

    #[test]
    fn a_drift_and_a_change_that_nobody_sees_drop_nothing() {
        let drift: Vec<f64> = (0..50).map(|volume| 1000.0 - f64::from(volume)).collect();
        assert_eq!(count_unsteady(&drift), 0);
        assert_eq!(count_unsteady(&[1000.5, 1000.0, 1000.0, 1000.0]), 0);
        assert_eq!(count_unsteady(&[]), 0);
    }
}
