//! The headers with which an access key signs a request. What is signed is taken from the request that
//! is sent.

use std::time::SystemTime;

use crate::association::{self, AccessKey, DATE_HEADER, Signable};
use crate::transport::{Endpoint, Request};

/// Those of a request's own headers that are signed. A proxy may change others.
const SIGNED: [&str; 2] = ["content-type", PROJECT_HEADER];

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

fn authorization(
    request: &Request<'_>,
    endpoint: &Endpoint,
    key: AccessKey<'_>,
    date: &str,
) -> String {
    let host = endpoint.to_string();
    let own = request.headers.iter().copied();
    let mut headers: Vec<_> = own.filter(|(name, _)| SIGNED.contains(name)).collect();
    headers.push(("host", &host));
    headers.push((DATE_HEADER, date));
    headers.extend(key.security_token().map(|token| (TOKEN_HEADER, token)));
    headers.sort_unstable();
    let signable = Signable {
        method: request.method,
        path: request.path,
        headers: &headers,
        body: request.body,
    };
    signable.authorization(key)
}
