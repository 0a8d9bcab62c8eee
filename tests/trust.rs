//! Certificates as system administrators have them: the server's own, files of all kinds, a client's.

mod support;

use std::ffi::CString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::ptr;

use fpga_associate::capi;
use fpga_associate::status::Status;
use rustls::version::{TLS12, TLS13};
use support::call::{self, Outcome};
use support::certificates::{
    Authority, Identity, pem, self_signed, self_signed_authority, self_signed_authority_expired,
    self_signed_authority_for_clients, self_signed_expired, tls_server, tls_server_asking,
};
use support::client::{Config, config};
use support::raw::Server;

fn endpoint(server: &Server) -> String {
    format!("https://127.0.0.1:{}", server.port())
}

fn outcome_trusting(pem: impl AsRef<[u8]>, server: &Server) -> Outcome {
    let client = config().ca_pem(pem).client(&endpoint(server));
    client.example()
}

/// The outcome of a setter that takes bytes.
fn set(
    setter: unsafe extern "C" fn(*mut capi::fpga_assoc_config, *const i8, usize) -> i32,
    config: &Config,
    pem: &[u8],
) -> Outcome {
    // SAFETY: both live for the call.
    call::outcome(unsafe { setter(config.as_ptr(), pem.as_ptr().cast(), pem.len()) })
}

fn set_ca_pem(pem: impl AsRef<[u8]>) -> Outcome {
    set(capi::fpga_assoc_config_set_ca_pem, &config(), pem.as_ref())
}

fn set_client_certificate(pem: impl AsRef<[u8]>) -> Outcome {
    let setter = capi::fpga_assoc_config_set_client_certificate;
    set(setter, &config(), pem.as_ref())
}

fn set_ca_file(path: &Path) -> Outcome {
    let config = config();
    let path = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: both live for the call.
    call::outcome(unsafe { capi::fpga_assoc_config_set_ca_file(config.as_ptr(), path.as_ptr()) })
}

fn assert_refused(outcome: &Outcome, words: &str, case: &str) {
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{case}: {outcome:?}");
    assert!(outcome.message.contains(words), "{case}: {outcome:?}");
}

