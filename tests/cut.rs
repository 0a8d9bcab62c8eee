//! An answer that was cut off is no answer, and what comes behind an answer is no other.

use std::io::Write;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use fpga_associate::status::Status;
use rustls::version::{TLS12, TLS13};
use rustls::{ALL_VERSIONS, SupportedProtocolVersion};
use support::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN};
use support::certificates::{Authority, TlsStream, tls_server_of};
use support::client::{Client, config};
use support::raw::{NO_CONTENT, Seen, Server, Then, answer, succeed};

/// Answers of which only the end of the connection says where they end.
const WITHOUT_LENGTH: [&str; 4] = [
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\n\r\n{}",
    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\n{}",
];

/// The list of the pair of the example.
fn listed() -> Vec<u8> {
    let pair = format!(r#"{{"image_id":"{ECS_ID}","fpgaimages":[{{"id":"{FPGA_ID}"}}]}}"#);
    answer(200, "", format!(r#"{{"associations":[{pair}]}}"#))
}

/// Answers changes with these bytes and the list with the pair.
fn answer_or_list(nth_is_change: bool, bytes: &[u8]) -> Vec<u8> {
    if nth_is_change {
        bytes.to_vec()
    } else {
        listed()
    }
}

/// How often the list was asked.
fn lists(seen: &Seen) -> usize {
    let requests = seen.requests.iter();
    requests
        .filter(|request| request.bytes.starts_with(b"GET "))
        .count()
}

/// Has the kernel end the connection with a reset.
fn reset(stream: &TcpStream) {
    let at_once = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let length = libc::socklen_t::try_from(size_of::<libc::linger>()).unwrap();
    // SAFETY: the option's value and its length are of one struct, which lives for the call.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const at_once).cast(),
            length,
        )
    };
    assert_eq!(result, 0);
}

#[test]
fn a_success_without_a_length_that_ends_in_a_reset_is_a_lost_connection_and_the_list_is_asked() {
    for bytes in WITHOUT_LENGTH {
        let server = Server::start(move |nth, stream| {
            stream
                .write_all(&answer_or_list(nth == 0, bytes.as_bytes()))
                .unwrap();
            if nth > 0 {
                return Then::Keep;
            }
            // So that the answer is read before the reset comes.
            while unsent(stream) > 0 {
                std::thread::yield_now();
            }
            reset(stream);
            Then::Close
        });
        let client = config()
            .no_confirm()
            .max_attempts(1)
            .client(&server.endpoint());
        let outcome = client.example();
        assert!(outcome.is(Status::CONNECTION_LOST), "{bytes}: {outcome:?}");
        assert!(outcome.outcome_unknown, "{bytes}: {outcome:?}");
        drop(server);

        let server = Server::start(move |nth, stream| {
            stream
                .write_all(&answer_or_list(nth == 0, bytes.as_bytes()))
                .unwrap();
            if nth > 0 {
                return Then::Keep;
            }
            reset(stream);
            Then::Close
        });
        let outcome = config().client(&server.endpoint()).example();
        assert!(outcome.is(Status::OK), "{bytes}: {outcome:?}");
        assert_eq!(lists(&server.finish()), 1, "{bytes}");
    }
}

#[test]
fn a_chunked_answer_that_is_cut_anywhere_is_a_lost_connection() {
    const WHOLE: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\nT: v\r\n\r\n";
    // The chunk of length 0 is the end of the body.
    let end = WHOLE.find("0\r\nT").unwrap() + "0\r\n".len();
    for length in 1..end {
        let server = Server::answering(&WHOLE[..length], Then::Close);
        let client = config()
            .no_confirm()
            .max_attempts(1)
            .client(&server.endpoint());
        let outcome = client.example();
        let case = format!("{:?}: {outcome:?}", &WHOLE[..length]);
        assert!(outcome.is(Status::CONNECTION_LOST), "{case}");
        assert!(outcome.outcome_unknown, "{case}");
    }
}

/// Bytes that the other side has not confirmed.
fn unsent(stream: &TcpStream) -> i32 {
    let mut amount = 0;
    // SAFETY: writes one int.
    let result = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut amount) };
    assert_eq!(result, 0);
    amount
}

