//! Handshakes with OpenSSL's server: what is spoken, what is not, and that nothing is sent then.

use fpga_associate::status::Status;
use support::certificates::Authority;
use support::client::{Client, config};
use support::needs;
use support::real::openssl::Openssl;
use support::real::s_server::{SServer, s_client};

support::tests! {
    what_readme_names_is_spoken_with_openssl_and_nothing_else,
    a_server_may_ask_for_another_key_exchange_first,
    a_second_connection_takes_up_the_session_of_the_first_where_the_server_lets_it,
    a_server_that_wants_a_client_certificate_gets_it_or_no_request,
}

/// What s_server prints of a request.
const REQUEST: &str = "POST /v1/";

/// The options of a server, and whether there is a handshake.
type Row = (&'static str, bool);

/// README's "TLS", with a certificate of a P-256 key.
const ECDSA: [Row; 24] = [
    ("-tls1_3", true),
    ("-tls1_2", true),
    ("-tls1_3 -no_middlebox", true),
    ("-tls1_1 -cipher ALL:@SECLEVEL=0", false),
    ("-tls1 -cipher ALL:@SECLEVEL=0", false),
    ("-tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256", true),
    ("-tls1_3 -ciphersuites TLS_AES_256_GCM_SHA384", true),
    ("-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256", true),
    (
        "-tls1_3 -ciphersuites TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256",
        false,
    ),
    ("-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256", true),
    ("-tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384", true),
    ("-tls1_2 -cipher ECDHE-ECDSA-CHACHA20-POLY1305", true),
    ("-tls1_2 -cipher ECDHE-ECDSA-AES128-CCM", false),
    ("-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256", false),
    ("-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA", false),
    (
        "-tls1_2 -cipher ALL:!ECDHE+AESGCM:!ECDHE+CHACHA20:@SECLEVEL=0",
        false,
    ),
    ("-tls1_3 -groups X25519", true),
    ("-tls1_3 -groups P-256", true),
    ("-tls1_3 -groups P-384", true),
    ("-tls1_3 -groups P-521:X448:ffdhe2048", false),
    ("-tls1_2 -groups X25519", true),
    // The certificate's own is P-256.
    ("-tls1_2 -groups P-256", true),
    ("-tls1_2 -groups P-384:P-256", true),
    ("-tls1_2 -groups P-521:X448", false),
];

/// The same with one of an RSA key.
const RSA: [Row; 7] = [
    ("-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256", true),
    ("-tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384", true),
    ("-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305", true),
    ("-tls1_2 -cipher ECDHE-RSA-AES128-SHA256", false),
    ("-tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256", false),
    ("-tls1_2 -cipher AES128-GCM-SHA256", false),
    (
        "-tls1_2 -cipher ALL:!ECDHE+AESGCM:!ECDHE+CHACHA20:@SECLEVEL=0",
        false,
    ),
];

/// How certificates are made.
const CERTIFICATES: [Row; 9] = [
    ("-newkey ec -pkeyopt ec_paramgen_curve:P-256", true),
    ("-newkey ec -pkeyopt ec_paramgen_curve:P-384", true),
    ("-newkey ed25519", true),
    ("-newkey rsa:2048", true),
    ("-newkey rsa:2048 -sha384", true),
    ("-newkey ec -pkeyopt ec_paramgen_curve:P-521", false),
    ("-newkey ed448", false),
    ("-newkey rsa:1024", false),
    ("-newkey rsa:2048 -sha1", false),
];

fn what_readme_names_is_spoken_with_openssl_and_nothing_else() {
    needs::tools(&["openssl"]);
    let openssl = Openssl::new();
    for (key, rows) in [
        ("-newkey ec -pkeyopt ec_paramgen_curve:P-256", &ECDSA[..]),
        ("-newkey rsa:2048", &RSA),
    ] {
        let identity = openssl.sign(key);
        for (options, is_spoken) in rows {
            assert_spoken(&openssl, &identity, options, *is_spoken);
        }
    }
    for (key, is_trusted) in CERTIFICATES {
        let options = "-cipher DEFAULT@SECLEVEL=0";
        assert_spoken(&openssl, &openssl.sign(key), options, is_trusted);
    }
}

fn assert_spoken(openssl: &Openssl, identity: &str, options: &str, is_spoken: bool) {
    let authority = openssl.pem();
    let server = SServer::start(identity, &authority, options);
    let config = config().ca_pem(&authority).max_attempts(1);
    let outcome = config.client(&server.endpoint()).example();
    let printed = server.printed();
    let case = format!("{options}: {outcome:?}\n{printed}");
    assert_eq!(printed.contains(REQUEST), is_spoken, "{case}");
    if is_spoken {
        assert!(outcome.is(Status::OK), "{case}");
        return;
    }
    assert!(outcome.is(Status::TLS_FAILED), "{case}");
    assert!(!outcome.outcome_unknown, "{case}");
    // It is not the server that is at fault.
    s_client(server.port(), REQUEST);
    server.wait_for(REQUEST);
    assert_eq!(server.finish().matches(REQUEST).count(), 1, "{case}");
}

/// A server, and a client that trusts it.
fn server_and_client(options: &str) -> (SServer, Client) {
    let authority = Authority::new();
    let identity = authority.sign(&["127.0.0.1"]).pem_with_key();
    let server = SServer::start(&identity, &authority.pem(), options);
    let config = config().ca_pem(authority.pem());
    let client = config.client(&server.endpoint());
    (server, client)
}

fn a_server_may_ask_for_another_key_exchange_first() {
    needs::tools(&["openssl"]);
    let (server, client) = server_and_client("-tls1_3 -groups P-384 -msg");
    for _ in 0..2 {
        let outcome = client.example();
        assert!(outcome.is(Status::OK), "{outcome:?}");
    }
    let printed = server.finish();
    assert_eq!(printed.matches("ClientHello").count(), 2, "{printed}");
    assert_eq!(printed.matches(REQUEST).count(), 2, "{printed}");
}

fn a_second_connection_takes_up_the_session_of_the_first_where_the_server_lets_it() {
    needs::tools(&["openssl"]);
    for (options, is_taken_up) in [
        ("-tls1_3", true),
        ("-tls1_3 -no_ticket", true),
        ("-tls1_3 -num_tickets 0", false),
        ("-tls1_2", true),
        ("-tls1_2 -no_ticket", true),
        ("-tls1_2 -no_ticket -no_cache", false),
    ] {
        let (server, client) = server_and_client(options);
        for _ in 0..2 {
            for _ in 0..2 {
                let outcome = client.example();
                assert!(outcome.is(Status::OK), "{options}: {outcome:?}");
            }
            client.close_idle();
        }
        let printed = server.finish();
        assert_eq!(
            printed.matches("CIPHER is").count(),
            2,
            "{options}: {printed}"
        );
        assert_eq!(
            printed.contains("Reused session"),
            is_taken_up,
            "{options}: {printed}"
        );
    }
}

fn a_server_that_wants_a_client_certificate_gets_it_or_no_request() {
    needs::tools(&["openssl"]);
    let (authority, other) = (Authority::new(), Authority::new());
    let identity = authority.sign(&["127.0.0.1"]).pem_with_key();
    let ours = authority.sign_for_clients("client.test").pem_with_key();
    let wrong = other.sign_for_clients("client.test").pem_with_key();
    for version in ["-tls1_2", "-tls1_3"] {
        for (shown, status) in [
            (Some(&ours), Status::OK),
            (Some(&wrong), Status::TLS_FAILED),
            (None, Status::TLS_FAILED),
        ] {
            let options =
                format!("{version} -Verify 1 -verify_return_error -CAfile @folder@/ca.pem");
            let server = SServer::start(&identity, &authority.pem(), &options);
            let mut config = config().ca_pem(authority.pem());
            if let Some(shown) = shown {
                config = config.client_certificate(shown);
            }
            let outcome = config.client(&server.endpoint()).example();
            let printed = server.finish();
            let case = format!("{version}: {outcome:?}\n{printed}");
            assert!(outcome.is(status), "{case}");
            assert!(!outcome.outcome_unknown, "{case}");
            assert_eq!(printed.contains(REQUEST), status == Status::OK, "{case}");
        }
    }
}
