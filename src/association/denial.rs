//! What a 401 to a signed request says beyond its code: that the access key is locked, or that the
//! two clocks differ. The texts are those of the "API Request Signing Guide".

use std::fmt;
use std::time::SystemTime;

use super::time;
use crate::text::has_any;

/// The service takes signatures of 15 minutes; this is less, because the answer was on its way.
const MAX_SKEW: i64 = 14 * 60;

/// Why a signed request was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Too many requests with this key failed; for some minutes all will.
    Locked,
    /// This machine's clock is so many seconds ahead of the service's, or behind where it is negative.
    Clock(i64),
    /// The key is not known, has expired, or is another's.
    Key,
}

/// Why, by the words of the answer and its `Date`.
pub fn denial(message: &str, date: Option<&str>, now: SystemTime) -> Denial {
    if has_any(&message.to_ascii_lowercase(), &["reach the limit"]) {
        return Denial::Locked;
    }
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let theirs = date.or_else(|| server_time(message));
    match theirs.map(|theirs| difference(now, theirs)) {
        Some(ahead) if ahead.abs() >= MAX_SKEW => Denial::Clock(ahead),
        _ => Denial::Key,
    }
}

/// The beginnings of what a gateway shows of a signed request: the request in its canonical form, or
/// its headers.
const ECHOES: [&str; 6] = [
    "canonicalrequest",
    "canonical request",
    "sdk-hmac-sha256",
    "signedheaders",
    "x-sdk-date",
    "x-security-token",
];

/// A message without the signed request that it shows: what is in front of it.
pub fn without_echo(message: &str) -> Option<&str> {
    let lower = message.to_ascii_lowercase();
    let begins = ECHOES.iter().filter_map(|echo| lower.find(echo)).min()?;
    let rest = message.get(..begins)?;
    Some(rest.trim_end_matches([' ', ',', ':']))
}

/// `signature expired, signature time:20211217T064303Z,server time:20211217T065804Z`
fn server_time(message: &str) -> Option<SystemTime> {
    let (_, behind) = message.split_once("server time:")?;
    time::read(behind.trim_start().get(..16)?)
}

/// In seconds; positive where the first is later.
fn difference(one: SystemTime, other: SystemTime) -> i64 {
    let seconds = |time: std::time::Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    match one.duration_since(other) {
        Ok(ahead) => seconds(ahead),
        Err(behind) => -seconds(behind.duration()),
    }
}

/// What the caller can do about it; empty where the service's own words say it all.
impl fmt::Display for Denial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Key => Ok(()),
            Self::Locked => formatter.write_str("the access key is locked for some minutes"),
            Self::Clock(ahead) => {
                let seconds = ahead.unsigned_abs();
                let (number, unit) = match seconds {
                    0..7_200 => ((seconds + 30) / 60, "minutes"),
                    7_200..172_800 => ((seconds + 1_800) / 3_600, "hours"),
                    _ => ((seconds + 43_200) / 86_400, "days"),
                };
                let side = if ahead < 0 { "behind" } else { "ahead of" };
                write!(
                    formatter,
                    "this machine's clock is {number} {unit} {side} the service's"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const EXPIRED: &str = "Incorrect IAM authentication information: calc aksk signature fail:signature \
         expired, signature time:20211217T064303Z,server time:20211217T065804Z";

    #[test]
    fn what_a_gateway_shows_of_a_signed_request_is_left_away() {
        for (message, rest) in [
            (EXPIRED, None),
            ("no such key", None),
            ("fail, canonicalRequest:POST|/v1/", Some("fail")),
            ("wrong: Canonical Request 'POST", Some("wrong")),
            ("镜像 X-Sdk-Date:2024", Some("镜像")),
            ("SDK-HMAC-SHA256 Access=A, SignedHeaders=host", Some("")),
        ] {
            assert_eq!(without_echo(message), rest, "{message}");
        }
    }

    #[test]
    fn a_denial_is_told_by_its_words_and_its_date() {
        let theirs = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        for (message, date, now, words) in [
            (
                "AK access failed to reach the limit,forbidden.",
                date,
                theirs,
                "the access key is locked for some minutes",
            ),
            ("no", date, theirs, ""),
            ("no", date, theirs - minutes(13), ""),
            (
                "no",
                date,
                theirs - minutes(17),
                "this machine's clock is 17 minutes behind the service's",
            ),
            (
                "no",
                date,
                theirs + minutes(16),
                "this machine's clock is 16 minutes ahead of the service's",
            ),
            (
                "no",
                date,
                theirs + minutes(60 * 8),
                "this machine's clock is 8 hours ahead of the service's",
            ),
            (
                EXPIRED,
                date,
                theirs + minutes(60 * 24 * 365),
                "this machine's clock is 365 days ahead of the service's",
            ),
            ("no", Some("yesterday"), theirs, ""),
            ("no", None, theirs, ""),
            (
                EXPIRED,
                None,
                UNIX_EPOCH + Duration::from_secs(1_639_723_383),
                "this machine's clock is 15 minutes behind the service's",
            ),
            ("server time:", None, theirs, ""),
            ("server time:2021121éT06580", None, theirs, ""),
        ] {
            assert_eq!(denial(message, date, now).to_string(), words, "{message}");
        }
    }
}
