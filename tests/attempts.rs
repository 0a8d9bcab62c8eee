//! What is tried again, when, and what never is.

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use fpga_associate::status::Status;
use support::call::{Outcome, TOKEN};
use support::certificates::{Authority, self_signed, tls_server};
use support::client::{self, Client, Config};
use support::raw::{NO_CONTENT, Server, Then, answer, read_request, succeed};
use support::slow::{Closed, Hold, on_line, with_own_dns};

/// What a busy machine may take where nothing is waited for.
const AT_ONCE: Duration = Duration::from_secs(1);

const FLOW_CONTROL: &str =
    r#"{"error":{"code":"Common.0024","message":"exceeds flow over limit"}}"#;

/// Gives these answers in turn and then does what is asked; and tells when each request came.
fn answering_in_turn(answers: Vec<Vec<u8>>) -> (Server, mpsc::Receiver<Instant>) {
    let (comes, came) = mpsc::channel();
    let server = Server::start(move |nth, stream| {
        comes.send(Instant::now()).ok();
        match answers.get(nth) {
            Some(answer) => {
                stream.write_all(answer).ok();
                Then::Keep
            }
            None => succeed(stream),
        }
    });
    (server, came)
}

/// The times between the requests.
fn waits(came: &mpsc::Receiver<Instant>) -> Vec<Duration> {
    let moments: Vec<_> = came.try_iter().collect();
    moments.windows(2).map(|two| two[1] - two[0]).collect()
}

fn attempt_once(client: &Client) -> Outcome {
    let outcome = client.example();
    assert_eq!(outcome.attempts, 1, "{outcome:?}");
    outcome
}

/// The list is not asked, so that what is seen is attempts alone.
fn config() -> Config {
    client::config().no_confirm()
}

#[test]
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

#[test]
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

#[test]
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

#[test]
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

#[test]
fn an_answer_that_is_not_http_is_not_tried_again() {
    let server = Server::answering_first("220 mail.test ESMTP\r\n\r\n", Then::Close);
    let outcome = attempt_once(&config().client(&server.endpoint()));
    assert!(outcome.is(Status::BAD_RESPONSE), "{outcome:?}");
    assert!(outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(server.finish().requests.len(), 1);
}

#[test]
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

#[test]
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

#[test]
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
        let (level, line) = is_waiting.recv_timeout(Duration::from_secs(10)).unwrap();
        assert_eq!(level, 2, "{line}");
        assert!(line.contains("refused"), "{line}");
        let (mut stream, _) = port.open().accept().unwrap();
        assert!(read_request(&mut stream).1);
        stream.write_all(NO_CONTENT).unwrap();
        call.join().unwrap()
    });
    assert!(outcome.is(Status::OK), "{outcome:?}");
}

#[test]
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

#[test]
fn a_connection_that_takes_too_long_is_tried_again() {
    let hold = Hold::never_accepted();
    let outcome = hold
        .client(config().connect_timeout_ms(100).max_attempts(2))
        .example();
    assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(outcome.attempts, 2, "{outcome:?}");
}

#[test]
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

#[test]
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

#[test]
fn waits_begin_at_200_ms_and_double() {
    let (server, came) = answering_in_turn(vec![answer(429, "", ""); 3]);
    let outcome = config()
        .max_attempts(4)
        .client(&server.endpoint())
        .example();
    assert!(outcome.is(Status::OK), "{outcome:?}");
    let waits = waits(&came);
    assert_eq!(waits.len(), 3);
    for (wait, least) in waits.iter().zip([200, 400, 800]) {
        let least = Duration::from_millis(least);
        assert!(*wait >= least, "{waits:?}");
        assert!(*wait < least * 3 / 2 + AT_ONCE, "{waits:?}");
    }
}

