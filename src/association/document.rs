//! JSON documents as they came: the fields of an object in their order, with repeated names, and
//! values that nothing has changed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::text::has_any;

/// More fields than an object has that anybody means.
const MAX_FIELDS: usize = 1_000;

/// More items than a list has that anybody means.
const MAX_ITEMS: usize = 500_000;

/// The fields of an object.
#[derive(Debug, Default)]
pub struct Fields<'a>(Vec<Field<'a>>);

/// A field of an object.
#[derive(Debug)]
pub struct Field<'a> {
    /// Its name; as it came where its escapes mean nothing.
    pub name: Cow<'a, str>,
    /// Its name as it came, with its quotes.
    pub raw_name: &'a str,
    /// Its value as it came.
    pub value: &'a RawValue,
}

impl<'a> Fields<'a> {
    /// Reads a document that is an object; the error says what it is instead.
    pub fn read(json: &'a str) -> Result<Self, String> {
        if json.trim_start().starts_with('{') {
            return serde_json::from_str(json).map_err(|error| format!("not JSON: {error}"));
        }
        match serde_json::from_str::<&RawValue>(json) {
            Ok(_) => Err("not an object".to_owned()),
            Err(error) => Err(format!("not JSON: {error}")),
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Field<'a>> {
        self.0.iter()
    }

    /// Takes a field out. A name that stands twice has no value that anybody could mean.
    pub fn take(&mut self, name: &str) -> Result<Option<&'a RawValue>, String> {
        let value = self.only(name)?;
        self.0.retain(|field| field.name != name);
        Ok(value)
    }

    /// The value of a field that may stand once.
    pub fn only(&self, name: &str) -> Result<Option<&'a RawValue>, String> {
        let mut values = self.0.iter().filter(|field| field.name == name);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(format!("{name} stands more than once")),
            (field, None) => Ok(field.map(|field| field.value)),
        }
    }

    /// The value of a field; nothing where there is none, or null.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        let field = self.0.iter().find(|field| field.name == name)?;
        (field.value.get() != "null").then_some(field.value)
    }

    /// The value of a field that is a text.
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.get(name)?)
    }
}

/// A value that is a text.
pub fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// A value that is a number, as it is written.
pub fn number(value: &RawValue) -> Option<&str> {
    let number = value.get();
    number
        .starts_with(|first: char| first == '-' || first.is_ascii_digit())
        .then_some(number)
}

/// A value that is a list.
pub fn items(value: &RawValue) -> Option<Vec<&RawValue>> {
    let Items(items) = serde_json::from_str(value.get()).ok()?;
    Some(items)
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry()? {
                    if fields.len() == MAX_FIELDS {
                        return Err(M::Error::custom("an object with over 1,000 fields"));
                    }
                    fields.push(field(name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

fn field<'a>(name: &'a RawValue, value: &'a RawValue) -> Field<'a> {
    let raw_name = name.get();
    let inner = raw_name.trim_matches('"');
    let name = if inner.contains('\\') {
        Cow::Owned(text(name).unwrap_or_else(|| inner.to_owned()))
    } else {
        Cow::Borrowed(inner)
    };
    Field {
        name,
        raw_name,
        value,
    }
}

struct Items<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Items<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Self::Value, S::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    if items.len() == MAX_ITEMS {
                        return Err(S::Error::custom("a list with over 500,000 items"));
                    }
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Collect)
    }
}

/// How deep an error may be hidden.
const MAX_DEPTH: u32 = 4;

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

/// Whether an escape names half of a pair of UTF-16 alone, so that it is no character.
pub fn has_half_a_character(json: &str) -> bool {
    let mut parts = json.split('\\').skip(1);
    let mut waits = false;
    while let Some(part) = parts.next() {
        if part.is_empty() {
            // An escaped backslash; what follows it is no escape.
            parts.next();
            if waits {
                return true;
            }
            continue;
        }
        let unit = part
            .strip_prefix('u')
            .and_then(|digits| u16::from_str_radix(digits.get(..4)?, 16).ok());
        let is_low = unit.is_some_and(|unit| (0xdc00..0xe000).contains(&unit));
        if is_low != waits {
            return true;
        }
        // The other half must follow at once.
        let is_high = unit.is_some_and(|unit| (0xd800..0xdc00).contains(&unit));
        waits = is_high && part.len() == "u0000".len();
        if is_high && !waits {
            return true;
        }
    }
    waits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_their_names_and_their_values() {
        let json =
            r#"{"b":1.50,"a":18446744073709551616,"b":null,"\u0063":"\ud800","d":{"x":[ ]}}"#;
        let mut fields = Fields::read(json).unwrap();
        let found: Vec<_> = fields
            .iter()
            .map(|field| (field.name.to_string(), field.value.get().to_owned()))
            .collect();
        let expected = [
            ("b", "1.50"),
            ("a", "18446744073709551616"),
            ("b", "null"),
            ("c", r#""\ud800""#),
            ("d", r#"{"x":[ ]}"#),
        ];
        assert_eq!(
            found,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(fields.iter().any(|field| field.raw_name == r#""\u0063""#));
        assert!(fields.take("b").is_err());
        assert!(fields.take("e").unwrap().is_none());
        assert!(fields.take("d").unwrap().is_some());
        assert!(fields.get("d").is_none() && fields.text("c").is_none());
    }

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

    #[test]
    fn half_a_character_is_none() {
        for (json, is_half) in [
            (r#"{"note":"\ud83d\ude00 \\ud800 \u00e4\n"}"#, false),
            (r#"{"note":"\ud800"}"#, true),
            (r#"{"note":"\ud800 "}"#, true),
            (r#"{"note":"\ud800\n"}"#, true),
            (r#"{"note":"\ud800\\"}"#, true),
            (r#"{"note":"\ude00\ud83d"}"#, true),
            (r#"{"notes":[{"deep":"\ud800\ud800"}]}"#, true),
        ] {
            assert_eq!(has_half_a_character(json), is_half, "{json}");
        }
    }

    #[test]
    fn what_nobody_means_is_bounded() {
        let fields = |count| format!("{{{}}}", vec![r#""a":1"#; count].join(","));
        assert!(Fields::read(&fields(MAX_FIELDS)).is_ok());
        let error = Fields::read(&fields(MAX_FIELDS + 1))
            .map(|_| ())
            .unwrap_err();
        assert!(error.contains("over 1,000 fields"), "{error}");
        let list = |count| format!("[{}]", vec!["1"; count].join(","));
        let count =
            |json: String| items(serde_json::from_str(&json).unwrap()).map(|items| items.len());
        assert_eq!(count(list(MAX_ITEMS)), Some(MAX_ITEMS));
        assert_eq!(count(list(MAX_ITEMS + 1)), None);
    }

    #[test]
    fn what_is_no_object_is_told() {
        for (json, reason) in [
            ("", "not JSON"),
            ("<html>", "not JSON"),
            ("{", "not JSON"),
            ("{}{}", "not JSON"),
            ("\u{feff}{}", "not JSON"),
            ("[]", "not an object"),
            ("null", "not an object"),
            ("7", "not an object"),
        ] {
            let error = Fields::read(json).map(|_| ()).unwrap_err();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }
}