#[test]
fn a_server_whose_own_certificate_is_given_is_trusted() {
    let authority = Authority::new();
    let signed = |hosts: &[&str]| authority.sign(hosts);
    type Make<'a> = &'a dyn Fn(&[&str]) -> Identity;
    let kinds: [(&str, Make<'_>); 3] = [
        ("self-signed", &self_signed),
        ("self-signed, CA:TRUE", &self_signed_authority),
        ("pinned", &signed),
    ];
    for (case, make) in kinds {
        let good = make(&["127.0.0.1"]);
        let pem = good.pem();
        let outcome = outcome_trusting(&pem, &tls_server(good));
        assert!(outcome.is(Status::OK), "{case}: {outcome:?}");

        let other_host = make(&["other.test"]);
        let pem = other_host.pem();
        let outcome = outcome_trusting(&pem, &tls_server(other_host));
        assert!(outcome.is(Status::TLS_FAILED), "{case}: {outcome:?}");
        assert!(
            outcome.message.contains("other.test"),
            "{case}: {outcome:?}"
        );

        // One of the same names with another key.
        let outcome = outcome_trusting(&pem, &tls_server(make(&["127.0.0.1"])));
        assert!(outcome.is(Status::TLS_FAILED), "{case}: {outcome:?}");
    }
}

#[test]
fn an_authority_that_has_expired_is_trusted_no_more() {
    let authority = Authority::expired();
    let server = tls_server(authority.sign(&["127.0.0.1"]));
    let outcome = outcome_trusting(authority.pem(), &server);
    assert!(outcome.is(Status::TLS_FAILED), "{outcome:?}");
    assert!(outcome.message.contains("not expired"), "{outcome:?}");
}

#[test]
fn a_certificate_for_other_uses_is_no_servers_though_it_is_given() {
    for identity in [
        self_signed_authority_for_clients(&["127.0.0.1"]),
        Authority::new().sign_for_clients("127.0.0.1"),
    ] {
        let pem = identity.pem();
        let outcome = outcome_trusting(&pem, &tls_server(identity));
        assert!(outcome.is(Status::TLS_FAILED), "{outcome:?}");
        assert!(
            outcome.message.contains("not meant for servers"),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_server_whose_own_certificate_has_expired_is_not_trusted_though_it_is_given() {
    let authority = Authority::new();
    for (case, expired) in [
        ("self-signed", self_signed_expired(&["127.0.0.1"])),
        ("CA:TRUE", self_signed_authority_expired(&["127.0.0.1"])),
        ("pinned", authority.sign_expired("127.0.0.1")),
    ] {
        let pem = expired.pem();
        let outcome = outcome_trusting(&pem, &tls_server(expired));
        assert!(outcome.is(Status::TLS_FAILED), "{case}: {outcome:?}");
        assert!(
            outcome.message.contains("expired on"),
            "{case}: {outcome:?}"
        );
        assert!(
            outcome.message.contains("clock says"),
            "{case}: {outcome:?}"
        );
    }
}

#[test]
fn certificates_are_read_in_all_the_forms_that_they_come_in() {
    /// The uses of `openssl x509 -addtrust serverAuth`, `-addreject serverAuth`, and `-addtrust
    /// clientAuth`.
    const FOR_SERVERS: &[u8] = &[48, 12, 48, 10, 6, 8, 43, 6, 1, 5, 5, 7, 3, 1];
    const NOT_FOR_SERVERS: &[u8] = &[48, 12, 160, 10, 6, 8, 43, 6, 1, 5, 5, 7, 3, 1];
    const FOR_CLIENTS: &[u8] = &[48, 12, 48, 10, 6, 8, 43, 6, 1, 5, 5, 7, 3, 2];

    let trusted = self_signed(&["127.0.0.1"]);
    let another = self_signed(&["127.0.0.1"]);
    let other = another.pem();
    let plain = trusted.pem();
    let forms = [
        plain.clone(),
        format!("\u{feff}{plain}"),
        plain.replace('\n', "\r\n"),
        format!("Subject: CN=a test\n  Serial: 17\n\n{plain}\ntrailing words"),
        format!("{other}{plain}"),
        format!("{plain}{plain}"),
        pem("X509 CERTIFICATE", trusted.der()),
        trusted.trusted_pem(&[]),
        trusted.trusted_pem(FOR_SERVERS),
        // Beside another that is not for servers, and in the middle of a line.
        format!("{}{plain}", another.trusted_pem(NOT_FOR_SERVERS)),
        format!("a comment with -----BEGIN CERTIFICATE----- in it\n{plain}"),
    ];
    let rejected = trusted.trusted_pem(NOT_FOR_SERVERS);
    let contradicted = format!("{rejected}{plain}");
    let cut = trusted.trusted_pem(&NOT_FOR_SERVERS[..NOT_FOR_SERVERS.len() - 1]);
    let for_clients = trusted.trusted_pem(FOR_CLIENTS);
    let server = tls_server(trusted);
    for form in forms {
        let outcome = outcome_trusting(&form, &server);
        assert!(outcome.is(Status::OK), "{form}: {outcome:?}");
    }
    assert_refused(&set_ca_pem(rejected), "trusted for servers", "rejected");
    assert_refused(&set_ca_pem(contradicted), "trusted for servers", "both");
    assert_refused(&set_ca_pem(cut), "no readable way", "cut");
    assert_refused(
        &set_ca_pem(for_clients),
        "trusted for servers",
        "for clients",
    );
}

#[test]
fn a_block_that_is_no_certificate_is_refused_and_named() {
    let good = self_signed(&["127.0.0.1"]);
    let pem = good.pem();
    let cut = pem.split("-----END").next().unwrap();
    for (case, text, words) in [
        ("nothing", String::new(), "no certificate"),
        ("text", "not a certificate".to_owned(), "no certificate"),
        (
            "a key behind it",
            good.pem_with_key(),
            "block 2 is no certificate but \"PRIVATE KEY\"",
        ),
        (
            "not Base64",
            "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n".to_owned(),
            "block 1 is not Base64",
        ),
        (
            "not DER",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(),
            "block 1 holds no certificate",
        ),
        ("without its end", cut.to_owned(), "block 1 has no end"),
        (
            "a bad one behind a good one",
            format!("{pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "block 2",
        ),
        (
            "a label without its end",
            "-----BEGIN CERTIF".to_owned(),
            "block 1",
        ),
        (
            "a key behind a broken label",
            "-----BEGIN RSA PRIVATE KEY\nMIIEsecret".to_owned(),
            "block 1 is no certificate",
        ),
    ] {
        let outcome = set_ca_pem(&text);
        assert_refused(&outcome, words, case);
        assert!(!outcome.message.contains("secret"), "{outcome:?}");
    }
    let config = config();
    // SAFETY: the configuration is alive; NULL is what is tried.
    let outcome = call::outcome(unsafe {
        capi::fpga_assoc_config_set_ca_pem(config.as_ptr(), ptr::null(), 0)
    });
    assert_refused(&outcome, "ca_pem: is NULL", "NULL");
}

#[test]
fn only_a_regular_file_of_bounded_length_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    let name = CString::new(fifo.to_str().unwrap()).unwrap();
    // SAFETY: the name ends in NUL.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let long = folder.path().join("long");
    fs::File::create(&long)
        .unwrap()
        .set_len(17 * 1024 * 1024)
        .unwrap();
    for (path, words) in [
        (fifo.as_path(), "not a regular file"),
        (Path::new("/dev/zero"), "not a regular file"),
        (Path::new("/dev/null"), "not a regular file"),
        (folder.path(), "not a regular file"),
        (long.as_path(), "16 MiB"),
        (Path::new("/nowhere"), "No such file"),
    ] {
        assert_refused(&set_ca_file(path), words, &path.display().to_string());
    }
    let large = vec![b' '; 17 * 1024 * 1024];
    assert_refused(&set_ca_pem(large), "16 MiB", "memory");
}

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

#[test]
fn a_tls_failure_is_told_in_words_that_help() {
    let authority = Authority::new();
    let unknown = Authority::new();
    let file = authority.pem();
    for (case, identity, words) in [
        (
            "unknown authority",
            unknown.sign(&["127.0.0.1"]),
            "not signed by an authority that is trusted here",
        ),
        (
            "self-signed",
            self_signed(&["127.0.0.1"]),
            "not signed by an authority",
        ),
        (
            "CA:TRUE",
            self_signed_authority(&["127.0.0.1"]),
            "(CA:TRUE)",
        ),
        (
            "expired",
            authority.sign_expired("127.0.0.1"),
            "expired on Fri, 01 Jan 2021 00:00:00 GMT",
        ),
        (
            "not yet",
            authority.sign_not_yet_valid("127.0.0.1"),
            "is not valid before Fri, 01 Jan 2900",
        ),
        (
            "another host",
            authority.sign(&["other.test"]),
            "is not for 127.0.0.1; it names",
        ),
        (
            "no host",
            authority.sign_common_name_only("127.0.0.1"),
            "names no host",
        ),
        (
            "for clients",
            authority.sign_for_clients("127.0.0.1"),
            "not meant for servers",
        ),
    ] {
        let outcome = outcome_trusting(&file, &tls_server(identity));
        assert!(outcome.is(Status::TLS_FAILED), "{case}: {outcome:?}");
        assert!(outcome.message.contains(words), "{case}: {outcome:?}");
        // As Rust shows values to programmers.
        for sign in ["{", "}", "::", "Error", "Context", "\""] {
            assert!(!outcome.message.contains(sign), "{case}: {outcome:?}");
        }
    }
}

/// The system's store is where it is, so the test gives itself a machine of its own: a mount
/// namespace in which that folder is another.
#[test]
fn the_systems_bundle_and_its_folder_are_one_store() {
    const FOLDER: &str = "FPGA_ASSOCIATE_TEST_STORE";
    const SCRIPT: &str = r#"mount --bind "$1" /etc/ssl/certs && shift && exec "$@""#;
    let test = "the_systems_bundle_and_its_folder_are_one_store";
    if let Ok(endpoints) = std::env::var(FOLDER) {
        for endpoint in endpoints.split_whitespace() {
            println!(
                "\nstatus {}",
                support::client::config().client(endpoint).example().status
            );
        }
        return;
    }
    if !support::slow::has_namespaces() || !Path::new("/etc/ssl/certs").exists() {
        return;
    }
    let [in_bundle, in_folder, nowhere] = [(); 3].map(|()| Authority::new());
    let store = tempfile::tempdir().unwrap();
    fs::write(store.path().join("ca-certificates.crt"), in_bundle.pem()).unwrap();
    fs::write(store.path().join("0a1b2c3d.0"), in_folder.pem()).unwrap();
    fs::write(store.path().join("not-hashed.pem"), nowhere.pem()).unwrap();
    let servers = [in_bundle, in_folder, nowhere].map(|by| tls_server(by.sign(&["127.0.0.1"])));
    let output = Command::new("unshare")
        .args([
            &support::slow::namespace_flags("-m"),
            "sh",
            "-c",
            SCRIPT,
            "sh",
        ])
        .arg(store.path())
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR")
        .env(FOLDER, servers.each_ref().map(endpoint).join(" "))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let told: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("status"))
        .collect();
    assert_eq!(told, ["status 0", "status 0", "status 5"], "{output:?}");
}
