//! Which certificates are trusted, where the system keeps its own, and the one that a client shows.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use rustls::sign::CertifiedKey;

use super::certificates::{self, Said};
use super::file::read_file;
use super::process::PerProcess;
use super::system;
use crate::memory::{self, OutOfMemory};

/// The largest file of certificates.
const MAX_FILE_KIB: u64 = 16 * 1024;

/// Which certificates a client trusts.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// The system's.
    #[default]
    System,
    /// Those of one text, in place of the system's.
    Only(Arc<Trusted>),
}

impl Trust {
    /// The certificates of a PEM file; the error says what is wrong with it.
    pub fn in_file(path: &Path) -> Result<Self, String> {
        let pem = read_file(path, MAX_FILE_KIB)
            .map_err(|error| error.to_string())?
            .bytes;
        Self::in_pem(&pem)
    }

    /// The certificates of a text in PEM. Each block must be one.
    pub fn in_pem(pem: &[u8]) -> Result<Self, String> {
        let mut found = Found::default();
        let text = memory::lossy(pem).map_err(|_| certificates::NO_MEMORY)?;
        for said in certificates::in_pem(&text, now()) {
            found.add(said?).map_err(|_| certificates::NO_MEMORY)?;
        }
        let trusted = Trusted::new(found, Vec::new());
        if trusted.first.is_empty() && trusted.expired.is_empty() {
            return Err("holds no certificate that is trusted for servers".to_owned());
        }
        Ok(Self::Only(Arc::new(trusted)))
    }

    /// The certificates themselves.
    pub(super) fn certificates(&self) -> io::Result<Arc<Trusted>> {
        match self {
            Self::System => system(),
            Self::Only(trusted) => Ok(Arc::clone(trusted)),
        }
    }
}

/// The certificate that a client shows to a server that asks for one, and its key.
#[derive(Clone, Debug)]
pub struct Identity(pub(super) Arc<CertifiedKey>);

impl Identity {
    /// The certificate, those that signed it, and the private key, of one text in PEM.
    pub fn in_pem(pem: &[u8]) -> Result<Self, &'static str> {
        let text = memory::lossy(pem).map_err(|_| certificates::NO_MEMORY)?;
        certificates::identity(&text).map(|identity| Self(Arc::new(identity)))
    }
}

/// Trusted certificates: those that are read, and folders with more, which are read when an issuer
/// is not among the first. (A folder of 150 files would be two thirds of a first call's cost.)
#[derive(Debug)]
pub struct Trusted {
    first: RootCertStore,
    /// Those that would be among the first, so that a server that shows one is told why it is not.
    expired: Vec<TrustAnchor<'static>>,
    folders: Vec<PathBuf>,
    rest: OnceLock<RootCertStore>,
}

impl Trusted {
    fn new(found: Found, folders: Vec<PathBuf>) -> Self {
        let (first, expired) = found.settled();
        // Where there is nothing to read, a child of fork meets nobody who is at it.
        let rest = match folders.is_empty() {
            true => OnceLock::from(RootCertStore::empty()),
            false => OnceLock::new(),
        };
        Self {
            first,
            expired,
            folders,
            rest,
        }
    }

    /// What is trusted without a look into the folders.
    pub fn first(&self) -> &RootCertStore {
        &self.first
    }

    /// What the folders hold; an error, which is not kept, where they can't be read now.
    pub fn rest(&self) -> io::Result<&RootCertStore> {
        if let Some(rest) = self.rest.get() {
            return Ok(rest);
        }
        let mut found = Found::default();
        found.add_folders(&self.folders)?;
        memory::check()?;
        Ok(self.rest.get_or_init(|| found.settled().0))
    }

    /// Whether this very certificate is among them: one of the same name and key.
    pub fn has(&self, certificate: &CertificateDer<'_>) -> io::Result<bool> {
        let Ok(wanted) = webpki::anchor_from_trusted_cert(certificate) else {
            return Ok(false);
        };
        let is_in =
            |certificates: &[TrustAnchor<'_>]| certificates.iter().any(|one| is_same(one, &wanted));
        Ok(is_in(&self.first.roots) || is_in(&self.expired) || is_in(&self.rest()?.roots))
    }
}

fn is_same(one: &TrustAnchor<'_>, other: &TrustAnchor<'_>) -> bool {
    one.subject == other.subject && one.subject_public_key_info == other.subject_public_key_info
}

/// What was found in files and folders, until all is seen: what one rejects stays rejected, though
/// another has it too.
#[derive(Default)]
struct Found {
    trusted: Vec<TrustAnchor<'static>>,
    expired: Vec<TrustAnchor<'static>>,
    rejected: Vec<TrustAnchor<'static>>,
}

impl Found {
    fn add(&mut self, said: Said) -> Result<(), OutOfMemory> {
        memory::check()?;
        match said {
            Said::Trusted(certificate) => memory::push(&mut self.trusted, certificate),
            Said::Expired(certificate) => memory::push(&mut self.expired, certificate),
            Said::Rejected(certificate) => memory::push(&mut self.rejected, certificate),
        }
    }

    /// What can't be read in it is passed over: one bad certificate must not take the others away.
    fn add_file(&mut self, path: &Path) -> io::Result<()> {
        let pem = read_file(path, MAX_FILE_KIB)?.bytes;
        for said in certificates::in_pem(&memory::lossy(&pem)?, now()).flatten() {
            self.add(said)?;
        }
        Ok(())
    }

