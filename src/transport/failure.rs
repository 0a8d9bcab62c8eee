//! How an exchange can fail: at which step, why, and whether the request had begun to go out.

use std::fmt;
use std::io;

use crate::status::Status;

/// What was being done when an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looking up the host's addresses.
    Resolve,
    /// Opening a TCP connection.
    Connect,
    /// Reading trusted certificates, and the TLS handshake.
    Tls,
    /// Sending the request.
    Send,
    /// Waiting for and reading the answer.
    Receive,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Resolve => "resolving",
            Self::Connect => "connecting to",
            Self::Tls => "TLS handshake with",
            Self::Send => "sending to",
            Self::Receive => "waiting for the answer of",
        })
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Failure {
    /// How the call ends.
    pub status: Status,
    /// What was being done.
    pub step: Step,
    /// The cause in words.
    pub reason: String,
    /// Whether a byte of the request may have gone out.
    pub sent: bool,
    /// The HTTP status, where an answer had begun; else 0.
    pub http_status: u16,
    stale: bool,
}

impl Failure {
    /// A failure before any of the request went out.
    pub(super) fn before_sending(status: Status, step: Step, reason: impl Into<String>) -> Self {
        Self {
            status,
            step,
            reason: reason.into(),
            sent: false,
            http_status: 0,
            stale: false,
        }
    }

    /// A failure after the request may have begun to go out.
    pub(super) fn after_sending(status: Status, step: Step, reason: impl Into<String>) -> Self {
        Self {
            sent: true,
            ..Self::before_sending(status, step, reason)
        }
    }

    /// The same failure, of a kept connection that the service closed without a byte of an answer.
    pub(super) fn of_stale_connection(mut self) -> Self {
        self.stale = true;
        self
    }

    pub(super) fn with_http_status(mut self, http_status: u16) -> Self {
        self.http_status = http_status;
        self
    }

    pub(super) fn connection_was_stale(&self) -> bool {
        self.stale
    }

    /// The deadline passed before any of the request went out.
    pub(super) fn timeout(step: Step) -> Self {
        Self::before_sending(Status::TIMEOUT, step, TIMED_OUT)
    }

    /// An input or output error of a step before any of the request went out.
    pub(super) fn of_io(status: Status, step: Step, error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut {
            Self::timeout(step)
        } else {
            Self::before_sending(status, step, error.to_string())
        }
    }
}

/// The words for a deadline that has passed.
pub(super) const TIMED_OUT: &str = "the deadline passed";
