//! How an access key signs a request: `SDK-HMAC-SHA256`, as the "API Request Signing Guide" has it.
//!
//! Pure: the same request, key and time give the same signature. What is signed must be what is
//! sent, so that the caller gives the very values that go out.

use std::borrow::Cow;
use std::io::Write;

use ring::{digest, hmac};

use super::AccessKey;

const ALGORITHM: &str = "SDK-HMAC-SHA256";

/// The header that says when a request was signed.
pub const DATE_HEADER: &str = "x-sdk-date";

/// The parts of a request that its signature is about.
#[derive(Clone, Copy)]
pub struct Signable<'a> {
    /// `POST` and the like.
    pub method: &'a str,
    /// The path and the query as they are sent.
    pub path: &'a str,
    /// The headers that are signed, as far as the request has them, by their names in lower case and in
    /// order of the names; [`DATE_HEADER`] must be one of them.
    pub headers: &'a [Option<(&'a str, &'a str)>],
    /// The body as it is sent.
    pub body: &'a [u8],
}

/// How a request is signed.
#[derive(PartialEq, Eq)]
pub struct Signed {
    /// The value of the `Authorization` header.
    pub authorization: Vec<u8>,
    /// The signature in it.
    pub signature: [u8; 64],
}

impl Signable<'_> {
    /// Signs the request. One buffer serves for all texts on the way.
    pub fn sign(&self, key: AccessKey<'_>) -> Signed {
        let mut text = Vec::with_capacity(1024);
        self.push_canonical(&mut text);
        let hash = hash(&text);
        text.clear();
        self.push_string_to_sign(&mut text, &hash);
        let secret = hmac::Key::new(hmac::HMAC_SHA256, key.secret_key().as_bytes());
        let signature = hex(hmac::sign(&secret, &text).as_ref());
        text.clear();
        add(
            &mut text,
            &[ALGORITHM, " Access=", key.name(), ", SignedHeaders="],
        );
        self.push_names(&mut text);
        add(&mut text, &[", Signature="]);
        text.extend_from_slice(&signature);
        Signed {
            authorization: text,
            signature,
        }
    }

    /// The request in the one form in which both sides hash it.
    fn push_canonical(&self, text: &mut Vec<u8>) {
        let (path, query) = self.path.split_once('?').unwrap_or((self.path, ""));
        add(text, &[self.method, "\n"]);
        push_path(text, path);
        text.push(b'\n');
        push_query(text, query);
        text.push(b'\n');
        for (name, value) in self.headers.iter().flatten() {
            add(text, &[name, ":", value.trim_ascii(), "\n"]);
        }
        text.push(b'\n');
        self.push_names(text);
        text.push(b'\n');
        text.extend_from_slice(&hash(self.body));
    }

    fn push_string_to_sign(&self, text: &mut Vec<u8>, hash: &[u8]) {
        let mut headers = self.headers.iter().flatten();
        let date = headers.find(|(name, _)| *name == DATE_HEADER);
        let date = date.map_or("", |(_, date)| *date);
        add(text, &[ALGORITHM, "\n", date, "\n"]);
        text.extend_from_slice(hash);
    }

    fn push_names(&self, text: &mut Vec<u8>) {
        for (nth, (name, _)) in self.headers.iter().flatten().enumerate() {
            add(text, &[if nth == 0 { "" } else { ";" }, name]);
        }
    }
}

/// Each segment in its one form, and a slash at the end, which the path that is sent does not have.
fn push_path(text: &mut Vec<u8>, path: &str) {
    if is_plain(path) {
        text.extend_from_slice(path.as_bytes());
    } else {
        for (nth, segment) in path.split('/').enumerate() {
            add(text, &[if nth == 0 { "" } else { "/" }]);
            push_encoded(text, &decoded(segment));
        }
    }
    if !path.ends_with('/') {
        text.push(b'/');
    }
}

/// Names and values in their one form, in order of what they mean.
fn push_query(text: &mut Vec<u8>, query: &str) {
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let pair = (decoded(name), decoded(value));
        // There are a few: a sort is more code than they are worth.
        let at = pairs.partition_point(|other| *other <= pair);
        pairs.insert(at, pair);
    }
    for (nth, (name, value)) in pairs.iter().enumerate() {
        add(text, &[if nth == 0 { "" } else { "&" }]);
        push_encoded(text, name);
        text.push(b'=');
        push_encoded(text, value);
    }
}

/// Whether a text stands for itself, slashes included. Looks at every byte, which compiles to vector
/// instructions.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| {
        plain & (is_unreserved(byte) | (byte == b'/'))
    })
}

fn is_unreserved(byte: u8) -> bool {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let is_digit = byte.wrapping_sub(b'0') < 10;
    is_letter | is_digit | (byte == b'-') | (byte == b'.') | (byte == b'_') | (byte == b'~')
}

fn decoded(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
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
    Cow::Owned(bytes)
}

fn push_encoded(text: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        if is_unreserved(byte) {
            text.push(byte);
        } else {
            // Writing to memory can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
}

fn add(text: &mut Vec<u8>, more: &[&str]) {
    for more in more {
        text.extend_from_slice(more.as_bytes());
    }
}

fn hash(bytes: &[u8]) -> [u8; 64] {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// 32 bytes in hexadecimal digits.
fn hex(bytes: &[u8]) -> [u8; 64] {
    let mut text = [b'0'; 64];
    for (digits, byte) in text.chunks_exact_mut(2).zip(bytes) {
        for (digit, value) in digits.iter_mut().zip([byte >> 4, byte & 15]) {
            *digit = value + if value < 10 { b'0' } else { b'a' - 10 };
        }
    }
    text
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
                .map(|(name, value)| Some((name.as_str(), value.as_str())))
                .collect();
            let request = Signable {
                method: text("method"),
                path: text("request_target"),
                headers: &headers,
                body: text("body").as_bytes(),
            };
            let as_text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let mut canonical = Vec::new();
            request.push_canonical(&mut canonical);
            assert_eq!(as_text(&canonical), text("canonical_request"), "{id}");
            let mut to_sign = Vec::new();
            request.push_string_to_sign(&mut to_sign, &hash(&canonical));
            assert_eq!(as_text(&to_sign), text("string_to_sign"), "{id}");
            let key = AccessKey::new(text("access_key"), text("secret_key"), None).unwrap();
            let signed = request.sign(key);
            assert_eq!(
                as_text(&signed.authorization),
                text("authorization"),
                "{id}"
            );
            assert_eq!(as_text(&signed.signature), text("signature"), "{id}");
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
            let mut text = Vec::new();
            push_path(&mut text, path);
            assert_eq!(text, canonical.as_bytes(), "{path}");
        }
        for (query, canonical) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&B=0", "B=0&a=1&a=2"),
            ("a", "a="),
            ("a=b=c", "a=b%3Dc"),
            ("a=%7e%20", "a=~%20"),
        ] {
            let mut text = Vec::new();
            push_query(&mut text, query);
            assert_eq!(text, canonical.as_bytes(), "{query}");
        }
    }
}
