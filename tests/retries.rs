//! What was not done and may pass is tried again, and nothing else is.

use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use fpga_associate::status::Status;
use support::attempts::{attempt_once, config};
use support::call::TOKEN;
use support::certificates::{Authority, self_signed, tls_server};
use support::raw::{NO_CONTENT, Server, Then, answer, read_request};
use support::slow::{Closed, Hold, on_line, with_own_dns};

support::tests! {
    what_the_service_did_not_do_is_tried_again,
    what_the_service_may_have_done_and_what_it_refused_is_not_tried_again,
    a_connection_that_is_lost_after_sending_is_not_tried_again,
    an_answer_that_does_not_come_is_not_asked_for_again,
    an_answer_that_is_not_http_is_not_tried_again,
    a_certificate_that_is_not_trusted_is_not_tried_again,
    a_proxy_that_says_no_is_not_asked_again,
    a_connection_that_is_refused_is_tried_again,
    a_proxy_that_refuses_the_connection_is_tried_again,
    a_connection_that_takes_too_long_is_tried_again,
    a_name_without_an_address_is_looked_up_again,
    there_are_as_many_attempts_as_are_allowed_and_the_error_counts_them,
}

const FLOW_CONTROL: &str =
    r#"{"error":{"code":"Common.0024","message":"exceeds flow over limit"}}"#;

fn what_the_service_did_not_do_is_tried_again() {
    let cases = [
        (429, "", ""),
        (
            429,
            "",
            r#"{"error_code":"APIGW.0308","error_msg":"too fast"}"#,
        ),
        (408, "", ""),
        (425, "", ""),
        (503, "", FLOW_CONTROL),
        (
            503,
            "",
            r#"{"error_code":"Common.1503","error_msg":"too fast"}"#,
        ),
        (429, "Connection: close\r\n", "<html>busy</html>"),
        (200, "", FLOW_CONTROL),
        (202, "", FLOW_CONTROL),
        (
            400,
            "",
            r#"{"error_code":"APIG.0308","error_msg":"too fast"}"#,
        ),
        (500, "", FLOW_CONTROL),
    ];
    thread::scope(|scope| {
        for (http_status, headers, body) in cases {
            scope.spawn(move || {
                let answer = answer(http_status, headers, body);
                let server = Server::answering_first(answer, Then::Keep);
                let outcome = config().client(&server.endpoint()).example();
                assert!(outcome.is(Status::OK), "{http_status} {body}: {outcome:?}");
                let requests = server.finish().requests;
                assert_eq!(requests.len(), 2, "{http_status} {body}");
                assert_eq!(requests[0].bytes, requests[1].bytes);
            });
        }
    });
}

fn what_the_service_may_have_done_and_what_it_refused_is_not_tried_again() {
    for (http_status, status, outcome_unknown) in [
        (202, Status::PENDING, true),
        (300, Status::UNEXPECTED_STATUS, true),
        (307, Status::UNEXPECTED_STATUS, true),
        (400, Status::REJECTED, false),
        (401, Status::UNAUTHORIZED, false),
        (403, Status::FORBIDDEN, false),
        (404, Status::NOT_FOUND, false),
        (409, Status::CONFLICT, false),
        (500, Status::SERVICE_FAILED, true),
        (501, Status::SERVICE_FAILED, true),
        (502, Status::SERVICE_FAILED, true),
        (503, Status::SERVICE_FAILED, true),
        (504, Status::SERVICE_FAILED, true),
        (599, Status::SERVICE_FAILED, true),
        (600, Status::UNEXPECTED_STATUS, true),
    ] {
        let headers = "Retry-After: 0\r\nLocation: /\r\n";
        let server = Server::answering_first(answer(http_status, headers, ""), Then::Keep);
        let outcome = attempt_once(&config().client(&server.endpoint()));
        let case = format!("{http_status}: {outcome:?}");
        assert!(outcome.is(status), "{case}");
        assert_eq!(outcome.outcome_unknown, outcome_unknown, "{case}");
        assert_eq!(server.finish().requests.len(), 1, "{case}");
    }
}

fn a_connection_that_is_lost_after_sending_is_not_tried_again() {
    for half in [
        "",
        "H",
        "HTTP/1.1 204 No Content\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
    ] {
        let server = Server::answering_first(half, Then::Close);
        let outcome = attempt_once(&config().client(&server.endpoint()));
        assert!(outcome.is(Status::CONNECTION_LOST), "{half}: {outcome:?}");
        assert!(outcome.outcome_unknown, "{half}: {outcome:?}");
        let seen = server.finish();
        assert_eq!((seen.connections, seen.requests.len()), (1, 1), "{half}");
    }
}

