//! Whatever a server sends, however much of it, memory is bounded and the call ends.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use fpga_associate::status::Status;
use support::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN};
use support::client::{Client, config};
use support::raw::{NO_CONTENT, Server, Then, answer, read_request};
use support::slow::{cramped_listener, wait_until};

/// More than the library and the server of a test need, and far less than what is sent.
const MOST_GROWTH_KIB: u64 = 32 * 1024;

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What begins an answer, and what then comes again and again.
const ENDLESS: [(&str, &str, &str); 11] = [
    (
        "interim answers",
        "",
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
    ),
    (
        "interim answers without headers",
        "",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ),
    (
        "headers",
        "HTTP/1.1 200 OK\r\n",
        "X-Header: of some length\r\n",
    ),
    ("one header", "HTTP/1.1 200 OK\r\nX: ", "xxxxxxxxxxxxxxxx"),
    ("a status line", "HTTP/1.1 200 ", "xxxxxxxxxxxxxxxx"),
    ("a size line", CHUNKED, "0000000000000000"),
    (
        "a chunk extension",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        "xxxxxxxx",
    ),
    (
        "trailers",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        "X-Trailer: y\r\n",
    ),
    (
        "one trailer",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
        "yyyyyyyyyyyyyyyy",
    ),
    ("a body in chunks", CHUNKED, "1\r\n \r\n"),
    ("a body", "HTTP/1.1 200 OK\r\n\r\n", "                "),
];

/// Sends without an end.
fn endless(begin: &'static str, again: &'static str) -> Server {
    let piece = again.repeat(64 * 1024 / again.len());
    Server::start(move |_, stream| {
        let mut result = stream.write_all(begin.as_bytes());
        while result.is_ok() {
            result = stream.write_all(piece.as_bytes());
        }
        Then::Close
    })
}

/// The most memory that this process has ever had.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}

fn change(client: &Client) -> Outcome {
    client.example()
}

fn list(client: &Client) -> Outcome {
    let listed = client.associations(TOKEN, PROJECT_ID, Some(FPGA_ID), None);
    listed.unwrap_err()
}

#[test]
fn an_endless_answer_is_a_bad_response_and_takes_little_memory() {
    for (call, call_name) in [(change as fn(&Client) -> Outcome, "change"), (list, "list")] {
        for (what, begin, again) in ENDLESS {
            // As a list it would end too, after 16 million chunks.
            if call_name == "list" && what == "a body in chunks" {
                continue;
            }
            let server = endless(begin, again);
            let before = peak_kib();
            let client = config()
                .no_confirm()
                .max_attempts(1)
                .client(&server.endpoint());
            let outcome = call(&client);
            let growth = peak_kib().saturating_sub(before);
            let case = format!("{call_name}, {what}: {growth} KiB: {outcome:?}");
            assert!(outcome.is(Status::BAD_RESPONSE), "{case}");
            // A list is up to 16 MiB long, and is held once and a half.
            assert!(growth < MOST_GROWTH_KIB, "{case}");
        }
    }
}

#[test]
fn an_endless_refusal_is_that_refusal() {
    for (what, begin, again) in [
        ("a body", "HTTP/1.1 403 Forbidden\r\n\r\n", "xxxxxxxx"),
        (
            "trailers",
            "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "X: y\r\n",
        ),
    ] {
        let server = endless(begin, again);
        let outcome = config().client(&server.endpoint()).example();
        assert!(outcome.is(Status::FORBIDDEN), "{what}: {outcome:?}");
    }
}

