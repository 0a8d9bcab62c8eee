//! The certificates that are trusted: the system's own.

use std::env;
use std::io;
use std::sync::{Mutex, PoisonError};

use rustls_native_certs::ErrorKind;
use ureq::tls::{Certificate, RootCerts};

/// The trusted certificates, read once a process; the error says where they were looked for, and is not kept.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others in their place. A system that has no store at all gets Mozilla's, which are
/// built in. A store that was named and holds nothing, or that is there and can't be read, is an error: falling back would trust
/// more than was asked for.
pub fn trusted() -> Result<RootCerts, String> {
    static TRUSTED: Mutex<Option<RootCerts>> = Mutex::new(None);
    let mut trusted = TRUSTED.lock().unwrap_or_else(PoisonError::into_inner);
    match &*trusted {
        Some(roots) => Ok(roots.clone()),
        None => Ok(trusted.insert(load()?).clone()),
    }
}

fn load() -> Result<RootCerts, String> {
    let found = rustls_native_certs::load_native_certs();
    if !found.certs.is_empty() {
        return Ok(RootCerts::from(
            found
                .certs
                .iter()
                .map(|certificate| Certificate::from_der(certificate).to_owned()),
        ));
    }
    let place = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .into_iter()
        .find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    let trouble = found.errors.iter().find(|error| !is_not_found(error));
    match (place, trouble.or(found.errors.first())) {
        (None, _) if trouble.is_none() => Ok(RootCerts::WebPki),
        (place, Some(error)) => Err(format!(
            "no trusted certificate from {}: {error}",
            place.unwrap_or("the system's store")
        )),
        (place, None) => Err(format!(
            "no trusted certificate from {}: it holds none",
            place.unwrap_or("the system's store")
        )),
    }
}

fn is_not_found(error: &rustls_native_certs::Error) -> bool {
    matches!(&error.kind, ErrorKind::Io { inner, .. } if inner.kind() == io::ErrorKind::NotFound)
}