fn an_answer_that_does_not_come_is_not_asked_for_again() {
    let server = Server::start(|_, stream| {
        read_request(stream);
        Then::Close
    });
    let client = config().timeout_ms(400).client(&server.endpoint());
    let outcome = attempt_once(&client);
    assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
    assert!(outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(server.finish().requests.len(), 1);
}

fn an_answer_that_is_not_http_is_not_tried_again() {
    let server = Server::answering_first("220 mail.test ESMTP\r\n\r\n", Then::Close);
    let outcome = attempt_once(&config().client(&server.endpoint()));
    assert!(outcome.is(Status::BAD_RESPONSE), "{outcome:?}");
    assert!(outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(server.finish().requests.len(), 1);
}

fn a_certificate_that_is_not_trusted_is_not_tried_again() {
    let trusted = Authority::new();
    let file = trusted.file();
    for identity in [
        Authority::new().sign(&["127.0.0.1"]),
        self_signed(&["127.0.0.1"]),
        trusted.sign(&["other.test"]),
        trusted.sign_expired("127.0.0.1"),
    ] {
        let server = tls_server(identity);
        let endpoint = format!("https://{}", server.address());
        let client = config().ca_file(file.to_str().unwrap()).client(&endpoint);
        let outcome = attempt_once(&client);
        assert!(outcome.is(Status::TLS_FAILED), "{outcome:?}");
        assert!(!outcome.outcome_unknown, "{outcome:?}");
        let seen = server.finish();
        assert_eq!(
            (seen.connections, seen.requests.len()),
            (1, 0),
            "{outcome:?}"
        );
    }
}

fn a_proxy_that_says_no_is_not_asked_again() {
    for http_status in [400, 403, 407] {
        let headers = "Proxy-Authenticate: Basic realm=\"x\"\r\n";
        let proxy = Server::answering(answer(http_status, headers, ""), Then::Close);
        let client = config()
            .proxy(&proxy.endpoint())
            .client("https://service.test");
        let outcome = attempt_once(&client);
        assert!(outcome.is(Status::PROXY_FAILED), "{outcome:?}");
        assert!(!outcome.outcome_unknown, "{outcome:?}");
        let seen = proxy.finish();
        assert_eq!(
            (seen.connections, seen.requests.len()),
            (1, 1),
            "{outcome:?}"
        );
        let request = String::from_utf8_lossy(&seen.requests[0].bytes);
        assert!(!request.contains(TOKEN), "{request}");
    }
}

fn a_connection_that_is_refused_is_tried_again() {
    let port = Closed::new();
    let address = port.address();
    let (waits, is_waiting) = mpsc::channel();
    let hear = move |level, line: &str| {
        if line.contains("; again in ") {
            waits.send((level, line.to_owned())).ok();
        }
    };
    let client = on_line(config(), hear).client(&format!("http://{address}"));
    let outcome = thread::scope(|scope| {
        let call = scope.spawn(|| client.example());
        let (level, line) = is_waiting.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!(level, 2, "{line}");
        assert!(line.contains("refused"), "{line}");
        let (mut stream, _) = port.open().accept().unwrap();
        assert!(read_request(&mut stream).1);
        stream.write_all(NO_CONTENT).unwrap();
        call.join().unwrap()
    });
    assert!(outcome.is(Status::OK), "{outcome:?}");
}

fn a_proxy_that_refuses_the_connection_is_tried_again() {
    let port = Closed::new();
    let proxy = format!("http://{}", port.address());
    let client = config()
        .proxy(&proxy)
        .max_attempts(2)
        .client("https://service.test");
    let outcome = client.example();
    assert!(outcome.is(Status::PROXY_FAILED), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(outcome.attempts, 2, "{outcome:?}");
}

fn a_connection_that_takes_too_long_is_tried_again() {
    let hold = Hold::never_accepted();
    let outcome = hold
        .client(config().connect_timeout_ms(100).max_attempts(2))
        .example();
    assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(outcome.attempts, 2, "{outcome:?}");
}

fn a_name_without_an_address_is_looked_up_again() {
    with_own_dns("a_name_without_an_address_is_looked_up_again", |dns| {
        drop(dns);
        let client = config().max_attempts(2).client("https://service.test");
        let outcome = client.example();
        assert!(outcome.is(Status::RESOLVE_FAILED), "{outcome:?}");
        assert!(!outcome.outcome_unknown, "{outcome:?}");
        assert_eq!(outcome.attempts, 2, "{outcome:?}");
        assert!(outcome.message.contains("service.test"), "{outcome:?}");
    });
}

fn there_are_as_many_attempts_as_are_allowed_and_the_error_counts_them() {
    let settings = [
        (1, config().max_attempts(1)),
        (2, config().max_attempts(2)),
        (3, config()),
        (4, config().max_attempts(4)),
    ];
    let cases = settings.map(|(attempts, config)| {
        let (status, http_status) = if attempts % 2 == 0 {
            (Status::THROTTLED, 429)
        } else {
            (Status::REJECTED, 425)
        };
        let server = Server::answering(answer(http_status, "", ""), Then::Keep);
        let client = config.client(&server.endpoint());
        (attempts, status, server, client)
    });
    thread::scope(|scope| {
        for (attempts, status, server, client) in cases {
            scope.spawn(move || {
                let outcome = client.example();
                assert!(outcome.is(status), "{outcome:?}");
                assert_eq!(outcome.attempts, attempts, "{outcome:?}");
                assert!(!outcome.outcome_unknown, "{outcome:?}");
                let seen = server.finish();
                assert_eq!(seen.requests.len(), usize::try_from(attempts).unwrap());
                assert_eq!(
                    seen.connections, 1,
                    "an answer leaves the connection usable"
                );
            });
        }
    });
}
