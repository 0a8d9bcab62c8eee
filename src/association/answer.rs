//! What an answer means, from its HTTP status and its body.

use super::document::{Fields, has_half_a_character};
use super::error_body::{self, ErrorBody};
use super::sign::{Sign, sign_of};
use crate::status::Status;
use crate::text;

/// Codes that mean "slow down", whatever the HTTP status: documented under 202, 503 and 429.
const FLOW_CONTROL_CODES: &[&str] = &["Common.0024", "Common.1503", "APIGW.0308", "APIG.0308"];

/// "… failed: relation already exist or the related fpga image count of image reach the max limit":
/// one text with two causes, and what it may become in another version or language.
const ALREADY_OR_FULL: &[&str] = &[
    "already",
    "limit",
    "max ",
    "maximum",
    "已存在",
    "已经",
    "已关联",
    "已有",
    "已被",
    "上限",
    "最大",
    "超过",
    "限制",
];

/// "tenant [..] fpga image [..] doesn't exist", and its like.
const NOTHING_THERE: &[&str] = &[
    "n't exist",
    "not exist",
    "doesnt exist",
    "no such",
    "not found",
    "not associated",
    "n't associated",
    "not related",
    "n't related",
    "no relation",
    "no association",
    "不存在",
    "未关联",
    "未被关联",
    "没有关联",
    "无关联",
    "未找到",
    "没有找到",
    "找不到",
];

/// What the service said when it did not say that it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// How the call ends.
    pub status: Status,
    /// What that says of the request.
    pub meaning: Meaning,
    /// The service's own code, or empty.
    pub code: String,
    /// The service's own words on one line, or empty.
    pub message: String,
    /// The request's id where the body names it, or empty.
    pub request_id: String,
}

impl Refusal {
    /// Whether the request may have been done all the same.
    pub fn is_in_doubt(&self) -> bool {
        matches!(
            self.meaning,
            Meaning::Accepted | Meaning::Unclear | Meaning::UnclearForGood
        )
    }
}

/// What an answer that is no success says of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It was not done, because the service is busy, and may be sent again.
    Busy,
    /// It was not done, because the service had given the connection up before it came.
    GivenUp,
    /// It was not done.
    Refused,
    /// It was not done; by its text, the pair is associated already or the ECS image is full.
    AlreadyOrFull,
    /// It was not done; by its text, there is nothing to take away.
    NothingThere,
    /// It was not done; by its text, one of the two.
    Either,
    /// It was accepted, and may be done later.
    Accepted,
    /// It may have been done, and may yet be.
    Unclear,
    /// The same, and the answer would be the same another time.
    UnclearForGood,
}

/// What the answer to a change means. Success is 200, 201 or 204, without a body or with a JSON
/// object that carries no error.
pub fn outcome(http_status: u16, body: &[u8]) -> Result<(), Refusal> {
    if matches!(http_status, 200 | 201 | 204) && (body.is_empty() || is_fine_object(body)) {
        return Ok(());
    }
    Err(refusal(http_status, body))
}

/// What an answer means that is known to be no success.
pub fn refusal(http_status: u16, body: &[u8]) -> Refusal {
    let ErrorBody {
        code,
        message,
        request_id,
    } = error_body::parse(body);
    let is_flow_control = FLOW_CONTROL_CODES
        .iter()
        .any(|one| one.eq_ignore_ascii_case(&code));
    let (status, meaning) = if is_flow_control {
        (Status::THROTTLED, Meaning::Busy)
    } else {
        match meaning_of(http_status) {
            // An error body contradicts the status.
            (_, Meaning::Accepted) if is_error(body) => {
                (Status::UNEXPECTED_STATUS, Meaning::Unclear)
            }
            // It is about who asks, whatever words it has.
            row @ (Status::UNAUTHORIZED | Status::FORBIDDEN, _) => row,
            (status, Meaning::Refused) => (status, by_text(&[&code, message.as_str()].join(" "))),
            row => row,
        }
    };
    Refusal {
        status,
        meaning,
        code,
        message,
        request_id,
    }
}

/// "Returned Values for General Requests", and what it leaves out. Only a 4xx, or a flow-control
/// code, says that the request was not done.
fn meaning_of(http_status: u16) -> (Status, Meaning) {
    match http_status {
        202 => (Status::PENDING, Meaning::Accepted),
        200..300 => (Status::UNEXPECTED_STATUS, Meaning::Unclear),
        401 => (Status::UNAUTHORIZED, Meaning::Refused),
        403 => (Status::FORBIDDEN, Meaning::Refused),
        404 => (Status::NOT_FOUND, Meaning::Refused),
        408 => (Status::REJECTED, Meaning::GivenUp),
        409 => (Status::CONFLICT, Meaning::Refused),
        425 => (Status::REJECTED, Meaning::Busy),
        429 => (Status::THROTTLED, Meaning::Busy),
        400..500 => (Status::REJECTED, Meaning::Refused),
        501 | 505 => (Status::SERVICE_FAILED, Meaning::UnclearForGood),
        500..600 => (Status::SERVICE_FAILED, Meaning::Unclear),
        _ => (Status::UNEXPECTED_STATUS, Meaning::UnclearForGood),
    }
}

