//! The URI of a request at an endpoint.

use ureq::http::uri::Scheme;
use ureq::http::{Error, Uri};

use super::Endpoint;

/// `https://host[:port]/path`, with the port only where it is not the scheme's own.
pub fn of(endpoint: &Endpoint, path: &str) -> Result<Uri, Error> {
    let scheme = if endpoint.is_tls() {
        Scheme::HTTPS
    } else {
        Scheme::HTTP
    };
    Uri::builder()
        .scheme(scheme)
        .authority(endpoint.to_string())
        .path_and_query(path)
        .build()
}
