//! The URI of a request at an endpoint.

use ureq::http::uri::{Authority, Parts, PathAndQuery, Scheme};
use ureq::http::{Error, Uri};

use super::Endpoint;

/// Where requests go, read once for each connection.
#[derive(Clone, Debug)]
pub struct Base {
    scheme: Scheme,
    authority: Authority,
}

impl Base {
    /// `https://host[:port]`, with the port only where it is not the scheme's own.
    pub fn of(endpoint: &Endpoint) -> Result<Self, Error> {
        Ok(Self {
            scheme: if endpoint.is_tls() {
                Scheme::HTTPS
            } else {
                Scheme::HTTP
            },
            authority: Authority::try_from(endpoint.to_string())?,
        })
    }

    /// The URI of a path there.
    pub fn join(&self, path: &str) -> Result<Uri, Error> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(path)?);
        Ok(Uri::from_parts(parts)?)
    }
}
