//! A server whose certificate is good gets the request as over plain HTTP; another gets no byte of it.

use std::io::{Read, Write};
use std::path::Path;

use fpga_associate::status::Status;
use rustls::version::{TLS12, TLS13};
use support::call::TOKEN;
use support::certificates::{
    Authority, TlsStream, self_signed, tls_server, tls_server_on, tls_server_with,
};
use support::needs;
use support::raw::{NO_CONTENT, Server, Then, Visit};
use support::trust::{
    assert_tls_failed, assert_was_asked, make_calls, outcome_trusting, outcomes_of,
};

support::tests! {
    #[ignore = "made by the other tests, in a process of its own"]
    one_call,
    a_server_whose_certificate_is_not_good_gets_no_byte_of_the_request,
    a_server_whose_certificate_is_good_gets_the_request,
    a_server_of_ipv6_whose_certificate_is_good_gets_the_request,
    tls_1_2_and_1_3_are_spoken,
    a_server_that_does_not_complete_the_handshake_gets_no_byte_of_the_request,
    one_failed_handshake_does_not_spoil_the_next,
    a_kept_connection_that_ended_is_replaced_over_tls_too,
    an_answer_over_tls_that_ends_too_early_is_a_lost_connection,
}

/// Makes a call at each endpoint that the environment names; nothing without one.
fn one_call() {
    make_calls();
}

fn a_server_whose_certificate_is_not_good_gets_no_byte_of_the_request() {
    let trusted = Authority::new();
    let unknown = Authority::new();
    let good = ["localhost", "127.0.0.1"];
    for (case, identity, endpoint) in [
        ("unknown authority", unknown.sign(&good), "localhost"),
        ("self-signed", self_signed(&good), "localhost"),
        ("expired", trusted.sign_expired("localhost"), "localhost"),
        (
            "not yet valid",
            trusted.sign_not_yet_valid("localhost"),
            "localhost",
        ),
        (
            "another host",
            trusted.sign(&["ecs.example.com"]),
            "localhost",
        ),
        (
            "a longer host",
            trusted.sign(&["localhost.example.com"]),
            "localhost",
        ),
        ("hosts below", trusted.sign(&["*.localhost"]), "localhost"),
        ("all hosts", trusted.sign(&["*"]), "localhost"),
        (
            "an address for a name",
            trusted.sign(&["127.0.0.1"]),
            "localhost",
        ),
        (
            "a name for an address",
            trusted.sign(&["localhost"]),
            "127.0.0.1",
        ),
        ("another address", trusted.sign(&["127.0.0.2"]), "127.0.0.1"),
        (
            "only a common name",
            trusted.sign_common_name_only("localhost"),
            "localhost",
        ),
        (
            "a client's certificate",
            trusted.sign_for_clients("localhost"),
            "localhost",
        ),
        ("no host", trusted.sign(&[]), "localhost"),
    ] {
        let server = tls_server(identity);
        let endpoint = format!("{endpoint}:{}", server.port());
        let outcome = outcome_trusting(&trusted.file(), &endpoint);
        assert_tls_failed(&outcome, case);
        assert!(outcome.message.contains(&endpoint), "{case}: {outcome:?}");
        let seen = server.finish();
        assert_eq!(seen.requests, [], "{case}");
        assert!(seen.connections >= 1, "{case}");
    }
}

fn a_server_whose_certificate_is_good_gets_the_request() {
    let hosts = ["localhost", "127.0.0.1", "::1"];
    for (case, hosts, endpoint) in [
        ("a name", &hosts[..1], "localhost:PORT"),
        ("with a scheme", &hosts, "https://localhost:PORT/"),
        ("in capitals", &hosts, "LOCALHOST:PORT"),
        ("an address", &hosts[1..2], "127.0.0.1:PORT"),
        ("an address with a scheme", &hosts, "https://127.0.0.1:PORT"),
    ] {
        assert_gets_the_request(case, "127.0.0.1:0", hosts, endpoint);
    }
}

fn a_server_of_ipv6_whose_certificate_is_good_gets_the_request() {
    needs::ipv6();
    for (case, endpoint) in [
        ("short", "https://[::1]:PORT"),
        ("in full", "[0:0:0:0:0:0:0:1]:PORT"),
    ] {
        assert_gets_the_request(case, "[::1]:0", &["::1"], endpoint);
    }
}

fn assert_gets_the_request(case: &str, listens_on: &str, hosts: &[&str], endpoint: &str) {
    let authority = Authority::new();
    let server = tls_server_on(listens_on, authority.sign(hosts), rustls::ALL_VERSIONS).unwrap();
    let endpoint = endpoint.replace("PORT", &server.port().to_string());
    let outcome = outcome_trusting(&authority.file(), &endpoint);
    assert!(outcome.is(Status::OK), "{case}: {outcome:?}");
    assert_was_asked(&server.finish(), 1, case);
}

fn tls_1_2_and_1_3_are_spoken() {
    let authority = Authority::new();
    for (case, version) in [("TLS 1.2", &TLS12), ("TLS 1.3", &TLS13)] {
        let identity = authority.sign(&["localhost"]);
        let server = tls_server_on("127.0.0.1:0", identity, &[version]).unwrap();
        let endpoint = format!("localhost:{}", server.port());
        let outcomes = outcomes_of(
            &[&endpoint, &endpoint],
            &[("SSL_CERT_FILE", &authority.file())],
        );
        for outcome in outcomes {
            assert!(outcome.is(Status::OK), "{case}: {outcome:?}");
        }
        let seen = server.finish();
        assert_was_asked(&seen, 2, case);
        assert_eq!(seen.connection_of_each(), [0, 0], "{case}");
    }
}