    /// Those of the system's own store, where it has one. What can't be read is passed over.
    fn add_stored(&mut self) -> io::Result<()> {
        let now = now();
        for der in system::stored_certificates()? {
            if let Ok(said) = certificates::in_der(der, now) {
                self.add(said)?;
            }
        }
        Ok(())
    }

    /// Those of all files that are named as OpenSSL wants them: by a hash, `0a1b2c3d.0`. A file that
    /// can't be read is passed over, unless none can be.
    fn add_folders(&mut self, folders: &[PathBuf]) -> io::Result<()> {
        for folder in folders {
            let entries = match fs::read_dir(folder) {
                Err(error) if is_of_the_process(&error) => return Err(error),
                entries => entries.into_iter().flatten().flatten(),
            };
            for entry in entries {
                if is_hashed(&entry.file_name())
                    && let Err(error) = self.add_file(&entry.path())
                    && is_of_the_process(&error)
                {
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Those that are trusted, and those that have expired.
    fn settled(mut self) -> (RootCertStore, Vec<TrustAnchor<'static>>) {
        let rejected = self.rejected;
        self.trusted
            .retain(|root| !rejected.iter().any(|rejected| is_same(root, rejected)));
        let roots = RootCertStore {
            roots: self.trusted,
        };
        (roots, self.expired)
    }
}

fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    UnixTime::since_unix_epoch(since.unwrap_or_default())
}

/// The system's certificates, read once a process; the error says where they were looked for, and
/// is not kept.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others in their place. A system that has no store at all
/// gets Mozilla's, which are built in. A store that was named and holds nothing, or that is there
/// and can't be read, is an error: falling back would trust more than was asked for.
fn system() -> io::Result<Arc<Trusted>> {
    static TRUSTED: PerProcess<Mutex<Option<Arc<Trusted>>>> = PerProcess::new();
    let trusted = TRUSTED.get_or_make(|| Ok::<_, io::Error>(Mutex::new(None)))?;
    let mut trusted = trusted.lock().unwrap_or_else(PoisonError::into_inner);
    match &*trusted {
        Some(known) => Ok(Arc::clone(known)),
        None => {
            let loaded = Arc::new(load()?);
            // What lives on must not be in the allocator's reserve.
            memory::check()?;
            Ok(Arc::clone(trusted.insert(loaded)))
        }
    }
}

fn load() -> io::Result<Trusted> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty());
    let (file, folders) = (named("SSL_CERT_FILE"), named("SSL_CERT_DIR"));
    if file.is_none() && folders.is_none() {
        return of_the_system();
    }
    let mut found = Found::default();
    let trouble = match &file {
        Some(file) => trouble_of(found.add_file(Path::new(file)))?,
        None => None,
    };
    let folders = folders.map_or(Vec::new(), |folders| env::split_paths(&folders).collect());
    found.add_folders(&folders)?;
    let trusted = Trusted::new(found, Vec::new());
    if !trusted.first.is_empty() {
        return Ok(trusted);
    }
    let place = if file.is_some() {
        "SSL_CERT_FILE"
    } else {
        "SSL_CERT_DIR"
    };
    Err(none_from(place, trouble))
}

fn of_the_system() -> io::Result<Trusted> {
    let places = system::certificate_places();
    let mut found = Found::default();
    let trouble = match &places.file {
        Some(file) => trouble_of(found.add_file(file))?,
        None => trouble_of(found.add_stored())?,
    };
    if found.trusted.is_empty() {
        found.add_folders(&places.folders)?;
    }
    or_mozillas(Trusted::new(found, places.folders), trouble)
}

/// What the system has; where it has nothing, and nothing is wrong with it, what Mozilla trusts.
fn or_mozillas(mut trusted: Trusted, trouble: Option<io::Error>) -> io::Result<Trusted> {
    match trouble {
        Some(error) if trusted.first.is_empty() => {
            Err(none_from("the system's store", Some(error)))
        }
        None if trusted.first.is_empty() => {
            let mozillas = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
            trusted.first.extend(mozillas);
            trusted.folders.clear();
            Ok(trusted)
        }
        _ => Ok(trusted),
    }
}

/// Whether it is no file's fault: the process has no descriptor left, or no memory.
fn is_of_the_process(error: &io::Error) -> bool {
    system::is_out_of_descriptors(error) || error.kind() == io::ErrorKind::OutOfMemory
}

/// What is wrong with a file; an error where the process can't read any.
fn trouble_of(added: io::Result<()>) -> io::Result<Option<io::Error>> {
    match added {
        Ok(()) => Ok(None),
        Err(error) if is_of_the_process(&error) => Err(error),
        Err(error) => Ok(Some(error)),
    }
}

fn none_from(place: &str, trouble: Option<io::Error>) -> io::Error {
    let trouble = trouble.map_or("it holds none".to_owned(), |error| error.to_string());
    io::Error::other(format!("no trusted certificate from {place}: {trouble}"))
}

fn is_hashed(name: &OsStr) -> bool {
    let Some((hash, number)) = name.to_str().and_then(|name| name.split_once('.')) else {
        return false;
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_a_store_has_what_mozilla_trusts_and_one_with_a_broken_store_has_not() {
        let nothing = || Trusted::new(Found::default(), Vec::new());
        let trusted = or_mozillas(nothing(), None).unwrap();
        assert!(trusted.first().len() > 100);
        assert_eq!(trusted.first().len(), webpki_roots::TLS_SERVER_ROOTS.len());
        assert!(trusted.rest().unwrap().is_empty());
        assert!(or_mozillas(nothing(), Some(io::Error::other("broken"))).is_err());
    }
}
