//! A client shows its certificate to a server that asks for it, and one that can't be used is refused.

use fpga_associate::status::Status;
use rustls::version::{TLS12, TLS13};
use support::certificates::{Authority, pem, self_signed, tls_server_asking};
use support::client::config;
use support::given::{assert_refused, endpoint, set_client_certificate};

#[test]
fn a_client_shows_its_certificate_to_a_server_that_asks_for_it() {
    for versions in [&[&TLS12], &[&TLS13]] {
        let authority = Authority::new();
        let ours = authority.sign_for_clients("client.test");
        let server = tls_server_asking(authority.sign(&["127.0.0.1"]), &authority, versions);
        let client = config()
            .ca_pem(authority.pem())
            .client_certificate(ours.pem_with_key())
            .client(&endpoint(&server));
        for _ in 0..2 {
            let outcome = client.example();
            assert!(outcome.is(Status::OK), "{versions:?}: {outcome:?}");
        }
    }
}

#[test]
fn a_server_that_wants_another_client_certificate_has_done_nothing() {
    for versions in [&[&TLS12], &[&TLS13]] {
        let (authority, other) = (Authority::new(), Authority::new());
        let wrong = other.sign_for_clients("client.test").pem_with_key();
        for (case, identity, words) in [
            ("none", None, "asks for a client certificate"),
            ("another authority's", Some(wrong), "client certificate"),
        ] {
            let server = tls_server_asking(authority.sign(&["127.0.0.1"]), &authority, versions);
            let mut settings = config().ca_pem(authority.pem());
            if let Some(identity) = identity {
                settings = settings.client_certificate(identity);
            }
            let outcome = settings.client(&endpoint(&server)).example();
            let case = format!("{versions:?}, {case}: {outcome:?}");
            assert!(outcome.is(Status::TLS_FAILED), "{case}");
            assert!(!outcome.outcome_unknown, "{case}");
            assert_eq!(outcome.attempts, 1, "{case}");
            // In TLS 1.2 rustls' server says only that the handshake failed.
            if *versions[0] == TLS13 {
                assert!(outcome.message.contains(words), "{case}");
            }
            assert_eq!(server.finish().requests, [], "{case}");
        }
    }
}

/// It asks for one, as an endpoint may.
#[test]
fn a_proxy_never_sees_the_certificate() {
    for versions in [&[&TLS12], &[&TLS13]] {
        let authority = Authority::new();
        let ours = authority.sign_for_clients("client.test");
        let proxy = tls_server_asking(authority.sign(&["127.0.0.1"]), &authority, versions);
        let client = config()
            .proxy(&endpoint(&proxy))
            .ca_pem(authority.pem())
            .client_certificate(ours.pem_with_key())
            .max_attempts(1)
            .client("https://service.test");
        let outcome = client.example();
        assert!(
            outcome.is(Status::PROXY_FAILED),
            "{versions:?}: {outcome:?}"
        );
        assert!(!outcome.outcome_unknown, "{versions:?}: {outcome:?}");
        assert_eq!(proxy.finish().requests, [], "{versions:?}");
    }
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_refused() {
    let ours = self_signed(&["client.test"]);
    let other = self_signed(&["client.test"]).pem_with_key();
    let key_of_other = other.split_once("-----BEGIN PRIVATE").unwrap().1;
    for (case, text, words) in [
        ("nothing", String::new(), "no certificate"),
        ("no key", ours.pem(), "no private key"),
        (
            "no certificate",
            format!("-----BEGIN PRIVATE{key_of_other}"),
            "no certificate",
        ),
        (
            "another's key",
            format!("{}-----BEGIN PRIVATE{key_of_other}", ours.pem()),
            "not that of its first certificate",
        ),
        (
            "a bad certificate behind a good one",
            format!(
                "{}{}{}",
                ours.pem(),
                pem("CERTIFICATE", b"\x30\x00"),
                ours.pem_with_key()
            ),
            "a certificate that can't be read",
        ),
        (
            "an encrypted key of the old kind",
            format!(
                "{}-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n",
                ours.pem()
            ),
            "encrypted",
        ),
        (
            "an encrypted key",
            format!(
                "{}{}",
                ours.pem(),
                pem("ENCRYPTED PRIVATE KEY", b"\x30\x00")
            ),
            "encrypted",
        ),
        (
            "no key of any kind",
            format!("{}{}", ours.pem(), pem("PRIVATE KEY", b"\x30\x00")),
            "not supported",
        ),
    ] {
        assert_refused(&set_client_certificate(&text), words, case);
    }
    assert_eq!(
        set_client_certificate(ours.pem_with_key().replace('\n', "\r\n")).status,
        0
    );
    assert_eq!(
        set_client_certificate(format!("\u{feff}{}", ours.pem_with_key())).status,
        0
    );
}
