//! The emulator's clock, which tests may move, and the forms in which the service writes times.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::{Date, Month, OffsetDateTime, Time};

/// The last second that all forms can write, that of the year 9999.
const LAST: i64 = 253_402_300_799;

/// The system's clock, moved. Times are seconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset: AtomicI64,
}

impl Clock {
    pub(crate) fn set_offset(&self, seconds: i64) {
        self.offset.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> i64 {
        let system = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        (system.as_secs() as i64)
            .saturating_add(self.offset.load(Ordering::SeqCst))
            .clamp(0, LAST)
    }

    /// As a `Date` header.
    pub(crate) fn http_date(&self) -> String {
        let seconds = self.now().unsigned_abs();
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
    }
}

/// As in `X-Sdk-Date`: `20211217T064303Z`.
pub(crate) fn sdk_date(seconds: i64) -> String {
    let date = civil(seconds);
    format!(
        "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        date.hour(),
        date.minute(),
        date.second()
    )
}

/// As in `expires_at`: `2020-01-04T09:05:22.000000Z`.
pub(crate) fn iso_date(seconds: i64) -> String {
    let date = civil(seconds);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000000Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        date.hour(),
        date.minute(),
        date.second()
    )
}

/// The seconds of an `X-Sdk-Date`; None for any other form, and for a date that never was.
pub(crate) fn parse_sdk_date(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('Z')?;
    let (date, time) = digits.split_once('T')?;
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if date.len() != 8 || time.len() != 6 || !all_digits(date) || !all_digits(time) {
        return None;
    }
    let two = |text: &str, at: usize| text.get(at..at + 2)?.parse::<u8>().ok();
    let date = Date::from_calendar_date(
        date.get(..4)?.parse().ok()?,
        Month::try_from(two(date, 4)?).ok()?,
        two(date, 6)?,
    );
    let time = Time::from_hms(two(time, 0)?, two(time, 2)?, two(time, 4)?);
    Some(
        date.ok()?
            .with_time(time.ok()?)
            .assume_utc()
            .unix_timestamp(),
    )
}

fn civil(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds.clamp(0, LAST))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
