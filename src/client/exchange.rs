//! One attempt: a request goes out, and what became of it is put into words.

use std::time::{Duration, SystemTime};

use super::Settings;
use super::credentials::Asking;
use super::pace::{Leave, Pace};
use super::report::Report;
use super::signed::{PROJECT_HEADER, Signature};
use super::verdict::Latest;
use crate::association::{self, AccessKey, Credentials, Denial, Meaning, Method, Refusal};
use crate::error::Error;
use crate::log::Level;
use crate::memory;
use crate::status::Status;
use crate::transport::{Answer, Deadline, Failure, Kept, Request, Transport};

/// The most of an answer without a list, in bytes: it is empty, or an error body of a few hundred.
const MAX_SHORT_ANSWER: usize = 64 * 1024;

/// The most of one page of a list, in bytes.
const MAX_PAGE: usize = 16 * 1024 * 1024;

/// A call under way: what all its requests have in common.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    pub settings: &'a Settings,
    pub transport: &'a Transport,
    pub report: Report<'a>,
    pub deadline: Deadline,
    pub terms: Terms<'a>,
}

/// What a call has of its own, its client's settings aside.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The time for all of it.
    pub time: Duration,
    /// Whether what is as wanted already is a success.
    pub idempotent: bool,
    /// The pace that it keeps with other calls, and its leave.
    pub paced: Option<(&'a Pace, &'a Leave)>,
    /// Whether a request for which the service was too busy is sent again by who made the call.
    pub leaves_busy: bool,
    /// Whether a request for the same went out in an earlier call.
    pub is_repeated: bool,
}

/// A request that did not bring what was wanted.
pub struct Attempt {
    /// What the caller is told if it was the last.
    pub error: Error,
    pub latest: Latest,
    /// Whether a byte of it may have gone out.
    pub was_sent: bool,
    /// Whether it went out on a kept connection.
    pub was_kept: bool,
    /// Whether the call must stop: the client was shut down meanwhile, or memory ran out.
    pub must_stop: bool,
}

