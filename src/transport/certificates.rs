//! Certificates and keys in PEM, as system administrators have them.

use std::io::{self, Read};
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::system;
use crate::text;

/// The largest file in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;

const BEGIN: &str = "-----BEGIN ";
const SEQUENCE: u8 = 0x30;
const REJECTED_USES: u8 = 0xa0;

/// "id-kp-serverAuth" and "anyExtendedKeyUsage", as DER.
const SERVER_USES: [&[u8]; 2] = [
    &[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1],
    &[6, 4, 0x55, 0x1d, 0x25, 0],
];

/// A block that can't be used: which one, and why.
type Refused = String;

/// Reads a file, which must be a regular one: nothing else has an end that one can wait for.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = system::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other("is over 16 MiB long"));
    }
    Ok(bytes)
}

/// The certificates in a text, each with its number, and the blocks that are none. Text around them
/// is passed over, as are those that are marked as not to be trusted for servers.
pub fn in_pem(pem: &[u8]) -> Vec<Result<CertificateDer<'static>, Refused>> {
    let text = String::from_utf8_lossy(pem);
    let blocks = text.split(BEGIN).skip(1).zip(1..);
    blocks
        .filter_map(|(block, number)| {
            let certificate = in_block(block).transpose()?;
            Some(certificate.map_err(|reason| format!("block {number} {reason}")))
        })
        .collect()
}

fn in_block(block: &str) -> Result<Option<CertificateDer<'static>>, String> {
    let (label, rest) = block.split_once("-----").unwrap_or((block, ""));
    let has_uses = match label {
        "CERTIFICATE" | "X509 CERTIFICATE" => false,
        "TRUSTED CERTIFICATE" => true,
        label => {
            let label = text::bounded(label, 40);
            return Err(format!("is no certificate but \"{label}\""));
        }
    };
    let (body, _) = rest.split_once("-----END ").ok_or("has no end")?;
    let body: String = body.split_whitespace().collect();
    let mut der = BASE64_STANDARD
        .decode(body)
        .map_err(|_| "is not Base64".to_owned())?;
    if has_uses {
        // OpenSSL's own form: the certificate, and behind it what it is to be trusted for.
        let (_, _, uses) = element(&der).ok_or("can't be read")?;
        let is_for_servers = is_for_servers(uses);
        der.truncate(der.len().saturating_sub(uses.len()));
        if !is_for_servers {
            return Ok(None);
        }
    }
    let certificate = CertificateDer::from(der);
    webpki::anchor_from_trusted_cert(&certificate)
        .map_err(|_| "holds no certificate that can be read".to_owned())?;
    Ok(Some(certificate.into_owned()))
}

/// `SEQUENCE { trusted SEQUENCE OF OID OPTIONAL, rejected [0] SEQUENCE OF OID OPTIONAL, … }`
fn is_for_servers(uses: &[u8]) -> bool {
    let has_server = |list: &[u8]| {
        SERVER_USES
            .iter()
            .any(|wanted| list.windows(wanted.len()).any(|piece| piece == *wanted))
    };
    let Some((SEQUENCE, mut fields, _)) = element(uses) else {
        return true;
    };
    while let Some((tag, list, rest)) = element(fields) {
        match tag {
            SEQUENCE if !has_server(list) => return false,
            REJECTED_USES if has_server(list) => return false,
            _ => fields = rest,
        }
    }
    true
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
pub fn identity(pem: &[u8]) -> Result<CertifiedKey, &'static str> {
    let pem = pem.strip_prefix("\u{feff}".as_bytes()).unwrap_or(pem);
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "holds a certificate that can't be read")?;
    if chain.is_empty() {
        return Err("holds no certificate");
    }
    let key = match PrivateKeyDer::from_pem_slice(pem) {
        Ok(key) => key,
        Err(_) if String::from_utf8_lossy(pem).contains("ENCRYPTED") => {
            return Err("holds a private key that is encrypted; give it without a passphrase");
        }
        Err(_) => return Err("holds no private key that can be read"),
    };
    match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
        Ok(identity) => Ok(identity),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err("holds a private key that is not that of its first certificate")
        }
        Err(_) => Err("holds a private key or a certificate of a kind that is not supported"),
    }
}
