//! How an exchange can fail: at which step, why, and whether the request had begun to go out.

use std::fmt;

use super::patience::Interruption;
use crate::status::Status;

/// What was being done when an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looking up the host's addresses.
    Resolve,
    /// Opening a TCP connection.
    Connect,
    /// Having the proxy connect to the host.
    Proxy,
    /// Reading trusted certificates, and the TLS handshake.
    Tls,
    /// Sending the request.
    Send,
    /// Waiting for and reading the answer.
    Receive,
    /// Waiting before the next attempt.
    Pause,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Resolve => "resolving",
            Self::Connect => "connecting to",
            Self::Proxy => "through a proxy to",
            Self::Tls => "TLS handshake with",
            Self::Send => "sending to",
            Self::Receive => "waiting for the answer of",
            Self::Pause => "waiting before another attempt at",
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
    /// Whether it was a kept connection that the service closed without a byte of an answer.
    pub(super) was_stale: bool,
}

impl Failure {
    /// A failure before any of the request went out.
    pub fn new(status: Status, step: Step, reason: impl Into<String>) -> Self {
        Self {
            status,
            step,
            reason: reason.into(),
            sent: false,
            http_status: 0,
            was_stale: false,
        }
    }

    /// A wait that ended without what was waited for. What the system refuses is of the status
    /// given.
    pub fn interrupted(status: Status, step: Step, interruption: &Interruption) -> Self {
        let status = match interruption {
            Interruption::TimedOut => Status::TIMEOUT,
            Interruption::Cancelled => Status::CANCELLED,
            Interruption::Failed(_) => status,
        };
        Self::new(status, step, interruption.to_string())
    }
}
