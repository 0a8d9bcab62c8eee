//! Memory that forgets: after a call, and after the client is freed, no writable memory of the host has
//! 16 bytes of the token, of the body that was sent, or of a proxy's password.
//!
//! Of the library as it is shipped: without optimisation, values are moved about on the stack, and what
//! the stack has is moved with them.

use std::io::Write;
use std::net::TcpListener;

use fpga_associate::status::Status;
use support::certificates::{Authority, tls_server, tls_server_with};
use support::proxies::{answering_proxy, relay, socks_relay, tls_relay};
use support::raw::{Server, Then, answer};
use support::traces::{Host, answers, random};

const ESTABLISHED: &str = "HTTP/1.1 200 OK\r\n\r\n";

fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

#[test]
fn calls_without_tls_leave_nothing_behind() {
    let server = answers(vec![answer(204, "", "")]);
    Host::default().forgets(&server.endpoint(), &[Status::OK; 4]);
}

#[test]
fn long_tokens_leave_nothing_behind() {
    let server = answers(vec![answer(204, "", "")]);
    let host = Host {
        token: random(60_000),
        ..Host::default()
    };
    host.forgets(&server.endpoint(), &[Status::OK; 3]);
}

#[test]
fn calls_over_tls_leave_nothing_behind() {
    let authority = Authority::new();
    let server = tls_server(authority.sign(&["127.0.0.1"]));
    for length in [2000, 60_000] {
        let host = Host {
            token: random(length),
            ca_file: Some(&authority.file()),
            ..Host::default()
        };
        host.forgets(&format!("https://{}", server.address()), &[Status::OK; 4]);
    }
}

#[test]
fn refusals_that_repeat_the_token_leave_nothing_behind() {
    let host = Host::default();
    let echo = |head: &str, token: &str| {
        answer(
            401,
            head,
            format!(r#"{{"error_code":"x","error_msg":"wrong: {token}"}}"#),
        )
    };
    let escaped: String = host
        .token
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    let server = answers(vec![
        echo("", &host.token),
        echo(&format!("X-Request-Id: {}\r\n", &host.token[..64]), "no"),
        echo("", &escaped),
        answer(200, "", format!("<html>{}", host.token)),
    ]);
    let expected = [
        Status::UNAUTHORIZED,
        Status::UNAUTHORIZED,
        Status::UNAUTHORIZED,
    ];
    host.forgets(&server.endpoint(), &expected);
}

#[test]
fn failures_of_every_kind_leave_nothing_behind() {
    let lost = answers(vec![Vec::new()]);
    Host::default().forgets(&lost.endpoint(), &[Status::CONNECTION_LOST; 2]);

    let no_http = answers(vec![b"SSH-2.0\r\n\r\n".to_vec()]);
    Host::default().forgets(&no_http.endpoint(), &[Status::BAD_RESPONSE; 2]);

    let failing = answers(vec![answer(500, "", "no")]);
    Host::default().forgets(&failing.endpoint(), &[Status::SERVICE_FAILED; 2]);

    let no_answer = answers(vec![answer(200, "", "<html>")]);
    Host::default().forgets(&no_answer.endpoint(), &[Status::UNEXPECTED_STATUS; 2]);

    let (_listener, endpoint) = silent();
    let host = Host {
        timeout_ms: 600,
        ..Host::default()
    };
    host.forgets(&endpoint, &[Status::TIMEOUT; 2]);

    let (listener, endpoint) = silent();
    drop(listener);
    Host::default().forgets(&endpoint, &[Status::CONNECT_FAILED; 2]);

    let server = answers(vec![answer(204, "", "")]);
    let host = Host {
        more: &["shutdown"],
        ..Host::default()
    };
    host.forgets(&server.endpoint(), &[Status::CANCELLED; 2]);
}

#[test]
fn failures_over_tls_leave_nothing_behind() {
    let (trusted, other) = (Authority::new(), Authority::new());
    let ca_file = trusted.file();
    let host = || Host {
        ca_file: Some(&ca_file),
        ..Host::default()
    };
    let stranger = tls_server(other.sign(&["127.0.0.1"]));
    let endpoint = format!("https://{}", stranger.address());
    host().forgets(&endpoint, &[Status::TLS_FAILED; 2]);

    let closing = tls_server_with(trusted.sign(&["127.0.0.1"]), |_, _| Then::Close);
    let endpoint = format!("https://{}", closing.address());
    host().forgets(&endpoint, &[Status::CONNECTION_LOST; 2]);

    let host = host();
    let echo = answer(400, "", &host.token);
    let refusing = tls_server_with(trusted.sign(&["127.0.0.1"]), move |_, stream| {
        stream.write_all(&echo).ok();
        Then::Keep
    });
    let endpoint = format!("https://{}", refusing.address());
    host.forgets(&endpoint, &[Status::REJECTED; 3]);
}

#[test]
fn calls_through_proxies_leave_nothing_behind() {
    let authority = Authority::new();
    let ca_file = authority.file();
    let server = tls_server(authority.sign(&["127.0.0.1"]));
    let endpoint = format!("https://{}", server.address());
    let host = |scheme, proxy: &Server| Host {
        ca_file: Some(&ca_file),
        proxy: (scheme, proxy.address().to_string()),
        ..Host::default()
    };
    let http = relay(ESTABLISHED, server.address());
    host("http", &http).forgets(&endpoint, &[Status::OK; 3]);

    let https = tls_relay(authority.sign(&["127.0.0.1"]), server.address());
    host("https", &https).forgets(&endpoint, &[Status::OK; 3]);

    let mut host = host("socks5", &http);
    let socks = socks_relay(&host.user, &host.password, server.address());
    host.proxy.1 = socks.address().to_string();
    host.forgets(&endpoint, &[Status::OK; 3]);
}

#[test]
fn proxies_that_refuse_leave_nothing_behind() {
    let authority = Authority::new();
    let ca_file = authority.file();
    let refusing = answering_proxy(answer(407, "Proxy-Authenticate: Basic\r\n", ""));
    let socks = socks_relay("somebody", "else", refusing.address());
    for (scheme, proxy) in [("http", &refusing), ("socks5h", &socks)] {
        let host = Host {
            ca_file: Some(&ca_file),
            proxy: (scheme, proxy.address().to_string()),
            ..Host::default()
        };
        host.forgets("https://service.test", &[Status::PROXY_FAILED; 2]);
    }
}

/// A plan for eight ECS images: a list of one FPGA image, which has none, and eight changes.
fn answer_of_plan(nth: usize) -> Vec<u8> {
    match nth % 9 {
        0 => answer(200, "", r#"{"associations":[]}"#),
        _ => answer(204, "", ""),
    }
}

#[test]
fn plans_leave_nothing_behind() {
    let plain = Server::start(|nth, stream| {
        stream.write_all(&answer_of_plan(nth)).ok();
        Then::Keep
    });
    for whose in ["call", "token", "granted"] {
        let host = Host {
            whose,
            more: &["plan"],
            ..Host::default()
        };
        host.forgets(&plain.endpoint(), &[Status::OK; 4]);
    }
}

#[test]
fn plans_over_tls_leave_nothing_behind() {
    let authority = Authority::new();
    let server = tls_server_with(authority.sign(&["127.0.0.1"]), |nth, stream| {
        stream.write_all(&answer_of_plan(nth)).ok();
        Then::Keep
    });
    let host = Host {
        ca_file: Some(&authority.file()),
        more: &["plan"],
        ..Host::default()
    };
    host.forgets(&format!("https://{}", server.address()), &[Status::OK; 4]);
}
