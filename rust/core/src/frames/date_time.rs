//! Dates and times of headers as numbers.

use super::elements::finite_number;
use super::midnight::DAY;

/// Returns the seconds since midnight of a TM value; None without hours. Colons are ignored. Minutes and seconds that
/// cannot be read, or that no clock has, count as 0.
pub(super) fn time_of_day(value: &str) -> Option<f64> {
    let plain: String = value.chars().filter(|letter| *letter != ':').collect();
    let part = |from: usize, to: usize| plain.get(from..to).and_then(finite_number);
    let hours = part(0, 2)?;
    let minutes = part(2, 4)
        .filter(|minutes| (0.0..MINUTES_LIMIT).contains(minutes))
        .unwrap_or(0.0);
    let seconds = plain
        .get(4..)
        .and_then(|text| finite_number(text.trim()))
        .filter(|seconds| (0.0..SECONDS_LIMIT).contains(seconds))
        .unwrap_or(0.0);
    Some(hours * 3600.0 + minutes * 60.0 + seconds)
}

/// Minutes of an hour are below this limit.
const MINUTES_LIMIT: f64 = 60.0;
/// Seconds of a minute are below this limit; 60 is a leap second (PS3.5 section 6.2).
const SECONDS_LIMIT: f64 = 61.0;

/// Returns the days from 1 March of the year 0 to the date of a DA value; None without a complete date.
pub(super) fn day(value: &str) -> Option<f64> {
    let plain: String = value.chars().filter(|letter| *letter != '.').collect();
    let part = |from: usize, to: usize| {
        plain
            .get(from..to)
            .and_then(|text| text.parse::<u32>().ok())
    };
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years start in March here, so that the leap day is the last day of a year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    Some(f64::from(
        year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1,
    ))
}

/// Returns a DT value as seconds since 1 March of the year 0; ignores its time zone. None without a complete date.
pub(super) fn date_time(value: &str) -> Option<f64> {
    let local = value.split(['+', '-', '&']).next().unwrap_or_default();
    let time = time_of_day(local.get(8..).unwrap_or_default()).unwrap_or(0.0);
    Some(day(local)? * DAY + time)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{date_time, day, time_of_day};

    #[test]
    fn days_follow_each_other_over_months_and_leap_years() {
        for (before, after) in [
            ("20240131", "20240201"),
            ("20240228", "20240229"),
            ("20240229", "20240301"),
            ("20230228", "20230301"),
            ("20231231", "2024.01.01"),
        ] {
            assert!((day(after).unwrap() - day(before).unwrap() - 1.0).abs() < 1e-9);
        }
        assert_eq!(day("20241301"), None);
        assert_eq!(day("x"), None);
    }

    #[test]
    fn minutes_and_seconds_that_no_clock_has_count_as_0() {
        assert_eq!(time_of_day("101560.5"), Some(36_960.5));
        for text in ["1015inf", "1015nan", "10151e300", "1015-5", "10159999999"] {
            assert_eq!(time_of_day(text), Some(36_900.0), "{text}");
        }
        for text in ["10", "10xx", "1099", "10-5", "1060"] {
            assert_eq!(time_of_day(text), Some(36_000.0), "{text}");
        }
    }

    #[test]
    fn a_moment_has_its_time_of_day_and_no_zone() {
        let moment = |text: &str| date_time(text).unwrap();
        let apart = moment("20240201000001.5+0100") - moment("20240131235959.0");
        assert!((apart - 2.5).abs() < 1e-4);
    }
}
