//! Whether a JSON document carries an error, also one that nobody has documented.

use serde_json::value::RawValue;

use super::document::{Field, Fields, items, text};
use crate::text::has_any;

/// How deep an error may be hidden.
const MAX_DEPTH: u32 = 4;

/// Names that tell of errors are shorter, in bytes; codes of success too.
const LONGEST_NAME: usize = 1024;
const LONGEST_CODE: usize = 64;

/// What a document says of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// Nothing.
    None,
    /// Words for the reader, and no code of success beside them.
    Words,
    /// An error, as one of the service's error bodies has it, OpenStack's, or in a way that nobody
    /// has documented.
    Error,
}

/// What a document says of an error.
pub fn sign_of(fields: &Fields<'_>) -> Sign {
    sign_at(fields, 0)
}

fn sign_at(fields: &Fields<'_>, depth: u32) -> Sign {
    let mut has_fine_code = false;
    let mut sign = Sign::None;
    for Field { name, value, .. } in fields.iter() {
        if name.len() > LONGEST_NAME {
            continue;
        }
        let name = name.to_ascii_lowercase();
        if is_for_codes(&name) {
            match code_of(value) {
                Code::None => {}
                Code::Fine => has_fine_code = true,
                Code::Error => return Sign::Error,
            }
        } else if is_for_errors(&name) {
            if says_something(value) {
                return Sign::Error;
            }
        } else if is_for_words(&name) {
            if says_something(value) {
                sign = Sign::Words;
            }
        } else if is_failure(&name, value) {
            return Sign::Error;
        } else if depth < MAX_DEPTH
            && let Ok(inner) = Fields::read(value.get())
        {
            // OpenStack's kinds, such as "badRequest", have a code or a message.
            sign = sign.max(sign_at(&inner, depth + 1));
        }
    }
    if has_fine_code && sign == Sign::Words {
        return Sign::None;
    }
    sign
}

/// `code`, `error_code`, `retcode`, `statusCode`
fn is_for_codes(name: &str) -> bool {
    name.ends_with("code") || name == "ret"
}

fn is_for_errors(name: &str) -> bool {
    let words = [
        "error",
        "exception",
        "badrequest",
        "notfound",
        "forbidden",
        "unauthorized",
        "unavailable",
        "overlimit",
        "conflict",
    ];
    let is_message = name.ends_with("msg") || name.ends_with("message");
    let is_fault = has_any(name, &["fault"]) && !has_any(name, &["default"]);
    !is_message && (name == "err" || is_fault || has_any(name, &words))
}

fn is_for_words(name: &str) -> bool {
    name.ends_with("message") || name.ends_with("msg") || ["detail", "reason"].contains(&name)
}

/// `"status":"FAILED"`, `"success":false`
fn is_failure(name: &str, value: &RawValue) -> bool {
    let is_flag = ["success", "ok"].contains(&name);
    let text = text(value).map(|text| text.to_ascii_lowercase());
    match (&text, value.get()) {
        (Some(text), _) => {
            ["error", "fail", "failed", "failure"].contains(&text.as_str())
                || (is_flag && text == "false")
                || (name == "status" && is_http_error(text))
        }
        (None, "false" | "0") => is_flag,
        (None, number) => name == "status" && is_http_error(number),
    }
}

fn is_http_error(number: &str) -> bool {
    number.parse().is_ok_and(|number: u16| number >= 300)
}

enum Code {
    /// null, or ""
    None,
    /// 0, "0", 200, "OK"
    Fine,
    Error,
}

fn code_of(value: &RawValue) -> Code {
    if value.get().len() > LONGEST_CODE {
        return Code::Error;
    }
    let text = text(value).unwrap_or_else(|| value.get().to_owned());
    match text.to_ascii_lowercase().as_str() {
        "" | "null" => Code::None,
        "ok" | "success" => Code::Fine,
        text => match text.parse::<u16>() {
            Ok(0 | 200..300) => Code::Fine,
            _ => Code::Error,
        },
    }
}

fn says_something(value: &RawValue) -> bool {
    let is_empty = items(value).is_some_and(|items| items.is_empty());
    !is_empty && !matches!(value.get(), "null" | "false" | "\"\"" | "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_carries_an_error_unless_it_can_be_none() {
        for (json, sign) in [
            ("{}", Sign::None),
            (r#"{"job_id":"j"}"#, Sign::None),
            (r#"{"error":null,"code":"0","message":"OK"}"#, Sign::None),
            (r#"{"error_code":"0","error_msg":"success"}"#, Sign::None),
            (r#"{"code":200,"message":"done"}"#, Sign::None),
            (
                r#"{"code":null,"message":"","errors":[],"fault":false}"#,
                Sign::None,
            ),
            (
                r#"{"links":{"self":"/"},"total":3,"list":["message"]}"#,
                Sign::None,
            ),
            (r#"{"default_page_size":100,"is_default":true}"#, Sign::None),
            (r#"{"status":"active","success":true,"ok":1}"#, Sign::None),
            (
                r#"{"message":"Authorization information is wrong","request_id":"r"}"#,
                Sign::Words,
            ),
            (r#"{"code":null,"message":"no"}"#, Sign::Words),
            (r#"{"error_code":"","error_msg":"no"}"#, Sign::Words),
            (r#"{"errmsg":"no"}"#, Sign::Words),
            (r#"{"detail":"Not authenticated"}"#, Sign::Words),
            (r#"{"code":500,"message":"no"}"#, Sign::Error),
            (r#"{"code":500}"#, Sign::Error),
            (r#"{"code":"Ecs.0005","message":"no"}"#, Sign::Error),
            (r#"{"code":"0","error_code":"APIGW.0301"}"#, Sign::Error),
            (r#"{"errCode":4001,"errMsg":"no"}"#, Sign::Error),
            (r#"{"retcode":500}"#, Sign::Error),
            (r#"{"ret":-1}"#, Sign::Error),
            (r#"{"statusCode":500}"#, Sign::Error),
            (
                r#"{"error":{"code":"Ecs.0005","message":"no"}}"#,
                Sign::Error,
            ),
            (r#"{"error":"invalid_request"}"#, Sign::Error),
            (r#"{"error":{}}"#, Sign::Error),
            (r#"{"err":"no"}"#, Sign::Error),
            (r#"{"error":{"code":"Ecs.0005"},"error":null}"#, Sign::Error),
            (r#"{"errors":[{"message":"no"}]}"#, Sign::Error),
            (
                r#"{"errorCode":"Common.0018","errorMsg":"no"}"#,
                Sign::Error,
            ),
            (r#"{"internalError":["no"]}"#, Sign::Error),
            (r#"{"result":{"error":{"code":"Ecs.0005"}}}"#, Sign::Error),
            (r#"{"data":{"error":"no"}}"#, Sign::Error),
            (r#"{"badRequest":{"code":400,"message":"no"}}"#, Sign::Error),
            (r#"{"badRequest":"no"}"#, Sign::Error),
            (r#"{"forbidden":{"message":"no"}}"#, Sign::Error),
            (r#"{"success":false}"#, Sign::Error),
            (r#"{"success":"false"}"#, Sign::Error),
            (r#"{"result":"failed"}"#, Sign::Error),
            (r#"{"status":500}"#, Sign::Error),
            (r#"{"status":"500"}"#, Sign::Error),
            (r#"{"status":"ERROR"}"#, Sign::Error),
        ] {
            assert_eq!(sign_of(&Fields::read(json).unwrap()), sign, "{json}");
        }
    }
}
