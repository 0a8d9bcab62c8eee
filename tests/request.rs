//! The request on the wire is the documented one, goes where the caller said, and goes out as often
//! as promised.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use fpga_associate::status::Status;
use support::call::{self, FPGA_ID, Outcome, PROJECT_ID, TOKEN, example, example_with_token};
use support::raw::{self, NO_CONTENT, Request, Seen, Server, Then, Visit, succeed};

/// A request taken apart. The headers are in the order of their names, which are in lower case.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Parts {
    fn of(request: &Request) -> Self {
        let text = String::from_utf8(request.bytes.clone()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let mut headers: Vec<_> = lines
            .map(|header| header.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        headers.sort();
        Self {
            line,
            headers,
            body: body.to_owned(),
        }
    }

    fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|header| header.0 == name);
        let value = &found.next().unwrap_or_else(|| panic!("{name}: {self:?}")).1;
        assert_eq!(found.next(), None, "{name} twice");
        value
    }
}

fn assert_ok(outcome: &Outcome) {
    assert!(outcome.is(Status::OK), "{outcome:?}");
}

#[test]
fn the_request_is_the_documented_one_byte_for_byte() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let port = server.port();
    assert_ok(&example(&server.endpoint()));

    let seen = server.finish();
    assert_eq!(seen.requests.len(), 1);
    let headers = [
        ("accept", "application/json"),
        ("content-length", "55"),
        ("content-type", "application/json"),
        ("host", &format!("127.0.0.1:{port}")),
        (
            "user-agent",
            concat!("fpga-associate/", env!("CARGO_PKG_VERSION")),
        ),
        ("x-auth-token", TOKEN),
    ];
    assert_eq!(
        Parts::of(&seen.requests[0]),
        Parts {
            line: "POST /v1/9451dc59feef4bcab18d1d0a9bd8fd10/cloudservers/fpga_image/\
                   4010a32b5f231f04015f24259efd0429/association HTTP/1.1"
                .to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: r#"{"image":{"id":"18efee75-e058-4c52-a49c-9e3ba4d1c8de"}}"#.to_owned(),
        }
    );
}

