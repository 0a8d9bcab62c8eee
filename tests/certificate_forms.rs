//! Certificates are read in all the forms that they come in; what is no certificate is refused and named.

use std::ffi::CString;
use std::fs;
use std::path::Path;
use std::ptr;

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call;
use support::certificates::{pem, self_signed, tls_server};
use support::client::config;
use support::given::{assert_refused, outcome_trusting, set_ca_file, set_ca_pem};

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
