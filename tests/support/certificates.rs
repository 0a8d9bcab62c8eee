//! Authorities, the certificates that they sign, and a server that shows one.

use std::io::{self, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream, SupportedProtocolVersion};
use tempfile::TempDir;

use super::raw::{NO_CONTENT, Server, Then, read_request};

/// Signs certificates. New keys each time: no key is ever stored.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// What a server shows, and the key to it.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Authority {
    pub fn new() -> Self {
        Self::with(params("A test authority", &[]))
    }

    /// Good no more.
    pub fn expired() -> Self {
        let mut params = params("A test authority", &[]);
        params.not_after = date_time_ymd(2021, 1, 1);
        Self::with(params)
    }

    fn with(mut params: CertificateParams) -> Self {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        // The name that a rehash gives it in a folder of trusted certificates.
        std::fs::write(folder.path().join("0a1b2c3d.0"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// The authority's own certificate, as SSL_CERT_FILE takes it.
    pub fn file(&self) -> PathBuf {
        self.folder().join("0a1b2c3d.0")
    }

    /// The same as text.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A folder with that file alone, as SSL_CERT_DIR takes it.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Good for these hosts, now.
    pub fn sign(&self, hosts: &[&str]) -> Identity {
        self.sign_params(&server_params(hosts))
    }

    /// Good for the host once, but no more.
    pub fn sign_expired(&self, host: &str) -> Identity {
        let mut params = server_params(&[host]);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.sign_params(&params)
    }

    /// Good for the host, but not for a long time yet.
    pub fn sign_not_yet_valid(&self, host: &str) -> Identity {
        let mut params = server_params(&[host]);
        params.not_before = date_time_ymd(2900, 1, 1);
        params.not_after = date_time_ymd(2901, 1, 1);
        self.sign_params(&params)
    }

    /// Names the host, but only where nobody looks for one any more.
    pub fn sign_common_name_only(&self, host: &str) -> Identity {
        let mut params = server_params(&[]);
        params.distinguished_name.push(DnType::CommonName, host);
        self.sign_params(&params)
    }

    /// Of a client.
    pub fn sign_for_clients(&self, host: &str) -> Identity {
        let mut params = server_params(&[host]);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign_params(&params)
    }

    fn sign_params(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            certificate: certificate.der().clone(),
            key,
        }
    }
}

impl Identity {
    /// The certificate as text.
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.certificate)
    }

    /// The certificate and its key as text.
    pub fn pem_with_key(&self) -> String {
        self.pem() + &self.key.serialize_pem()
    }

    /// The certificate in OpenSSL's own form, with what it is to be trusted for behind it.
    pub fn trusted_pem(&self, uses: &[u8]) -> String {
        let mut der = self.certificate.to_vec();
        der.extend_from_slice(uses);
        pem("TRUSTED CERTIFICATE", &der)
    }

    /// The certificate alone, as DER.
    pub fn der(&self) -> &[u8] {
        &self.certificate
    }
}

/// Some bytes as a block of PEM.
pub fn pem(label: &str, bytes: &[u8]) -> String {
    use base64::Engine;
    let text = base64::prelude::BASE64_STANDARD.encode(bytes);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    let lines = lines.join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

/// Vouches for itself.
pub fn self_signed(hosts: &[&str]) -> Identity {
    self_signed_with(&server_params(hosts))
}

/// Vouches for itself, and says that it may sign others, as `openssl req -x509` makes it.
pub fn self_signed_authority(hosts: &[&str]) -> Identity {
    let mut params = params("A test server", hosts);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    self_signed_with(&params)
}

/// As [`self_signed_authority`], of a client.
pub fn self_signed_authority_for_clients(hosts: &[&str]) -> Identity {
    let mut params = params("A test server", hosts);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    self_signed_with(&params)
}

/// As [`self_signed_authority`], but good no more.
pub fn self_signed_authority_expired(hosts: &[&str]) -> Identity {
    let mut params = params("A test server", hosts);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = date_time_ymd(2021, 1, 1);
    self_signed_with(&params)
}

/// As [`self_signed`], but good no more.
pub fn self_signed_expired(hosts: &[&str]) -> Identity {
    let mut params = server_params(hosts);
    params.not_after = date_time_ymd(2021, 1, 1);
    self_signed_with(&params)
}

fn self_signed_with(params: &CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Identity {
        certificate: certificate.der().clone(),
        key,
    }
}

fn server_params(hosts: &[&str]) -> CertificateParams {
    let mut params = params("A test server", hosts);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn params(name: &str, hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2900, 1, 1);
    params
}

/// The server's side of an encrypted connection.
pub type TlsStream<'a> = Stream<'a, ServerConnection, TcpStream>;

/// Answers each request over TLS as a service that did what was asked. What it saw is what came out
/// of the encryption.
pub fn tls_server(identity: Identity) -> Server {
    tls_server_on("127.0.0.1:0", identity, rustls::ALL_VERSIONS).unwrap()
}

pub fn tls_server_on(
    address: &str,
    identity: Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> io::Result<Server> {
    let config = config(identity, versions);
    serve(address, config, |_, stream| {
        stream.write_all(NO_CONTENT).ok();
        Then::Keep
    })
}

/// Lets the script answer the nth (from 0) of all requests.
pub fn tls_server_with(
    identity: Identity,
    script: impl Fn(usize, &mut TlsStream<'_>) -> Then + Send + Sync + 'static,
) -> Server {
    tls_server_of(identity, rustls::ALL_VERSIONS, script)
}

/// As [`tls_server_with`], with these versions of TLS alone.
pub fn tls_server_of(
    identity: Identity,
    versions: &[&'static SupportedProtocolVersion],
    script: impl Fn(usize, &mut TlsStream<'_>) -> Then + Send + Sync + 'static,
) -> Server {
    serve("127.0.0.1:0", config(identity, versions), script).unwrap()
}

/// Asks each client for a certificate of the authority.
pub fn tls_server_asking(
    identity: Identity,
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
) -> Server {
    let mut roots = RootCertStore::empty();
    roots.add(authority.issuer.der().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let key = PrivatePkcs8KeyDer::from(identity.key.serialize_der());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(vec![identity.certificate], PrivateKeyDer::Pkcs8(key))
        .unwrap();
    serve("127.0.0.1:0", config, |_, stream| {
        stream.write_all(NO_CONTENT).ok();
        Then::Keep
    })
    .unwrap()
}

pub fn config(identity: Identity, versions: &[&'static SupportedProtocolVersion]) -> ServerConfig {
    let key = PrivatePkcs8KeyDer::from(identity.key.serialize_der());
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate], PrivateKeyDer::Pkcs8(key))
        .unwrap()
}

fn serve(
    address: &str,
    config: ServerConfig,
    script: impl Fn(usize, &mut TlsStream<'_>) -> Then + Send + Sync + 'static,
) -> io::Result<Server> {
    let config = Arc::new(config);
    Server::serve_on(address, move |mut visit| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        loop {
            let mut request = Stream::new(&mut connection, &mut visit.stream);
            let (bytes, is_whole) = read_request(&mut request);
            let nth = visit.record(bytes, is_whole);
            let mut answer = Stream::new(&mut connection, &mut visit.stream);
            if !is_whole || script(nth, &mut answer) == Then::Close {
                break;
            }
        }
    })
}