#[test]
fn each_argument_arrives_in_its_place_as_it_was_given() {
    let every_id_byte = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-abcdefghijklmnopqrstuvwxyz_0123456789";
    let longest_id = "x".repeat(128);
    let every_token_byte: String = ('!'..='~').collect();
    let longest_token = "0123456789abcdef".repeat(4_096);
    for (case, token, project_id, fpga_id, ecs_id) in [
        ("shortest", "t", "p", "f", "e"),
        (
            "every byte",
            &every_token_byte,
            every_id_byte,
            every_id_byte,
            every_id_byte,
        ),
        (
            "longest",
            &longest_token,
            &longest_id,
            &longest_id,
            &longest_id,
        ),
        ("only dashes", "-", "-", "--", "_"),
        ("numbers", "0", "0", "1", "2"),
    ] {
        let server = Server::answering(NO_CONTENT, Then::Keep);
        let endpoint = server.endpoint();
        let outcome = call::associate(&endpoint, token, project_id, fpga_id, ecs_id);
        assert!(outcome.is(Status::OK), "{case}: {outcome:?}");

        let seen = server.finish();
        assert_eq!(seen.requests.len(), 1, "{case}");
        let parts = Parts::of(&seen.requests[0]);
        let path = format!("/v1/{project_id}/cloudservers/fpga_image/{fpga_id}/association");
        assert_eq!(parts.line, format!("POST {path} HTTP/1.1"), "{case}");
        assert!(parts.header("x-auth-token") == token, "{case}: {parts:?}");
        let body = format!(r#"{{"image":{{"id":"{ecs_id}"}}}}"#);
        assert_eq!(parts.body, body, "{case}");
        let length = body.len().to_string();
        assert_eq!(parts.header("content-length"), length, "{case}");
    }
}

#[test]
fn the_host_header_names_the_host_as_given_and_every_port_but_the_schemes_own() {
    let answer = |mut visit: Visit| {
        while visit.read_request().is_some() {
            succeed(&mut visit.stream);
        }
    };
    for (listens_on, endpoint, host) in [
        ("127.0.0.1:0", "http://127.0.0.1:PORT", "127.0.0.1:PORT"),
        ("127.0.0.1:0", "http://127.0.0.1:PORT/", "127.0.0.1:PORT"),
        ("127.0.0.1:0", "HTTP://127.0.0.1:PORT", "127.0.0.1:PORT"),
        ("127.0.0.1:0", "http://LocalHost:PORT", "localhost:PORT"),
        ("127.0.0.1:0", "http://localhost:0PORT", "localhost:PORT"),
        ("[::1]:0", "http://[::1]:PORT", "[::1]:PORT"),
        ("[::1]:0", "http://[::1]:PORT/", "[::1]:PORT"),
        // An address of this machine that nobody else is likely to listen on.
        ("127.83.17.5:80", "http://127.83.17.5", "127.83.17.5"),
        ("127.83.17.5:80", "http://127.83.17.5:80", "127.83.17.5"),
    ] {
        let server = match Server::serve_on(listens_on, answer) {
            Ok(server) => server,
            Err(error) => {
                println!("skipped: {listens_on}: {error}");
                continue;
            }
        };
        let at_port = |text: &str| text.replace("PORT", &server.port().to_string());
        let (endpoint, host) = (at_port(endpoint), at_port(host));
        let outcome = example(&endpoint);
        assert!(outcome.is(Status::OK), "{endpoint}: {outcome:?}");
        let seen = server.finish();
        assert_eq!(seen.requests.len(), 1, "{endpoint}");
        let parts = Parts::of(&seen.requests[0]);
        assert_eq!(parts.header("host"), host, "{endpoint}");
    }
}

#[test]
fn a_redirect_is_never_followed() {
    for http_status in [300, 301, 302, 303, 305, 307, 308] {
        let elsewhere = Server::answering(NO_CONTENT, Then::Keep);
        let target = elsewhere.endpoint();
        let location = format!("Location: {target}/v1/{PROJECT_ID}/{FPGA_ID}\r\n");
        let server = Server::answering(raw::answer(http_status, &location, ""), Then::Keep);

        let outcome = example(&server.endpoint());
        let case = format!("{http_status}: {outcome:?}");
        assert!(outcome.is(Status::UNEXPECTED_STATUS), "{case}");
        assert_eq!(outcome.http_status, i32::from(http_status), "{case}");
        assert_goes_nowhere_else(&server.finish(), &case);
        assert_eq!(elsewhere.finish(), Seen::default(), "{case}");
    }
}

#[test]
fn a_redirect_to_another_path_of_the_same_server_is_never_followed() {
    let answer = raw::answer(307, "Location: /v2/elsewhere\r\n", "");
    let server = Server::answering_first(answer, Then::Keep);
    let outcome = example(&server.endpoint());
    assert!(outcome.is(Status::UNEXPECTED_STATUS), "{outcome:?}");
    assert_goes_nowhere_else(&server.finish(), "307");
}

/// The change once, and else only questions to the list.
fn assert_goes_nowhere_else(seen: &Seen, case: &str) {
    let path = format!("/v1/{PROJECT_ID}/cloudservers/fpga_image/");
    let (changes, questions): (Vec<_>, Vec<_>) = seen
        .requests
        .iter()
        .map(|request| String::from_utf8_lossy(&request.bytes))
        .partition(|request| request.starts_with(&format!("POST {path}{FPGA_ID}/association ")));
    assert_eq!(changes.len(), 1, "{case}");
    let list = format!("GET {path}associations?");
    let are_for_the_list = questions.iter().all(|question| question.starts_with(&list));
    assert!(are_for_the_list, "{case}: {questions:?}");
}

#[test]
fn the_next_call_uses_the_same_connection_where_the_answer_lets_it() {
    let json = r#"{"error":{"code":"Ecs.0005","message":"no"}}"#;
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let with_body = raw::answer(200, "", "{}");
    let refusal = raw::answer(400, "", json);
    let told_to_close = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    let told_in_capitals = "HTTP/1.1 200 OK\r\nCONNECTION: Close\r\nContent-Length: 0\r\n\r\n";
    let old = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    for (case, answer, connections) in [
        ("204", NO_CONTENT, [0, 0, 0]),
        ("200 with a body", &with_body, [0, 0, 0]),
        ("200 in chunks", chunked.as_bytes(), [0, 0, 0]),
        ("a refusal", &refusal, [0, 0, 0]),
        ("Connection: close", told_to_close.as_bytes(), [0, 1, 2]),
        ("CONNECTION: Close", told_in_capitals.as_bytes(), [0, 1, 2]),
        ("HTTP/1.0", old.as_bytes(), [0, 1, 2]),
    ] {
        // Kept open by the server even where it says that it will close: the client must let go by
        // itself.
        let server = Server::answering(answer, Then::Keep);
        let outcomes = connections.map(|_| example(&server.endpoint()));
        assert_eq!(outcomes[0], outcomes[1], "{case}");
        assert_eq!(outcomes[0], outcomes[2], "{case}");
        let seen = server.finish();
        assert_eq!(seen.connection_of_each(), connections, "{case}");
        assert_eq!(seen.connections, connections[2] + 1, "{case}");
    }
}

#[test]
fn a_kept_connection_carries_nothing_over_from_one_call_to_the_next() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let endpoint = server.endpoint();
    let long = "L".repeat(65_536);
    for (token, ecs_id) in [(&*long, "first"), ("short", "second"), (&long, "third")] {
        assert_ok(&call::associate(
            &endpoint, token, PROJECT_ID, FPGA_ID, ecs_id,
        ));
    }
    let seen = server.finish();
    assert_eq!(seen.connection_of_each(), [0, 0, 0]);
    let parts: Vec<_> = seen.requests.iter().map(Parts::of).collect();
    assert!(parts[0].header("x-auth-token") == long);
    assert_eq!(parts[1].header("x-auth-token"), "short");
    assert_eq!(parts[1].body, r#"{"image":{"id":"second"}}"#);
    assert!(parts[2].header("x-auth-token") == long);
    assert_eq!(parts[2].body, r#"{"image":{"id":"third"}}"#);
}

#[test]
fn a_connection_is_only_used_for_the_endpoint_that_it_was_made_to() {
    let first = Server::answering(NO_CONTENT, Then::Keep);
    let second = Server::answering(NO_CONTENT, Then::Keep);
    for server in [&first, &second, &first, &second] {
        assert_ok(&example(&server.endpoint()));
    }
    assert_ok(&example(&format!("http://localhost:{}", first.port())));
    // Another name for the same server, which may mean another service there.
    assert_eq!(first.finish().connection_of_each(), [0, 0, 1]);
    assert_eq!(second.finish().connection_of_each(), [0, 0]);
}

#[test]
fn calls_at_the_same_time_have_a_connection_each() {
    // No answer before all requests are there: one connection for them all would never get one.
    let all_there = std::sync::Barrier::new(4);
    let server = Server::start(move |_, stream| {
        all_there.wait();
        succeed(stream)
    });
    let endpoint = server.endpoint();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_ok(&example(&endpoint)));
        }
    });
    let seen = server.finish();
    assert_eq!(seen.connections, 4);
    assert_eq!(seen.requests.len(), 4);
}

