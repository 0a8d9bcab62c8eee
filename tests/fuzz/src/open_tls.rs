//! TLS 1.3 that keeps nothing secret, so that whoever writes bytes writes records: what is encrypted is as it was, all
//! random numbers are the same, and everybody is trusted. A server's part of the handshake is then always the same too.

use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, MessageDecrypter, MessageEncrypter,
    OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls13AeadAlgorithm,
    UnsupportedOperationError,
};
use rustls::crypto::{
    ActiveKeyExchange, CipherSuiteCommon, CryptoProvider, GetRandomFailed, SecureRandom,
    SharedSecret, SupportedKxGroup, ring,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    ClientConfig, ClientConnection, ConnectionTrafficSecrets, ContentType, DigitallySignedStruct,
    Error, NamedGroup, ProtocolVersion, ServerConfig, ServerConnection, SignatureScheme,
    SupportedCipherSuite, Tls13CipherSuite,
};

/// A record, as it is after the handshake.
pub fn record(kind: u8, payload: &[u8], padding: usize) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 1 + padding).unwrap();
    let mut record = vec![23, 3, 3];
    record.extend(length.to_be_bytes());
    record.extend_from_slice(payload);
    record.push(kind);
    record.resize(record.len() + padding, 0);
    record
}

/// Trusts everybody.
pub fn config() -> Arc<ClientConfig> {
    static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Trusting))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        Arc::new(config)
    });
    Arc::clone(&CONFIG)
}

/// All that a server says in a handshake with a client that has this configuration.
pub fn flight() -> &'static [u8] {
    static FLIGHT: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut client = ClientConnection::new(config(), name()).unwrap();
        let mut server = ServerConnection::new(server_config()).unwrap();
        let mut flight = Vec::new();
        let mut hello = Vec::new();
        client.write_tls(&mut hello).unwrap();
        server.read_tls(&mut hello.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        while server.wants_write() {
            server.write_tls(&mut flight).unwrap();
        }
        flight
    });
    &FLIGHT
}

fn name() -> ServerName<'static> {
    ServerName::try_from("127.0.0.1").unwrap()
}

fn server_config() -> Arc<ServerConfig> {
    let mut key = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    key.extend([7; 32]);
    let key = ring::sign::any_eddsa_type(&PrivatePkcs8KeyDer::from(key)).unwrap();
    let certificate = CertificateDer::from(vec![0x30, 0]);
    let identity = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(identity));
    config.send_tls13_tickets = 0;
    Arc::new(config)
}

fn provider() -> Arc<CryptoProvider> {
    static SUITE: LazyLock<&'static Tls13CipherSuite> = LazyLock::new(|| {
        let SupportedCipherSuite::Tls13(real) = ring::cipher_suite::TLS13_AES_128_GCM_SHA256 else {
            panic!("not TLS 1.3");
        };
        Box::leak(Box::new(Tls13CipherSuite {
            common: CipherSuiteCommon {
                suite: real.common.suite,
                hash_provider: real.common.hash_provider,
                confidentiality_limit: u64::MAX,
            },
            hkdf_provider: real.hkdf_provider,
            aead_alg: &Open,
            quic: None,
        }))
    });
    Arc::new(CryptoProvider {
        cipher_suites: vec![SupportedCipherSuite::Tls13(*SUITE)],
        kx_groups: vec![&Known],
        secure_random: &Known,
        ..ring::default_provider()
    })
}

/// Random numbers that everybody knows, and keys that come of such.
#[derive(Debug)]
struct Known;

impl SecureRandom for Known {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        bytes.fill(7);
        Ok(())
    }
}

impl SupportedKxGroup for Known {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Known))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for Known {
    fn complete(self: Box<Self>, _: &[u8]) -> Result<SharedSecret, Error> {
        Ok(SharedSecret::from(&[7; 32][..]))
    }

    fn pub_key(&self) -> &[u8] {
        &[7; 32]
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// Encrypts nothing.
struct Open;

impl Tls13AeadAlgorithm for Open {
    fn encrypter(&self, _: AeadKey, _: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Open)
    }

    fn decrypter(&self, _: AeadKey, _: Iv) -> Box<dyn MessageDecrypter> {
        Box::new(Open)
    }

    fn key_len(&self) -> usize {
        16
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

impl MessageEncrypter for Open {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        _: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let mut payload =
            PrefixedPayload::with_capacity(self.encrypted_payload_len(message.payload.len()));
        payload.extend_from_chunks(&message.payload);
        payload.extend_from_slice(&[u8::from(message.typ)]);
        Ok(OutboundOpaqueMessage::new(
            ContentType::ApplicationData,
            ProtocolVersion::TLSv1_2,
            payload,
        ))
    }

    fn encrypted_payload_len(&self, length: usize) -> usize {
        length + 1
    }
}

impl MessageDecrypter for Open {
    fn decrypt<'a>(
        &mut self,
        message: InboundOpaqueMessage<'a>,
        _: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        message.into_tls13_unpadded_message()
    }
}

#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}
