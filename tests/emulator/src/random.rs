//! Identifiers and secrets that look like the service's. They protect nothing: uniqueness is
//! enough.

use std::hash::{BuildHasher, RandomState};

const CAPITALS_AND_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// As in IAM tokens, which have `-` in place of `/`.
const TOKEN: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";

/// Lowercase hex digits, as in FPGA image ids, project ids and request ids.
pub(crate) fn hex(digits: usize) -> String {
    let mut text = String::with_capacity(digits + 16);
    while text.len() < digits {
        text.push_str(&format!("{:016x}", number()));
    }
    text.truncate(digits);
    text
}

/// A version 4 UUID, as in ECS image ids.
pub(crate) fn uuid() -> String {
    format!("{}-{}-4{}-a{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
}

/// An IAM token is a signed CMS message in base64; about 2 KB.
pub(crate) fn token() -> String {
    let start = "MIIEpAYJKoZIhvcNAQcCoIIElTCCBJECAQExDTALBglghkgBZQMEAgEw";
    format!("{start}{}==", letters(TOKEN, 2046 - start.len()))
}

/// The public half of an access key.
pub(crate) fn access_key() -> String {
    letters(CAPITALS_AND_DIGITS, 20)
}

/// Always with the two characters that URLs and JSON may write otherwise.
pub(crate) fn secret_key() -> String {
    format!(
        "{}+{}/{}",
        letters(BASE64, 12),
        letters(BASE64, 13),
        letters(BASE64, 13)
    )
}

/// What a temporary access key brings along.
pub(crate) fn security_token() -> String {
    format!("gQpjbi1ub3J0aC0x{}/+==", letters(BASE64, 1516))
}

/// What the metadata service asks for.
pub(crate) fn metadata_token() -> String {
    format!("{}==", letters(BASE64, 54))
}

fn letters(alphabet: &[u8], count: usize) -> String {
    let letter = || alphabet.get(number() as usize % alphabet.len());
    std::iter::repeat_with(letter)
        .take(count)
        .flatten()
        .copied()
        .map(char::from)
        .collect()
}

fn number() -> u64 {
    RandomState::new().hash_one(())
}