#[test]
fn a_kept_connection_that_the_server_closed_meanwhile_is_replaced_without_an_error() {
    let (closed, is_closed) = channel();
    let closed = Mutex::new(closed);
    let server = Server::start(move |nth, stream| {
        succeed(stream);
        if nth == 0 {
            stream.shutdown(std::net::Shutdown::Both).unwrap();
            closed.lock().unwrap().send(()).unwrap();
        }
        Then::Keep
    });
    assert_ok(&example(&server.endpoint()));
    is_closed.recv().unwrap();
    assert_ok(&example(&server.endpoint()));

    let seen = server.finish();
    assert_eq!(seen.connection_of_each(), [0, 1]);
    assert_eq!(seen.connections, 2);
}

#[test]
fn a_kept_connection_on_which_something_came_meanwhile_is_replaced() {
    let refusal = raw::answer(403, "", "");
    for (case, unasked) in [
        ("an answer to nothing", &*refusal),
        ("one byte", b"\0"),
        ("a line end", b"\r\n"),
    ] {
        // Not before the first call has ended: it would take both at once.
        let (ended, has_ended) = channel();
        let (sent, is_sent) = channel();
        let ends = Mutex::new((has_ended, sent));
        let unasked = unasked.to_vec();
        let server = Server::start(move |nth, stream| {
            succeed(stream);
            if nth == 0 {
                let (has_ended, sent) = &*ends.lock().unwrap();
                has_ended.recv().unwrap();
                stream.write_all(&unasked).unwrap();
                sent.send(()).unwrap();
            }
            Then::Keep
        });
        let first = example(&server.endpoint());
        ended.send(()).unwrap();
        is_sent.recv().unwrap();
        let second = example(&server.endpoint());
        assert!(first.is(Status::OK), "{case}: {first:?}");
        assert!(second.is(Status::OK), "{case}: {second:?}");
        assert_eq!(server.finish().connection_of_each(), [0, 1], "{case}");
    }
}

