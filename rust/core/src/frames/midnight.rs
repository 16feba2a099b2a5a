//! Scans across midnight: makes the times of day of one scan increase.

/// Seconds of a day.
pub(super) const DAY: f64 = 86_400.0;

/// Returns the time in seconds below which times belong to the next day. Returns None if no time needs an added day,
/// because the times have several dates, or the scan ends before midnight.
///
/// Some scanners write the date on which the series started into all headers, others write none. If times of one date
/// have a gap of at least half a day, they are those of a scan across midnight. Without such a gap they are those of a
/// long scan.
pub fn next_day_limit(times: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let (low, high) = span(times.clone())?;
    let is_one_date = high < ((low / DAY).floor() + 1.0) * DAY;
    let limit = low + DAY / 2.0;
    let (_, before) = span(times.clone().filter(|time| *time < limit))?;
    let (after, _) = span(times.filter(|time| *time >= limit))?;
    (is_one_date && after - before >= DAY / 2.0).then_some(limit)
}

/// Returns a time in seconds that increases across midnight: one day is added if the time is below [`next_day_limit`].
pub fn continue_after_midnight(time: f64, next_day_limit: Option<f64>) -> f64 {
    match next_day_limit {
        Some(limit) if time < limit => time + DAY,
        _ => time,
    }
}

/// Returns the first and the last of some times; None without a time.
pub fn span(times: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    times.fold(None, |span, time| {
        let (low, high) = span.unwrap_or((time, time));
        Some((low.min(time), high.max(time)))
    })
}
