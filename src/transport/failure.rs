//! How an exchange can fail: at which step, why, and what of the request may have gone out.

use std::fmt;
use std::io;

use super::patience::Interruption;
use super::stream::Broken;
use super::{system, words};
use crate::memory::OutOfMemory;
use crate::status::Status;

const CLOSED: &str = "the connection was closed in the middle of it";

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
    /// Waiting for the turn of one call among many.
    Turn,
}

impl Step {
    /// What the system's refusal is called at this step.
    fn status(self) -> Status {
        match self {
            Self::Resolve => Status::RESOLVE_FAILED,
            Self::Connect => Status::CONNECT_FAILED,
            Self::Proxy => Status::PROXY_FAILED,
            Self::Tls => Status::TLS_FAILED,
            Self::Send | Self::Receive => Status::CONNECTION_LOST,
            Self::Pause | Self::Turn => Status::INTERNAL,
        }
    }
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
            Self::Turn => "waiting for the next turn at",
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
    /// Whether it will be the same another time: a certificate that is not trusted, credentials
    /// that are refused, a defect.
    pub is_final: bool,
    /// The HTTP status, where an answer had begun; else 0.
    pub http_status: u16,
    /// Whether the request went out on a kept connection.
    pub was_kept: bool,
    /// Whether that was closed without a byte of an answer.
    pub was_stale: bool,
    /// Whether the process has no file descriptor left.
    pub(super) lacks_descriptors: bool,
}

impl Failure {
    /// A failure before any of the request went out, which may pass.
    pub fn new(status: Status, step: Step, reason: impl Into<String>) -> Self {
        Self {
            status,
            step,
            reason: reason.into(),
            sent: false,
            is_final: false,
            http_status: 0,
            was_kept: false,
            was_stale: false,
            lacks_descriptors: false,
        }
    }

    /// A failure before any of the request went out, which will be the same another time.
    pub fn lasting(status: Status, step: Step, reason: impl Into<String>) -> Self {
        Self {
            is_final: true,
            ..Self::new(status, step, reason)
        }
    }

    /// A wait that ended without what was waited for.
    pub fn interrupted(step: Step, interruption: &Interruption) -> Self {
        match interruption {
            Interruption::TimedOut => Self::new(Status::TIMEOUT, step, interruption.to_string()),
            Interruption::Cancelled => {
                Self::lasting(Status::CANCELLED, step, interruption.to_string())
            }
            Interruption::Failed(error) if system::is_out_of_descriptors(error) => Self {
                lacks_descriptors: true,
                ..Self::new(
                    Status::CONNECT_FAILED,
                    step,
                    format!("this process has no file descriptor left ({error})"),
                )
            },
            Interruption::Failed(error) if error.kind() == io::ErrorKind::OutOfMemory => {
                Self::lasting(Status::OUT_OF_MEMORY, step, "memory ran out")
            }
            Interruption::Failed(error) => Self::new(step.status(), step, plain(error)),
        }
    }

    /// A connection that broke.
    pub fn broken(step: Step, broken: &Broken) -> Self {
        let status = step.status();
        match broken {
            Broken::Wait(interruption) => Self::interrupted(step, interruption),
            Broken::Forked => Self {
                // The process that was copied goes on with the same call.
                sent: true,
                ..Self::lasting(Status::CONNECTION_LOST, step, words::FORKED)
            },
            Broken::Cut if step == Step::Tls => Self::new(status, step, CLOSED),
            Broken::Cut => Self::new(status, step, words::CUT),
            Broken::Tls(error) => match of_the_system(error) {
                Some(error) => Self::interrupted(step, &error.into()),
                None => Self {
                    is_final: words::is_about_trust(error),
                    ..Self::new(status, step, words::of_tls(error))
                },
            },
        }
    }
}

impl From<OutOfMemory> for Failure {
    fn from(refused: OutOfMemory) -> Self {
        Self::interrupted(Step::Connect, &refused.into())
    }
}

/// What the system refused in the middle of a handshake: memory, or to read trusted certificates.
fn of_the_system(error: &rustls::Error) -> Option<io::Error> {
    let rustls::Error::Other(rustls::OtherError(error)) = error else {
        return None;
    };
    let error: &io::Error = error.downcast_ref()?;
    match error.raw_os_error() {
        Some(number) => Some(io::Error::from_raw_os_error(number)),
        None if error.kind() == io::ErrorKind::OutOfMemory => Some(error.kind().into()),
        None => None,
    }
}

fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => CLOSED.to_owned(),
        _ => error.to_string(),
    }
}

/// Why a proxy makes no way.
#[derive(Debug)]
pub enum Refusal {
    /// It may go better another time.
    Passing(String),
    /// It will not.
    Lasting(String),
    /// The conversation broke off.
    Io(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
