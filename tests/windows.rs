//! Calls on Windows, as far as Wine shows it: by a host in C, against servers that break off and proxies.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::certificates::{Authority, TlsStream, tls_server_with};
use support::proxies::relay;
use support::raw::{NO_CONTENT, Server, Then};
use support::slow::{Closed, Hold};
use support::wine::path;
use support::wine_calls::{Case, Handle, TIME_MS, listen, make, make_with, odd, say, say_no_more};

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn a_call_ends_when_its_time_has_passed_wherever_it_is_held() {
    let holds = Hold::all();
    let cases = holds.iter().map(|hold| Case {
        time_ms: TIME_MS,
        ..Case::held(hold, Status::TIMEOUT)
    });
    make(&cases.collect::<Vec<_>>());
}

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn a_call_ends_at_once_when_its_client_is_shut_down_wherever_it_is_held() {
    let holds = Hold::all();
    let cases = holds.iter().map(|hold| Case {
        // Two other threads make the same call, and end too.
        shut_down_after_ms: TIME_MS,
        ..Case::held(hold, Status::CANCELLED)
    });
    make(&cases.collect::<Vec<_>>());
}

const LOST: &[Status] = &[Status::CONNECTION_LOST];
const OK: &[Status] = &[Status::OK];
const UNTIL_THE_END: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n{}";
const REFUSAL: &[u8] = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// No case of these may hang: Windows and Wine tell in ways of their own that the other side has ended.
#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn odd_answers_and_ends_of_connections_end_a_call_at_once() {
    let mut odds = vec![
        odd("closed at once", LOST, |_| {}),
        odd("ended at once", LOST, |visit| {
            say_no_more(visit);
            listen(visit);
        }),
        odd("closed after the request", LOST, |visit| {
            visit.read_request();
        }),
        odd("ended after the request", LOST, |visit| {
            visit.read_request();
            say_no_more(visit);
            listen(visit);
        }),
        odd("reset after the request", LOST, |visit| {
            visit.stream.read_exact(&mut [0; 10]).ok();
            // What is left unread makes a reset of the end.
        }),
        odd(
            "an answer before the request",
            &[Status::BAD_RESPONSE, Status::OK],
            |visit| {
                say(visit, NO_CONTENT);
                listen(visit);
            },
        ),
        odd("an answer and the end", OK, |visit| {
            visit.read_request();
            say(visit, NO_CONTENT);
        }),
        odd("an answer and half of the end", OK, |visit| {
            visit.read_request();
            say(visit, NO_CONTENT);
            say_no_more(visit);
            listen(visit);
        }),
        odd("an answer up to the end", OK, |visit| {
            visit.read_request();
            say(visit, UNTIL_THE_END);
        }),
        odd("an answer up to half of the end", OK, |visit| {
            visit.read_request();
            say(visit, UNTIL_THE_END);
            say_no_more(visit);
            listen(visit);
        }),
        odd("an answer up to half of the end, later", OK, |visit| {
            visit.read_request();
            say(visit, UNTIL_THE_END);
            thread::sleep(Duration::from_millis(200));
            say_no_more(visit);
            listen(visit);
        }),
        odd("half of an answer", LOST, |visit| {
            visit.read_request();
            say(visit, b"HTTP/1.1 200 OK\r\nContent-Le");
        }),
        odd("half of a body", LOST, |visit| {
            visit.read_request();
            say(visit, b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{");
        }),
        odd("half of a body and half of the end", LOST, |visit| {
            visit.read_request();
            say(visit, b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{");
            say_no_more(visit);
            listen(visit);
        }),
        odd("an answer in pieces", OK, |visit| {
            visit.read_request();
            for byte in UNTIL_THE_END {
                say(visit, &[*byte]);
                thread::sleep(Duration::from_millis(2));
            }
        }),
    ];
    // A request that the server does not read to its end, longer than what is on its way at most.
    let unread: [(&str, Handle); 4] = [
        ("a refusal in the middle of the request", |visit| {
            visit.stream.read_exact(&mut [0; 100]).ok();
            say(visit, REFUSAL);
            listen(visit);
        }),
        ("a refusal and half of the end", |visit| {
            visit.stream.read_exact(&mut [0; 100]).ok();
            say(visit, REFUSAL);
            say_no_more(visit);
            listen(visit);
        }),
        ("a refusal, the end, and then a reset", |visit| {
            visit.stream.read_exact(&mut [0; 100]).ok();
            say(visit, REFUSAL);
        }),
        ("half of the end in the middle of the request", |visit| {
            visit.stream.read_exact(&mut [0; 100]).ok();
            say_no_more(visit);
            thread::sleep(Duration::from_millis(100));
        }),
    ];
    for (name, handle) in unread {
        let (case, server) = odd(name, &[Status::REJECTED, Status::CONNECTION_LOST], handle);
        odds.push((
            Case {
                token_length: 65_536,
                ..case
            },
            server,
        ));
    }
    let (cases, _servers): (Vec<_>, Vec<_>) = odds.into_iter().unzip();
    make(&cases);
}

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn odd_ends_of_encrypted_connections_end_a_call_at_once() {
    let authority = Authority::new();
    type Script = fn(&mut TlsStream<'_>) -> Then;
    let scripts: [(&str, &[Status], Script); 4] = [
        ("an answer", OK, |stream| {
            stream.write_all(NO_CONTENT).ok();
            Then::Keep
        }),
        ("an answer that a closing alert ends", OK, |stream| {
            stream.write_all(UNTIL_THE_END).ok();
            stream.conn.send_close_notify();
            stream.flush().ok();
            std::io::copy(stream, &mut std::io::sink()).ok();
            Then::Close
        }),
        ("an answer that is cut", LOST, |stream| {
            stream.write_all(UNTIL_THE_END).ok();
            Then::Close
        }),
        ("an answer that half of the end cuts", LOST, |stream| {
            stream.write_all(UNTIL_THE_END).ok();
            stream.sock.shutdown(Shutdown::Write).ok();
            std::io::copy(stream, &mut std::io::sink()).ok();
            Then::Close
        }),
    ];
    let mut servers = Vec::new();
    let mut cases = Vec::new();
    for (name, wanted, script) in scripts {
        let server = tls_server_with(authority.sign(&["localhost"]), move |_, stream| {
            script(stream)
        });
        let endpoint = format!("https://localhost:{}", server.port());
        cases.push(Case {
            ca_file: path(&authority.file()),
            ..Case::new(name, endpoint, wanted)
        });
        servers.push(server);
    }
    // Nobody speaks TLS there.
    let (case, server) = odd("no TLS", &[Status::TLS_FAILED], |_| {});
    cases.push(Case {
        endpoint: case.endpoint.replace("http://", "https://"),
        ..case
    });
    servers.push(server);
    // And one that the system does not know.
    let unknown = tls_server_with(authority.sign(&["localhost"]), |_, _| Then::Close);
    let endpoint = format!("https://localhost:{}", unknown.port());
    cases.push(Case::new("not trusted", endpoint, &[Status::TLS_FAILED]));
    make(&cases);
}

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn refused_connections_are_noticed_and_a_proxy_leads_to_the_service() {
    let closed = Closed::new();
    let service = Emulator::start().unwrap();
    let proxy = relay("HTTP/1.1 200 OK\r\n\r\n", service.address());
    let refused = &[Status::CONNECT_FAILED];
    let endpoint = format!("http://localhost:{}", closed.address().port());
    let proxied = |name, proxy: String, wanted: &[Status]| Case {
        proxy,
        ca_file: path(service.ca_file()),
        ..Case::new(name, service.endpoint().to_owned(), wanted)
    };
    make(&[
        Case::new("refused", format!("http://{}", closed.address()), refused),
        Case::new("refused by all addresses", endpoint, refused),
        Case::new(
            "no such host",
            "https://nowhere.invalid".to_owned(),
            &[Status::RESOLVE_FAILED],
        ),
        proxied(
            "a proxy",
            format!("http://{}", proxy.address()),
            &[Status::UNAUTHORIZED],
        ),
        proxied(
            "a proxy that refuses connections",
            format!("http://{}", closed.address()),
            &[Status::PROXY_FAILED],
        ),
    ]);
    assert_eq!(proxy.seen().connections, 1);
}

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn the_environment_has_proxies_but_not_in_the_name_that_a_web_server_sets_from_a_request() {
    let closed = Closed::new();
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let proxy = format!("http://{}", closed.address());
    let call = |wanted| Case {
        proxy: "environment".to_owned(),
        ..Case::new("a call", server.endpoint(), wanted)
    };
    make_with(&[("HTTP_PROXY", &proxy)], &[call(OK)]);
    make_with(&[("http_proxy", &proxy)], &[call(&[Status::PROXY_FAILED])]);
}
