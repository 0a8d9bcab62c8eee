//! What a failed call tells its caller.

use std::ffi::CStr;

use crate::memory::{self, OutOfMemory};
use crate::status::Status;
use crate::text;

/// The longest message in bytes: with its final NUL it fits a buffer of 1,024.
pub const MAX_MESSAGE: usize = 1023;

/// Why a call failed, and all that is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// How the call ended; never [`Status::OK`].
    pub status: Status,
    /// The HTTP status of the answer, 0 where none came.
    pub http_status: u16,
    /// One clean line for people, at most [`MAX_MESSAGE`] bytes.
    pub message: String,
    /// The service's own code, such as `Ecs.0005`, or empty.
    pub code: String,
    /// The service's name for this request, or empty.
    pub request_id: String,
    /// How long the service asked to wait, 0 where it did not.
    pub retry_after_ms: u64,
    /// How many times the request was tried.
    pub attempts: u32,
    /// Whether a request of the call may have had, or may yet have, an effect.
    pub outcome_unknown: bool,
    /// What the list showed last.
    pub observed: Observed,
}

/// What the list showed of the two images when the call asked it last.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// Spelled as in C, where each also carries the prefix FPGA_ASSOC_.
#[allow(non_camel_case_types, clippy::enum_variant_names)]
pub enum Observed {
    /// It was not asked, or it could not tell.
    OBSERVED_NOTHING = 0,
    /// The two are associated.
    OBSERVED_ASSOCIATED = 1,
    /// They are not.
    OBSERVED_APART = 2,
}

impl Error {
    /// An error of which nothing is known but its status and a message.
    pub fn new(status: Status, message: &str) -> Self {
        Self {
            status,
            http_status: 0,
            message: text::bounded(&text::one_line(message), MAX_MESSAGE),
            code: String::new(),
            request_id: String::new(),
            retry_after_ms: 0,
            attempts: 0,
            outcome_unknown: false,
            observed: Observed::OBSERVED_NOTHING,
        }
    }

    /// The same with more words behind its own.
    pub fn explained(self, words: &str) -> Self {
        if words.is_empty() {
            return self;
        }
        let words = text::bounded(words, MAX_MESSAGE / 2);
        let room = MAX_MESSAGE.saturating_sub(words.len() + 2);
        Self {
            message: format!("{}; {words}", text::bounded(&self.message, room)),
            ..self
        }
    }

    /// Memory that ran out, as the caller learns it.
    pub const RAN_OUT: &CStr = c"memory ran out, and the call was stopped";

    /// The same, but where memory ran out other things failed for want of it; not what the service
    /// answered.
    pub fn with_true_cause(self) -> Self {
        if memory::has_run_out() && self.http_status == 0 {
            return Self {
                status: Status::OUT_OF_MEMORY,
                ..self
            };
        }
        self
    }

    /// The caller's mistake in one named argument.
    pub fn invalid_argument(argument: &str, reason: &str) -> Self {
        Self::new(Status::INVALID_ARGUMENT, &format!("{argument}: {reason}"))
    }
}

impl From<OutOfMemory> for Error {
    fn from(_: OutOfMemory) -> Self {
        Self::new(Status::OUT_OF_MEMORY, &Self::RAN_OUT.to_string_lossy())
    }
}
