//! The error bodies that the service, its gateways and the proxies before it send, in every shape
//! seen.

use super::document::{self, Fields};
use crate::{memory, text};

const MAX_CODE: usize = 64;
const MAX_TEXT: usize = 480;
const MAX_REQUEST_ID: usize = 128;

/// So much of a text is looked at, in bytes, where a fraction of it is shown.
const LONG: usize = 16 * 1024;

/// What an error body says, cleaned and bounded; empty where it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    pub code: String,
    pub message: String,
    pub request_id: String,
}

/// Reads any body. What is none of the known shapes falls back to its text.
pub fn parse(body: &[u8]) -> ErrorBody {
    let read = || Fields::read(std::str::from_utf8(body).ok()?).ok();
    read()
        .and_then(|fields| from_fields(&fields))
        .unwrap_or_else(|| ErrorBody {
            message: memory::lossy(body).map_or(String::new(), |text| readable(&text)),
            ..ErrorBody::default()
        })
}

fn from_fields(fields: &Fields<'_>) -> Option<ErrorBody> {
    let found = gateway(fields)
        .or_else(|| nested(fields))
        .or_else(|| flat(fields))
        .or_else(|| open_stack(fields))?;
    let request_id = found.request_id.or_else(|| scalar(fields, "request_id"));
    let (code, message) = in_order(
        found.code.unwrap_or_default(),
        found.message.unwrap_or_default(),
    );
    Some(ErrorBody {
        code: tidy(&code, MAX_CODE),
        message: readable(&message),
        request_id: tidy(&request_id.unwrap_or_default(), MAX_REQUEST_ID),
    })
}

#[derive(Default)]
struct Found {
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
}

/// `{"error_code":"APIGW.0301","error_msg":"…","request_id":"…"}` and
/// `{"errorCode":"…","errorMsg":"…"}`
fn gateway(fields: &Fields<'_>) -> Option<Found> {
    let code = scalar(fields, "error_code").or_else(|| scalar(fields, "errorCode"));
    let message = scalar(fields, "error_msg").or_else(|| scalar(fields, "errorMsg"));
    if code.is_none() && message.is_none() {
        return None;
    }
    Some(Found {
        code,
        message,
        request_id: None,
    })
}

/// `{"error":{"code":"Ecs.0005","message":"…","details":[{"code":"Ecs.0039","message":"…"}]}}`, or
/// `{"errors":[{"code":"…","message":"…"}]}`
fn nested(fields: &Fields<'_>) -> Option<Found> {
    let first_of_many = || document::items(fields.get("errors")?)?.into_iter().next();
    let error = fields.get("error").or_else(first_of_many)?;
    let Ok(error) = Fields::read(error.get()) else {
        return scalar(fields, "error").map(|text| Found {
            message: scalar(fields, "message")
                .or_else(|| scalar(fields, "error_description"))
                .or(Some(text)),
            ..Found::default()
        });
    };
    let mut message = scalar(&error, "message").unwrap_or_default();
    let details = error.get("details").and_then(document::items);
    for detail in details.into_iter().flatten() {
        // Nobody is shown more.
        if message.len() > MAX_TEXT {
            break;
        }
        if let Ok(detail) = Fields::read(detail.get()) {
            let code = scalar(&detail, "code").unwrap_or_default();
            let text = scalar(&detail, "message").unwrap_or_default();
            message.push_str(&format!(" ({code}: {text})"));
        }
    }
    Some(Found {
        code: scalar(&error, "code").or_else(|| scalar(&error, "error_code")),
        message: Some(message),
        request_id: scalar(&error, "request_id"),
    })
}

/// `{"code":"…","message":"…"}` and `{"message":"…","request_id":"…"}`
fn flat(fields: &Fields<'_>) -> Option<Found> {
    let code = scalar(fields, "code");
    let message = scalar(fields, "message").or_else(|| scalar(fields, "msg"));
    if code.is_none() && message.is_none() {
        return None;
    }
    Some(Found {
        code,
        message,
        ..Found::default()
    })
}

/// `{"badRequest":{"code":400,"message":"…"}}`: the name of the only field tells the kind.
fn open_stack(fields: &Fields<'_>) -> Option<Found> {
    fields.iter().find_map(|field| {
        let inner = Fields::read(field.value.get()).ok()?;
        let message = scalar(&inner, "message")?;
        Some(Found {
            code: scalar(&inner, "code"),
            message: Some(message),
            request_id: None,
        })
    })
}

/// A text or a number; nothing for null, "" and everything else.
fn scalar(fields: &Fields<'_>, name: &str) -> Option<String> {
    let value = fields.get(name)?;
    let is_text = value.get().starts_with('"');
    let text = match document::text(value) {
        Some(text) => text,
        // Its escapes mean nothing; they are shown as they are.
        None if is_text => value.get().trim_matches('"').to_owned(),
        None => document::number(value)?.to_owned(),
    };
    (!text.is_empty()).then_some(text)
}

