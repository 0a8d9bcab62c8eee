//! The HTTP status and the body of an answer to a change: a line with the one, and the other.

use std::time::UNIX_EPOCH;

use fpga_associate::association::{self, Meaning, Refusal};
use fpga_associate::status::Status;
use serde_json::Value;

use crate::input::Input;
use crate::told::check_line;

const FLOW_CONTROL: [&str; 4] = ["common.0024", "common.1503", "apigw.0308", "apig.0308"];

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let http_status = match input.number() {
        number @ 100..=999 => number as u16,
        _ => 200,
    };
    let body = input.rest();
    match association::outcome(http_status, body) {
        Ok(()) => {
            assert!(matches!(http_status, 200 | 201 | 204), "{http_status}");
            assert!(body.is_empty() || is_object_without_error(body));
        }
        Err(refusal) => check(http_status, body, &refusal),
    }
    denials(body);
}

fn is_object_without_error(body: &[u8]) -> bool {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(fields)) => match fields.get("error") {
            Some(Value::Object(error)) => !error.contains_key("code"),
            Some(Value::String(error)) => error.is_empty(),
            _ => true,
        },
        // How large a number is, and how deep a list, matters to others alone.
        Err(error) => {
            let reason = error.to_string();
            reason.contains("number out of range") || reason.contains("recursion limit")
        }
        Ok(_) => false,
    }
}

fn check(http_status: u16, body: &[u8], refusal: &Refusal) {
    check_line(&refusal.message, 480);
    check_line(&refusal.code, 64);
    check_line(&refusal.request_id, 128);
    let code = refusal.code.to_ascii_lowercase();
    if FLOW_CONTROL.contains(&code.as_str()) {
        assert_eq!(
            (refusal.status, refusal.meaning),
            (Status::THROTTLED, Meaning::Busy)
        );
        return;
    }
    let settles = (400..500).contains(&http_status);
    assert_eq!(
        refusal.is_in_doubt(),
        !settles,
        "{http_status}: {refusal:?}"
    );
    let expected = match http_status {
        202 if refusal.meaning == Meaning::Accepted => Status::PENDING,
        401 => Status::UNAUTHORIZED,
        403 => Status::FORBIDDEN,
        404 => Status::NOT_FOUND,
        409 => Status::CONFLICT,
        429 => Status::THROTTLED,
        400..500 => Status::REJECTED,
        500..600 => Status::SERVICE_FAILED,
        _ => Status::UNEXPECTED_STATUS,
    };
    assert_eq!(refusal.status, expected, "{http_status}");
    if body.is_empty() {
        assert!(refusal.message.is_empty() && refusal.code.is_empty());
    }
}

/// What is read of a 401 to a signed request.
fn denials(body: &[u8]) {
    let text = String::from_utf8_lossy(body);
    let date = text.lines().next();
    check_line(
        &association::denial(&text, date, UNIX_EPOCH).to_string(),
        100,
    );
    if let Some(rest) = association::without_echo(&text) {
        assert!(text.starts_with(rest));
        let rest = rest.to_ascii_lowercase();
        assert!(!rest.contains("signedheaders") && !rest.contains("x-security-token"));
    }
}