#[test]
fn bytes_behind_an_answer_do_not_answer_the_next_call() {
    let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    let long = b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n";
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let refusal = raw::answer(403, "", "");
    for (case, answer, behind) in [
        ("a 204 and an answer", NO_CONTENT, &*refusal),
        ("a 204 and a body", long, b"hello"),
        ("a 200 and an answer", ok, &refusal),
        ("a 200 and more body than announced", ok, b"{}"),
        ("chunks and an answer", chunked, &refusal),
        ("chunks and a line end", chunked, b"\r\n"),
    ] {
        let server = Server::answering_first([answer, behind].concat(), Then::Keep);
        for _ in 0..2 {
            let outcome = example(&server.endpoint());
            assert!(outcome.is(Status::OK), "{case}: {outcome:?}");
        }
        assert_eq!(server.finish().connection_of_each(), [0, 1], "{case}");
    }
}

#[test]
fn a_reused_connection_that_ends_without_a_byte_of_answer_is_replaced_and_the_request_sent_again() {
    let server = Server::start(|nth, stream| match nth {
        1 => Then::Close,
        _ => succeed(stream),
    });
    assert_ok(&example(&server.endpoint()));
    assert_ok(&example(&server.endpoint()));

    let seen = server.finish();
    assert_eq!(seen.connection_of_each(), [0, 0, 1]);
    assert_eq!(seen.requests[1].bytes, seen.requests[2].bytes);
}

#[test]
fn a_reused_connection_that_is_reset_without_a_byte_of_answer_is_replaced_too() {
    let server = Server::serve(|mut visit| {
        if visit.read_request() == Some(0) {
            succeed(&mut visit.stream);
            // The rest of the second request stays unread, so that closing resets the connection.
            let beginning = visit.stream.read(&mut [0; 4]);
            assert_eq!(beginning.ok(), Some(4));
        } else {
            succeed(&mut visit.stream);
        }
    });
    let token = "t".repeat(65_536);
    assert_ok(&example_with_token(&server.endpoint(), &token));
    assert_ok(&example_with_token(&server.endpoint(), &token));
    assert_eq!(server.finish().connection_of_each(), [0, 1]);
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
