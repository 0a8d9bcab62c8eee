//! The next call has the connection that the one before left, where it is still good, and nothing else of it.

use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::channel;

use fpga_associate::status::Status;
use support::call::{self, FPGA_ID, Outcome, PROJECT_ID, example, example_with_token};
use support::parts::Parts;
use support::raw::{self, NO_CONTENT, Server, Then, succeed};

fn assert_ok(outcome: &Outcome) {
    assert!(outcome.is(Status::OK), "{outcome:?}");
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