impl Session<'_> {
    /// Sends the request once. What is returned of a list still has to be read.
    pub fn exchange(
        &self,
        call: &association::Request<'_>,
        kept: Kept,
        answer_by: Deadline,
    ) -> Result<Answer, Attempt> {
        let proof = self.report.caller.proof(&self.asking());
        let proof = proof.map_err(|error| self.unproven(error))?;
        let credentials = proof.credentials();
        let headers = [
            (PROJECT_HEADER, call.project_id),
            ("user-agent", self.settings.user_agent.as_str()),
            ("accept", "application/json"),
            ("content-type", "application/json"),
        ];
        let headers = match credentials {
            // It is for one project.
            Credentials::Token(_) => without_first(&headers),
            Credentials::AccessKey(_) => &headers,
        };
        let (method, headers, max_answer) = match call.method {
            Method::Post => ("POST", headers, MAX_SHORT_ANSWER),
            Method::Delete => ("DELETE", headers, MAX_SHORT_ANSWER),
            // Without a body there is no content to have a type.
            Method::Get => ("GET", without_last(headers), MAX_PAGE),
        };
        let request = Request {
            method,
            path: &call.path,
            headers,
            credentials: &[],
            body: call.body.as_bytes(),
            max_answer,
            max_refusal: MAX_SHORT_ANSWER,
            answer_by,
        };
        let answer = match credentials {
            Credentials::Token(token) => {
                let credentials = &[("x-auth-token", token.value())];
                self.send(
                    Request {
                        credentials,
                        ..request
                    },
                    kept,
                )
            }
            Credentials::AccessKey(key) => self.sign_and_send(request, key, kept),
        };
        let result = self.judge(answer?, call.method);
        if let Some((pace, leave)) = self.terms.paced {
            self.keep_pace(pace, leave, result.as_ref().err());
        }
        result
    }

    /// How long the pace of other calls holds back what this one sends beyond its first request; not so
    /// long that the time is over.
    pub fn held_back(&self) -> Duration {
        let held_back = self
            .terms
            .paced
            .map_or(Duration::ZERO, |(pace, _)| pace.held_back());
        match held_back < self.deadline.left() / 2 {
            true => held_back,
            false => Duration::ZERO,
        }
    }

    /// What was answered sets the pace.
    #[cold]
    fn keep_pace(&self, pace: &Pace, leave: &Leave, attempt: Option<&Attempt>) {
        let is_throttled = |attempt: &&Attempt| attempt.error.status == Status::THROTTLED;
        let Some(busy) = attempt.filter(is_throttled) else {
            pace.got_through();
            return;
        };
        let pause = Duration::from_millis(busy.error.retry_after_ms);
        if let Some(rate) = pace.refused(leave, pause) {
            self.settings.log.line(Level::LOG_WARNING, || {
                let endpoint = self.report.endpoint;
                // As a whole number: the code that writes others is large.
                let in_a_minute = (rate * 60.0) as u64;
                format!("{endpoint} is busy: {in_a_minute} requests a minute from now on")
            });
        }
    }

    fn sign_and_send(
        &self,
        request: Request<'_>,
        key: AccessKey<'_>,
        kept: Kept,
    ) -> Result<Answer, Attempt> {
        let endpoint = self.report.endpoint;
        if let Some(reason) = self.why_not_signed() {
            let asking = self.asking();
            let error = asking.failed(Status::CREDENTIALS_FAILED, reason);
            return Err(self.unproven(error));
        }
        let signature = Signature::of(&request, endpoint, key);
        self.report.caller.signed(signature.digits());
        let headers = signature.headers(key);
        let request = Request {
            credentials: match key.security_token() {
                Some(_) => &headers,
                None => without_last(&headers),
            },
            ..request
        };
        debug_assert!(
            signature.is_of(&request, endpoint, key),
            "signed and sent differ"
        );
        self.send(request, kept)
    }

    /// Why nothing that is signed may go to the endpoint.
    fn why_not_signed(&self) -> Option<&'static str> {
        let endpoint = self.report.endpoint;
        if !endpoint.is_private() {
            return Some(
                "an access key is not for plain http, where what is signed can be read and sent again",
            );
        }
        let is_shown = !endpoint.is_tls() && self.transport.is_proxied(endpoint);
        is_shown.then_some(
            "an access key is not for plain http through a proxy, which can read what is signed",
        )
    }

    fn send(&self, request: Request<'_>, kept: Kept) -> Result<Answer, Attempt> {
        let endpoint = self.report.endpoint;
        let answer = self
            .transport
            .exchange(endpoint, request, kept, self.deadline);
        answer.map_err(|failure| self.failed(&failure))
    }

    /// Who asks for credentials.
    pub fn asking(&self) -> Asking<'_> {
        Asking {
            call: self.report.call,
            endpoint: self.report.endpoint,
            transport: self.transport,
            deadline: self.deadline,
            log: &self.settings.log,
        }
    }

    fn judge(&self, answer: Answer, method: Method) -> Result<Answer, Attempt> {
        let is_success = (200..300).contains(&answer.http_status);
        if is_success && !answer.is_complete {
            return Err(self.too_large(&answer, "a body that is over the limit"));
        }
        let outcome = match method {
            // Looked at when it is read: it can be large, and is hardly ever an error.
            Method::Get if answer.http_status == 200 => return Ok(answer),
            Method::Get => Err(association::refusal(answer.http_status, &answer.body)),
            _ => association::outcome(answer.http_status, &answer.body),
        };
        match outcome {
            Ok(()) => Ok(answer),
            Err(refusal) if is_success && method == Method::Get && refusal.is_in_doubt() => {
                Err(self.unusable(&answer, "no list"))
            }
            Err(refusal) => {
                let latest = latest_of_refusal(&refusal, method);
                let error = self.report.refusal(&answer, &refusal);
                let error = match refusal.status {
                    Status::UNAUTHORIZED | Status::FORBIDDEN => {
                        self.denied(error, &answer, refusal.status)
                    }
                    _ => error,
                };
                Err(self.answered(error, &answer, latest))
            }
        }
    }

    /// The service did not accept who asks.
    fn denied(&self, error: Error, answer: &Answer, status: Status) -> Error {
        let caller = self.report.caller;
        if !caller.signs() {
            if status == Status::UNAUTHORIZED {
                caller.denied(None);
            }
            return error;
        }
        let date = answer.header("date");
        let body = String::from_utf8_lossy(&answer.body);
        let denial = association::denial(&body, date, SystemTime::now());
        if status == Status::FORBIDDEN && denial != Denial::Locked {
            return error;
        }
        caller.denied(Some(denial));
        error.explained(&denial.to_string())
    }

    /// A 2xx answer to the list call that carries an error.
    pub fn refused(&self, answer: &Answer) -> Attempt {
        let body = answer.body.get(..MAX_SHORT_ANSWER).unwrap_or(&answer.body);
        let refusal = association::refusal(answer.http_status, body);
        let latest = latest_of_refusal(&refusal, Method::Get);
        self.answered(self.report.refusal(answer, &refusal), answer, latest)
    }

    /// A 2xx answer that does not say what it should.
    pub fn unusable(&self, answer: &Answer, reason: &str) -> Attempt {
        let error = self.report.unusable(answer, reason);
        self.answered(error, answer, Latest::Unreadable)
    }

    /// A 2xx answer that is longer than anybody means it.
    pub fn too_large(&self, answer: &Answer, reason: &str) -> Attempt {
        let error = self.report.unusable(answer, reason);
        self.answered(error, answer, Latest::InDoubtForGood)
    }

    /// No answer came.
    pub fn failed(&self, failure: &Failure) -> Attempt {
        Attempt {
            error: self.report.failure(failure),
            latest: latest_of_failure(failure),
            was_sent: failure.sent,
            was_kept: failure.was_kept,
            must_stop: must_stop(failure.status),
        }
    }

    /// There was nothing to prove with who asks, and so nothing was sent; but by the parent, where this call was
    /// copied into a child of fork.
    pub fn unproven(&self, error: Error) -> Attempt {
        let is_copied = error.status == Status::CONNECTION_LOST;
        Attempt {
            must_stop: must_stop(error.status),
            error,
            latest: match is_copied {
                true => Latest::InDoubtForGood,
                false => Latest::Barred,
            },
            was_sent: is_copied,
            was_kept: false,
        }
    }

    fn answered(&self, error: Error, answer: &Answer, latest: Latest) -> Attempt {
        Attempt {
            error,
            latest,
            was_sent: true,
            was_kept: answer.was_kept,
            must_stop: memory::has_run_out(),
        }
    }
}