fn a_server_that_does_not_complete_the_handshake_gets_no_byte_of_the_request() {
    let authority = Authority::new();
    let server_hello_of_another_record = b"\x16\x03\x03\x00\x04\x02\x00\x00\x00";
    for (case, answer) in [
        ("closes at once", &b""[..]),
        (
            "speaks HTTP",
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        ),
        ("speaks SSH", b"SSH-2.0-x\r\n"),
        ("sends NUL bytes", &[0; 64]),
        ("sends half a record", b"\x16\x03\x03\x01\x00\x02\x00"),
        ("sends an empty hello", server_hello_of_another_record),
        ("sends an alert", b"\x15\x03\x03\x00\x02\x02\x28"),
        ("says goodbye", b"\x15\x03\x03\x00\x02\x01\x00"),
        ("sends data", b"\x17\x03\x03\x00\x05hello"),
    ] {
        for reads_first in [true, false] {
            let server = Server::serve(move |mut visit: Visit| {
                if reads_first {
                    let mut hello = vec![0; 16 * 1024];
                    let amount = visit.stream.read(&mut hello).unwrap_or(0);
                    hello.truncate(amount);
                    visit.record(hello, false);
                }
                visit.stream.write_all(answer).ok();
            });
            let endpoint = format!("https://127.0.0.1:{}", server.port());
            let outcome = outcome_trusting(&authority.file(), &endpoint);
            let case = format!("{case}, reads first: {reads_first}");
            assert_tls_failed(&outcome, &case);
            for request in server.finish().requests {
                let text = String::from_utf8_lossy(&request.bytes);
                assert!(!text.contains("POST"), "{case}: {text}");
                assert!(!text.contains(TOKEN), "{case}: {text}");
            }
        }
    }
}

fn one_failed_handshake_does_not_spoil_the_next() {
    let authority = Authority::new();
    let bad = tls_server(self_signed(&["localhost"]));
    let good = tls_server(authority.sign(&["localhost"]));
    let bad_endpoint = format!("localhost:{}", bad.port());
    let good_endpoint = format!("localhost:{}", good.port());
    let outcomes = outcomes_of(
        &[&bad_endpoint, &good_endpoint, &bad_endpoint, &good_endpoint],
        &[("SSL_CERT_FILE", &authority.file())],
    );
    assert_tls_failed(&outcomes[0], "first");
    assert!(outcomes[1].is(Status::OK), "{:?}", outcomes[1]);
    assert_tls_failed(&outcomes[2], "third");
    assert!(outcomes[3].is(Status::OK), "{:?}", outcomes[3]);
    assert_eq!(bad.finish().requests, []);
    assert_was_asked(&good.finish(), 2, "good");
}

fn a_kept_connection_that_ended_is_replaced_over_tls_too() {
    let authority = Authority::new();
    let succeed = |stream: &mut TlsStream<'_>| stream.write_all(NO_CONTENT).unwrap();
    for (case, says_goodbye) in [("with a goodbye", true), ("without one", false)] {
        for (when, closing) in [("idle", 0), ("silently", 1)] {
            let case = format!("{when}, {case}");
            let identity = authority.sign(&["localhost"]);
            let server = tls_server_with(identity, move |nth, stream| {
                let is_silent = closing == 1 && nth == 1;
                if !is_silent {
                    succeed(stream);
                }
                if nth != closing {
                    return Then::Keep;
                }
                if says_goodbye {
                    stream.conn.send_close_notify();
                    stream.flush().ok();
                }
                Then::Close
            });
            let endpoint = format!("localhost:{}", server.port());
            let trust: &[(&str, &Path)] = &[("SSL_CERT_FILE", &authority.file())];
            for outcome in outcomes_of(&[&endpoint, &endpoint], trust) {
                assert!(outcome.is(Status::OK), "{case}: {outcome:?}");
            }
            let expected: &[usize] = if closing == 0 { &[0, 1] } else { &[0, 0, 1] };
            let seen = server.finish();
            assert_eq!(seen.connection_of_each(), expected, "{case}");
        }
    }
}

fn an_answer_over_tls_that_ends_too_early_is_a_lost_connection() {
    let authority = Authority::new();
    for (case, beginning, http_status) in [
        ("nothing", "", 0),
        ("half a head", "HTTP/1.1 204 No Con", 0),
        (
            "half a body",
            "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
            200,
        ),
    ] {
        for says_goodbye in [true, false] {
            let identity = authority.sign(&["localhost"]);
            let server = tls_server_with(identity, move |_, stream| {
                stream.write_all(beginning.as_bytes()).unwrap();
                if says_goodbye {
                    stream.conn.send_close_notify();
                }
                stream.flush().unwrap();
                Then::Close
            });
            let endpoint = format!("localhost:{}", server.port());
            let outcome = outcome_trusting(&authority.file(), &endpoint);
            let case = format!("{case}, says goodbye: {says_goodbye}: {outcome:?}");
            assert!(outcome.is(Status::CONNECTION_LOST), "{case}");
            assert!(outcome.outcome_unknown, "{case}");
            assert_eq!(outcome.http_status, http_status, "{case}");
            // Sent once; then the list is asked what became of it.
            let mut seen = server.finish();
            seen.requests
                .retain(|request| !request.bytes.starts_with(b"GET "));
            assert_was_asked(&seen, 1, &case);
        }
    }
}