/// What a refusal says in words, in any letter case.
fn by_text(message: &str) -> Meaning {
    let message = message.to_ascii_lowercase().replace('’', "'");
    let says = |words| text::has_any(&message, words);
    match (says(ALREADY_OR_FULL), says(NOTHING_THERE)) {
        (true, true) => Meaning::Either,
        (true, false) => Meaning::AlreadyOrFull,
        (false, true) => Meaning::NothingThere,
        (false, false) => Meaning::Refused,
    }
}

fn is_fine_object(body: &[u8]) -> bool {
    sign_in(body) == Some(Sign::None)
}

fn is_error(body: &[u8]) -> bool {
    sign_in(body).is_some_and(|sign| sign != Sign::None)
}

/// Nothing where it is no JSON object, or one that can't be read.
fn sign_in(body: &[u8]) -> Option<Sign> {
    let json = std::str::from_utf8(body).ok()?;
    let fields = Fields::read(json).ok()?;
    (!has_half_a_character(json)).then(|| sign_of(&fields))
}

/// The words for an HTTP status that has no text of its own in the answer.
pub fn reason(http_status: u16) -> &'static str {
    match http_status {
        101 => "switching protocols",
        202 => "accepted, and not done yet",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_statuses_are_success_and_only_with_nothing_or_a_fine_object() {
        let fine: &[&[u8]] = &[b"", b"{}", br#"{"job_id":"1"}"#, b" {} \n"];
        let other: &[&[u8]] = &[
            b"<html>login</html>",
            b"under maintenance",
            b"{",
            b"[]",
            b"null",
            b" ",
            b"\xef\xbb\xbf{}",
            b"{\0}\0",
            b"{\"a\":\"\xce\xac\xbb\xa4\"}",
            br#"{"a":"\ud800"}"#,
            br#"{"code":500}"#,
            br#"{"errors":[{}]}"#,
        ];
        for http_status in 100..=999 {
            let is_success = |body: &&[u8]| outcome(http_status, body).is_ok();
            let expected = matches!(http_status, 200 | 201 | 204);
            assert!(
                fine.iter().all(|body| is_success(body) == expected),
                "{http_status}"
            );
            assert!(!other.iter().any(is_success), "{http_status}");
        }
    }

    #[test]
    fn only_a_4xx_and_a_flow_control_code_settle_a_request() {
        for http_status in (100..=999).filter(|status| !matches!(status, 200 | 201 | 204)) {
            let settles = |body: &[u8]| !refusal(http_status, body).is_in_doubt();
            assert_eq!(
                settles(b""),
                (400..500).contains(&http_status),
                "{http_status}"
            );
            assert!(settles(
                br#"{"error":{"code":"Common.0024","message":"slow"}}"#
            ));
            assert!(settles(
                br#"{"error_code":"APIGW.0308","error_msg":"slow"}"#
            ));
        }
    }

    #[test]
    fn the_text_of_a_refusal_is_known_in_other_capitals_and_in_chinese() {
        use Meaning::{AlreadyOrFull, Either, NothingThere, Refused};
        for (message, meaning) in [
            (
                "relate failed: relation already exist or the related fpga image count of image reach the max limit",
                AlreadyOrFull,
            ),
            ("Relation Already Exists", AlreadyOrFull),
            ("REACH THE MAX LIMIT", AlreadyOrFull),
            ("关联关系已存在", AlreadyOrFull),
            ("镜像关联的FPGA镜像数量已达上限", AlreadyOrFull),
            ("tenant [t] fpga image [f] doesn't exist", NothingThere),
            ("fpga image doesn’t exist", NothingThere),
            ("The Relation Does Not Exist", NothingThere),
            ("关联关系不存在", NothingThere),
            ("the two have already been associated", AlreadyOrFull),
            ("已经被关联", AlreadyOrFull),
            ("超过限制", AlreadyOrFull),
            ("the two aren't associated", NothingThere),
            ("无关联", NothingThere),
            ("the image does not exist or is over its limit", Either),
            ("image [i] type [shared] is not private", Refused),
            ("", Refused),
        ] {
            for http_status in [400, 404, 409, 499] {
                let body = format!(r#"{{"error":{{"code":"Ecs.0000","message":"{message}"}}}}"#);
                let refusal = refusal(http_status, body.as_bytes());
                assert_eq!(refusal.meaning, meaning, "{http_status} {message}");
            }
        }
    }

    #[test]
    fn an_acceptance_with_an_error_is_none() {
        for (body, status, meaning) in [
            ("", Status::PENDING, Meaning::Accepted),
            ("{}", Status::PENDING, Meaning::Accepted),
            ("<html>", Status::PENDING, Meaning::Accepted),
            (
                r#"{"error":{"code":"Ecs.0005","message":"no"}}"#,
                Status::UNEXPECTED_STATUS,
                Meaning::Unclear,
            ),
            (
                r#"{"error":{"code":"Common.0024","message":"no"}}"#,
                Status::THROTTLED,
                Meaning::Busy,
            ),
        ] {
            let refusal = refusal(202, body.as_bytes());
            assert_eq!(
                (refusal.status, refusal.meaning),
                (status, meaning),
                "{body}"
            );
        }
    }
}
