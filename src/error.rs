//! What a failed call tells its caller.

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
    /// Whether the service may have acted on the request.
    pub outcome_unknown: bool,
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
        }
    }

    /// The caller's mistake in one named argument.
    pub fn invalid_argument(argument: &str, reason: &str) -> Self {
        Self::new(Status::INVALID_ARGUMENT, &format!("{argument}: {reason}"))
    }
}
