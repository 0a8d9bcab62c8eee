//! What is no list is never taken for one: it is asked for again where that may help, or an error.

use std::io::Write;

use fpga_associate::status::Status;
use serde_json::json;
use support::client::config;
use support::lists::{json_answer, list_from, once, page};
use support::raw::{Server, Then, answer};

#[test]
fn what_is_not_the_documented_json_is_a_bad_response() {
    let whole = page(0, 3).to_string();
    let huge = format!(
        r#"{{"associations":[],"x":"{}"}}"#,
        "x".repeat(16 * 1024 * 1024)
    );
    for (case, body) in [
        ("nothing", ""),
        ("HTML", "<html><body>login</body></html>"),
        ("a truncated document", &whole[..whole.len() / 2]),
        ("more than a document", &format!("{whole}{whole}")),
        ("another document", r#"{"job_id":"1"}"#),
        ("a list of texts", r#"{"associations":["a"]}"#),
        (
            "an id that is a number",
            r#"{"associations":[{"image_id":1}]}"#,
        ),
        (
            "associations that stand twice",
            r#"{"associations":[],"associations":[]}"#,
        ),
        ("over 16 MiB", &huge),
    ] {
        let server = Server::answering(answer(200, "", body), Then::Keep);
        let outcome = once(&server).map(|_| ()).unwrap_err();
        assert!(outcome.is(Status::BAD_RESPONSE), "{case}: {outcome:?}");
        assert_eq!(outcome.http_status, 200, "{case}");
        assert!(!outcome.outcome_unknown, "{case}");
    }
}

#[test]
fn an_answer_that_carries_an_error_is_never_an_empty_list() {
    for (body, status) in [
        (
            r#"{"associations":[],"error":{"code":"Ecs.0005","message":"no"}}"#,
            Status::UNEXPECTED_STATUS,
        ),
        (
            r#"{"associations":[],"errors":["no"]}"#,
            Status::UNEXPECTED_STATUS,
        ),
        (
            r#"{"message":"Authorization information is wrong","request_id":"r"}"#,
            Status::UNEXPECTED_STATUS,
        ),
        (
            r#"{"associations":[],"code":"Common.0024","message":"slow"}"#,
            Status::THROTTLED,
        ),
    ] {
        let outcome = once(&Server::answering(answer(200, "", body), Then::Keep));
        let outcome = outcome.map(|_| ()).unwrap_err();
        assert!(outcome.is(status), "{body}: {outcome:?}");
    }
}

#[test]
fn an_error_object_in_a_2xx_answer_is_that_error() {
    let body = r#"{"error":{"code":"Common.0024","message":"exceeds flow over limit"}}"#;
    let server = Server::answering(answer(202, "", body), Then::Keep);
    let outcome = once(&server).map(|_| ()).unwrap_err();
    assert!(outcome.is(Status::THROTTLED), "{outcome:?}");
    assert_eq!(outcome.code, "Common.0024");
}

#[test]
fn a_list_is_tried_again_after_everything_that_may_pass() {
    let failures: [(&str, &[u8], Then); 6] = [
        ("closed", b"", Then::Close),
        (
            "half an answer",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
            Then::Close,
        ),
        (
            "500",
            b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
            Then::Keep,
        ),
        (
            "502",
            b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n",
            Then::Keep,
        ),
        (
            "503",
            b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
            Then::Keep,
        ),
        (
            "429",
            b"HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n",
            Then::Keep,
        ),
    ];
    for (case, failure, then) in failures {
        let server = Server::start(move |nth, stream| {
            if nth == 0 {
                stream.write_all(failure).ok();
                return then;
            }
            stream.write_all(&json_answer(&page(0, 2))).ok();
            Then::Keep
        });
        let found = list_from(&config().client(&server.endpoint()));
        let found = found.unwrap_or_else(|outcome| panic!("{case}: {outcome:?}"));
        assert_eq!(found.len(), 2, "{case}");
        assert_eq!(server.finish().requests.len(), 2, "{case}");
    }
}

/// Of three pages the first and the second fail twice: that is more than the attempts of one request, and
/// none of a page too many. Each request has a connection of its own: what is refused on a kept one is asked
/// again at once, as a part of the same attempt.
#[test]
fn each_page_is_tried_three_times() {
    let server = Server::start(|nth, stream| {
        let answer = match nth {
            2 => json_answer(&page(0, 100)),
            5 => json_answer(&page(100, 100)),
            6 => json_answer(&page(200, 7)),
            _ => answer(503, "", ""),
        };
        stream.write_all(&answer).ok();
        Then::Close
    });
    let list = list_from(&config().client(&server.endpoint())).unwrap();
    assert_eq!(list.len(), 207);
    assert_eq!(server.finish().requests.len(), 7);

    let server = Server::start(|nth, stream| {
        let answer = match nth {
            0 => json_answer(&page(0, 100)),
            _ => answer(503, "", ""),
        };
        stream.write_all(&answer).ok();
        Then::Close
    });
    let outcome = list_from(&config().client(&server.endpoint()));
    let outcome = outcome.map(|_| ()).unwrap_err();
    assert!(outcome.is(Status::SERVICE_FAILED), "{outcome:?}");
    assert_eq!(server.finish().requests.len(), 1 + 3);
}

#[test]
fn a_refusal_is_not_asked_again() {
    for (http_status, status) in [
        (400, Status::REJECTED),
        (401, Status::UNAUTHORIZED),
        (403, Status::FORBIDDEN),
        (404, Status::NOT_FOUND),
    ] {
        let server = Server::answering(
            answer(http_status, "", r#"{"code":"Ecs.0005","message":"no"}"#),
            Then::Keep,
        );
        let outcome = list_from(&config().client(&server.endpoint()))
            .map(|_| ())
            .unwrap_err();
        assert!(outcome.is(status), "{outcome:?}");
        assert_eq!(outcome.code, "Ecs.0005");
        assert_eq!(outcome.attempts, 1);
        assert_eq!(server.finish().requests.len(), 1);
    }
}

/// The rest of an earlier answer, or something that is no answer at all.
#[test]
fn what_is_no_list_on_a_kept_connection_is_asked_for_again_on_a_fresh_one() {
    for other in [
        &b"HTTP/1.1 204 No Content\r\n\r\n"[..],
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ] {
        let server = Server::start(move |nth, stream| {
            let answer = match nth {
                1 => other.to_vec(),
                _ => json_answer(&page(0, 2)),
            };
            stream.write_all(&answer).ok();
            Then::Keep
        });
        let client = config().max_attempts(1).client(&server.endpoint());
        assert_eq!(list_from(&client).unwrap().len(), 2);
        assert_eq!(list_from(&client).unwrap().len(), 2);
        assert_eq!(server.finish().connection_of_each(), [0, 0, 1]);

        let server = Server::answering_first(other, Then::Keep);
        let outcome = once(&server).map(|_| ()).unwrap_err();
        assert!(outcome.is(Status::BAD_RESPONSE), "{outcome:?}");
        assert_eq!(server.finish().requests.len(), 1);
    }
}

/// An earlier call's refusal, or its list of another ECS image.
#[test]
fn what_may_be_left_over_of_an_earlier_answer_is_not_believed() {
    let mut other = page(0, 2);
    other["associations"][0]["image_id"] = json!("another");
    for left_over in [
        answer(400, "", r#"{"error":{"code":"Ecs.0005","message":"no"}}"#),
        answer(404, "", ""),
        answer(502, "", ""),
        json_answer(&other),
    ] {
        let server = Server::start(move |nth, stream| {
            let answer = match nth {
                1 => left_over.clone(),
                _ => json_answer(&page(0, 3)),
            };
            stream.write_all(&answer).ok();
            Then::Keep
        });
        let client = config().max_attempts(1).client(&server.endpoint());
        assert_eq!(list_from(&client).unwrap().len(), 3);
        assert_eq!(list_from(&client).unwrap().len(), 3);
        assert_eq!(server.finish().connection_of_each(), [0, 0, 1]);
    }
}
