//! Trusted are the certificates that the environment names, or else the system's, and no others.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use fpga_associate::status::Status;
use support::certificates::{Authority, tls_server};
use support::given::endpoint;
use support::raw::{NO_CONTENT, Server, Then};
use support::trust::{
    assert_tls_failed, assert_was_asked, make_calls, outcome_of, outcome_trusting,
};

support::tests! {
    #[ignore = "made by the other tests, in a process of its own"]
    one_call,
    trusted_certificates_are_those_that_the_environment_names,
    a_store_that_is_named_and_holds_nothing_is_an_error_that_names_it_and_no_reason_to_trust_others,
    plain_http_to_this_machine_needs_no_trusted_certificates,
    the_systems_bundle_and_its_folder_are_one_store,
    trusted_certificates_are_read_once_a_process,
}

/// Makes a call at each endpoint that the environment names; nothing without one.
fn one_call() {
    make_calls();
}

fn trusted_certificates_are_those_that_the_environment_names() {
    let one = Authority::new();
    let other = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let pem = |authority: &Authority| fs::read(authority.file()).unwrap();
    let both = in_folder("both.pem", &[pem(&other), pem(&one)].concat());
    let with_words = in_folder(
        "words.pem",
        &[b"# An authority\n".to_vec(), pem(&one), b"\nend\n".to_vec()].concat(),
    );
    let (one_file, one_folder) = (one.file(), one.folder());
    let (other_file, other_folder) = (other.file(), other.folder());
    for (case, trust, accepted) in [
        ("a file", vec![("SSL_CERT_FILE", &one_file)], true),
        ("a folder", vec![("SSL_CERT_DIR", &one_folder)], true),
        ("a file with two", vec![("SSL_CERT_FILE", &both)], true),
        (
            "a file with words",
            vec![("SSL_CERT_FILE", &with_words)],
            true,
        ),
        (
            "a file and another folder",
            vec![
                ("SSL_CERT_FILE", &one_file),
                ("SSL_CERT_DIR", &other_folder),
            ],
            true,
        ),
        (
            "a folder and another file",
            vec![
                ("SSL_CERT_FILE", &other_file),
                ("SSL_CERT_DIR", &one_folder),
            ],
            true,
        ),
        ("another file", vec![("SSL_CERT_FILE", &other_file)], false),
        (
            "another folder",
            vec![("SSL_CERT_DIR", &other_folder)],
            false,
        ),
        ("none named", vec![], false),
    ] {
        let server = tls_server(one.sign(&["localhost"]));
        let trust: Vec<(&str, &Path)> = trust
            .iter()
            .map(|(name, path)| (*name, path.as_path()))
            .collect();
        let outcome = outcome_of(&format!("localhost:{}", server.port()), &trust);
        if accepted {
            assert!(outcome.is(Status::OK), "{case}: {outcome:?}");
        } else {
            assert_tls_failed(&outcome, case);
        }
        assert_was_asked(&server.finish(), accepted.into(), case);
    }
}

fn a_store_that_is_named_and_holds_nothing_is_an_error_that_names_it_and_no_reason_to_trust_others()
{
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let garbage = "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n";
    let cut = fs::read_to_string(authority.file()).unwrap();
    fs::write(path("empty.pem"), "").unwrap();
    fs::write(path("words.pem"), "no certificate\n").unwrap();
    fs::write(path("garbage.pem"), garbage).unwrap();
    fs::write(path("cut.pem"), &cut[..cut.len() / 2]).unwrap();
    fs::write(path("bytes.pem"), b"\x30\x82\xff\xfe\0\0").unwrap();
    fs::create_dir(path("empty")).unwrap();
    for (variable, name) in [
        ("SSL_CERT_FILE", "missing.pem"),
        ("SSL_CERT_FILE", "empty.pem"),
        ("SSL_CERT_FILE", "words.pem"),
        ("SSL_CERT_FILE", "garbage.pem"),
        ("SSL_CERT_FILE", "cut.pem"),
        ("SSL_CERT_FILE", "bytes.pem"),
        ("SSL_CERT_FILE", "empty"),
        ("SSL_CERT_DIR", "missing"),
        ("SSL_CERT_DIR", "empty"),
        ("SSL_CERT_DIR", "empty.pem"),
    ] {
        let case = format!("{variable}={name}");
        let server = tls_server(authority.sign(&["localhost"]));
        let endpoint = format!("localhost:{}", server.port());
        let outcome = outcome_of(&endpoint, &[(variable, &path(name))]);
        assert_tls_failed(&outcome, &case);
        assert!(outcome.message.contains(variable), "{case}: {outcome:?}");
        assert_eq!(server.finish().requests, [], "{case}");
    }
}

fn plain_http_to_this_machine_needs_no_trusted_certificates() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let outcome = outcome_trusting(Path::new("missing.pem"), &server.endpoint());
    assert!(outcome.is(Status::OK), "{outcome:?}");
}

/// The system's store is where it is, so the test gives itself a machine of its own: a mount
/// namespace in which that folder is another.
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
    support::slow::needs_namespaces();
    support::needs::file("/etc/ssl/certs");
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
        .args(support::itself::words())
        .args([test, "--exact", "--nocapture"])
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR")
        .env(FOLDER, servers.each_ref().map(endpoint).join(" "))
        .output()
        .unwrap();
    assert_trusted_but_the_last(&output);
}

/// What calls to three servers printed.
fn assert_trusted_but_the_last(output: &Output) {
    let told = String::from_utf8_lossy(&output.stdout);
    let told: Vec<_> = told
        .lines()
        .filter(|line| line.starts_with("status"))
        .collect();
    assert_eq!(told, ["status 0", "status 0", "status 5"], "{output:?}");
}

/// The environment names another file from the first call on.
fn trusted_certificates_are_read_once_a_process() {
    const ENDPOINTS: &str = "FPGA_ASSOCIATE_TEST_READ_ONCE";
    const OTHER: &str = "FPGA_ASSOCIATE_TEST_OTHER_FILE";
    let test = "trusted_certificates_are_read_once_a_process";
    if let Ok(endpoints) = std::env::var(ENDPOINTS) {
        let other = std::env::var(OTHER).unwrap();
        for endpoint in endpoints.split_whitespace() {
            let outcome = support::client::config().client(endpoint).example();
            println!("\nstatus {}", outcome.status);
            // SAFETY: this test is alone in its process, and no other thread reads the environment now.
            unsafe { std::env::set_var("SSL_CERT_FILE", &other) };
        }
        return;
    }
    let [one, other] = [(); 2].map(|()| Authority::new());
    let servers = [&one, &one, &other].map(|by| tls_server(by.sign(&["127.0.0.1"])));
    let output = support::itself::command()
        .args([test, "--exact", "--nocapture"])
        .env("SSL_CERT_FILE", one.file())
        .env_remove("SSL_CERT_DIR")
        .env(OTHER, other.file())
        .env(ENDPOINTS, servers.each_ref().map(endpoint).join(" "))
        .output()
        .unwrap();
    assert_trusted_but_the_last(&output);
}