/// A call at a server that answers without a length and then ends TLS with or without its alert.
fn over_tls(
    bytes: &'static str,
    versions: &[&'static SupportedProtocolVersion],
    says_goodbye: bool,
    confirms: bool,
) -> (Outcome, Seen) {
    let authority = Authority::new();
    let script = move |nth: usize, stream: &mut TlsStream<'_>| {
        stream
            .write_all(&answer_or_list(nth == 0, bytes.as_bytes()))
            .unwrap();
        if nth > 0 {
            return Then::Keep;
        }
        if says_goodbye {
            stream.conn.send_close_notify();
        }
        stream.flush().unwrap();
        Then::Close
    };
    let server = tls_server_of(authority.sign(&["127.0.0.1"]), versions, script);
    let settings = config().ca_pem(authority.pem());
    let settings = if confirms {
        settings
    } else {
        settings.no_confirm().max_attempts(1)
    };
    let endpoint = format!("https://{}", server.address());
    let outcome = settings.client(&endpoint).example();
    (outcome, server.finish())
}

#[test]
fn over_tls_the_end_of_an_answer_without_a_length_is_the_closing_alert_and_nothing_else() {
    for versions in [&[&TLS12], &[&TLS13]] {
        for bytes in WITHOUT_LENGTH {
            let case = format!("{versions:?}: {bytes}");
            let (outcome, _) = over_tls(bytes, versions, true, false);
            assert!(outcome.is(Status::OK), "{case}: {outcome:?}");

            let (outcome, _) = over_tls(bytes, versions, false, false);
            assert!(outcome.is(Status::CONNECTION_LOST), "{case}: {outcome:?}");
            assert!(outcome.outcome_unknown, "{case}: {outcome:?}");
            assert!(outcome.message.contains("was cut"), "{case}: {outcome:?}");

            let (outcome, seen) = over_tls(bytes, versions, false, true);
            assert!(outcome.is(Status::OK), "{case}: {outcome:?}");
            assert_eq!(lists(&seen), 1, "{case}");
        }
    }
}

#[test]
fn a_list_that_was_cut_is_no_list() {
    let authority = Authority::new();
    let script = |_: usize, stream: &mut TlsStream<'_>| {
        let empty = b"HTTP/1.1 200 OK\r\n\r\n{\"associations\":[]}";
        stream.write_all(empty).unwrap();
        stream.flush().unwrap();
        Then::Close
    };
    let server = tls_server_of(authority.sign(&["127.0.0.1"]), ALL_VERSIONS, script);
    let client = config()
        .ca_pem(authority.pem())
        .max_attempts(1)
        .client(&format!("https://{}", server.address()));
    let outcome = client
        .associations(TOKEN, PROJECT_ID, Some(FPGA_ID), None)
        .unwrap_err();
    assert!(outcome.is(Status::CONNECTION_LOST), "{outcome:?}");
}

#[test]
fn what_comes_behind_an_answer_over_tls_never_reaches_the_next_call() {
    const REFUSAL: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    // In the same record, in a record of its own, half of one, and behind a long one that fills
    // more than one read.
    for versions in [&[&TLS12], &[&TLS13]] {
        for case in ["same record", "next record", "long record"] {
            let authority = Authority::new();
            let script = move |nth: usize, stream: &mut TlsStream<'_>| {
                let mut first = NO_CONTENT.to_vec();
                if case == "long record" {
                    first = answer(200, "", format!("{{{}}}", " ".repeat(17_000)));
                }
                if nth > 0 {
                    stream.write_all(NO_CONTENT).unwrap();
                } else if case == "same record" {
                    stream.write_all(&[&first, REFUSAL].concat()).unwrap();
                } else {
                    stream.conn.writer().write_all(&first).unwrap();
                    stream.conn.writer().write_all(REFUSAL).unwrap();
                    stream.flush().unwrap();
                }
                Then::Keep
            };
            let server = tls_server_of(authority.sign(&["127.0.0.1"]), versions, script);
            let client: Client = config()
                .ca_pem(authority.pem())
                .client(&format!("https://{}", server.address()));
            for _ in 0..3 {
                let outcome = client.example();
                assert!(outcome.is(Status::OK), "{case}: {outcome:?}");
            }
            assert_eq!(server.finish().connection_of_each(), [0, 1, 1], "{case}");
        }
    }
}

