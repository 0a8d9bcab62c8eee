//! Times as the service writes them: `20240229T235959Z` and `2020-01-04T09:05:22.701000Z`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time as a signed request has it: `20240229T235959Z`.
pub fn date(time: SystemTime) -> [u8; 16] {
    let seconds = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let mut text = *b"YYYYMMDDThhmmssZ";
    let parts = [
        year / 100,
        year % 100,
        month,
        day,
        second / 3600,
        second / 60 % 60,
        second % 60,
    ];
    // Formatting them would cost ten times as much.
    let digits = parts.iter().flat_map(|part| [part / 10 % 10, part % 10]);
    let places = text.iter_mut().filter(|place| !b"TZ".contains(place));
    for (place, digit) in places.zip(digits) {
        *place = b'0' + (digit as u8);
    }
    text
}

/// The time that is written there, in UTC and in one of the two forms; fractions of a second are left
/// away.
pub fn read(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [year, month, day] = numbers(date, '-', 4)?;
    let [hour, minute, second] = numbers(time, ':', 2)?;
    let is_a_time = hour < 24 && minute < 60 && second <= 60;
    if !is_a_time || fraction.len() > 9 || !is_number(fraction) {
        return None;
    }
    let seconds = hour * 3600 + minute * 60 + second;
    let days = days_since_1970(year, month, day)?;
    Some(UNIX_EPOCH + Duration::from_secs(days * 86_400 + seconds))
}

/// Three numbers, the first of so many digits and the others of two, with a mark between them or
/// without.
fn numbers(text: &str, mark: char, first: usize) -> Option<[u64; 3]> {
    let (one, rest) = text.split_at_checked(first)?;
    let rest = match rest.strip_prefix(mark) {
        Some(rest) => {
            let (two, three) = rest.split_once(mark)?;
            [two, three]
        }
        None => <[&str; 2]>::from(rest.split_at_checked(2)?),
    };
    let [two, three] = rest.map(|part| Some(part).filter(|part| part.len() == 2));
    let number = |text: &str| text.parse().ok().filter(|_| is_number(text));
    Some([number(one)?, number(two?)?, number(three?)?])
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Year, month and day of a day since 1970, in the Gregorian calendar. A year is counted from March,
/// so that its odd day is the last, and in eras of 400, which are all alike.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

/// The other way round; nothing for what is no day since 1970.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let from_march = year - u64::from(month <= 2);
    let (era, of_era) = (from_march / 400, from_march % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    days.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_709_251_199, "20240229T235959Z"),
            (1_709_251_200, "20240301T000000Z"),
            (4_107_542_400, "21000301T000000Z"),
            (253_402_300_799, "99991231T235959Z"),
        ] {
            let time = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(date(time), text.as_bytes());
            assert_eq!(read(text), Some(time));
        }
    }

    #[test]
    fn a_time_is_read_in_both_forms_and_nothing_else_is_one() {
        for (text, seconds) in [
            ("2020-01-04T09:05:22.701000Z", Some(1_578_128_722)),
            ("2020-01-04T09:05:22Z", Some(1_578_128_722)),
            ("2020-01-04T09:05:22.123456789Z", Some(1_578_128_722)),
            ("20200104T090522Z", Some(1_578_128_722)),
            ("2020-01-04T09:05:22.1234567890Z", None),
            ("2020-01-04T09:05:22.x", None),
            ("2020-01-04T09:05:22", None),
            ("2020-01-04 09:05:22Z", None),
            ("2020-13-04T09:05:22Z", None),
            ("2020-01-04T24:00:00Z", None),
            ("2020-01-00T09:05:22Z", None),
            ("1969-12-31T23:59:59Z", None),
            ("+202-01-04T09:05:22Z", None),
            ("20200104T0905Z", None),
            ("2020010éT090522Z", None),
            ("", None),
        ] {
            let time = seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(read(text), time, "{text}");
        }
    }
}
