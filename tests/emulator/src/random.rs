//! Identifiers that look like the service's. They protect nothing: uniqueness is enough.

use std::hash::{BuildHasher, RandomState};

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

/// An IAM token is a signed CMS message in base64, with `-` in place of `/`; about 2 KB.
pub(crate) fn token() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let mut text = String::from("MIIEpAYJKoZIhvcNAQcCoIIElTCCBJECAQExDTALBglghkgBZQMEAgEw");
    while text.len() < 2046 {
        let letter = ALPHABET.get(number() as usize % ALPHABET.len());
        text.extend(letter.copied().map(char::from));
    }
    text.push_str("==");
    text
}

fn number() -> u64 {
    RandomState::new().hash_one(())
}