/// Whether a call that met this does nothing more.
pub fn must_stop(status: Status) -> bool {
    status == Status::CANCELLED || status == Status::OUT_OF_MEMORY || memory::has_run_out()
}

fn latest_of_failure(failure: &Failure) -> Latest {
    match failure.status {
        _ if !failure.sent && failure.is_final => Latest::Barred,
        _ if !failure.sent => Latest::Unsent,
        _ if failure.was_stale => Latest::KeptClosed,
        Status::BAD_RESPONSE => Latest::Unreadable,
        Status::TIMEOUT | Status::CONNECTION_LOST if !failure.is_final => Latest::InDoubt,
        _ => Latest::InDoubtForGood,
    }
}

fn latest_of_refusal(refusal: &Refusal, method: Method) -> Latest {
    match (refusal.meaning, method) {
        (Meaning::Busy, _) => Latest::Busy,
        (Meaning::GivenUp, _) => Latest::GivenUp,
        (Meaning::AlreadyOrFull | Meaning::Either, Method::Post) => Latest::Echo,
        (Meaning::NothingThere | Meaning::Either, Method::Delete) => Latest::Echo,
        (Meaning::Refused, _)
            if matches!(refusal.status, Status::UNAUTHORIZED | Status::FORBIDDEN) =>
        {
            Latest::Denied
        }
        (Meaning::Refused, _)
        | (Meaning::AlreadyOrFull | Meaning::NothingThere | Meaning::Either, _) => Latest::Refused,
        (Meaning::Accepted, _) => Latest::Accepted,
        (Meaning::Unclear, _) => Latest::InDoubt,
        (Meaning::UnclearForGood, _) => Latest::InDoubtForGood,
    }
}

fn without_first<T>(items: &[T]) -> &[T] {
    items.split_first().map_or(items, |(_, rest)| rest)
}

fn without_last<T>(items: &[T]) -> &[T] {
    items.split_last().map_or(items, |(_, rest)| rest)
}
