//! Certificates and keys in PEM, as system administrators have them.

use std::iter;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, TrustAnchor, UnixTime};
use rustls::sign::CertifiedKey;

use crate::memory;

const BEGIN: &str = "-----BEGIN ";

/// Certificates and keys are a few KB long, as text.
const MAX_BLOCK: usize = 64 * 1024;
/// Why a text is not read that may be fine.
pub const NO_MEMORY: &str = "can't be read for want of memory";

const TOO_LONG: &str = "is over 64 KiB long";

/// "id-ce-extKeyUsage", as DER.
const EXTENDED_KEY_USAGE: &[u8] = &[6, 3, 0x55, 0x1d, 0x25];

const SEQUENCE: u8 = 0x30;
const REJECTED_USES: u8 = 0xa0;

/// "id-kp-serverAuth" and "anyExtendedKeyUsage", as DER.
const SERVER_USES: [&[u8]; 2] = [
    &[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1],
    &[6, 4, 0x55, 0x1d, 0x25, 0],
];

/// What a text says of one certificate.
#[derive(Debug)]
pub enum Said {
    /// It is to be trusted.
    Trusted(TrustAnchor<'static>),
    /// It was to be trusted, but has expired.
    Expired(TrustAnchor<'static>),
    /// It is not to be trusted for servers.
    Rejected(TrustAnchor<'static>),
}

/// The certificates in a text, and the blocks that are none, each with its number and the reason.
/// Text around them is passed over. `text` is the bytes as [`memory::lossy`] has them.
pub fn in_pem(text: &str, now: UnixTime) -> impl Iterator<Item = Result<Said, String>> {
    let said = move |(block, number): (Block<'_>, u32)| {
        in_block(&block, now).map_err(|reason| format!("block {number} {reason}"))
    };
    blocks(text).zip(1..).map(said)
}

/// A block's label and what stands behind its first line.
struct Block<'a> {
    label: &'a str,
    rest: &'a str,
}

/// The blocks that begin with a line, as far as the next of them.
fn blocks(text: &str) -> impl Iterator<Item = Block<'_>> {
    let is_beginning = |at: &usize| {
        let before = text.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(['\n', '\r', '\u{feff}'])
    };
    let mut begins = text
        .match_indices(BEGIN)
        .map(|(at, _)| at)
        .filter(is_beginning)
        .peekable();
    iter::from_fn(move || {
        let at = begins.next()?;
        let end = begins.peek().copied().unwrap_or(text.len());
        let block = text.get(at.saturating_add(BEGIN.len())..end);
        let block = block.unwrap_or_default();
        // A label without its end is none that is known.
        let (label, rest) = block.split_once("-----").unwrap_or((block, ""));
        Some(Block { label, rest })
    })
}

impl<'a> Block<'a> {
    /// What stands between its first line and its last.
    fn body(&self) -> Result<&'a str, &'static str> {
        let (body, _) = self.rest.split_once("-----END ").ok_or("has no end")?;
        if body.len() > MAX_BLOCK {
            return Err(TOO_LONG);
        }
        Ok(body)
    }

    fn der(&self) -> Result<Vec<u8>, &'static str> {
        let body: String = self.body()?.split_whitespace().collect();
        BASE64_STANDARD.decode(body).map_err(|_| "is not Base64")
    }
}

fn in_block(block: &Block<'_>, now: UnixTime) -> Result<Said, String> {
    let has_uses = match block.label {
        "CERTIFICATE" | "X509 CERTIFICATE" => false,
        "TRUSTED CERTIFICATE" => true,
        label if is_plain(label) => return Err(format!("is no certificate but \"{label}\"")),
        // It may be a part of a key.
        _ => return Err("is no certificate".to_owned()),
    };
    let mut der = block.der()?;
    let mut is_for_servers = true;
    if has_uses {
        // OpenSSL's own form: the certificate, and behind it what it is to be trusted for.
        let (_, _, uses) = element(&der).ok_or("can't be read")?;
        is_for_servers = is_for(uses).ok_or("says in no readable way what it is for")?;
        der.truncate(der.len().saturating_sub(uses.len()));
    }
    Ok(match in_der(der, now)? {
        Said::Trusted(anchor) | Said::Expired(anchor) if !is_for_servers => Said::Rejected(anchor),
        said => said,
    })
}

