//! What an answer means, from its HTTP status and its body.

use super::error_body::{self, ErrorBody};
use crate::status::Status;

/// Codes that mean "slow down", whatever the HTTP status: documented under 202, 503 and 429.
const FLOW_CONTROL_CODES: &[&str] = &["Common.0024", "Common.1503", "APIGW.0308", "APIG.0308"];

/// "… failed: relation already exist or the related fpga image count of image reach the max limit"
const TWO_CAUSES: &str = "relation already exist";

/// What the service said when it did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// How the call ends.
    pub status: Status,
    /// The service's own code, or empty.
    pub code: String,
    /// The service's own words on one line, or empty.
    pub message: String,
    /// The request's id where the body names it, or empty.
    pub request_id: String,
    /// Whether the service may have acted all the same.
    pub outcome_unknown: bool,
    /// Whether the service says that it did nothing because it is busy, so that the request may be
    /// sent again.
    pub did_nothing: bool,
    /// Whether the text has two causes, the pair being associated already and the ECS image being
    /// full; a list tells which.
    pub has_two_causes: bool,
}

/// Success is a 2xx answer without an error object.
pub fn outcome(http_status: u16, body: &[u8]) -> Result<(), Refusal> {
    let succeeded = (200..300).contains(&http_status);
    if succeeded && body.is_empty() {
        return Ok(());
    }
    let ErrorBody {
        code,
        message,
        request_id,
        is_error,
    } = error_body::parse(body);
    if succeeded && !is_error {
        return Ok(());
    }
    let status = if FLOW_CONTROL_CODES.contains(&code.as_str()) {
        Status::THROTTLED
    } else {
        status_of(http_status)
    };
    Err(Refusal {
        status,
        did_nothing: status == Status::THROTTLED || http_status == 503,
        outcome_unknown: status == Status::SERVICE_FAILED && !matches!(http_status, 501 | 503),
        has_two_causes: message.contains(TWO_CAUSES),
        code,
        message,
        request_id,
    })
}

/// "Returned Values for General Requests". A 2xx comes here only with an error object.
fn status_of(http_status: u16) -> Status {
    match http_status {
        401 => Status::UNAUTHORIZED,
        403 => Status::FORBIDDEN,
        404 => Status::NOT_FOUND,
        409 => Status::CONFLICT,
        429 => Status::THROTTLED,
        400..500 => Status::REJECTED,
        500..600 => Status::SERVICE_FAILED,
        _ => Status::UNEXPECTED_STATUS,
    }
}

/// The words for an HTTP status that has no text of its own in the answer.
pub fn reason(http_status: u16) -> &'static str {
    match http_status {
        300..400 => "a redirect, which is not followed",
        400 => "bad request",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not found",
        405 => "method not allowed",
        408 => "request timeout",
        409 => "conflict",
        413 => "request too large",
        415 => "unsupported media type",
        429 => "too many requests",
        500 => "internal server error",
        501 => "not implemented",
        502 => "bad gateway",
        503 => "service unavailable",
        504 => "gateway timeout",
        _ => "no text",
    }
}
