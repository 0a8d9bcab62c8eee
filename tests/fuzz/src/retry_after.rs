//! How long a service asks to wait, beside what the caller is told.

use std::time::SystemTime;

use crate::calendar;

/// The most, in milliseconds.
const DAY: u64 = 86_400_000;

/// Checks what is told of the header, of a call that began then.
pub fn check(value: &[u8], told: u64, begun: SystemTime) {
    let text = std::str::from_utf8(value)
        .unwrap_or_default()
        .trim_matches([' ', '\t']);
    let is_visible = text
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
    if text.is_empty() || !is_visible {
        assert_eq!(told, 0, "{text}");
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse::<u64>().unwrap_or(DAY);
        assert_eq!(told, seconds.saturating_mul(1000).min(DAY), "{text}");
    } else if let Some(moment) = date(text) {
        let left = |now: SystemTime| {
            let now = now
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap()
                .as_millis() as u64;
            (moment * 1000).saturating_sub(now).min(DAY)
        };
        assert!(
            (left(SystemTime::now())..=left(begun)).contains(&told),
            "{text}: {told}"
        );
    } else if !text.contains(':') {
        assert_eq!(told, 0, "{text}");
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, in seconds since 1970.
fn date(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let text = text.strip_suffix(" GMT").filter(|text| text.len() == 25)?;
    let number = |from: usize, to: usize| -> Option<u64> {
        let digits = text.get(from..to)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (day, year) = (number(5, 7)?, number(12, 16)?);
    let (hour, minute, second) = (number(17, 19)?, number(20, 22)?, number(23, 25)?);
    let month = MONTHS
        .iter()
        .position(|month| text.get(8..11) == Some(month))?;
    let marks = [
        (3, ", "),
        (7, " "),
        (11, " "),
        (16, " "),
        (19, ":"),
        (22, ":"),
    ];
    let has_marks = marks
        .iter()
        .all(|(at, mark)| text.get(*at..at + mark.len()) == Some(mark));
    let is_a_time = (1970..=9999).contains(&year) && hour < 24 && minute < 60 && second < 60;
    let is_a_day = (1..=calendar::months(year)[month]).contains(&day);
    if !has_marks || !is_a_time || !is_a_day {
        return None;
    }
    let days = calendar::days(year, month as u64 + 1, day)?;
    let is_that_day = text.get(..3) == DAYS.get((days % 7) as usize).copied();
    is_that_day.then_some(days * 86_400 + hour * 3600 + minute * 60 + second)
}
