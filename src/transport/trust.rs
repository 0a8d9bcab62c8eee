//! Which certificates are trusted, where the system keeps its own, and the one that a client shows.

use std::convert::Infallible;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use super::certificates;
use super::process::PerProcess;

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
        let pem = certificates::read_file(path).map_err(|error| error.to_string())?;
        Self::in_pem(&pem)
    }

    /// The certificates of a text in PEM. Each block must be one.
    pub fn in_pem(pem: &[u8]) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates::in_pem(pem) {
            roots.add(certificate?).map_err(|error| error.to_string())?;
        }
        if roots.is_empty() {
            return Err("holds no certificate that is trusted for servers".to_owned());
        }
        Ok(Self::Only(Arc::new(Trusted::new(roots, Vec::new()))))
    }

    /// The certificates themselves.
    pub(super) fn certificates(&self) -> Result<Arc<Trusted>, String> {
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
        certificates::identity(pem).map(|identity| Self(Arc::new(identity)))
    }
}

/// Trusted certificates: those that are read, and folders with more, which are read when an issuer
/// is not among the first. (A folder of 150 files would be two thirds of a first call's cost.)
#[derive(Debug)]
pub struct Trusted {
    first: RootCertStore,
    folders: Vec<PathBuf>,
    rest: OnceLock<RootCertStore>,
}

impl Trusted {
    fn new(first: RootCertStore, folders: Vec<PathBuf>) -> Self {
        Self {
            first,
            folders,
            rest: OnceLock::new(),
        }
    }

    /// What is trusted without a look into the folders.
    pub fn first(&self) -> &RootCertStore {
        &self.first
    }

    /// What the folders hold.
    pub fn rest(&self) -> &RootCertStore {
        self.rest.get_or_init(|| in_folders(&self.folders))
    }

    /// Whether this very certificate is among them: one of the same name and key.
    pub fn has(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(wanted) = webpki::anchor_from_trusted_cert(certificate) else {
            return false;
        };
        let is_in = |store: &RootCertStore| {
            store.roots.iter().any(|root| {
                root.subject == wanted.subject
                    && root.subject_public_key_info == wanted.subject_public_key_info
            })
        };
        is_in(&self.first) || is_in(self.rest())
    }
}

/// The system's certificates, read once a process; the error says where they were looked for, and
/// is not kept.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` name others in their place. A system that has no store at all
/// gets Mozilla's, which are built in. A store that was named and holds nothing, or that is there
/// and can't be read, is an error: falling back would trust more than was asked for.
fn system() -> Result<Arc<Trusted>, String> {
    static TRUSTED: PerProcess<Mutex<Option<Arc<Trusted>>>> = PerProcess::new();
    let Ok(trusted) = TRUSTED.get_or_make(|| Ok::<_, Infallible>(Mutex::new(None)));
    let mut trusted = trusted.lock().unwrap_or_else(PoisonError::into_inner);
    match &*trusted {
        Some(known) => Ok(Arc::clone(known)),
        None => Ok(Arc::clone(trusted.insert(Arc::new(load()?)))),
    }
}

fn load() -> Result<Trusted, String> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty());
    let (file, folders) = (named("SSL_CERT_FILE"), named("SSL_CERT_DIR"));
    if file.is_none() && folders.is_none() {
        return of_the_system();
    }
    let mut roots = RootCertStore::empty();
    let mut trouble = None;
    if let Some(file) = &file {
        trouble = add_file(&mut roots, Path::new(file)).err();
    }
    let folders = folders.map_or(Vec::new(), |folders| env::split_paths(&folders).collect());
    roots.roots.append(&mut in_folders(&folders).roots);
    if !roots.is_empty() {
        return Ok(Trusted::new(roots, Vec::new()));
    }
    let place = if file.is_some() {
        "SSL_CERT_FILE"
    } else {
        "SSL_CERT_DIR"
    };
    Err(none_from(place, trouble))
}

fn of_the_system() -> Result<Trusted, String> {
    let mut roots = RootCertStore::empty();
    let found = openssl_probe::probe();
    let mut trouble = None;
    if let Some(file) = &found.cert_file {
        trouble = add_file(&mut roots, file).err();
    }
    if roots.is_empty() {
        roots = in_folders(&found.cert_dir);
    }
    match trouble {
        Some(error) if roots.is_empty() => Err(none_from("the system's store", Some(error))),
        None if roots.is_empty() => {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            Ok(Trusted::new(roots, Vec::new()))
        }
        _ => Ok(Trusted::new(roots, found.cert_dir)),
    }
}

fn none_from(place: &str, trouble: Option<io::Error>) -> String {
    let trouble = trouble.map_or("it holds none".to_owned(), |error| error.to_string());
    format!("no trusted certificate from {place}: {trouble}")
}

/// What can't be read in it is passed over: one bad certificate must not take the others away.
fn add_file(roots: &mut RootCertStore, path: &Path) -> io::Result<()> {
    let pem = certificates::read_file(path)?;
    let readable = certificates::in_pem(&pem).into_iter().flatten();
    roots.add_parsable_certificates(readable);
    Ok(())
}

/// Those of all files that are named as OpenSSL wants them: by a hash, `0a1b2c3d.0`.
fn in_folders(folders: &[PathBuf]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    for folder in folders {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if is_hashed(&entry.file_name()) {
                add_file(&mut roots, &entry.path()).ok();
            }
        }
    }
    roots
}

fn is_hashed(name: &OsStr) -> bool {
    let Some((hash, number)) = name.to_str().and_then(|name| name.split_once('.')) else {
        return false;
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) && is_number
}
