//! What went wrong with TLS, in the words of those who can mend it.

use std::time::SystemTime;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use super::tls::is_authority;

/// The end of TCP where TLS had not said that it was the end.
pub const CUT: &str = "the connection was cut: it ended without the closing alert of TLS";

/// A child of fork that came out of a callback in the middle of its parent's call.
pub const FORKED: &str =
    "this process was forked in the middle of the call, and the connection is its parent's";

/// What this library speaks, for those whose server speaks something else.
const SPOKEN: &str = "this library speaks TLS 1.3 and 1.2, with ECDHE over X25519, P-256 or P-384, \
                      certificates with RSA, ECDSA or Ed25519 keys, and AES-GCM or \
                      ChaCha20-Poly1305";

/// Whether it will be the same another time: somebody's certificate is not accepted.
pub fn is_about_trust(error: &Error) -> bool {
    match error {
        Error::InvalidCertificate(_) => true,
        Error::AlertReceived(alert) => is_about_client(*alert),
        _ => false,
    }
}

/// Whether a server says with it that the client's certificate is missing or not good enough. In
/// TLS 1.3 it says so when the request is out already, of which it then does nothing.
pub fn is_about_client(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    )
}

/// An error of TLS in words.
pub fn of_tls(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(_) if is_authority(error) => {
            "the server's certificate is one for signing others (CA:TRUE); to trust this very \
             certificate, set it as ca_file"
                .to_owned()
        }
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::PeerIncompatible(_) => {
            format!("the server speaks no version or cipher suite that is spoken here: {SPOKEN}")
        }
        Error::InvalidMessage(
            InvalidMessage::HandshakePayloadTooLarge
            | InvalidMessage::CertificatePayloadTooLarge
            | InvalidMessage::MessageTooLarge,
        ) => "the server's handshake, or its chain of certificates, is too long".to_owned(),
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            "what came is not TLS; check that the port is the one for https".to_owned()
        }
        Error::InappropriateHandshakeMessage { .. } | Error::PeerMisbehaved(_) => {
            "the server breaks the rules of TLS".to_owned()
        }
        Error::DecryptError | Error::PeerSentOversizedRecord => {
            "what came can't be decrypted: it was changed on its way, or the server is at fault"
                .to_owned()
        }
        Error::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        Error::FailedToGetRandomBytes => "the system gives no random numbers".to_owned(),
        _ => "TLS failed".to_owned(),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { time, not_after } => format!(
            "the server's certificate, or one that it is signed with, expired on {}; this \
             machine's clock says {}",
            date(*not_after),
            date(*time)
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "the server's certificate, or one that it is signed with, is not valid before {}; \
             this machine's clock says {}",
            date(*not_before),
            date(*time)
        ),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "the server's certificate names no host (subjectAltName)".to_owned()
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => format!(
            "the server's certificate is not for {}; it names {}",
            expected.to_str(),
            presented
                .iter()
                .map(|name| plain_name(name))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        other => of_other_certificate(other).to_owned(),
    }
}

/// webpki has `DnsName("host")` and `IpAddress(…)`.
fn plain_name(name: &str) -> &str {
    let inside = name.split_once('(').map_or(name, |(_, inside)| inside);
    inside.trim_end_matches(')').trim_matches('"')
}

fn of_other_certificate(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::UnknownIssuer => {
            "the server's certificate is not trusted: it is not signed by an authority that is \
             trusted here and has not expired, or the server leaves out the certificates between"
        }
        CertificateError::Expired => "the server's certificate has expired",
        CertificateError::NotValidYet => "the server's certificate is not valid yet",
        CertificateError::NotValidForName => "the server's certificate is for another host",
        CertificateError::Revoked => "the server's certificate is revoked",
        CertificateError::BadEncoding => "the server's certificate can't be read",
        CertificateError::BadSignature => {
            "the server's certificate is not trusted: it is not signed by an authority that is \
             trusted here, but by one of the same name with another key"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not meant for servers (extendedKeyUsage)"
        }
        CertificateError::UnhandledCriticalExtension => {
            "the server's certificate has a critical extension that is not known here"
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the server's certificate, or one that it is signed with, has a key or a signature of \
             a kind that is not supported, such as RSA under 2,048 bits or SHA-1"
        }
        _ => {
            "the server's certificate can't be accepted: it, or one that it is signed with, breaks \
             the rules for certificates (X.509 version 3, at most six in a row)"
        }
    }
}

fn of_alert(alert: AlertDescription) -> String {
    let reason = match alert {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "the server asks for a client certificate"
        }
        alert if is_about_client(alert) => "the server does not accept the client certificate",
        AlertDescription::HandshakeFailure
        | AlertDescription::ProtocolVersion
        | AlertDescription::InsufficientSecurity => {
            return format!("the server refused the handshake: {SPOKEN}");
        }
        AlertDescription::UnrecognisedName => "the server does not serve this host name",
        AlertDescription::InternalError => "the server failed in the handshake",
        _ => "the server broke the TLS session off",
    };
    reason.to_owned()
}

/// `Fri, 01 Jan 2021 00:00:00 GMT`, or the bare seconds of a time beyond the year 9999.
fn date(time: UnixTime) -> String {
    const YEAR_10000: u64 = 253_402_300_800;
    match time.as_secs() {
        seconds if seconds < YEAR_10000 => {
            let since = std::time::Duration::from_secs(seconds);
            httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since)
        }
        seconds => format!("second {seconds}"),
    }
}
