//! How an access key signs a request: `SDK-HMAC-SHA256`, as the "API Request Signing Guide" has it.
//!
//! Pure: the same request, key and time give the same signature. What is signed must be what is
//! sent, so that the caller gives the very values that go out.

use std::fmt::Write;

use ring::{digest, hmac};

use super::AccessKey;

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// The header that says when a request was signed.
pub const DATE_HEADER: &str = "x-sdk-date";

/// The parts of a request that its signature is about.
#[derive(Clone, Copy, Debug)]
pub struct Signable<'a> {
    /// `POST` and the like.
    pub method: &'a str,
    /// The path and the query as they are sent.
    pub path: &'a str,
    /// The headers that are signed, by their names in lower case, in order of the names;
    /// [`DATE_HEADER`] must be one of them.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body as it is sent.
    pub body: &'a [u8],
}

impl Signable<'_> {
    /// The value of the `Authorization` header.
    pub fn authorization(&self, key: AccessKey<'_>) -> String {
        let names = self.names();
        let to_sign = self.string_to_sign(&self.canonical(&names));
        let secret = hmac::Key::new(hmac::HMAC_SHA256, key.secret_key().as_bytes());
        let signature = hex(hmac::sign(&secret, to_sign.as_bytes()).as_ref());
        [
            ALGORITHM,
            " Access=",
            key.name(),
            ", SignedHeaders=",
            &names,
            ", Signature=",
            &signature,
        ]
        .concat()
    }

    /// The request in the one form in which both sides hash it.
    fn canonical(&self, names: &str) -> String {
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        let mut text = String::with_capacity(1024);
        for part in [
            self.method,
            "\n",
            &canonical_path(path),
            "\n",
            &canonical_query(query),
            "\n",
        ] {
            text.push_str(part);
        }
        for (name, value) in self.headers {
            for part in [name, ":", value.trim(), "\n"] {
                text.push_str(part);
            }
        }
        for part in ["\n", names, "\n", &hash(self.body)] {
            text.push_str(part);
        }
        text
    }

    fn string_to_sign(&self, canonical: &str) -> String {
        let date = self.headers.iter().find(|(name, _)| *name == DATE_HEADER);
        let date = date.map_or("", |(_, date)| *date);
        [ALGORITHM, "\n", date, "\n", &hash(canonical.as_bytes())].concat()
    }

    fn names(&self) -> String {
        let mut names = String::with_capacity(128);
        for (name, _) in self.headers {
            if !names.is_empty() {
                names.push(';');
            }
            names.push_str(name);
        }
        names
    }
}

/// Each segment in its one form, and a slash at the end, which the path that is sent does not have.
fn canonical_path(path: &str) -> String {
    let mut text = String::with_capacity(path.len() + 1);
    for segment in path.split('/') {
        push_encoded(&mut text, &decoded(segment));
        text.push('/');
    }
    // The last segment of a path that ends in a slash is empty.
    if path.ends_with('/') {
        text.pop();
    }
    text
}

/// Names and values in their one form, in order of what they mean.
fn canonical_query(query: &str) -> String {
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let pair = (decoded(name), decoded(value));
        // There are a few: a sort is more code than they are worth.
        let at = pairs.partition_point(|other| *other <= pair);
        pairs.insert(at, pair);
    }
    let mut text = String::with_capacity(query.len());
    for (name, value) in &pairs {
        if !text.is_empty() {
            text.push('&');
        }
        push_encoded(&mut text, name);
        text.push('=');
        push_encoded(&mut text, value);
    }
    text
}

fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let digits = behind.split_at_checked(2).filter(|_| byte == b'%');
        let escaped = digits.and_then(|(digits, behind)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, behind))
        });
        let (byte, behind) = escaped.unwrap_or((byte, behind));
        bytes.push(byte);
        rest = behind;
    }
    bytes
}

fn push_encoded(text: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            // Writing to a text can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| {
        char::from(if value < 10 {
            b'0' + value
        } else {
            b'a' - 10 + value
        })
    };
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_vector_is_reproduced_byte_for_byte() {
        let vectors = include_str!("../../tests/support/vectors.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let vectors = vectors["vectors"].as_array().unwrap();
        assert!(vectors.len() >= 16);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap_or_default();
            let id = text("id");
            let headers = signed_headers(vector);
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let request = Signable {
                method: text("method"),
                path: text("request_target"),
                headers: &headers,
                body: text("body").as_bytes(),
            };
            let canonical = request.canonical(&request.names());
            assert_eq!(canonical, text("canonical_request"), "{id}");
            assert_eq!(
                request.string_to_sign(&canonical),
                text("string_to_sign"),
                "{id}"
            );
            let key = AccessKey::new(text("access_key"), text("secret_key"), None).unwrap();
            assert_eq!(request.authorization(key), text("authorization"), "{id}");
        }
    }

    /// The headers that a vector signs, with their values.
    fn signed_headers(vector: &Value) -> Vec<(String, String)> {
        let caller = vector["caller_headers"].as_object().unwrap();
        let named = |name: &str| {
            let field = match name {
                "host" => "host",
                "x-sdk-date" => "x_sdk_date",
                "x-project-id" => "project_id_header",
                "x-security-token" => "security_token",
                _ => {
                    let header = caller
                        .iter()
                        .find(|(known, _)| known.eq_ignore_ascii_case(name));
                    return header.unwrap().1.as_str().unwrap().to_owned();
                }
            };
            vector[field].as_str().unwrap().to_owned()
        };
        let names = vector["signed_headers"].as_str().unwrap().split(';');
        names.map(|name| (name.to_owned(), named(name))).collect()
    }

    #[test]
    fn paths_and_queries_have_one_form() {
        for (path, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("/a/b", "/a/b/"),
            ("/a/b/", "/a/b/"),
            ("/a//b", "/a//b/"),
            ("/a%20b/%c3%a9~", "/a%20b/%C3%A9~/"),
            ("/a+b/%zz%", "/a%2Bb/%25zz%25/"),
        ] {
            assert_eq!(canonical_path(path), canonical, "{path}");
        }
        for (query, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&B=0", "B=0&a=1&a=2"),
            ("a", "a="),
            ("a=b=c", "a=b%3Dc"),
            ("a=%7e%20", "a=~%20"),
        ] {
            assert_eq!(canonical_query(query), canonical, "{query}");
        }
    }
}
