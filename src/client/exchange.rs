//! One attempt: a request goes out, and its answer or its failure is put into words.

use super::Settings;
use super::report::Report;
use crate::association::{self, Method, Refusal};
use crate::error::Error;
use crate::status::Status;
use crate::transport::{Answer, Deadline, Failure, Request, Transport};

/// The most of an answer without a list, in bytes: it is empty, or an error body of a few hundred.
const MAX_SHORT_ANSWER: usize = 64 * 1024;

/// The most of one page of a list, in bytes.
const MAX_PAGE: usize = 16 * 1024 * 1024;

/// A call under way: what all its requests have in common.
pub struct Session<'a> {
    pub settings: &'a Settings,
    pub transport: &'a Transport,
    pub report: Report<'a>,
    pub deadline: Deadline,
}

/// An attempt that did not bring what was wanted.
pub struct Attempt {
    /// What the caller is told if it was the last.
    pub error: Error,
    pub nature: Nature,
    /// Whether the text of a refusal has two causes; see [`Refusal::has_two_causes`].
    pub has_two_causes: bool,
    /// Whether the same request had gone out before on a kept connection, and may have been acted
    /// on.
    pub was_sent_before: bool,
}

/// What an attempt that failed says about the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Nothing was done, provably, and it may go better another time.
    Passing,
    /// It may go better another time, but something may have been done.
    Doubtful,
    /// The service looked at the request and said no.
    Refused,
    /// It will not go better.
    Final,
}

impl Session<'_> {
    /// Sends the request once. A 2xx answer is returned whole; that of a list may still be an
    /// error.
    pub fn exchange(&self, call: &association::Request) -> Result<Answer, Attempt> {
        let headers = [
            ("user-agent", self.settings.user_agent.as_str()),
            ("accept", "application/json"),
            ("x-auth-token", self.report.token.value()),
            ("content-type", "application/json"),
        ];
        let (method, headers, max_answer) = match call.method {
            Method::Post => ("POST", headers.as_slice(), MAX_SHORT_ANSWER),
            Method::Delete => ("DELETE", headers.as_slice(), MAX_SHORT_ANSWER),
            // Without a body there is no content to have a type.
            Method::Get => ("GET", without_last(&headers), MAX_PAGE),
        };
        let request = Request {
            method,
            path: &call.path,
            headers,
            body: call.body.as_bytes(),
            max_answer,
        };
        let answer = self
            .transport
            .exchange(self.report.endpoint, request, self.deadline)
            .map_err(|failure| Attempt {
                error: self.report.failure(&failure),
                nature: nature_of_failure(&failure),
                has_two_causes: false,
                was_sent_before: false,
            })?;
        // A list is looked at when it is read: it can be large, and is hardly ever an error.
        let is_list = call.method == Method::Get && (200..300).contains(&answer.http_status);
        if !is_list && let Err(refusal) = association::outcome(answer.http_status, &answer.body) {
            return Err(self.refused(&answer, &refusal));
        }
        if !answer.is_complete {
            return Err(self.unusable(&answer, "with a body that is over the limit"));
        }
        Ok(answer)
    }

    /// The service said no.
    pub fn refused(&self, answer: &Answer, refusal: &Refusal) -> Attempt {
        Attempt {
            error: self.report.refusal(answer, refusal),
            nature: nature_of_refusal(refusal),
            has_two_causes: refusal.has_two_causes,
            was_sent_before: answer.was_sent_before,
        }
    }

    /// A 2xx answer that does not say what it should.
    pub fn unusable(&self, answer: &Answer, reason: &str) -> Attempt {
        Attempt {
            error: self.report.unusable(answer, reason),
            nature: Nature::Final,
            has_two_causes: false,
            was_sent_before: answer.was_sent_before,
        }
    }
}

/// Where nothing was sent it may go better another time, unless the transport knows that it will
/// not.
fn nature_of_failure(failure: &Failure) -> Nature {
    match failure.status {
        _ if failure.is_final => Nature::Final,
        Status::TIMEOUT | Status::CONNECTION_LOST if failure.sent => Nature::Doubtful,
        _ if failure.sent => Nature::Final,
        _ => Nature::Passing,
    }
}

fn nature_of_refusal(refusal: &Refusal) -> Nature {
    match refusal.status {
        _ if refusal.did_nothing => Nature::Passing,
        Status::SERVICE_FAILED => Nature::Doubtful,
        Status::REJECTED | Status::NOT_FOUND | Status::CONFLICT => Nature::Refused,
        _ => Nature::Final,
    }
}

fn without_last<T>(items: &[T]) -> &[T] {
    items.split_last().map_or(items, |(_, rest)| rest)
}
