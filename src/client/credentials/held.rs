//! Credentials in memory, where they are masked as long as nobody needs them.

use std::sync::Arc;

use crate::association::{AccessKey, Credentials, Token};
use crate::error::Error;
use crate::masked::Masked;
use crate::memory::{self, OutOfMemory};
use crate::secret::Traces;

/// Credentials that were checked.
#[derive(Debug)]
pub struct Held {
    kind: Kind,
    /// In seconds since 1970; nothing where that is not known.
    expires_at: Option<i64>,
}

#[derive(Debug)]
enum Kind {
    Token(Masked),
    AccessKey {
        access_key: String,
        secret_key: Masked,
        security_token: Option<Masked>,
    },
}

/// The same in the clear, for as short a time as can be.
pub enum Revealed {
    /// An IAM token.
    Token(String),
    /// An access key.
    AccessKey {
        /// Its name.
        access_key: String,
        /// What signs.
        secret_key: String,
        /// What a temporary one has beside them.
        security_token: Option<String>,
    },
}

impl Held {
    /// These credentials, which live on: they must not be in the allocator's reserve.
    fn new(credentials: Credentials<'_>, expires_at: Option<i64>) -> Result<Self, OutOfMemory> {
        let kind = match credentials {
            Credentials::Token(token) => Kind::Token(Masked::new(token.value())?),
            Credentials::AccessKey(key) => Kind::AccessKey {
                access_key: key.name().to_owned(),
                secret_key: Masked::new(key.secret_key())?,
                security_token: key.security_token().map(Masked::new).transpose()?,
            },
        };
        memory::check()?;
        Ok(Self { kind, expires_at })
    }

    /// An IAM token. The error names the argument.
    pub fn of_token(token: &str, expires_at: Option<i64>) -> Result<Self, Error> {
        let token = Token::new(token.as_bytes())?;
        Ok(Self::new(Credentials::Token(token), expires_at)?)
    }

    /// An access key. The error names the argument.
    pub fn of_access_key(
        access_key: &str,
        secret_key: &str,
        security_token: Option<&str>,
        expires_at: Option<i64>,
    ) -> Result<Self, Error> {
        let key = AccessKey::new(access_key, secret_key, security_token)?;
        Ok(Self::new(Credentials::AccessKey(key), expires_at)?)
    }

    /// When they expire, in seconds since 1970, where that is known.
    pub fn expires_at(&self) -> Option<i64> {
        self.expires_at
    }

    /// The name of the key, where they sign.
    pub fn access_key(&self) -> Option<&str> {
        match &self.kind {
            Kind::Token(_) => None,
            Kind::AccessKey { access_key, .. } => Some(access_key),
        }
    }

    /// The credentials in the clear.
    pub fn reveal(&self) -> Result<Revealed, OutOfMemory> {
        Ok(match &self.kind {
            Kind::Token(token) => Revealed::Token(token.reveal()?),
            Kind::AccessKey {
                access_key,
                secret_key,
                security_token,
            } => Revealed::AccessKey {
                access_key: access_key.clone(),
                secret_key: secret_key.reveal()?,
                security_token: security_token.as_ref().map(Masked::reveal).transpose()?,
            },
        })
    }

    /// Whether a request with the others would say the same.
    pub fn says_the_same_as(&self, others: &Self) -> Result<bool, OutOfMemory> {
        Ok(match (self.reveal()?, others.reveal()?) {
            (Revealed::Token(one), Revealed::Token(other)) => one == other,
            (
                Revealed::AccessKey {
                    access_key,
                    secret_key,
                    security_token,
                },
                Revealed::AccessKey {
                    access_key: others_access_key,
                    secret_key: others_secret_key,
                    security_token: others_security_token,
                },
            ) => {
                access_key == others_access_key
                    && secret_key == others_secret_key
                    && security_token == others_security_token
            }
            _ => false,
        })
    }
}

/// What gives all of these away where a text has it, or these other secrets.
pub fn traces<'a>(
    held: impl Iterator<Item = &'a Arc<Held>>,
    others: impl Iterator<Item = &'a [u8]>,
) -> Traces {
    let revealed = held.map(|held| held.reveal());
    let Ok(revealed) = revealed.collect::<Result<Vec<_>, _>>() else {
        return Traces::unknown();
    };
    let mut secrets: Vec<_> = others.collect();
    secrets.extend(revealed.iter().flat_map(Revealed::secrets));
    Traces::of_all(&secrets)
}

impl Revealed {
    /// What must not be shown of them.
    pub fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        let (one, other) = match self {
            Self::Token(token) => (token, None),
            Self::AccessKey {
                secret_key,
                security_token,
                ..
            } => (secret_key, security_token.as_ref()),
        };
        [Some(one), other]
            .into_iter()
            .flatten()
            .map(|text| text.as_bytes())
    }

    /// The credentials, as a request takes them.
    pub fn credentials(&self) -> Credentials<'_> {
        match self {
            Self::Token(token) => Credentials::Token(Token::of_checked(token)),
            Self::AccessKey {
                access_key,
                secret_key,
                security_token,
            } => Credentials::AccessKey(AccessKey::of_checked(
                access_key,
                secret_key,
                security_token.as_deref(),
            )),
        }
    }
}
