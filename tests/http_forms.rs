//! An answer is read in every form that HTTP/1 has.

use std::io::Write;

use fpga_associate::status::Status;
use support::one_answer::{outcome_at, outcome_of};
use support::raw::{Server, Then, succeed};

#[test]
fn an_answer_may_come_in_every_form_that_http_1_has() {
    const BODY: &str = r#"{"error":{"code":"Ecs.0031","message":"image missing"}}"#;
    let length = BODY.len();
    let (half, rest) = BODY.split_at(20);
    let half_length = format!("{:x}", half.len());
    let rest_length = format!("{:X}", rest.len());
    let byte_by_byte: String = BODY.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    let chunked = "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n";
    let plain = format!("HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\n{BODY}");
    for (case, answer) in [
        ("with a length", plain.clone()),
        (
            "in one chunk",
            format!("{chunked}{length:x}\r\n{BODY}\r\n0\r\n\r\n"),
        ),
        (
            "in two chunks",
            format!("{chunked}{half_length}\r\n{half}\r\n{rest_length}\r\n{rest}\r\n0\r\n\r\n"),
        ),
        (
            "in a chunk a byte",
            format!("{chunked}{byte_by_byte}0\r\n\r\n"),
        ),
        (
            "chunks with an extension",
            format!("{chunked}{length:x};name=value\r\n{BODY}\r\n0\r\n\r\n"),
        ),
        (
            "chunks with a trailer",
            format!("{chunked}{length:x}\r\n{BODY}\r\n0\r\nX-Trailer: value\r\n\r\n"),
        ),
        (
            "until the end",
            format!("HTTP/1.1 404 Not Found\r\n\r\n{BODY}"),
        ),
        (
            "until the announced end",
            format!("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{BODY}"),
        ),
        (
            "HTTP/1.0 with a length",
            format!("HTTP/1.0 404 Not Found\r\nContent-Length: {length}\r\n\r\n{BODY}"),
        ),
        (
            "HTTP/1.0 until the end",
            format!("HTTP/1.0 404 Not Found\r\n\r\n{BODY}"),
        ),
        (
            "HTTP/1.0 kept",
            format!(
                "HTTP/1.0 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: {length}\r\n\r\n{BODY}"
            ),
        ),
        (
            "no reason phrase",
            format!("HTTP/1.1 404 \r\nContent-Length: {length}\r\n\r\n{BODY}"),
        ),
        (
            "no reason phrase and no space for one",
            format!("HTTP/1.1 404\r\nContent-Length: {length}\r\n\r\n{BODY}"),
        ),
        (
            "header names in capitals",
            format!("HTTP/1.1 404 Not Found\r\nCONTENT-LENGTH: {length}\r\n\r\n{BODY}"),
        ),
        (
            "no space after the colon",
            format!("HTTP/1.1 404 Not Found\r\nContent-Length:{length}\r\n\r\n{BODY}"),
        ),
        (
            "after 100 Continue",
            format!("HTTP/1.1 100 Continue\r\n\r\n{plain}"),
        ),
        (
            "after 102 Processing",
            format!("HTTP/1.1 102 Processing\r\n\r\n{plain}"),
        ),
        (
            "after 103 Early Hints",
            format!("HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n{plain}"),
        ),
        (
            "after several of them",
            format!(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n{plain}"
            ),
        ),
    ] {
        for pieces in [false, true] {
            let bytes = answer.clone().into_bytes();
            let server = Server::start(move |nth, stream| match nth {
                0 if pieces => {
                    bytes.iter().for_each(|byte| {
                        stream.write_all(&[*byte]).ok();
                    });
                    Then::Close
                }
                0 => {
                    stream.write_all(&bytes).ok();
                    Then::Close
                }
                _ => succeed(stream),
            });
            let outcome = outcome_at(&server);
            let case = format!("{case}, in pieces: {pieces}: {outcome:?}");
            assert!(outcome.is(Status::NOT_FOUND), "{case}");
            assert_eq!(outcome.http_status, 404, "{case}");
            assert_eq!(outcome.code, "Ecs.0031", "{case}");
            assert!(outcome.message.contains("image missing"), "{case}");
        }
    }
}

#[test]
fn a_success_may_come_after_interim_answers() {
    for interim in [
        "100 Continue",
        "100 Continue\r\nServer: s",
        "102 Processing",
        "103 Early Hints\r\nLink: </x>",
    ] {
        for times in [1, 2, 5] {
            let mut bytes = format!("HTTP/1.1 {interim}\r\n\r\n").repeat(times);
            bytes.push_str("HTTP/1.1 204 No Content\r\n\r\n");
            let outcome = outcome_of(bytes);
            assert!(outcome.is(Status::OK), "{times} {interim}: {outcome:?}");
        }
    }
}
