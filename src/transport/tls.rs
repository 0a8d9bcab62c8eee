//! TLS: how handshakes are made, and who is trusted.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SingleCertAndKey;
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use super::certificates;
use super::trust::{Identity, Trust, Trusted};
use crate::memory;

/// After this time a server has to show its certificate again: it may have expired.
const MAX_SESSION_AGE: Duration = Duration::from_secs(3600);

/// As many servers as a client is likely to have, with up to eight tickets each.
const MAX_SESSIONS: usize = 64;

/// How handshakes are made.
#[derive(Debug)]
pub struct Tls {
    trust: Trust,
    identity: Option<Identity>,
    made: Mutex<Option<Made>>,
}

#[derive(Debug)]
struct Made {
    for_endpoint: Arc<ClientConfig>,
    for_proxy: Arc<ClientConfig>,
    at: Instant,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The service; it may see the client's certificate.
    Endpoint,
    /// A proxy.
    Proxy,
}

impl Tls {
    /// Makes nothing yet.
    pub fn new(trust: Trust, identity: Option<Identity>) -> Self {
        Self {
            trust,
            identity,
            made: Mutex::new(None),
        }
    }

    /// The configuration. Trusted certificates are read when it is first needed.
    pub fn config(&self, peer: Peer) -> io::Result<Arc<ClientConfig>> {
        self.config_at(peer, Instant::now())
    }

    /// It remembers sessions, so that a second handshake with the same server is a short one, and
    /// is made anew in time.
    fn config_at(&self, peer: Peer, now: Instant) -> io::Result<Arc<ClientConfig>> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let made = match &mut *made {
            Some(made) if now.duration_since(made.at) < MAX_SESSION_AGE => made,
            made => {
                let new = self.make(now)?;
                // What lives on must not be in the allocator's reserve.
                memory::check()?;
                made.insert(new)
            }
        };
        Ok(Arc::clone(match peer {
            Peer::Endpoint => &made.for_endpoint,
            Peer::Proxy => &made.for_proxy,
        }))
    }

    fn make(&self, now: Instant) -> io::Result<Made> {
        let trusted = self.trust.certificates()?;
        let provider = Arc::new(ring::default_provider());
        let config = |identity| config(&provider, &trusted, identity).map_err(io::Error::other);
        let for_proxy = Arc::new(config(None)?);
        let for_endpoint = match &self.identity {
            None => Arc::clone(&for_proxy),
            identity => Arc::new(config(identity.as_ref())?),
        };
        Ok(Made {
            for_endpoint,
            for_proxy,
            at: now,
        })
    }
}

fn config(
    provider: &Arc<CryptoProvider>,
    trusted: &Arc<Trusted>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, Error> {
    let verifier = Verifier {
        trusted: Arc::clone(trusted),
        algorithms: provider.signature_verification_algorithms,
    };
    let builder = ClientConfig::builder_with_details(Arc::clone(provider), Arc::new(Clock))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let identity = SingleCertAndKey::from(Arc::clone(&identity.0));
            builder.with_client_cert_resolver(Arc::new(identity))
        }
    };
    config.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
    Ok(config)
}

/// A clock that may stand before 1970, where it shows the beginning of that year.
#[derive(Debug)]
struct Clock;

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Some(UnixTime::since_unix_epoch(since.unwrap_or_default()))
    }
}

/// Verifies as webpki does, and beyond that takes a server's certificate that is itself trusted.
#[derive(Debug)]
struct Verifier {
    trusted: Arc<Trusted>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn verify_chain(
        &self,
        certificate: &ParsedCertificate<'_>,
        roots: &RootCertStore,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let algorithms = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            certificate,
            roots,
            intermediates,
            now,
            algorithms,
        )
    }

    /// All that can be asked of a certificate that needs no issuer: webpki looks at the dates and
    /// the purpose first, and then finds that nobody signed it, or that it is an authority's.
    fn verify_alone(
        &self,
        certificate: &ParsedCertificate<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        match self.verify_chain(certificate, &RootCertStore::empty(), &[], now) {
            Err(error) if may_have_another_issuer(&error) || is_authority(&error) => Ok(()),
            result => result,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let mut verified =
            self.verify_chain(&certificate, self.trusted.first(), intermediates, now);
        if verified.as_ref().is_err_and(may_have_another_issuer) {
            let rest = self.trusted.rest().map_err(unreadable)?;
            verified = self.verify_chain(&certificate, rest, intermediates, now);
        }
        if verified.is_err() && self.trusted.has(end_entity).map_err(unreadable)? {
            verified = self.verify_alone(&certificate, now);
            // An authority's purpose is not looked at there.
            if certificates::is_for_others(end_entity) {
                verified = Err(CertificateError::InvalidPurpose.into());
            }
        }
        verified?;
        verify_server_name(&certificate, server_name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Trusted certificates that can't be read now; found again in [`rustls::Error::Other`].
fn unreadable(error: io::Error) -> Error {
    Error::Other(OtherError(Arc::new(error)))
}

/// Whether one that is trusted may be missing: none of that name is known, or one with another key.
fn may_have_another_issuer(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)
    )
}

/// Whether the server shows a certificate with which others are signed (`CA:TRUE`).
pub fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(OtherError(error))) = error else {
        return false;
    };
    error.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_forgotten_after_an_hour() {
        let tls = Tls::new(Trust::System, None);
        let begun = Instant::now();
        let first = tls.config_at(Peer::Endpoint, begun).unwrap();
        let soon = begun + MAX_SESSION_AGE - Duration::from_secs(1);
        let same = tls.config_at(Peer::Endpoint, soon).unwrap();
        assert!(Arc::ptr_eq(&first, &same));
        let other = tls.config_at(Peer::Endpoint, begun + MAX_SESSION_AGE);
        assert!(!Arc::ptr_eq(&first, &other.unwrap()));
    }
}
