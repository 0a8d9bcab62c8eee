//! What was asked, for tests to look at.

use std::collections::VecDeque;

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::http::request::Parts;

use crate::Emulator;
use crate::lock;

/// A long run must not grow.
const KEPT: usize = 1_000;

/// One request and the status that it was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// `POST`, `DELETE`, `GET`, or whatever else was sent.
    pub method: String,
    /// Path and query as sent, percent-encoding included.
    pub path: String,
    /// Names in lowercase, in the order received (a repeated name right after its first).
    pub headers: Vec<(String, String)>,
    /// Bytes that are not UTF-8 are replaced; empty when the body was too long to keep.
    pub body: String,
    /// The answer's status.
    pub status: u16,
}

impl Recorded {
    pub(crate) fn new(parts: &Parts, body: Option<&Bytes>, status: StatusCode) -> Self {
        let path = parts.uri.path_and_query().map(|path| path.as_str());
        Self {
            method: parts.method.to_string(),
            path: path.unwrap_or_default().to_owned(),
            headers: parts
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), lossy(value.as_bytes())))
                .collect(),
            body: body.map(|body| lossy(body)).unwrap_or_default(),
            status: status.as_u16(),
        }
    }

    /// The value of the first header of this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl Emulator {
    /// The last 1,000 requests, oldest first, in the order of their answers.
    pub fn requests(&self) -> Vec<Recorded> {
        lock(&self.shared.records).all()
    }

    /// How many requests there were, since the start or [`Self::clear_requests`].
    pub fn requests_count(&self) -> u64 {
        lock(&self.shared.records).count
    }

    /// Forgets the requests so far, and how many of them there were in whatever respect.
    pub fn clear_requests(&self) {
        lock(&self.shared.records).clear();
        lock(&self.shared.traffic).clear();
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Those that are not kept any more are counted too.
    count: u64,
    /// Oldest first.
    last: VecDeque<Recorded>,
}

impl Records {
    pub(crate) fn push(&mut self, recorded: Recorded) {
        self.count += 1;
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(recorded);
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.last.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
