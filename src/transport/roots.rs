//! The certificates that are trusted.

use std::convert::Infallible;
use std::env;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustls_native_certs::ErrorKind;
use ureq::tls::{Certificate, RootCerts};

use super::process::PerProcess;

/// Which certificates a client trusts.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// The system's.
    #[default]
    System,
    /// Those of a file, in place of the system's.
    Only(RootCerts),
}

impl Trust {
    /// The certificates of a PEM file; the error says what is wrong with it.
    pub fn only(path: &Path) -> Result<Self, String> {
        let found = rustls_native_certs::load_certs_from_paths(Some(path), None);
        match found.errors.first() {
            Some(error) => Err(error.to_string()),
            None if found.certs.is_empty() => Err("holds no certificate".to_owned()),
            None => Ok(Self::Only(of(&found.certs))),
        }
    }

    /// The certificates themselves.
    pub(super) fn certificates(&self) -> Result<RootCerts, String> {
        match self {
            Self::System => system(),
            Self::Only(certificates) => Ok(certificates.clone()),
        }
    }
}

/// The system's certificates, read once a process; the error says where they were looked for, and
/// is not kept.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others in their place. A system that has no store at all
/// gets Mozilla's, which are built in. A store that was named and holds nothing, or that is there
/// and can't be read, is an error: falling back would trust more than was asked for.
fn system() -> Result<RootCerts, String> {
    static TRUSTED: PerProcess<Mutex<Option<RootCerts>>> = PerProcess::new();
    let Ok(trusted) = TRUSTED.get_or_make(|| Ok::<_, Infallible>(Mutex::new(None)));
    let mut trusted = trusted.lock().unwrap_or_else(PoisonError::into_inner);
    match &*trusted {
        Some(roots) => Ok(roots.clone()),
        None => Ok(trusted.insert(load()?).clone()),
    }
}

fn of(certificates: &[impl AsRef<[u8]>]) -> RootCerts {
    RootCerts::from(
        certificates
            .iter()
            .map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned()),
    )
}

/// Where Debian's family keeps all its certificates in one file, made together with the directory
/// around it.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

fn load() -> Result<RootCerts, String> {
    let is_named = env::var_os("SSL_CERT_FILE").is_some() || env::var_os("SSL_CERT_DIR").is_some();
    if !is_named {
        // The directory holds the same again in 150 files, which would be two thirds of a first
        // call's cost.
        let bundle = rustls_native_certs::load_certs_from_paths(Some(Path::new(BUNDLE)), None);
        if !bundle.certs.is_empty() {
            return Ok(of(&bundle.certs));
        }
    }
    let found = rustls_native_certs::load_native_certs();
    if !found.certs.is_empty() {
        return Ok(of(&found.certs));
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
