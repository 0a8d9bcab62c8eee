//! What was asked, for tests to look at.

use std::collections::VecDeque;

use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::http::request::Parts;

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

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The last requests, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Records(VecDeque<Recorded>);

impl Records {
    pub(crate) fn push(&mut self, recorded: Recorded) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(recorded);
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.0.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
