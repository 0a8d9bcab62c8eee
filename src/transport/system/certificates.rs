//! Where a system keeps the certificates that it trusts.

use std::io;
use std::path::PathBuf;

/// The files that hold them: one for all, and folders with more.
#[derive(Debug, Default)]
pub struct CertificatePlaces {
    /// The file.
    pub file: Option<PathBuf>,
    /// The folders.
    pub folders: Vec<PathBuf>,
}

/// Where their files are, on systems that have them in files.
#[cfg(not(any(windows, target_os = "macos")))]
pub fn certificate_places() -> CertificatePlaces {
    let places = openssl_probe::probe();
    CertificatePlaces {
        file: places.cert_file,
        folders: places.cert_dir,
    }
}

/// Nowhere: they are in a store.
#[cfg(any(windows, target_os = "macos"))]
pub fn certificate_places() -> CertificatePlaces {
    CertificatePlaces::default()
}

/// Those of the system's store, each as DER, on systems that have one.
#[cfg(not(any(windows, target_os = "macos")))]
pub fn stored_certificates() -> io::Result<Vec<Vec<u8>>> {
    Ok(Vec::new())
}

/// Those of the store, for servers: of Windows the current user's, which has the machine's too. One
/// that can't be read is passed over, unless none can be.
///
/// (Windows fetches some authorities when a program of its own first asks for them. Those are not here
/// before that.)
#[cfg(any(windows, target_os = "macos"))]
pub fn stored_certificates() -> io::Result<Vec<Vec<u8>>> {
    let found = rustls_native_certs::load_native_certs();
    match found.errors.into_iter().next() {
        Some(error) if found.certs.is_empty() => Err(io::Error::other(error.to_string())),
        _ => Ok(found
            .certs
            .into_iter()
            .map(|certificate| certificate.to_vec())
            .collect()),
    }
}
