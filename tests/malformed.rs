//! What is not HTTP, breaks off or never ends ends in a status, and the next call is not disturbed.

use std::io::Write;

use fpga_associate::status::Status;
use support::one_answer::{outcome_at, outcome_of, outcome_of_last};
use support::raw::{Server, Then, answer, succeed};

#[test]
fn what_is_not_http_is_a_bad_response() {
    for (case, bytes) in [
        ("SSH", &b"SSH-2.0-x\r\n"[..]),
        ("SMTP", b"220 mail.example.com ESMTP\r\n"),
        ("HTML", b"<html><body>hello</body></html>\r\n\r\n"),
        ("JSON", b"{\"error\":{\"code\":\"Ecs.0005\"}}\r\n\r\n"),
        ("a TLS alert", b"\x15\x03\x03\x00\x02\x02\x28"),
        ("NUL bytes", b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        ("HTTP/2 settings", b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
        ("HTTP/2", b"HTTP/2 200 OK\r\n\r\n"),
        ("HTTP/9.9", b"HTTP/9.9 200 OK\r\n\r\n"),
        ("ICY", b"ICY 200 OK\r\n\r\n"),
        ("a status of two digits", b"HTTP/1.1 20 OK\r\n\r\n"),
        ("a status of letters", b"HTTP/1.1 abc OK\r\n\r\n"),
        ("a status of nothing", b"HTTP/1.1  OK\r\n\r\n"),
        ("a status below 100", b"HTTP/1.1 099 Low\r\n\r\n"),
        (
            "a header without a colon",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ),
        (
            "a header without a name",
            b"HTTP/1.1 200 OK\r\n: value\r\n\r\n",
        ),
        (
            "a NUL byte in a header",
            b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n",
        ),
        (
            "a length that is no number",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        ),
        (
            "a negative length",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        ),
        (
            "a length beyond all numbers",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        ),
        (
            "a chunk whose length is no number",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        ),
        (
            "a chunk longer than any number",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffffff\r\n{}",
        ),
    ] {
        for then in [Then::Keep, Then::Close] {
            let server = Server::answering_first(bytes, then);
            let outcome = outcome_at(&server);
            let case = format!("{case}, {then:?}: {outcome:?}");
            assert!(outcome.is(Status::BAD_RESPONSE), "{case}");
            assert!(outcome.outcome_unknown, "{case}");
            assert_eq!(outcome.attempts, 1, "{case}");
        }
    }
}

#[test]
fn what_ends_too_early_is_a_lost_connection() {
    for (case, bytes, http_status) in [
        ("nothing", &b""[..], 0),
        ("one byte", b"H", 0),
        ("half a status line", b"HTTP/1.1 40", 0),
        ("a status line", b"HTTP/1.1 204 No Content\r\n", 0),
        ("half a header", b"HTTP/1.1 400 Bad Request\r\nConte", 0),
        (
            "a head without its end",
            b"HTTP/1.1 204 No Content\r\nServer: s\r\n",
            0,
        ),
        ("an interim answer", b"HTTP/1.1 100 Continue\r\n\r\n", 0),
        ("early hints", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0),
        (
            "a success without its body",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
            200,
        ),
        (
            "a success with half a body",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"job",
            200,
        ),
        (
            "a success with half a chunk",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n{\"job",
            200,
        ),
        (
            "a success without its last chunk",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            200,
        ),
    ] {
        let outcome = outcome_of_last(bytes);
        let case = format!("{case}: {outcome:?}");
        assert!(outcome.is(Status::CONNECTION_LOST), "{case}");
        assert!(outcome.outcome_unknown, "{case}");
        assert_eq!(outcome.http_status, http_status, "{case}");
        assert_eq!(outcome.attempts, 1, "{case}");
    }
}

#[test]
fn a_refusal_whose_body_breaks_off_is_still_that_refusal() {
    let explanation = r#"{"error":{"code":"Ecs.0005","message":"request body is illegal."}}"#;
    let half = &explanation[..50];
    for (case, http_status, bytes, status, part) in [
        (
            "no body",
            403,
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n".to_owned(),
            Status::FORBIDDEN,
            "HTTP 403",
        ),
        (
            "half a body",
            400,
            format!("HTTP/1.1 400 Bad Request\r\nContent-Length: 66\r\n\r\n{half}"),
            Status::REJECTED,
            "Ecs.0005",
        ),
        (
            "all but the length is right",
            400,
            format!("HTTP/1.1 400 Bad Request\r\nContent-Length: 1000\r\n\r\n{explanation}"),
            Status::REJECTED,
            "Ecs.0005: request body is illegal.",
        ),
        (
            "no last chunk",
            404,
            format!(
                "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n42\r\n{explanation}\r\n"
            ),
            Status::NOT_FOUND,
            "Ecs.0005: request body is illegal.",
        ),
        (
            "a chunk whose length is no number",
            401,
            "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
            Status::UNAUTHORIZED,
            "HTTP 401",
        ),
        (
            "a server's failure",
            500,
            format!("HTTP/1.1 500 Error\r\nContent-Length: 1000\r\n\r\n{explanation}"),
            Status::SERVICE_FAILED,
            "Ecs.0005: request body is illegal.",
        ),
    ] {
        let outcome = outcome_of_last(bytes);
        let case = format!("{case}: {outcome:?}");
        assert!(outcome.is(status), "{case}");
        assert_eq!(outcome.http_status, http_status, "{case}");
        assert_eq!(outcome.outcome_unknown, http_status == 500, "{case}");
        assert!(outcome.message.contains(part), "{case}");
    }
}

/// Answers the first request with a beginning, and then with more until the client has had enough.
fn server_that_goes_on(beginning: &'static str, more: &'static str) -> Server {
    Server::start(move |nth, stream| {
        if nth > 0 {
            return succeed(stream);
        }
        stream.write_all(beginning.as_bytes()).ok();
        while stream.write_all(more.as_bytes()).is_ok() {}
        Then::Close
    })
}

#[test]
fn an_answer_without_an_end_ends_promptly() {
    for (case, beginning, more, status, http_status) in [
        (
            "headers",
            "HTTP/1.1 204 No Content\r\n",
            "X-Filler: 0123456789\r\n",
            Status::BAD_RESPONSE,
            0,
        ),
        (
            "one header",
            "HTTP/1.1 204 No Content\r\nX-Filler: ",
            "0123456789abcdef",
            Status::BAD_RESPONSE,
            0,
        ),
        (
            "a header's name",
            "HTTP/1.1 204 No Content\r\n",
            "Filler",
            Status::BAD_RESPONSE,
            0,
        ),
        (
            "a reason phrase",
            "HTTP/1.1 204 ",
            "No Content ",
            Status::BAD_RESPONSE,
            0,
        ),
        ("empty lines", "", "\r\n", Status::BAD_RESPONSE, 0),
        (
            "a success's body",
            "HTTP/1.1 200 OK\r\n\r\n",
            "0123456789abcdef",
            Status::BAD_RESPONSE,
            200,
        ),
        (
            "a success's body of a length",
            "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n",
            "0123456789abcdef",
            Status::BAD_RESPONSE,
            200,
        ),
        (
            "a success's chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            "10\r\n0123456789abcdef\r\n",
            Status::BAD_RESPONSE,
            200,
        ),
        (
            "a refusal's body",
            "HTTP/1.1 403 Forbidden\r\n\r\n",
            "0123456789abcdef",
            Status::FORBIDDEN,
            403,
        ),
        (
            "a refusal's body of a length",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 1000000000000\r\n\r\n",
            "0123456789abcdef",
            Status::NOT_FOUND,
            404,
        ),
        (
            "a refusal's chunks",
            "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n",
            "10\r\n0123456789abcdef\r\n",
            Status::UNAUTHORIZED,
            401,
        ),
    ] {
        let server = server_that_goes_on(beginning, more);
        let outcome = outcome_at(&server);
        let case = format!("{case}: {outcome:?}");
        assert!(outcome.is(status), "{case}");
        assert_eq!(outcome.http_status, http_status, "{case}");
        let is_known = status != Status::BAD_RESPONSE;
        assert_eq!(outcome.outcome_unknown, !is_known, "{case}");
    }
}

#[test]
fn a_huge_body_spoils_a_success_and_changes_nothing_about_a_refusal() {
    const HUGE: usize = 10_000_000;
    for (http_status, status, outcome_unknown) in [
        (200, Status::BAD_RESPONSE, true),
        (202, Status::BAD_RESPONSE, true),
        (400, Status::REJECTED, false),
        (403, Status::FORBIDDEN, false),
        (500, Status::SERVICE_FAILED, true),
    ] {
        let outcome = outcome_of(answer(
            http_status,
            "X-Request-Id: r7\r\n",
            "x".repeat(HUGE),
        ));
        let case = format!("{http_status}: {outcome:?}");
        assert!(outcome.is(status), "{case}");
        assert_eq!(outcome.http_status, i32::from(http_status), "{case}");
        assert_eq!(outcome.outcome_unknown, outcome_unknown, "{case}");
        assert_eq!(outcome.request_id, "r7", "{case}");
    }
}

#[test]
fn an_error_object_that_is_followed_by_a_huge_rest_is_still_a_refusal() {
    let mut body = r#"{"error":{"code":"Ecs.0005","message":""#.to_owned();
    body.push_str(&"long ".repeat(100_000));
    body.push_str(r#""}}"#);
    let outcome = outcome_of(answer(400, "", body));
    assert!(outcome.is(Status::REJECTED), "{outcome:?}");
    assert!(outcome.message.contains("Ecs.0005"), "{outcome:?}");
}
