//! Memory that forgets a client's own credentials: while it has them, after each call, and after it is
//! freed, no writable memory of the host has 16 bytes of a token, of a secret key (nor as HMAC pads it) or
//! of a security token.
//!
//! Of the library as it is shipped, as in traces.rs.

use std::io::Write;
use std::net::TcpListener;

use fpga_associate::status::Status;
use support::certificates::{Authority, tls_server, tls_server_with};
use support::raw::{Then, answer};
use support::traces::{Host, answers, random};

const CLIENTS_OWN: [&str; 3] = ["token", "access-key", "granted"];

/// A token in which a search for the service's words often finds where they begin and end.
fn misleading(length: usize) -> String {
    let letters = random(length);
    let letters = letters.char_indices().map(|(at, letter)| match at % 16 {
        0 => 'r',
        14 => 't',
        _ => letter,
    });
    letters.collect()
}

/// What the service says of a signature that is wrong: it shows the request as it has it.
fn echo(host: &Host<'_>) -> Vec<u8> {
    let token = &host.token;
    let text = format!(
        "Incorrect IAM authentication information: verify aksk signature fail, \
         canonicalRequest:POST|/v1/x/||host:h|x-sdk-date:20260101T000000Z|x-security-token:{token}||\
         host;x-sdk-date;x-security-token|44136f"
    );
    let body = format!(r#"{{"error_code":"APIGW.0301","error_msg":"{text}"}}"#);
    answer(401, "X-Request-Id: one\r\n", body)
}

#[test]
fn calls_without_tls_leave_nothing_of_a_clients_own_credentials_behind() {
    let server = answers(vec![answer(204, "", "")]);
    for whose in CLIENTS_OWN {
        let host = Host {
            whose,
            ..Host::default()
        };
        host.forgets(&server.endpoint(), &[Status::OK; 4]);
    }
}

#[test]
fn calls_over_tls_leave_nothing_of_a_clients_own_credentials_behind() {
    let authority = Authority::new();
    let server = tls_server(authority.sign(&["127.0.0.1"]));
    for whose in CLIENTS_OWN {
        let host = Host {
            whose,
            ca_file: Some(&authority.file()),
            ..Host::default()
        };
        host.forgets(&format!("https://{}", server.address()), &[Status::OK; 4]);
    }
}

#[test]
fn long_credentials_of_a_clients_own_leave_nothing_behind() {
    let server = answers(vec![answer(204, "", "")]);
    for whose in CLIENTS_OWN {
        // A secret key over a block is hashed before it is padded, and most of it is in the last block.
        let host = Host {
            whose,
            token: random(60_000),
            secret_key: random(120),
            ..Host::default()
        };
        host.forgets(&server.endpoint(), &[Status::OK; 3]);
    }
}

#[test]
fn refusals_that_repeat_the_security_token_leave_nothing_behind() {
    for whose in CLIENTS_OWN {
        let host = Host {
            whose,
            token: misleading(2000),
            ..Host::default()
        };
        let server = answers(vec![echo(&host)]);
        host.forgets(&server.endpoint(), &[Status::UNAUTHORIZED; 3]);
    }
}

#[test]
fn refusals_over_tls_that_repeat_the_security_token_leave_nothing_behind() {
    let authority = Authority::new();
    for whose in CLIENTS_OWN {
        let host = Host {
            whose,
            token: misleading(2000),
            ca_file: Some(&authority.file()),
            ..Host::default()
        };
        let echo = echo(&host);
        let server = tls_server_with(authority.sign(&["127.0.0.1"]), move |_, stream| {
            stream.write_all(&echo).ok();
            Then::Keep
        });
        let endpoint = format!("https://{}", server.address());
        host.forgets(&endpoint, &[Status::UNAUTHORIZED; 3]);
    }
}

#[test]
fn calls_that_end_early_leave_nothing_of_a_clients_own_credentials_behind() {
    let (trusted, other) = (Authority::new(), Authority::new());
    let ca_file = trusted.file();
    let stranger = tls_server(other.sign(&["127.0.0.1"]));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let (closing, willing) = (
        answers(vec![Vec::new()]),
        answers(vec![answer(204, "", "")]),
    );
    for whose in CLIENTS_OWN {
        let host = |more| Host {
            whose,
            ca_file: Some(&ca_file),
            more,
            ..Host::default()
        };
        let strange = format!("https://{}", stranger.address());
        host(&[]).forgets(&strange, &[Status::TLS_FAILED; 2]);
        host(&[]).forgets(&nobody, &[Status::CONNECT_FAILED; 2]);
        host(&[]).forgets(&closing.endpoint(), &[Status::CONNECTION_LOST; 2]);
        host(&["shutdown"]).forgets(&willing.endpoint(), &[Status::CANCELLED; 2]);
    }
}