/// One of the service's documents has the two swapped.
fn in_order(code: String, message: String) -> (String, String) {
    if looks_like_code(&message) && !looks_like_code(&code) {
        (message, code)
    } else {
        (code, message)
    }
}

/// `Word.NNNN`, as `Ecs.0005` and `APIGW.0301`.
pub fn looks_like_code(text: &str) -> bool {
    text.split_once('.').is_some_and(|(word, number)| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphabetic())
            && (3..=6).contains(&number.len())
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// HTML says more without its tags; everything else stands as it is.
fn readable(message: &str) -> String {
    let start = message.trim_start();
    if !start.starts_with('<') {
        return tidy(message, MAX_TEXT);
    }
    let mut words = String::new();
    let mut in_tag = false;
    for c in start.chars() {
        if words.len() > LONG {
            break;
        }
        match c {
            '<' => {
                in_tag = true;
                words.push(' ');
            }
            '>' => in_tag = false,
            _ if !in_tag => words.push(c),
            _ => {}
        }
    }
    tidy(&words, MAX_TEXT)
}

fn tidy(message: &str, max: usize) -> String {
    text::bounded(&text::one_line(text::beginning(message, LONG)), max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_gives_its_code_and_message() {
        for (body, code, message, request_id) in [
            (
                r#"{"error":{"code":"Ecs.0005","message":"request body is illegal."}}"#,
                "Ecs.0005",
                "request body is illegal.",
                "",
            ),
            (
                r#"{"error":{"code":"Ecs.0005","message":"bad","details":[{"code":"Ecs.0039","message":"worse"}]}}"#,
                "Ecs.0005",
                "bad (Ecs.0039: worse)",
                "",
            ),
            (
                r#"{"error":{"message":"Ecs.0005","code":"request body is illegal."}}"#,
                "Ecs.0005",
                "request body is illegal.",
                "",
            ),
            (
                r#"{"error":{"code":"Ecs.0000","message":"no"},"internalError":[{"code":"X.0001"}]}"#,
                "Ecs.0000",
                "no",
                "",
            ),
            (
                r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information","request_id":"r1"}"#,
                "APIGW.0301",
                "Incorrect IAM authentication information",
                "r1",
            ),
            (
                r#"{"errorCode":"Common.0018","errorMsg":"wrong project"}"#,
                "Common.0018",
                "wrong project",
                "",
            ),
            (
                r#"{"code":"Pdp.0001","message":"not allowed"}"#,
                "Pdp.0001",
                "not allowed",
                "",
            ),
            (
                r#"{"message":"Authorization information is wrong","request_id":"r2"}"#,
                "",
                "Authorization information is wrong",
                "r2",
            ),
            (
                r#"{"badRequest":{"code":400,"message":"bad one"}}"#,
                "400",
                "bad one",
                "",
            ),
            (
                r#"{"itemNotFound":{"message":"no such image","code":404}}"#,
                "404",
                "no such image",
                "",
            ),
            (
                r#"{"forbidden":{"code":403,"message":"no"}}"#,
                "403",
                "no",
                "",
            ),
            (
                r#"{"error":"invalid_request","error_description":"the words"}"#,
                "",
                "the words",
                "",
            ),
            (
                r#"{"errors":[{"code":"Ecs.0001","message":"the first"},{"message":"the second"}]}"#,
                "Ecs.0001",
                "the first",
                "",
            ),
            (r#"{"error":null,"code":"0","message":"OK"}"#, "0", "OK", ""),
            (
                r#"{"error_code":"0","error_msg":"success"}"#,
                "0",
                "success",
                "",
            ),
            (
                "<html><head><title>502 Bad Gateway</title></head></html>",
                "",
                "502 Bad Gateway",
                "",
            ),
            (r#"{"code":"Common.0024"}"#, "Common.0024", "", ""),
            (r#"{"code":"E.0001","msg":"short"}"#, "E.0001", "short", ""),
            ("plain\r\ntext", "", "plain text", ""),
            ("", "", "", ""),
            ("{", "", "{", ""),
            ("[1,2]", "", "[1,2]", ""),
            (r#"{"job_id":"j"}"#, "", r#"{"job_id":"j"}"#, ""),
        ] {
            let expected = ErrorBody {
                code: code.to_owned(),
                message: message.to_owned(),
                request_id: request_id.to_owned(),
            };
            assert_eq!(parse(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_far_as_they_can_be() {
        assert_eq!(parse(b"ab\xff\xfe\0cd").message, "ab\u{fffd}\u{fffd} cd");
    }

    #[test]
    fn a_deep_document_is_text_and_no_overflow() {
        let deep = "[".repeat(200_000);
        assert!(parse(deep.as_bytes()).message.starts_with("[[["));
    }
}
