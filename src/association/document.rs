//! JSON documents as they came: the fields of an object in their order, with repeated names, and
//! values that nothing has changed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of an object.
#[derive(Debug, Default)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

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
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// Takes a field out. A name that stands twice has no value that anybody could mean.
    pub fn take(&mut self, name: &str) -> Result<Option<&'a RawValue>, String> {
        let taken: Vec<_> = self.0.extract_if(.., |(own, _)| own == name).collect();
        match taken.as_slice() {
            [] => Ok(None),
            [(_, value)] => Ok(Some(value)),
            _ => Err(format!("{name} stands more than once")),
        }
    }

    /// The value of a field; nothing where there is none, or null.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.iter()
            .find_map(|(own, value)| (own == name).then_some(value))
            .filter(|value| value.get() != "null")
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
    serde_json::from_str(value.get()).ok()
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collect).map(Self)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            fields.push((name, value));
        }
        Ok(fields)
    }
}

/// Borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrow;
        impl<'de> Visitor<'de> for Borrow {
            type Value = Cow<'de, str>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(name))
            }
            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(name.to_owned()))
            }
        }
        deserializer.deserialize_str(Borrow).map(Self)
    }
}

/// Whether a document carries an error: as one of the service's error bodies does, as OpenStack's,
/// or in a way that nobody has documented.
pub fn carries_error(fields: &Fields<'_>) -> bool {
    let mut is_code_fine = None;
    let mut has_message = false;
    for (name, value) in fields.iter() {
        // What can't be read can't be known to be no error.
        if has_half_a_character(value.get()) {
            return true;
        }
        match name.to_ascii_lowercase().as_str() {
            "code" | "error_code" | "errorcode" => {
                let is_fine = is_fine_code(value);
                is_code_fine = Some(is_fine && is_code_fine.unwrap_or(true));
            }
            "message" | "msg" | "error_msg" | "errormsg" => has_message |= says_something(value),
            "success" if value.get() == "false" => return true,
            "status" if number(value).is_some_and(|status| !is_fine_number(status)) => return true,
            name if is_for_errors(name) && says_something(value) => return true,
            _ if is_open_stack(value) => return true,
            _ => {}
        }
    }
    !is_code_fine.unwrap_or(!has_message)
}

fn is_for_errors(name: &str) -> bool {
    let words = ["error", "fault", "exception"];
    words.iter().any(|word| name.contains(word))
}

/// Codes of success: 0, "0", 200, "OK"; or none.
fn is_fine_code(code: &RawValue) -> bool {
    if let Some(text) = text(code) {
        let text = text.to_ascii_lowercase();
        return is_fine_number(&text) || ["", "ok", "success"].contains(&text.as_str());
    }
    code.get() == "null" || number(code).is_some_and(is_fine_number)
}

fn is_fine_number(number: &str) -> bool {
    let number: Option<u16> = number.parse().ok();
    number.is_some_and(|number| number == 0 || (200..300).contains(&number))
}

fn says_something(value: &RawValue) -> bool {
    let is_empty = items(value).is_some_and(|items| items.is_empty());
    !is_empty && !matches!(value.get(), "null" | "false" | "\"\"" | "0")
}

/// `{"code":400,"message":"…"}` under a name that tells the kind, such as "badRequest".
fn is_open_stack(value: &RawValue) -> bool {
    let Ok(fields) = Fields::read(value.get()) else {
        return false;
    };
    fields.get("message").is_some_and(says_something)
        || fields.get("code").is_some_and(|code| !is_fine_code(code))
}

/// Whether an escape names half of a pair of UTF-16 alone, so that it is no character.
fn has_half_a_character(json: &str) -> bool {
    let mut parts = json.split('\\').skip(1).peekable();
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
            .map(|(name, value)| (name.to_owned(), value.get().to_owned()))
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
        assert!(fields.take("b").is_err());
        assert!(fields.take("e").unwrap().is_none());
        assert!(fields.take("d").unwrap().is_some());
        assert!(fields.get("d").is_none() && fields.text("c").is_none());
    }

    #[test]
    fn a_document_carries_an_error_unless_it_can_be_none() {
        for (json, carries) in [
            ("{}", false),
            (r#"{"job_id":"j"}"#, false),
            (r#"{"error":null,"code":"0","message":"OK"}"#, false),
            (r#"{"error_code":"0","error_msg":"success"}"#, false),
            (r#"{"code":200,"message":"done"}"#, false),
            (
                r#"{"code":null,"message":"","errors":[],"fault":false}"#,
                false,
            ),
            (
                r#"{"links":{"self":"/"},"total":3,"list":["message"]}"#,
                false,
            ),
            (r#"{"code":500,"message":"no"}"#, true),
            (r#"{"code":500}"#, true),
            (r#"{"code":"Ecs.0005","message":"no"}"#, true),
            (r#"{"code":"0","error_code":"APIGW.0301"}"#, true),
            (r#"{"error":{"code":"Ecs.0005","message":"no"}}"#, true),
            (r#"{"error":"invalid_request"}"#, true),
            (r#"{"error":{}}"#, true),
            (r#"{"error":{"code":"Ecs.0005"},"error":null}"#, true),
            (r#"{"errors":[{"message":"no"}]}"#, true),
            (r#"{"errorCode":"Common.0018","errorMsg":"no"}"#, true),
            (r#"{"internalError":["no"]}"#, true),
            (
                r#"{"message":"Authorization information is wrong","request_id":"r"}"#,
                true,
            ),
            (r#"{"badRequest":{"code":400,"message":"no"}}"#, true),
            (r#"{"forbidden":{"message":"no"}}"#, true),
            (r#"{"success":false}"#, true),
            (r#"{"status":500}"#, true),
            (r#"{"note":"\ud83d\ude00 \\ud800 \u00e4\n"}"#, false),
            (r#"{"note":"\ud800"}"#, true),
            (r#"{"note":"\ud800 "}"#, true),
            (r#"{"note":"\ud800\n"}"#, true),
            (r#"{"note":"\ud800\\"}"#, true),
            (r#"{"note":"\ude00\ud83d"}"#, true),
            (r#"{"notes":[{"deep":"\ud800\ud800"}]}"#, true),
        ] {
            assert_eq!(
                carries_error(&Fields::read(json).unwrap()),
                carries,
                "{json}"
            );
        }
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