/// Encrypted, a byte of an answer is one all the same: then nobody may say that it was not done.
#[test]
fn a_part_of_a_record_on_a_kept_connection_is_a_byte_of_an_answer() {
    for versions in [&[&TLS12], &[&TLS13]] {
        for part in [1, 5, 20] {
            let authority = Authority::new();
            let script = move |nth: usize, stream: &mut TlsStream<'_>| {
                if nth != 1 {
                    stream.write_all(NO_CONTENT).unwrap();
                    return Then::Keep;
                }
                let mut record = Vec::new();
                stream.conn.writer().write_all(NO_CONTENT).unwrap();
                stream.conn.write_tls(&mut record).unwrap();
                stream.sock.write_all(&record[..part]).unwrap();
                Then::Close
            };
            let server = tls_server_of(authority.sign(&["127.0.0.1"]), versions, script);
            let client: Client = config()
                .ca_pem(authority.pem())
                .no_confirm()
                .client(&format!("https://{}", server.address()));
            assert!(client.example().is(Status::OK));
            let outcome = client.example();
            let case = format!("{versions:?} {part}: {outcome:?}");
            assert!(outcome.is(Status::CONNECTION_LOST), "{case}");
            assert!(outcome.outcome_unknown, "{case}");
            assert_eq!(server.finish().requests.len(), 2, "{case}");
        }
    }
}

/// A success that the server gives to everybody, before it has seen a request.
#[test]
fn what_comes_before_the_request_is_no_answer() {
    let server = Server::serve(|mut visit| {
        visit.stream.write_all(NO_CONTENT).ok();
        visit.read_request();
    });
    let direct = config().max_attempts(1).client(&server.endpoint());
    let outcome = direct.example();
    // The greeting may be there before the request is sent, or only after.
    if !outcome.is(Status::OK) {
        assert!(outcome.is(Status::BAD_RESPONSE), "{outcome:?}");
        assert!(!outcome.outcome_unknown, "{outcome:?}");
    }

    // Here it is there for certain: the proxy's own answer came after it.
    let proxy = Server::serve(|mut visit| {
        visit.read_request();
        let both = [b"HTTP/1.1 200 OK\r\n\r\n", NO_CONTENT].concat();
        visit.stream.write_all(&both).ok();
        assert!(visit.read_request().is_none(), "a request went out");
    });
    let client = config()
        .proxy(&proxy.endpoint())
        .allow_http()
        .max_attempts(1)
        .client("http://service.test");
    let outcome = client.example();
    assert!(!outcome.is(Status::OK), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
}

#[test]
fn a_body_in_chunks_without_its_last_line_is_cut() {
    let whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    for missing in 1..=7 {
        let cut = &whole[..whole.len() - missing];
        let server = Server::answering_first(cut, Then::Close);
        let client = config()
            .max_attempts(1)
            .no_confirm()
            .client(&server.endpoint());
        let outcome = client.example();
        assert!(outcome.is(Status::CONNECTION_LOST), "{cut}: {outcome:?}");
        assert!(outcome.outcome_unknown, "{cut}: {outcome:?}");
    }
}

#[test]
fn a_kept_connection_that_is_given_up_with_a_408_counts_as_closed() {
    const GIVEN_UP: &[u8] =
        b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let server = Server::start(|nth, stream| {
        if nth == 1 {
            stream.write_all(GIVEN_UP).unwrap();
            return Then::Close;
        }
        succeed(stream)
    });
    let client = config().client(&server.endpoint());
    for _ in 0..2 {
        let outcome = client.example();
        assert!(outcome.is(Status::OK), "{outcome:?}");
    }
    assert_eq!(server.finish().connection_of_each(), [0, 0, 1]);

    // On a new connection it is an answer.
    let server = Server::answering(GIVEN_UP, Then::Close);
    let outcome = config()
        .no_confirm()
        .max_attempts(1)
        .client(&server.endpoint())
        .example();
    assert_eq!(outcome.http_status, 408, "{outcome:?}");
}

#[test]
fn a_connection_over_tls_is_closed_with_an_alert() {
    for versions in [&[&TLS12], &[&TLS13]] {
        let authority = Authority::new();
        let (told, is_told) = std::sync::mpsc::channel();
        let told = std::sync::Mutex::new(told);
        let script = move |_: usize, stream: &mut TlsStream<'_>| {
            stream.write_all(NO_CONTENT).unwrap();
            let mut nothing = [0; 1];
            // An end without the alert would be an error.
            let read = std::io::Read::read(stream, &mut nothing);
            told.lock()
                .unwrap()
                .send(read.map_err(|error| error.kind()))
                .unwrap();
            Then::Close
        };
        let server = tls_server_of(authority.sign(&["127.0.0.1"]), versions, script);
        let client = config()
            .ca_pem(authority.pem())
            .client(&format!("https://{}", server.address()));
        assert!(client.example().is(Status::OK));
        client.close_idle();
        assert_eq!(is_told.recv().unwrap(), Ok(0));
    }
}
