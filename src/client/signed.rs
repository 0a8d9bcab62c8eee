//! The headers with which an access key signs a request. What is signed is taken from the request that
//! is sent.

use std::time::SystemTime;

use crate::association::{self, AccessKey, DATE_HEADER, Signable, Signed};
use crate::transport::{Endpoint, Request};

/// The header that names the project of a signed request.
pub const PROJECT_HEADER: &str = "x-project-id";

const TOKEN_HEADER: &str = "x-security-token";

/// When and how a request was signed.
pub struct Signature {
    date: [u8; 16],
    signed: Signed,
}

impl Signature {
    /// Signs the request, now.
    pub fn of(request: &Request<'_>, endpoint: &Endpoint, key: AccessKey<'_>) -> Self {
        let date = association::date(SystemTime::now());
        Self {
            signed: sign(request, endpoint, key, &date),
            date,
        }
    }

    /// The signature itself, without what stands around it.
    pub fn digits(&self) -> [u8; 64] {
        self.signed.signature
    }

    /// Whether it is one of this request.
    pub fn is_of(&self, request: &Request<'_>, endpoint: &Endpoint, key: AccessKey<'_>) -> bool {
        self.signed == sign(request, endpoint, key, &self.date)
    }

    /// What the request carries; the last where the key is a temporary one.
    pub fn headers<'a>(&'a self, key: AccessKey<'a>) -> [(&'static str, &'a [u8]); 3] {
        [
            ("authorization", &self.signed.authorization),
            (DATE_HEADER, &self.date),
            (
                TOKEN_HEADER,
                key.security_token().unwrap_or_default().as_bytes(),
            ),
        ]
    }
}

/// Signs what no proxy may change: not who asks with which program, nor what it accepts.
fn sign(request: &Request<'_>, endpoint: &Endpoint, key: AccessKey<'_>, date: &[u8]) -> Signed {
    let own = |wanted| {
        let mut own = request.headers.iter().copied();
        own.find(|(name, _)| *name == wanted)
    };
    let date = std::str::from_utf8(date).unwrap_or_default();
    // In order of their names.
    let headers = [
        own("content-type"),
        Some(("host", endpoint.authority())),
        own(PROJECT_HEADER),
        Some((DATE_HEADER, date)),
        key.security_token().map(|token| (TOKEN_HEADER, token)),
    ];
    let signable = Signable {
        method: request.method,
        path: request.path,
        headers: &headers,
        body: request.body,
    };
    signable.sign(key)
}
