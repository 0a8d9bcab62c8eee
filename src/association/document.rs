//! JSON documents as they came: the fields of an object in their order, with repeated names, and
//! values that nothing has changed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::memory;

/// More fields than an object has that anybody means.
const MAX_FIELDS: usize = 1_000;

/// More items than a list has that anybody means.
const MAX_ITEMS: usize = 500_000;

/// Longer values than anybody means, in bytes of JSON, that are read as text.
pub const MAX_TEXT: usize = 64 * 1024;

/// Longer names of fields than anybody means, in bytes of JSON.
const MAX_NAME: usize = 4 * 1024;

/// What is longer is read as text only where memory is there for it.
const LONG_TEXT: usize = 4 * 1024;

/// Deeper lists and objects than anybody means.
const MAX_DEPTH: usize = 64 * 1024;

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

/// A value that is a text, and no longer than anybody means it.
pub fn text(value: &RawValue) -> Option<String> {
    let length = value.get().len();
    if length > MAX_TEXT || (length > LONG_TEXT && memory::check_spare(2 * length).is_err()) {
        return None;
    }
    serde_json::from_str(value.get()).ok()
}

/// Whether brackets stand deeper in one another than anybody means.
pub fn is_too_deep(json: &str) -> bool {
    let mut depth = 0_usize;
    json.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    })
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
                    if RawValue::get(name).len() > MAX_NAME {
                        return Err(M::Error::custom("a name of over 4 KiB"));
                    }
                    memory::push(&mut fields, field(name, value))
                        .and_then(|()| memory::check())
                        .map_err(|_| M::Error::custom("no memory"))?;
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
                    memory::push(&mut items, item).map_err(|_| S::Error::custom("no memory"))?;
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Collect)
    }
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
