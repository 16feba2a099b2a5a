//! The start time of a series.

use crate::header::{Field, Header};

/// Returns when the series of a file started, as YYYYMMDDHHMMSS.ffffff as far as known; empty if unknown.
///
/// The first pair with a date and a time counts, in the order series, acquisition, content, study. Without such a pair,
/// the result is the first of these dates, else AcquisitionDateTime without its time zone.
pub fn start_time(header: &Header) -> String {
    let pairs = [
        (Field::SeriesDate, Field::SeriesTime),
        (Field::AcquisitionDate, Field::AcquisitionTime),
        (Field::ContentDate, Field::ContentTime),
        (Field::StudyDate, Field::StudyTime),
    ];
    let mut fallback = String::new();
    for (date, time) in pairs {
        let date = digits(header.raw(date), b".-");
        if date.len() != 8 {
            continue;
        }
        let time = digits(header.raw(time), b":");
        if time.len() >= 2 {
            return date + &time;
        }
        if fallback.is_empty() {
            fallback = date;
        }
    }
    if fallback.is_empty() {
        let both = header.raw(Field::AcquisitionDateTime);
        // The time zone begins with its sign; `&` is the placeholder for the sign in PS3.5 section 6.2.
        let local = both
            .split(|byte| matches!(byte, b'+' | b'-' | b'&'))
            .next()
            .unwrap_or_default();
        fallback = digits(local, b"");
    }
    fallback
}

/// Returns the first value of an element, a date or a time (with its fraction), without `separators`; empty if it is
/// malformed. ACR-NEMA has dates with dots and times with colons (PS3.5 section 6.2), and some programs write dates with
/// hyphens.
fn digits(raw: &[u8], separators: &[u8]) -> String {
    let first = raw.split(|byte| *byte == b'\\').next().unwrap_or_default();
    let characters: Vec<u8> = first
        .iter()
        .copied()
        .filter(|byte| !separators.contains(byte))
        .collect();
    let valid = characters.first().is_some_and(u8::is_ascii_digit)
        && characters
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    if valid {
        String::from_utf8(characters).unwrap_or_default()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pair_that_says_a_day_and_a_time_counts() {
        let start = |values: &[(Field, &str)]| start_time(&Header::from_values(values));
        let study = [(Field::StudyDate, "20200102"), (Field::StudyTime, "08")];
        assert_eq!(start(&study), "2020010208");
        let acquired = [
            (Field::AcquisitionDate, "20200103"),
            (Field::AcquisitionTime, "09:30"),
            study[0],
            study[1],
        ];
        assert_eq!(start(&acquired), "202001030930");
        assert_eq!(
            start(&[(Field::SeriesDate, "2020.01.04"), study[0], study[1]]),
            "2020010208"
        );
        assert_eq!(start(&[(Field::SeriesDate, "20200104")]), "20200104");
        assert_eq!(
            start(&[(Field::AcquisitionDateTime, "20210304101112.25+0100")]),
            "20210304101112.25"
        );
        assert_eq!(start(&[(Field::SeriesDate, "yesterday")]), "");
    }
}