#[test]
fn a_list_in_chunks_of_one_byte_is_read() {
    let names = "x".repeat(100_000);
    let json = format!(r#"{{"associations":[],"more":"{names}"}}"#);
    let mut bytes = CHUNKED.to_owned();
    for byte in json.chars() {
        bytes.push_str(&format!("1\r\n{byte}\r\n"));
    }
    bytes.push_str("0\r\n\r\n");
    let server = Server::answering(bytes, Then::Keep);
    let client = config().client(&server.endpoint());
    let list = client.associations(TOKEN, PROJECT_ID, Some(FPGA_ID), None);
    assert_eq!(list.unwrap().len(), 0);
}

#[test]
fn a_chunk_may_have_an_extension_of_any_reasonable_length() {
    for length in [1, 15, 20, 100, 5_000, 50_000] {
        let extension = "x".repeat(length);
        let body = format!("1;{extension}\r\n{{\r\n1 ; a=\"b\"\r\n}}\r\n0;{extension}\r\n\r\n");
        let server = Server::answering(format!("{CHUNKED}{body}"), Then::Keep);
        let client = config().client(&server.endpoint());
        for _ in 0..2 {
            let outcome = client.example();
            assert!(outcome.is(Status::OK), "{length}: {outcome:?}");
        }
        assert_eq!(server.finish().connections, 1, "{length}");
    }
}

#[test]
fn a_head_is_read_whatever_the_service_writes_into_it() {
    let many: String = (0..1000).map(|nth| format!("X-{nth}: y\r\n")).collect();
    for (what, head) in [
        ("a folded header", "HTTP/1.1 403 Forbidden\r\nX: a\r\n b\r\n\tc\r\nX-Request-Id: r-1\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("a thousand headers", format!("HTTP/1.1 403 Forbidden\r\n{many}X-Request-Id: r-1\r\nContent-Length: 0\r\n\r\n")),
        ("bare line feeds", "HTTP/1.1 403 Forbidden\nX-Request-Id: r-1\nContent-Length: 0\n\n".to_owned()),
        ("more spaces", "HTTP/1.1  403  Forbidden\r\nX-Request-Id: r-1\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("a space before a colon", "HTTP/1.1 403 Forbidden\r\nX-Request-Id : r-1\r\nContent-Length : 0\r\n\r\n".to_owned()),
        ("interim answers with headers", "HTTP/1.1 100 Continue\r\nServer: s\r\n\r\nHTTP/1.1 403 Forbidden\r\nX-Request-Id: r-1\r\nContent-Length: 0\r\n\r\n".to_owned()),
    ] {
        let server = Server::answering(head, Then::Keep);
        let client = config().client(&server.endpoint());
        for _ in 0..2 {
            let outcome = client.example();
            assert!(outcome.is(Status::FORBIDDEN), "{what}: {outcome:?}");
            assert_eq!(outcome.request_id, "r-1", "{what}: {outcome:?}");
        }
        assert_eq!(server.finish().connections, 1, "{what}");
    }
    for length in ["none", "5", "-1"] {
        let head = format!("HTTP/1.1 204 No Content\r\nContent-Length: {length}\r\n\r\n");
        let server = Server::answering(head, Then::Keep);
        let client = config().client(&server.endpoint());
        assert!(client.example().is(Status::OK), "{length}");
        assert!(client.example().is(Status::OK), "{length}");
        assert_eq!(server.finish().connections, 1, "{length}");
    }
}

/// Reads the beginning of a request, refuses it and closes, with the rest unread: the kernel ends
/// such a connection with a reset.
fn refuse_early(stream: &mut TcpStream) {
    let refusal = answer(431, "X-Request-Id: r-1\r\n", r#"{"code":"APIGW.0001"}"#);
    let mut beginning = [0; 200];
    stream.read_exact(&mut beginning).unwrap();
    stream.write_all(&refusal).unwrap();
}

fn assert_refusal_is_read(endpoint: &str) {
    let token = "t".repeat(65_536);
    let client = config().no_confirm().max_attempts(1).client(endpoint);
    let outcome = client.associate(&token, PROJECT_ID, FPGA_ID, ECS_ID);
    assert_eq!(outcome.http_status, 431, "{outcome:?}");
    assert_eq!(outcome.request_id, "r-1", "{outcome:?}");
}

#[test]
fn a_refusal_that_comes_while_a_request_is_sent_is_read() {
    let server = Server::serve(|mut visit| refuse_early(&mut visit.stream));
    for _ in 0..200 {
        assert_refusal_is_read(&server.endpoint());
    }
}

#[test]
fn a_refusal_that_comes_while_sending_stalls_is_read() {
    let listener = cramped_listener();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (read, is_read) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            refuse_early(&mut stream);
            // Kept open and unread: only the answer can end the call.
            is_read.recv().ok();
        });
        assert_refusal_is_read(&endpoint);
        drop(read);
    });
}

/// A server that sends without a pause keeps the reader from ever waiting.
#[test]
fn an_answer_without_a_pause_switches_neither_the_deadline_nor_the_shutdown_off() {
    const GENEROUS: Duration = Duration::from_secs(10);
    let server = endless(CHUNKED, "1\r\n \r\n");
    let client = config().timeout_ms(400).client(&server.endpoint());
    let begun = Instant::now();
    let outcome = list(&client);
    assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
    assert!(begun.elapsed() < GENEROUS, "{:?}", begun.elapsed());

    let client = config().client(&server.endpoint());
    thread::scope(|scope| {
        let call = scope.spawn(|| list(&client));
        // The second connection, with its request.
        wait_until(|| server.seen().requests.len() == 2);
        let begun = Instant::now();
        client.shutdown();
        let outcome = call.join().unwrap();
        assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
        assert!(begun.elapsed() < GENEROUS, "{:?}", begun.elapsed());
    });
}

#[test]
fn an_interim_answer_while_the_request_is_sent_does_not_stop_it() {
    for interim in ["100 Continue", "103 Early Hints"] {
        let listener = cramped_listener();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut beginning = [0; 200];
                stream.read_exact(&mut beginning).unwrap();
                let interim = format!("HTTP/1.1 {interim}\r\n\r\n");
                stream.write_all(interim.as_bytes()).unwrap();
                let whole = read_request(&mut beginning.as_slice().chain(&mut stream));
                assert!(whole.1);
                stream.write_all(NO_CONTENT).unwrap();
            });
            let token = "t".repeat(65_536);
            let client = config().no_confirm().client(&endpoint);
            let outcome = client.associate(&token, PROJECT_ID, FPGA_ID, ECS_ID);
            assert!(outcome.is(Status::OK), "{interim}: {outcome:?}");
        });
    }
}
