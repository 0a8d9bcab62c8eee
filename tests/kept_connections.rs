//! A kept connection that ends without a byte of an answer is replaced once, at once.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use fpga_associate::status::Status;
use support::attempts::{attempt_once, config};
use support::raw::{Server, Then, answer, succeed};
use support::times::AT_ONCE;

/// The end of a kept connection, without a byte of an answer.
#[derive(Clone, Copy, Debug)]
enum End {
    /// After the request was read.
    Orderly,
    /// With the request unread, which resets the connection.
    Reset,
}

/// Does what the first request asks and ends the connection at the second; what comes on later
/// connections goes to the script.
fn stale(end: End, later: impl Fn(&mut TcpStream) -> Then + Send + Sync + 'static) -> Server {
    let is_first = std::sync::atomic::AtomicBool::new(true);
    Server::serve(move |mut visit| {
        if is_first.swap(false, std::sync::atomic::Ordering::SeqCst) {
            visit.read_request();
            succeed(&mut visit.stream);
            match end {
                End::Orderly => drop(visit.read_request()),
                End::Reset => drop(visit.stream.peek(&mut [0]).unwrap()),
            }
            return;
        }
        while visit.read_request().is_some() && later(&mut visit.stream) == Then::Keep {}
    })
}

#[test]
fn a_kept_connection_that_ends_without_an_answer_is_replaced_at_once_and_not_counted() {
    for end in [End::Orderly, End::Reset] {
        let server = stale(end, succeed);
        let client = config().max_attempts(1).client(&server.endpoint());
        assert!(client.example().is(Status::OK));
        let begun = Instant::now();
        let outcome = client.example();
        assert!(outcome.is(Status::OK), "{end:?}: {outcome:?}");
        assert!(begun.elapsed() < AT_ONCE, "{end:?}");
        assert_eq!(server.finish().connections, 2, "{end:?}");

        // What was sent on the closed connection may have been done all the same.
        let server = stale(end, |stream| {
            stream.write_all(&answer(429, "", "")).ok();
            Then::Keep
        });
        let client = config().max_attempts(1).client(&server.endpoint());
        assert!(client.example().is(Status::OK));
        let outcome = attempt_once(&client);
        assert!(outcome.is(Status::THROTTLED), "{end:?}: {outcome:?}");
        assert!(outcome.outcome_unknown, "{end:?}: {outcome:?}");
    }
}

#[test]
fn a_kept_connection_is_replaced_once_and_no_more() {
    let server = stale(End::Orderly, |_| Then::Close);
    let client = config().client(&server.endpoint());
    assert!(client.example().is(Status::OK));
    let outcome = attempt_once(&client);
    assert!(outcome.is(Status::CONNECTION_LOST), "{outcome:?}");
    assert!(outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(server.finish().connection_of_each(), [0, 0, 1]);
}

#[test]
fn several_kept_connections_that_all_end_cost_one_new_one() {
    // Two are kept; the service ends both at their second request.
    let (both, are_there) = mpsc::channel();
    let gate = std::sync::Arc::new(std::sync::Barrier::new(2));
    let nth = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::serve(move |mut visit| {
        let nth = nth.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        visit.read_request();
        if nth < 2 {
            gate.wait();
        }
        succeed(&mut visit.stream);
        both.send(()).ok();
        visit.read_request();
    });
    let client = config().client(&server.endpoint());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert!(client.example().is(Status::OK)));
        }
    });
    (0..2).for_each(|_| are_there.recv().unwrap());
    assert!(client.example().is(Status::OK));
    assert_eq!(server.finish().connections, 3);
}

#[test]
fn a_kept_connection_that_ends_after_a_byte_of_an_answer_is_not_replaced() {
    for half in ["H", "HTTP/1.1 204 No Content\r\n"] {
        let server = Server::start(move |nth, stream| match nth {
            0 => succeed(stream),
            _ => {
                stream.write_all(half.as_bytes()).ok();
                Then::Close
            }
        });
        let client = config().client(&server.endpoint());
        assert!(client.example().is(Status::OK));
        let outcome = attempt_once(&client);
        assert!(outcome.is(Status::CONNECTION_LOST), "{half}: {outcome:?}");
        assert!(outcome.outcome_unknown, "{half}: {outcome:?}");
        let seen = server.finish();
        assert_eq!(seen.connection_of_each(), [0, 0], "{half}");
        assert_eq!(seen.connections, 1, "{half}");
    }
}
