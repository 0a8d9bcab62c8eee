//! The headers with which an access key signs a request. What is signed is taken from the request that
//! is sent.

use std::time::SystemTime;

use crate::association::{self, AccessKey, DATE_HEADER, Signable};
use crate::transport::{Endpoint, Request};

/// The header that names the project of a signed request.
pub const PROJECT_HEADER: &str = "x-project-id";

const TOKEN_HEADER: &str = "x-security-token";

/// When and how a request was signed.
pub struct Signature {
    date: String,
    authorization: String,
}

impl Signature {
    /// Signs the request, now.
    pub fn of(request: &Request<'_>, endpoint: &Endpoint, key: AccessKey<'_>) -> Self {
        let date = association::date(SystemTime::now());
        Self {
            authorization: authorization(request, endpoint, key, &date),
            date,
        }
    }

    /// The value of the header that holds it.
    pub fn authorization(&self) -> &str {
        &self.authorization
    }

    /// Whether it is one of this request.
    pub fn is_of(&self, request: &Request<'_>, endpoint: &Endpoint, key: AccessKey<'_>) -> bool {
        self.authorization == authorization(request, endpoint, key, &self.date)
    }

    /// What the request carries.
    pub fn headers<'a>(&'a self, key: AccessKey<'a>) -> Vec<(&'static str, &'a [u8])> {
        let mut headers = vec![
            ("authorization", self.authorization.as_bytes()),
            (DATE_HEADER, self.date.as_bytes()),
        ];
        headers.extend(
            key.security_token()
                .map(|token| (TOKEN_HEADER, token.as_bytes())),
        );
        headers
    }
}

/// Signs what no proxy may change: not who asks with which program, nor what it accepts.
fn authorization(
    request: &Request<'_>,
    endpoint: &Endpoint,
    key: AccessKey<'_>,
    date: &str,
) -> String {
    let host = endpoint.to_string();
    let own = |wanted| {
        let mut own = request.headers.iter().copied();
        own.find(|(name, _)| *name == wanted)
    };
    // In order of their names.
    let headers = [
        own("content-type"),
        Some(("host", host.as_str())),
        own(PROJECT_HEADER),
        Some((DATE_HEADER, date)),
        key.security_token().map(|token| (TOKEN_HEADER, token)),
    ];
    let headers: Vec<_> = headers.into_iter().flatten().collect();
    let signable = Signable {
        method: request.method,
        path: request.path,
        headers: &headers,
        body: request.body,
    };
    signable.authorization(key)
}
