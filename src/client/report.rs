//! Failures and refusals as the caller sees them: one line, and the facts beside it.

use std::time::{Duration, SystemTime};

use super::credentials::Caller;
use crate::association::{self, Refusal, WITHHELD};
use crate::error::Error;
use crate::secret::Traces;
use crate::status::Status;
use crate::text;
use crate::transport::{Answer, Endpoint, Failure};

const MAX_REQUEST_ID: usize = 128;
const MAX_REASON: usize = 480;

/// What stands in place of a signed request.
const ECHO: &str = " (the answer shows the signed request, which is withheld)";

/// The longest word of a code that is shown although a token has it.
const LONGEST_WORD: usize = 7;

/// A day: who asks for more does not mean it.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// What every report of one call has in common.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    pub call: &'static str,
    pub endpoint: &'a Endpoint,
    pub caller: &'a Caller<'a>,
}

impl Report<'_> {
    /// No answer came.
    pub fn failure(&self, failure: &Failure) -> Error {
        let Self { call, endpoint, .. } = self;
        let step = failure.step;
        let reason = text::bounded(&text::one_line(&failure.reason), MAX_REASON);
        let [_, reason, _] = shown(&self.caller.traces(), ["", &reason, ""]);
        Error {
            http_status: failure.http_status,
            ..Error::new(
                failure.status,
                &format!("{call}: {step} {endpoint}: {reason}"),
            )
        }
    }

    /// The service did not say that it is done.
    pub fn refusal(&self, answer: &Answer, refusal: &Refusal) -> Error {
        self.answered(
            refusal.status,
            answer,
            [&refusal.code, &refusal.message, &refusal.request_id],
        )
    }

    /// A 2xx answer of which can't be told what it means.
    pub fn unusable(&self, answer: &Answer, reason: &str) -> Error {
        let reason = text::bounded(&text::one_line(reason), MAX_REASON);
        self.answered(Status::BAD_RESPONSE, answer, ["", &reason, ""])
    }

    /// A list that did not stand still.
    pub fn moved(&self, readings: u32) -> Error {
        let Self { call, endpoint, .. } = self;
        let line = format!(
            "{call}: {endpoint}: what is listed moved between its pages, in each of {readings} readings; call again"
        );
        Error {
            attempts: readings,
            http_status: 200,
            ..Error::new(Status::BAD_RESPONSE, &line)
        }
    }

    /// The service's code, words and name for the request, as far as they may be shown.
    fn answered(
        &self,
        status: Status,
        answer: &Answer,
        [code, message, request_id]: [&str; 3],
    ) -> Error {
        let Self { call, endpoint, .. } = self;
        let request_id = match request_id {
            "" => answer.header("x-request-id").unwrap_or_default(),
            in_body => in_body,
        };
        let request_id = text::bounded(&text::one_line(request_id), MAX_REQUEST_ID);
        let message = match association::without_echo(message) {
            Some(rest) if self.caller.may_sign() => &[rest, ECHO].concat(),
            _ => message,
        };
        let [code, message, request_id] =
            shown(&self.caller.traces(), [code, message, &request_id]);
        let words = match message.as_str() {
            "" => association::reason(answer.http_status),
            message => message,
        };
        let mut line = format!("{call}: {endpoint} answered HTTP {}", answer.http_status);
        for (mark, text, end) in [
            (" ", code.as_str(), ""),
            (": ", words, ""),
            (" (request id ", &request_id, ")"),
        ] {
            if !text.is_empty() {
                line = [line.as_str(), mark, text, end].concat();
            }
        }
        Error {
            http_status: answer.http_status,
            code,
            request_id,
            retry_after_ms: answer
                .header("retry-after")
                .and_then(|value| retry_after(value, SystemTime::now()))
                .map_or(0, milliseconds),
            ..Error::new(status, &line)
        }
    }
}

/// What may be shown of a code, a message and a request id: each that repeats the token is withheld,
/// and all where they do so together.
fn shown(token: &Traces, [code, message, request_id]: [&str; 3]) -> [String; 3] {
    let is_code_safe = is_short_code(code);
    let hides = |text: &str| token.are_in(text);
    let code = if is_code_safe || !hides(code) {
        code
    } else {
        ""
    };
    let message = if hides(message) { WITHHELD } else { message };
    let request_id = if hides(request_id) { "" } else { request_id };
    let together = [if is_code_safe { "" } else { code }, message, request_id].concat();
    let texts = if hides(&together) {
        [if is_code_safe { code } else { "" }, WITHHELD, ""]
    } else {
        [code, message, request_id]
    };
    texts.map(str::to_owned)
}

/// `Ecs.0005` is the service's, whatever a token holds.
fn is_short_code(code: &str) -> bool {
    let word = code.split('.').next().unwrap_or_default();
    word.len() <= LONGEST_WORD && association::looks_like_code(code)
}

/// `Retry-After`, in seconds or as a date; a day at most.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits for a number are over the bound.
        let seconds = value.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let wait = date.duration_since(now).ok()?;
    Some(wait.min(MAX_RETRY_AFTER))
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_the_token_is_withheld_and_the_rest_is_shown() {
        let token = Traces::of("Ecs.0005MIIFNgYJKoZI");
        for (texts, expected) in [
            (["Ecs.0005", "no", "r-1"], ["Ecs.0005", "no", "r-1"]),
            (
                ["Ecs.0005", "MIIF NgYJ", "r-1"],
                ["Ecs.0005", WITHHELD, "r-1"],
            ),
            (["MIIFNgYJ", "no", "r-1"], ["", "no", "r-1"]),
            (["X", "no", "gYJKoZI,MIIFNgYJ"], ["X", "no", ""]),
            (["MIIF", "NgYJ", "KoZI"], ["", WITHHELD, ""]),
            (["Ecs.0005", "MIIF", "NgYJ"], ["Ecs.0005", WITHHELD, ""]),
            (["MIIFNgYJ.0005", "no", ""], ["", "no", ""]),
            (["MIIF", "", "NgYJ"], ["", WITHHELD, ""]),
        ] {
            assert_eq!(shown(&token, texts), expected, "{texts:?}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, milliseconds) in [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 7 ", Some(7_000)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", None),
            ("86401", Some(86_400_000)),
            ("18446744073709551615", Some(86_400_000)),
            ("99999999999999999999999999", Some(86_400_000)),
            ("Tue, 08 Nov 1994 08:49:40 GMT", Some(86_400_000)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400_000)),
            ("+7", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let time = milliseconds.map(Duration::from_millis);
            assert_eq!(retry_after(value, now), time, "{value}");
        }
    }
}
