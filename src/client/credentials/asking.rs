//! In whose name credentials are asked for, and what that one is told.

use std::sync::Arc;

use super::held::Held;
use super::renewal::now;
use crate::error::Error;
use crate::log::{Level, Log};
use crate::secret::Traces;
use crate::status::Status;
use crate::text;
use crate::transport::{Deadline, Endpoint, Failure, Transport};

const MAX_REASON: usize = 480;

/// Who asks for credentials, and how long that may take.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The name of the call.
    pub call: &'static str,
    /// Where it goes.
    pub endpoint: &'a Endpoint,
    /// Whose waits these are.
    pub transport: &'a Transport,
    /// Until when.
    pub deadline: Deadline,
    /// Who wants to read about it.
    pub log: &'a Log,
}

impl Asking<'_> {
    /// Has the log say what came.
    pub fn tell(&self, result: &Result<Arc<Held>, Error>) {
        if let Ok(held) = result {
            self.log.line(Level::LOG_INFO, || {
                let life = match held.expires_at() {
                    Some(end) => format!("they expire in {} s", end.saturating_sub(now())),
                    None => "when they expire is not known".to_owned(),
                };
                format!("{}: got credentials; {life}", self.call)
            });
        }
    }

    /// No credentials came.
    pub fn failed(&self, status: Status, reason: &str) -> Error {
        let Self { call, endpoint, .. } = self;
        let reason = text::bounded(&text::one_line(reason), MAX_REASON);
        Error::new(
            status,
            &format!("{call}: getting credentials for {endpoint}: {reason}"),
        )
    }

    /// A failure with words of the host's, which may repeat what it granted.
    pub fn without(&self, secrets: &Traces, error: Error) -> Error {
        if !secrets.are_in(&error.message) {
            return error;
        }
        self.failed(
            error.status,
            "what it was refused with repeats the credentials",
        )
    }

    /// The wait for them ended first.
    pub fn interrupted(&self, failure: &Failure) -> Error {
        self.failed(failure.status, &failure.reason)
    }
}
