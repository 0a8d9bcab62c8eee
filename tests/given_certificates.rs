//! A server whose own certificate or whose authority is given is trusted, where both are good for it.

use fpga_associate::status::Status;
use support::certificates::{
    Authority, Identity, self_signed, self_signed_authority, self_signed_authority_expired,
    self_signed_authority_for_clients, self_signed_expired, tls_server,
};
use support::given::outcome_trusting;

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
