//! A signed request, read back: what its signature says that it covers, and whether it does.
//!
//! Written from the vendor's signing guide alone. It shares nothing with the library that signs,
//! so that one mistake can't stand on both sides.

use hmac::{Hmac, KeyInit, Mac};
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};

use crate::clock;
use crate::refusal::Refusal;

const ALGORITHM: &str = "SDK-HMAC-SHA256";
const DATE: &str = "x-sdk-date";

/// All but the unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request that says whose it is; whether it is true needs the secret key.
#[derive(Debug)]
pub(crate) struct SignedRequest {
    pub(crate) access_key: String,
    /// Seconds since 1970.
    pub(crate) date: i64,
    canonical: Vec<u8>,
    signature: String,
}

/// `SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…`
struct Authorization<'a> {
    access_key: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

impl SignedRequest {
    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Result<Self, Refusal> {
        let authorization = single(&parts.headers, AUTHORIZATION.as_str())
            .and_then(|value| std::str::from_utf8(value).ok())
            .and_then(Authorization::parse)
            .ok_or(Refusal::Authorization("malformed authorization"))?;
        if !authorization.signed_headers.contains(&DATE) {
            return Err(Refusal::Authorization("x-sdk-date is not signed"));
        }
        let date = single(&parts.headers, DATE)
            .and_then(|value| std::str::from_utf8(value).ok())
            .and_then(clock::parse_sdk_date)
            .ok_or(Refusal::Authorization("malformed x-sdk-date"))?;
        let canonical = canonical(parts, &authorization.signed_headers, body)?;
        Ok(Self {
            access_key: authorization.access_key.to_owned(),
            date,
            canonical,
            signature: authorization.signature.to_owned(),
        })
    }

    pub(crate) fn is_signed_with(&self, secret_key: &str) -> bool {
        let hash = hex(&Sha256::digest(&self.canonical));
        let date = clock::sdk_date(self.date);
        let to_sign = format!("{ALGORITHM}\n{date}\n{hash}");
        // HMAC takes keys of any length.
        Hmac::<Sha256>::new_from_slice(secret_key.as_bytes())
            .map(|hmac| hmac.chain_update(to_sign).finalize().into_bytes())
            .is_ok_and(|signature| hex(&signature) == self.signature)
    }

    /// The canonical request as the gateway's refusal shows it.
    pub(crate) fn echo(&self) -> String {
        String::from_utf8_lossy(&self.canonical).replace('\n', "|")
    }
}

impl<'a> Authorization<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix(ALGORITHM)?.strip_prefix(" Access=")?;
        let (access_key, text) = text.split_once(", SignedHeaders=")?;
        let (names, signature) = text.split_once(", Signature=")?;
        let signed_headers: Vec<&str> = names.split(';').collect();
        let known_form = !access_key.is_empty()
            && access_key
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b',')
            && signed_headers.iter().all(|name| is_header_name(name))
            && signed_headers.is_sorted_by(|one, next| one < next)
            && signature.len() == 64
            && signature
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        known_form.then_some(Self {
            access_key,
            signed_headers,
            signature,
        })
    }
}

/// In small letters, and not the header that can't sign itself.
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name != AUTHORIZATION.as_str()
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
}

fn canonical(parts: &Parts, signed_headers: &[&str], body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut text = Vec::new();
    let mut line = |pieces: &[&[u8]]| {
        pieces
            .iter()
            .for_each(|piece| text.extend_from_slice(piece));
        text.push(b'\n');
    };
    line(&[parts.method.as_str().as_bytes()]);
    line(&[path(parts.uri.path()).as_bytes()]);
    line(&[query(parts.uri.query().unwrap_or_default()).as_bytes()]);
    for name in signed_headers {
        let value = single(&parts.headers, name)
            .ok_or(Refusal::Authorization("a signed header is not there once"))?;
        line(&[name.as_bytes(), b":", value.trim_ascii()]);
    }
    line(&[]);
    line(&[signed_headers.join(";").as_bytes()]);
    text.extend_from_slice(hex(&Sha256::digest(body)).as_bytes());
    Ok(text)
}

/// Decoded, then encoded once, so `%2F` becomes a slash as in the vendor's Python and Go.
fn path(path: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let segments = decoded.split(|&byte| byte == b'/');
    let mut encoded = segments.map(encode).collect::<Vec<_>>().join("/");
    if !encoded.ends_with('/') {
        encoded.push('/');
    }
    encoded
}

/// Sorted by what is meant, not by what is written. A `+` is a plus.
fn query(query: &str) -> String {
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (
                percent_decode_str(name).collect(),
                percent_decode_str(value).collect(),
            )
        })
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, ENCODED).to_string()
}

/// None where the header is missing, or there more than once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.as_bytes()),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
