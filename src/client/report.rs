//! Failures and refusals as the caller sees them: one line, and the facts beside it.

use std::time::{Duration, SystemTime};

use crate::association::{self, Refusal, Token};
use crate::error::{Error, MAX_MESSAGE};
use crate::status::Status;
use crate::text;
use crate::transport::{Answer, Endpoint, Failure};

const MAX_REQUEST_ID: usize = 128;
const MAX_REASON: usize = 480;

/// What every report of one call has in common.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    pub call: &'static str,
    pub endpoint: &'a Endpoint,
    pub token: Token<'a>,
}

impl Report<'_> {
    /// No answer came.
    pub fn failure(&self, failure: &Failure) -> Error {
        let Self { call, endpoint, .. } = self;
        let step = failure.step;
        let reason = text::bounded(&text::one_line(&failure.reason), MAX_REASON);
        Error {
            http_status: failure.http_status,
            outcome_unknown: failure.sent,
            ..self.error(
                failure.status,
                &format!("{call}: {step} {endpoint}: {reason}"),
            )
        }
    }

    /// The service did not do what was asked, and said so.
    pub fn refusal(&self, answer: &Answer, refusal: &Refusal) -> Error {
        let code = self.token.masked_in(&refusal.code);
        let mut what = format!("HTTP {}", answer.http_status);
        if !code.is_empty() {
            what = format!("{what} {code}");
        }
        let message = match refusal.message.as_str() {
            "" => association::reason(answer.http_status),
            message => message,
        };
        let error = self.answered(
            refusal.status,
            answer,
            &format!("{what}: {message}"),
            &refusal.request_id,
        );
        Error {
            code,
            outcome_unknown: refusal.outcome_unknown,
            ..error
        }
    }

    /// A 2xx answer of which can't be told what it means.
    pub fn unusable(&self, answer: &Answer, reason: &str) -> Error {
        let reason = text::bounded(&text::one_line(reason), MAX_REASON);
        let what = format!("HTTP {} {reason}", answer.http_status);
        Error {
            outcome_unknown: true,
            ..self.answered(Status::BAD_RESPONSE, answer, &what, "")
        }
    }

    fn answered(&self, status: Status, answer: &Answer, what: &str, request_id: &str) -> Error {
        let Self { call, endpoint, .. } = self;
        let request_id = match request_id {
            "" => answer.header("x-request-id").unwrap_or_default(),
            in_body => in_body,
        };
        let request_id = text::bounded(&text::one_line(request_id), MAX_REQUEST_ID);
        let request_id = self.token.masked_in(&request_id);
        let mut line = format!("{call}: {endpoint} answered {what}");
        if !request_id.is_empty() {
            line = format!("{line} (request id {request_id})");
        }
        Error {
            http_status: answer.http_status,
            request_id,
            retry_after_ms: answer
                .header("retry-after")
                .and_then(|value| retry_after(value, SystemTime::now()))
                .map_or(0, milliseconds),
            ..self.error(status, &line)
        }
    }

    fn error(&self, status: Status, line: &str) -> Error {
        let line = self.token.masked_in(line);
        Error {
            message: text::bounded(&line, MAX_MESSAGE),
            ..Error::new(status, "")
        }
    }
}

/// `Retry-After`, in seconds or as a date.
fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    date.duration_since(now).ok()
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        for (value, milliseconds) in [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 7 ", Some(7_000)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", None),
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