#[test]
fn clients_that_failed_together_do_not_come_back_together() {
    let (asks, asked) = mpsc::channel();
    let server = Server::answering(answer(429, "", ""), Then::Keep);
    let waits: Vec<String> = thread::scope(|scope| {
        for _ in 0..8 {
            let asks = asks.clone();
            let endpoint = server.endpoint();
            scope.spawn(move || {
                let hear = move |_, line: &str| {
                    if let Some((_, wait)) = line.rsplit_once("; again in ") {
                        asks.send(wait.to_owned()).ok();
                    }
                };
                on_line(config().max_attempts(2), hear)
                    .client(&endpoint)
                    .example()
            });
        }
        (0..8).map(|_| asked.recv().unwrap()).collect()
    });
    assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
}

#[test]
fn the_seconds_that_the_service_asks_for_are_waited() {
    for http_status in [429, 425] {
        let asks = answer(http_status, "Retry-After: 1\r\n", "");
        let (server, came) = answering_in_turn(vec![asks]);
        let outcome = config().client(&server.endpoint()).example();
        assert!(outcome.is(Status::OK), "{outcome:?}");
        let waits = waits(&came);
        assert!(waits[0] >= Duration::from_secs(1), "{waits:?}");
        assert!(waits[0] < Duration::from_secs(2), "{waits:?}");
    }
}

#[test]
fn the_moment_that_the_service_asks_for_is_waited_for() {
    let moment = SystemTime::now() + Duration::from_secs(2);
    let date = httpdate::fmt_http_date(moment);
    let asks = answer(429, &format!("Retry-After: {date}\r\n"), "");
    let (comes, came) = mpsc::channel();
    let server = Server::start(move |nth, stream| {
        comes.send(SystemTime::now()).ok();
        if nth == 0 {
            stream.write_all(&asks).ok();
            return Then::Keep;
        }
        succeed(stream)
    });
    let outcome = config().client(&server.endpoint()).example();
    assert!(outcome.is(Status::OK), "{outcome:?}");
    // A date has no fractions of a second; a wait has no fractions of a millisecond.
    let asked = httpdate::parse_http_date(&date).unwrap() - Duration::from_millis(1);
    let [_, second] = came.try_iter().collect::<Vec<_>>()[..] else {
        panic!("not two requests");
    };
    assert!(second >= asked);
    assert!(second < asked + AT_ONCE);
}

#[test]
fn a_wait_that_does_not_fit_the_time_is_told_and_not_begun() {
    let in_an_hour = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
    for (http_status, status) in [(429, Status::THROTTLED), (425, Status::REJECTED)] {
        for (value, least, most) in [
            ("6", 6_000, 6_000),
            ("3600", 3_600_000, 3_600_000),
            ("18446744073709551615", 86_400_000, 86_400_000),
            (in_an_hour.as_str(), 3_500_000, 3_600_000),
        ] {
            let asks = answer(http_status, &format!("Retry-After: {value}\r\n"), "");
            let server = Server::answering_first(asks, Then::Keep);
            let client = config().timeout_ms(5_000).client(&server.endpoint());
            let begun = Instant::now();
            let outcome = attempt_once(&client);
            assert!(begun.elapsed() < AT_ONCE, "{outcome:?}");
            assert!(outcome.is(status), "{value}: {outcome:?}");
            let asked = outcome.retry_after_ms;
            assert!((least..=most).contains(&asked), "{value}: {outcome:?}");
            assert_eq!(server.finish().requests.len(), 1, "{value}");
        }
    }
}

#[test]
fn a_wait_that_makes_no_sense_is_the_librarys_own() {
    thread::scope(|scope| {
        for value in [
            "",
            "0",
            "soon",
            "-1",
            "1.5",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ] {
            scope.spawn(move || {
                let asks = answer(429, &format!("Retry-After: {value}\r\n"), "");
                let (server, came) = answering_in_turn(vec![asks]);
                let outcome = config().client(&server.endpoint()).example();
                assert!(outcome.is(Status::OK), "{value}: {outcome:?}");
                let waits = waits(&came);
                assert!(waits[0] >= Duration::from_millis(200), "{value}: {waits:?}");
                assert!(waits[0] < Duration::from_millis(300) + AT_ONCE, "{value}");
            });
        }
    });
}

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