/// A certificate that is trusted unless it has expired.
pub fn in_der(der: Vec<u8>, now: UnixTime) -> Result<Said, &'static str> {
    let certificate = CertificateDer::from(der);
    let anchor = webpki::anchor_from_trusted_cert(&certificate)
        .map_err(|_| "holds no certificate that can be read")?
        .to_owned();
    Ok(if has_expired(&certificate, now) {
        Said::Expired(anchor)
    } else {
        Said::Trusted(anchor)
    })
}

fn is_plain(label: &str) -> bool {
    label.len() <= 40
        && label
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b' ')
}

/// An authority's own dates, which nobody looks at when it is trusted. Where the clock is too early
/// that is told when a server shows its certificate.
fn has_expired(certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else {
        return false;
    };
    // Nobody can have signed it, but the dates are looked at before that.
    let usage = webpki::KeyUsage::server_auth();
    let verified = certificate.verify_for_usage(&[], &[], &[], now, usage, None, None);
    matches!(verified, Err(webpki::Error::CertExpired { .. }))
}

/// Whether a list of uses has that of servers.
fn has_server_use(list: &[u8]) -> bool {
    SERVER_USES
        .iter()
        .any(|wanted| list.windows(wanted.len()).any(|piece| piece == *wanted))
}

/// Whether a certificate says what it is for, and servers are not among it.
pub fn is_for_others(certificate: &CertificateDer<'_>) -> bool {
    let says = certificate
        .windows(EXTENDED_KEY_USAGE.len())
        .any(|piece| piece == EXTENDED_KEY_USAGE);
    says && !has_server_use(certificate)
}

/// `SEQUENCE { trusted SEQUENCE OF OID OPTIONAL, rejected [0] SEQUENCE OF OID OPTIONAL, … }`, or
/// nothing at all: whether that allows servers. Nothing where it can't be read.
fn is_for(uses: &[u8]) -> Option<bool> {
    if uses.is_empty() {
        return Some(true);
    }
    let (SEQUENCE, mut fields, []) = element(uses)? else {
        return None;
    };
    let mut is_for_servers = true;
    while !fields.is_empty() {
        let (tag, list, rest) = element(fields)?;
        match tag {
            SEQUENCE => is_for_servers &= has_server_use(list),
            REJECTED_USES => is_for_servers &= !has_server_use(list),
            _ => {}
        }
        fields = rest;
    }
    Some(is_for_servers)
}

/// The first element of some DER: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = bytes.iter().try_fold(0_usize, |length, byte| {
            length.checked_mul(256)?.checked_add(usize::from(*byte))
        });
        (length?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A client's certificate with those that signed it, and its private key, in one text.
pub fn identity(text: &str) -> Result<CertifiedKey, &'static str> {
    let mut chain = Vec::new();
    for block in blocks(text) {
        if block.body() == Err(TOO_LONG) {
            return Err("holds a block that is over 64 KiB long");
        }
        memory::check().map_err(|_| NO_MEMORY)?;
        if block.label == "CERTIFICATE" {
            let certificate = block.der().ok().map(CertificateDer::from);
            let is_readable = |certificate: &CertificateDer<'_>| {
                webpki::anchor_from_trusted_cert(certificate).is_ok()
            };
            let certificate = certificate.filter(is_readable);
            chain.push(certificate.ok_or("holds a certificate that can't be read")?);
        }
    }
    if chain.is_empty() {
        return Err("holds no certificate");
    }
    if text.contains("ENCRYPTED") {
        return Err("holds a private key that is encrypted; give it without a passphrase");
    }
    let keys = text.trim_start_matches('\u{feff}').as_bytes();
    let key =
        PrivateKeyDer::from_pem_slice(keys).map_err(|_| "holds no private key that can be read")?;
    match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
        Ok(identity) => Ok(identity),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err("holds a private key that is not that of its first certificate")
        }
        Err(_) => Err("holds a private key or a certificate of a kind that is not supported"),
    }
}
