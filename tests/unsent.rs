//! Where nothing of a request was sent, it is tried again; but not where it will be the same.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fpga_associate::status::Status;
use support::call::example;
use support::certificates::{Authority, Identity, tls_server};
use support::client::config;
use support::proxies::relay;
use support::raw::{NO_CONTENT, Server, Then, Visit};
use support::slow::on_line;

/// Hands connections on to the server, but for the first, which the given handler gets.
fn first_else(server: &Server, first: impl Fn(&mut Visit) + Send + Sync + 'static) -> Server {
    let to = server.address();
    let count = AtomicUsize::new(0);
    Server::serve(move |mut visit| {
        if count.fetch_add(1, Ordering::SeqCst) == 0 {
            return first(&mut visit);
        }
        splice(&visit.stream, &TcpStream::connect(to).unwrap());
    })
}

/// Copies both ways until both have ended.
fn splice(one: &TcpStream, other: &TcpStream) {
    std::thread::scope(|scope| {
        scope.spawn(|| copy(one, other));
        copy(other, one);
    });
}

fn copy(mut from: &TcpStream, mut to: &TcpStream) {
    std::io::copy(&mut from, &mut to).ok();
    to.shutdown(std::net::Shutdown::Write).ok();
}

fn identity(authority: &Authority) -> Identity {
    authority.sign(&["127.0.0.1"])
}

#[test]
fn a_handshake_that_breaks_off_is_tried_again() {
    let beginning_of_a_record = b"\x16\x03\x03\x40\x00\x02";
    let internal_error = b"\x15\x03\x03\x00\x02\x02\x50";
    let cases: [(&str, &'static [u8]); 3] = [
        ("closed at once", b""),
        ("closed in a record", beginning_of_a_record),
        ("an alert", internal_error),
    ];
    for (case, bytes) in cases {
        let authority = Authority::new();
        let server = tls_server(identity(&authority));
        let breaking = first_else(&server, move |visit| {
            let mut hello = [0; 16];
            std::io::Read::read_exact(&mut visit.stream, &mut hello).unwrap();
            visit.stream.write_all(bytes).unwrap();
        });
        let client = config()
            .no_confirm()
            .ca_pem(authority.pem())
            .client(&format!("https://127.0.0.1:{}", breaking.port()));
        let outcome = client.example();
        assert!(outcome.is(Status::OK), "{case}: {outcome:?}");
        drop(client);
        drop(breaking);
        assert_eq!(server.finish().requests.len(), 1, "{case}");
    }
}

#[test]
fn a_proxy_that_fails_for_now_is_asked_again() {
    let closes = "";
    let fails = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";
    let is_busy = "HTTP/1.1 503 Service Unavailable\r\n\r\n";
    for answer in [closes, fails, is_busy] {
        let authority = Authority::new();
        let server = tls_server(identity(&authority));
        let established = relay("HTTP/1.1 200 OK\r\n\r\n", server.address());
        let proxy = first_else(&established, move |visit| {
            visit.read_request();
            visit.stream.write_all(answer.as_bytes()).unwrap();
        });
        let client = config()
            .proxy(&format!("http://127.0.0.1:{}", proxy.port()))
            .no_confirm()
            .ca_pem(authority.pem())
            .client("https://127.0.0.1");
        let outcome = client.example();
        assert!(outcome.is(Status::OK), "{answer}: {outcome:?}");
    }
}

#[test]
fn a_proxys_answer_is_read_however_it_is_written() {
    for head in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1  200  OK\r\n\r\n",
        "HTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nVia : 1.1 x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nno header\r\n\r\n",
    ] {
        let authority = Authority::new();
        let server = tls_server(identity(&authority));
        let proxy = relay(head, server.address());
        let client = config()
            .proxy(&format!("http://127.0.0.1:{}", proxy.port()))
            .ca_pem(authority.pem())
            .client("https://127.0.0.1");
        let outcome = client.example();
        assert!(outcome.is(Status::OK), "{head}: {outcome:?}");
    }
}

#[test]
fn what_a_proxy_wants_of_its_users_is_told() {
    let asks = |schemes: &str| format!("HTTP/1.1 407 Auth\r\n{schemes}Content-Length: 0\r\n\r\n");
    for (user, schemes, words) in [
        (
            "",
            "Proxy-Authenticate: Basic realm=\"x\"\r\n",
            "asks for a user and a password",
        ),
        ("", "", "asks for a user and a password"),
        (
            "u:p@",
            "Proxy-Authenticate: Basic realm=\"x\"\r\n",
            "does not accept the user or the password",
        ),
        (
            "u:p@",
            "Proxy-Authenticate: Digest realm=\"x\"\r\n",
            "by digest, and only Basic",
        ),
        (
            "u:p@",
            "Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n",
            "by negotiate, ntlm, and only Basic",
        ),
        (
            "u:p@",
            "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm=\"x\"\r\n",
            "does not accept",
        ),
        (
            "u:p@",
            "Proxy-Authenticate: Digest realm=\"x\", nonce=\"y\", Basic realm=\"z\"\r\n",
            "does not accept",
        ),
        (
            "u:p@",
            "Proxy-Authenticate: Basic\trealm=\"z\"\r\n",
            "does not accept",
        ),
    ] {
        let proxy = support::proxies::answering_proxy(asks(schemes));
        let client = config()
            .proxy(&format!("http://{user}127.0.0.1:{}", proxy.port()))
            .client("https://service.test");
        let outcome = client.example();
        assert!(outcome.is(Status::PROXY_FAILED), "{schemes}: {outcome:?}");
        assert!(outcome.message.contains(words), "{schemes}: {outcome:?}");
        assert_eq!(outcome.attempts, 1, "{schemes}: {outcome:?}");
    }
}

#[test]
fn a_shutdown_between_connecting_and_sending_sends_nothing() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client: Arc<std::sync::OnceLock<support::client::Client>> = Arc::default();
    let to_shut_down = Arc::clone(&client);
    let settings = on_line(config(), move |_, line| {
        if line.starts_with("connected to") {
            to_shut_down.get().unwrap().shutdown();
        }
    });
    let made = client.get_or_init(|| settings.client(&server.endpoint()));
    let outcome = made.example();
    assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
    let seen = server.finish();
    assert_eq!((seen.connections, seen.requests.len()), (1, 0));
}

#[test]
fn a_proxys_long_head_does_not_hold_the_call_up() {
    for line in [" \n", "\u{1}\n", "\n", "a: b\n"] {
        let head = format!("HTTP/1.1 200 OK\r\na: b\r\n{}", line.repeat(32_000));
        let proxy = support::proxies::answering_proxy(head);
        let client = config()
            .proxy(&format!("http://127.0.0.1:{}", proxy.port()))
            .max_attempts(1)
            .client("https://service.test");
        let begun = std::time::Instant::now();
        let outcome = client.example();
        assert!(
            !outcome.is(Status::OK) && !outcome.outcome_unknown,
            "{outcome:?}"
        );
        assert!(
            begun.elapsed().as_secs() < 10,
            "{line:?}: {:?}",
            begun.elapsed()
        );
    }
}

#[test]
fn a_port_where_nobody_listens_is_no_connection_and_a_known_outcome() {
    // The client's end of a connection: in use, so that nobody else gets the port, and not listened
    // on.
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = TcpStream::connect(server.address()).unwrap();
    let outcome = example(&format!("http://{}", client.local_addr().unwrap()));
    assert!(outcome.is(Status::CONNECT_FAILED), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(outcome.http_status, 0);
    assert!(outcome.message.contains("127.0.0.1"), "{outcome:?}");
}
