//! Who asks: an IAM token, or an access key whose secret signs each request. Both are checked once,
//! and never shown.

use std::fmt;

use super::Token;
use crate::error::Error;

const MAX_ACCESS_KEY: usize = 128;
const MAX_SECRET_KEY: usize = 256;

/// What a request proves with who asks.
#[derive(Clone, Copy, Debug)]
pub enum Credentials<'a> {
    /// It carries this token.
    Token(Token<'a>),
    /// It is signed with this key.
    AccessKey(AccessKey<'a>),
}

/// An access key with its secret key; a temporary one has a security token too.
#[derive(Clone, Copy)]
pub struct AccessKey<'a> {
    access_key: &'a str,
    secret_key: &'a str,
    security_token: Option<&'a str>,
}

impl<'a> AccessKey<'a> {
    /// Checks that the three can sign a request and stand in its headers; the error never repeats
    /// any of them.
    pub fn new(
        access_key: &'a str,
        secret_key: &'a str,
        security_token: Option<&'a str>,
    ) -> Result<Self, Error> {
        check("access_key", access_key, MAX_ACCESS_KEY)?;
        if access_key.contains(',') {
            return Err(Error::invalid_argument("access_key", "has a comma"));
        }
        check("secret_key", secret_key, MAX_SECRET_KEY)?;
        if let Some(token) = security_token {
            Token::named("security_token", token.as_bytes())?;
        }
        Ok(Self {
            access_key,
            secret_key,
            security_token,
        })
    }

    /// The parts of a key that was checked before.
    pub fn of_checked(
        access_key: &'a str,
        secret_key: &'a str,
        security_token: Option<&'a str>,
    ) -> Self {
        Self {
            access_key,
            secret_key,
            security_token,
        }
    }

    /// The name of the key, which is no secret.
    pub fn name(self) -> &'a str {
        self.access_key
    }

    /// What a temporary key's requests carry beside the signature.
    pub fn security_token(self) -> Option<&'a str> {
        self.security_token
    }

    /// What signs.
    pub fn secret_key(self) -> &'a str {
        self.secret_key
    }
}

fn check(argument: &str, text: &str, max: usize) -> Result<(), Error> {
    let reason = if text.is_empty() {
        "is empty".to_owned()
    } else if text.trim() != text {
        "has white space at its beginning or end".to_owned()
    } else if text.len() > max {
        format!("is {} bytes long; at most {max} are allowed", text.len())
    } else if let Some(at) = text.bytes().position(|byte| !byte.is_ascii_graphic()) {
        format!("byte {} is not visible ASCII", at.saturating_add(1))
    } else {
        return Ok(());
    };
    Err(Error::invalid_argument(argument, &reason))
}

impl fmt::Debug for AccessKey<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_could_not_sign_is_refused_with_the_reason_and_never_repeated() {
        let long = "k".repeat(257);
        for (access_key, secret_key, security_token, message) in [
            ("", "secret", None, "access_key: is empty"),
            ("AK,1", "secret", None, "access_key: has a comma"),
            (
                " AK",
                "secret",
                None,
                "access_key: has white space at its beginning or end",
            ),
            (
                "A K",
                "secret",
                None,
                "access_key: byte 2 is not visible ASCII",
            ),
            (
                &long[..129],
                "secret",
                None,
                "access_key: is 129 bytes long; at most 128 are allowed",
            ),
            ("AK", "", None, "secret_key: is empty"),
            (
                "AK",
                "secret\n",
                None,
                "secret_key: has white space at its beginning or end",
            ),
            (
                "AK",
                &long,
                None,
                "secret_key: is 257 bytes long; at most 256 are allowed",
            ),
            (
                "AK",
                "sécret",
                None,
                "secret_key: byte 2 is not visible ASCII",
            ),
            ("AK", "secret", Some(""), "security_token: is empty"),
            (
                "AK",
                "secret",
                Some("a\r\nb"),
                "security_token: byte 2 is not visible ASCII",
            ),
        ] {
            let error = AccessKey::new(access_key, secret_key, security_token).unwrap_err();
            assert_eq!(error.message, message);
        }
        let key = AccessKey::new("AK", "secret", Some("token")).unwrap();
        assert_eq!(format!("{key:?}"), "AccessKey(***)");
    }
}
