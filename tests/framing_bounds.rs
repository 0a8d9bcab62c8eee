//! What surrounds the body of an answer is bounded, and read up to its bound.

use fpga_associate::status::Status;
use support::call::{FPGA_ID, Outcome, PROJECT_ID, TOKEN};
use support::client::config;
use support::raw::{Server, Then};

const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What is not body may have 64 KiB in a head, and 256 KiB and six times the body in all; a read is up to
/// 64 KiB, so that somewhat more may come.
#[test]
fn what_surrounds_a_body_is_read_up_to_its_bound_and_no_further() {
    let head = |length: usize| {
        let (begin, end) = (
            "HTTP/1.1 403 Forbidden\r\nX: ",
            "\r\nContent-Length: 0\r\n\r\n",
        );
        let filling = "x".repeat(length - begin.len() - end.len());
        (format!("{begin}{filling}{end}"), Status::FORBIDDEN)
    };
    let interim = |length: usize| {
        let one = format!("HTTP/1.1 100 Continue\r\nX: {}\r\n\r\n", "x".repeat(972));
        let all = one.repeat(length / one.len());
        let (end, status) = head(100);
        (format!("{all}{end}"), status)
    };
    // A body that is no list, nine bytes for each of its own.
    let parts = |length: usize| {
        let all = "1;ab\r\n \r\n".repeat(length);
        (
            format!("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n{all}0\r\n\r\n"),
            Status::FORBIDDEN,
        )
    };
    let kib = 1024;
    for (what, (answer, status), is_read) in [
        ("a head of 64 KiB", head(64 * kib), true),
        ("a byte more", head(64 * kib + 1), false),
        ("interim answers of 250 KiB", interim(250 * kib), true),
        ("of 400 KiB", interim(400 * kib), false),
        ("a body of 60 KiB in parts", parts(60 * kib), true),
    ] {
        let server = Server::answering(answer, Then::Close);
        let client = config()
            .no_confirm()
            .max_attempts(1)
            .client(&server.endpoint());
        let outcome = client.example();
        let expected = if is_read {
            status
        } else {
            Status::BAD_RESPONSE
        };
        assert!(outcome.is(expected), "{what}: {outcome:?}");
    }
}

/// Of a list, whose body may be longer.
#[test]
fn what_surrounds_the_parts_of_a_list_is_read_up_to_its_bound_and_no_further() {
    for (length, is_read) in [(100_000, true), (200_000, false)] {
        let spaces = "1;ab\r\n \r\n".repeat(length);
        let server = Server::answering(
            format!("{CHUNKED}{spaces}13\r\n{{\"associations\":[]}}\r\n0\r\n\r\n"),
            Then::Close,
        );
        let client = config().max_attempts(1).client(&server.endpoint());
        let listed = client.associations(TOKEN, PROJECT_ID, Some(FPGA_ID), None);
        let outcome = listed.map(|list| assert_eq!(list.len(), 0));
        let is_bad = |outcome: &Outcome| outcome.is(Status::BAD_RESPONSE);
        match is_read {
            true => outcome.unwrap(),
            false => assert!(is_bad(&outcome.unwrap_err()), "{length}"),
        }
    }
}
