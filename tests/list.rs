//! The list call: pages, fields, limits, and what is not a list.

mod support;

use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ecs_emulator::{Emulator, Settings};
use fpga_associate::status::Status;
use serde_json::{Value, json};
use support::c::{Toolchain, run};
use support::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN};
use support::client::{Client, List, config, text};
use support::raw::{Server, Then, answer};

fn service() -> Emulator {
    let service = Emulator::start_with(Settings {
        tls: false,
        ..Settings::default()
    })
    .unwrap();
    service.set_limit(1_000_000);
    service
}

fn list(client: &Client, service: &Emulator, fpga_id: Option<&str>, ecs_id: Option<&str>) -> List {
    client
        .associations(service.token(), service.project_id(), fpga_id, ecs_id)
        .unwrap()
}

/// The list of an ECS image from a server of bytes.
fn list_from(client: &Client) -> Result<List, Outcome> {
    client.associations(TOKEN, PROJECT_ID, None, Some(ECS_ID))
}

fn once(server: &Server) -> Result<List, Outcome> {
    list_from(&config().max_attempts(1).client(&server.endpoint()))
}

fn json_answer(document: &Value) -> Vec<u8> {
    answer(
        200,
        "Content-Type: application/json\r\n",
        document.to_string(),
    )
}

/// A page of pairs whose FPGA images are numbered from `first`.
fn page(first: usize, count: usize) -> Value {
    let images: Vec<Value> = (first..first + count)
        .map(|number| json!({ "id": format!("fpga-{number}"), "name": "n", "size": 40, "protected": true }))
        .collect();
    json!({ "associations": [{ "image_id": ECS_ID, "fpgaimages": images }] })
}

#[test]
fn a_list_is_by_fpga_image_by_ecs_image_or_by_both() {
    let service = service();
    let client = config().client(service.endpoint());
    let [one, two] = [&service.fpga_ids()[0], &service.fpga_ids()[1]];
    let [first, second] = [&service.ecs_ids()[0], &service.ecs_ids()[1]];
    for (fpga_id, ecs_id) in [(one, first), (two, first), (one, second)] {
        service.associate(fpga_id, ecs_id);
    }
    for (fpga_id, ecs_id, pairs) in [
        (Some(one), None, vec![(one, first), (one, second)]),
        (None, Some(first), vec![(one, first), (two, first)]),
        (Some(one), Some(second), vec![(one, second)]),
        (Some(two), Some(second), vec![]),
    ] {
        let fpga_id = fpga_id.map(String::as_str);
        let ecs_id = ecs_id.map(String::as_str);
        let mut expected: Vec<_> = pairs
            .into_iter()
            .map(|(fpga_id, ecs_id)| (fpga_id.clone(), ecs_id.clone()))
            .collect();
        let mut found = list(&client, &service, fpga_id, ecs_id).pairs();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{fpga_id:?} {ecs_id:?}");
    }
}

#[test]
fn pages_of_100_are_fetched_over_one_connection_until_one_is_not_full() {
    for (pairs, pages) in [(0, 1), (1, 1), (99, 1), (100, 2), (101, 2), (250, 3)] {
        let service = service();
        let ecs_id = &service.ecs_ids()[0];
        for fpga_id in service.add_fpga_images(pairs) {
            service.associate(&fpga_id, ecs_id);
        }
        let server = forwarding(&service);
        let client = config().client(&server.endpoint());
        let found = list(&client, &service, None, Some(ecs_id));
        assert_eq!(found.len(), pairs, "{pairs}");
        let seen = server.finish();
        assert_eq!(seen.connections, 1, "{pairs}");
        let lines: Vec<_> = seen
            .requests
            .iter()
            .map(|request| first_line(&request.bytes))
            .collect();
        let expected: Vec<_> = (1..=pages)
            .map(|page| {
                let project_id = service.project_id();
                format!("GET /v1/{project_id}/cloudservers/fpga_image/associations?image_id={ecs_id}&page={page}&size=100 HTTP/1.1")
            })
            .collect();
        assert_eq!(lines, expected);
    }
}

/// Hands everything on to the emulator, and counts connections.
fn forwarding(service: &Emulator) -> Server {
    use support::relay::{Break, Listing, relay};
    relay(service.address(), Break::InTheAnswer, 0, Listing::Works)
}

fn first_line(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    text.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn both_ids_are_asked_for_without_paging_and_without_a_body() {
    let server = Server::answering(json_answer(&page(0, 0)), Then::Keep);
    let client = config().client(&server.endpoint());
    let found = client
        .associations(TOKEN, PROJECT_ID, Some(FPGA_ID), Some(ECS_ID))
        .unwrap();
    assert_eq!(found.len(), 0);
    assert!(found.get(0).is_none());
    let seen = server.finish();
    let request = String::from_utf8(seen.requests[0].bytes.clone()).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let path = format!("/v1/{PROJECT_ID}/cloudservers/fpga_image/associations");
    let query = format!("image_id={ECS_ID}&fpga_image_id={FPGA_ID}");
    assert_eq!(
        first_line(head.as_bytes()),
        format!("GET {path}?{query} HTTP/1.1")
    );
    assert!(body.is_empty());
    let mut names: Vec<_> = head
        .lines()
        .skip(1)
        .map(|line| line.split(':').next().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "user-agent", "x-auth-token"]);
}

#[test]
fn disassociate_is_a_delete_with_the_same_json_body() {
    let server = Server::answering(&b"HTTP/1.1 204 No Content\r\n\r\n"[..], Then::Keep);
    let client = config().client(&server.endpoint());
    let outcome = client.disassociate(TOKEN, PROJECT_ID, FPGA_ID, ECS_ID);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    let seen = server.finish();
    let request = String::from_utf8(seen.requests[0].bytes.clone()).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let path = format!("/v1/{PROJECT_ID}/cloudservers/fpga_image/{FPGA_ID}/association");
    assert_eq!(
        first_line(head.as_bytes()),
        format!("DELETE {path} HTTP/1.1")
    );
    assert_eq!(body, format!(r#"{{"image":{{"id":"{ECS_ID}"}}}}"#));
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{head}"
    );
}

#[test]
fn an_entry_has_all_documented_fields_and_the_json_keeps_the_others() {
    let document = json!({ "associations": [{
        "image_id": ECS_ID,
        "region": "unknown field",
        "fpgaimages": [{
            "id": FPGA_ID, "name": "relate-test", "description": "with \u{0} and 镜像", "status": "active",
            "size": 40, "createdAt": "2017-10-16 07:46:06", "protected": true, "message": null,
            "metadata": { "shell_type": "OCL", "shell_version": "1.0" },
            "log_directory": "obs-fpga:vu9p/log", "new_field": [1, 2],
        }],
    }]});
    let server = Server::answering(json_answer(&document), Then::Keep);
    let found = once(&server).unwrap();
    assert_eq!(found.len(), 1);
    let entry = found.get(0).unwrap();
    for (field, expected) in [
        (entry.ecs_id, ECS_ID),
        (entry.fpga_id, FPGA_ID),
        (entry.name, "relate-test"),
        (entry.description, "with   and 镜像"),
        (entry.status, "active"),
        (entry.created_at, "2017-10-16 07:46:06"),
        (entry.message, ""),
        (
            entry.metadata,
            r#"{"shell_type":"OCL","shell_version":"1.0"}"#,
        ),
        (entry.log_directory, "obs-fpga:vu9p/log"),
    ] {
        assert_eq!(text(field), expected);
    }
    assert_eq!(entry.size_mb, 40);
    assert!(entry.is_protected);
    assert!(found.get(1).is_none() && found.get(usize::MAX).is_none());
    assert_eq!(
        serde_json::from_str::<Value>(&found.json()).unwrap(),
        document
    );
}

#[test]
fn fields_that_are_missing_or_null_are_empty() {
    let document =
        json!({ "associations": [{ "image_id": null, "fpgaimages": [{ "size": null }] }] });
    let server = Server::answering(json_answer(&document), Then::Keep);
    let found = once(&server).unwrap();
    let entry = found.get(0).unwrap();
    for field in [
        entry.ecs_id,
        entry.fpga_id,
        entry.name,
        entry.metadata,
        entry.log_directory,
    ] {
        assert_eq!(text(field), "");
    }
    assert_eq!(entry.size_mb, 0);
    assert!(!entry.is_protected);
}

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

/// Answers the requests in turn, and the ones after them as the last.
fn in_turn(documents: Vec<Value>) -> Server {
    Server::start(move |nth, stream| {
        let document = documents.get(nth).or(documents.last()).unwrap();
        stream.write_all(&json_answer(document)).ok();
        Then::Keep
    })
}

#[test]
fn by_fpga_image_pages_are_read_until_an_empty_one() {
    // What the caller may not see is left out of a page, so that it is short.
    let pages = vec![page(0, 100), page(100, 3), page(103, 100), page(0, 0)];
    let server = in_turn(pages);
    let client = config().client(&server.endpoint());
    let found = client
        .associations(TOKEN, PROJECT_ID, Some(FPGA_ID), None)
        .unwrap();
    assert_eq!(found.len(), 203);
    let seen = server.finish();
    assert_eq!((seen.connections, seen.requests.len()), (1, 4));
    assert!(first_line(&seen.requests[3].bytes).contains("page=4&size=100"));
}

#[test]
fn a_service_that_does_not_know_paging_ends_the_list() {
    let server = in_turn(vec![page(0, 150)]);
    assert_eq!(once(&server).unwrap().len(), 150);
    assert_eq!(server.finish().requests.len(), 2);

    let server = in_turn(vec![page(0, 150)]);
    let found = list_from(&config().client(&server.endpoint())).unwrap();
    assert_eq!(found.len(), 150);
    // Twice, because a list whose pages moved looks the same.
    assert_eq!(server.finish().requests.len(), 4);
}

#[test]
fn a_pair_that_moved_to_a_later_page_is_listed_once() {
    let pages = vec![page(0, 100), page(90, 20)];
    assert_eq!(once(&in_turn(pages)).unwrap().len(), 110);
}

#[test]
fn a_list_that_moved_while_it_was_read_is_read_again() {
    let moved = [page(0, 100), page(90, 30)];
    let still = [page(0, 100), page(100, 30)];
    let server = in_turn([moved, still].concat());
    let found = list_from(&config().client(&server.endpoint())).unwrap();
    assert_eq!(found.len(), 130);
    assert_eq!(server.finish().requests.len(), 4);
}

#[test]
fn a_list_that_never_stands_still_is_an_error() {
    let reading = |first: usize| [page(first, 100), page(first + 90, 30)];
    let server = in_turn([reading(0), reading(1), reading(2)].concat());
    let outcome = list_from(&config().client(&server.endpoint()))
        .map(|_| ())
        .unwrap_err();
    assert!(outcome.is(Status::BAD_RESPONSE), "{outcome:?}");
    assert!(outcome.message.contains("moved"), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(outcome.attempts, 3, "{outcome:?}");
    assert_eq!(server.finish().requests.len(), 6);
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
fn fields_of_another_type_are_empty_and_what_is_unknown_stays_as_it_came() {
    let body = format!(
        r#"{{"associations":[{{"image_id":"{ECS_ID}","price":0.10,"fpgaimages":[{{"id":"{FPGA_ID}","size":"40","name":7,"big":123456789012345678901234567890}}]}}],"count":18446744073709551616}}"#
    );
    let found = once(&Server::answering(answer(200, "", &body), Then::Keep)).unwrap();
    let entry = found.get(0).unwrap();
    assert_eq!((text(entry.name), entry.size_mb), (String::new(), 0));
    assert_eq!(found.json(), body);
}

#[test]
fn a_list_that_repeats_the_token_is_told_without_it() {
    let document = json!({ "associations": [{ "image_id": ECS_ID, "note": TOKEN, "fpgaimages": [
        { "id": FPGA_ID, "name": format!("for {}", &TOKEN[8..24]), "description": "fine" },
    ]}]});
    let found = once(&Server::answering(json_answer(&document), Then::Keep)).unwrap();
    let entry = found.get(0).unwrap();
    assert_eq!(text(entry.name), "the answer repeats the token");
    assert_eq!(text(entry.description), "fine");
    for piece in TOKEN.as_bytes().windows(8) {
        let piece = std::str::from_utf8(piece).unwrap();
        assert!(!found.json().contains(piece), "{}", found.json());
    }
}

/// A page that is large and takes long to read, whatever makes it so.
#[test]
fn reading_a_list_ends_at_the_deadline_and_with_a_shutdown() {
    let many = |one: &str| vec![one; 400_000].join(",");
    let pages = [
        page(0, 100_000).to_string(),
        format!(r#"{{"associations":[{}]}}"#, many("{}")),
        format!(r#"{{"associations":[{}]}}"#, many("1")),
        format!(r#"{{"associations":[{{"fpgaimages":[{}]}}]}}"#, many("{}")),
        format!(r#"{{"associations":[],{}}}"#, many(r#""a":1"#)),
        format!(
            r#"{{"associations":[],"a":"{}"}}"#,
            "\\\\<".repeat(2_000_000)
        ),
    ];
    for (number, page) in pages.iter().enumerate() {
        let server = Server::answering(answer(200, "", page), Then::Keep);
        let timeout = Duration::from_millis(300);
        let client = config().timeout_ms(300).client(&server.endpoint());
        let begun = Instant::now();
        let outcome = list_from(&client).map(|_| ()).err();
        let took = begun.elapsed();
        assert!(
            took < timeout + Duration::from_secs(2),
            "{number}: {took:?}"
        );
        if let Some(outcome) = outcome {
            let is_known = outcome.is(Status::TIMEOUT) || outcome.is(Status::BAD_RESPONSE);
            assert!(is_known, "{number}: {outcome:?}");
        }
    }
}

/// What takes little room in an answer takes little here.
#[test]
fn what_nobody_means_is_refused_before_it_takes_memory() {
    let long = "x".repeat(100_000);
    let images = vec![r#"{"id":"f"}"#; 1_000].join(",");
    for (case, body) in [
        (
            "a long id",
            format!(r#"{{"associations":[{{"image_id":"{long}","fpgaimages":[{images}]}}]}}"#),
        ),
        (
            "many fields",
            format!(
                r#"{{"associations":[],{}}}"#,
                vec![r#""a":1"#; 1_001].join(",")
            ),
        ),
        (
            "many items",
            format!(r#"{{"associations":[{}]}}"#, vec!["{}"; 500_001].join(",")),
        ),
    ] {
        let outcome = once(&Server::answering(answer(200, "", body), Then::Keep));
        let outcome = outcome.map(|_| ()).unwrap_err();
        assert!(outcome.is(Status::BAD_RESPONSE), "{case}: {outcome:?}");
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

#[test]
fn all_pages_are_under_one_deadline() {
    let pages = Arc::new(AtomicUsize::new(0));
    let server = Server::start({
        let pages = Arc::clone(&pages);
        move |_, stream| {
            let first = pages.fetch_add(1, Ordering::Relaxed) * 100;
            stream.write_all(&json_answer(&page(first, 100))).ok();
            Then::Keep
        }
    });
    let client = config().timeout_ms(500).client(&server.endpoint());
    let outcome = list_from(&client).map(|_| ()).unwrap_err();
    assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
    assert!(pages.load(Ordering::Relaxed) > 1);
}

#[test]
fn a_list_without_an_end_ends_before_it_harms_the_host() {
    let pages = Arc::new(AtomicUsize::new(0));
    let padding = "x".repeat(15 * 1024 * 1024);
    let server = Server::start({
        let pages = Arc::clone(&pages);
        move |_, stream| {
            let mut document = page(pages.fetch_add(1, Ordering::Relaxed) * 100, 100);
            document["padding"] = json!(padding);
            stream.write_all(&json_answer(&document)).ok();
            Then::Keep
        }
    });
    let outcome = once(&server).map(|_| ()).unwrap_err();
    assert!(outcome.is(Status::BAD_RESPONSE), "{outcome:?}");
    assert_eq!(pages.load(Ordering::Relaxed), 5);
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
fn one_of_the_two_images_must_be_named() {
    let server = Server::answering(json_answer(&page(0, 1)), Then::Keep);
    let client = config().client(&server.endpoint());
    let outcome = client
        .associations(TOKEN, PROJECT_ID, None, None)
        .map(|_| ())
        .unwrap_err();
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
    for (fpga_id, ecs_id) in [
        (Some(""), None),
        (None, Some("a/b")),
        (Some(ECS_ID), Some(FPGA_ID)),
    ] {
        let outcome = client
            .associations(TOKEN, PROJECT_ID, fpga_id, ecs_id)
            .map(|_| ())
            .unwrap_err();
        assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
    }
    assert_eq!(server.finish().connections, 0);
}

/// Peak memory of the process, beside the size of the answer: twice as many pairs take at most
/// twice as much more.
#[test]
fn ten_thousand_pairs_take_memory_linear_in_the_answer() {
    let toolchain = Toolchain::new().unwrap();
    let program = r#"
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include "fpga_associate.h"
        static long peak_kib(void) {
            char line[256];
            long kib = -1;
            FILE *status = fopen("/proc/self/status", "r");
            while (fgets(line, sizeof line, status) != NULL)
                sscanf(line, "VmHWM: %ld", &kib);
            fclose(status);
            return kib;
        }
        int main(int argc, char **argv) {
            fpga_assoc_list *list;
            int32_t status = fpga_associations(argv[1], getenv("FPGA_TOKEN"), argv[2], NULL, argv[3], &list);
            if (argc != 4 || status != FPGA_ASSOC_OK) { puts(fpga_assoc_last_error()); return 1; }
            printf("%zu %zu %ld\n", fpga_assoc_list_len(list), strlen(fpga_assoc_list_json(list)), peak_kib());
            fpga_assoc_list_free(list);
            return 0;
        }"#;
    let program = toolchain.compile_text("memory", program, &[]).unwrap();
    let measure = |pairs: usize| {
        let service = service();
        let ecs_id = &service.ecs_ids()[0];
        for fpga_id in service.add_fpga_images(pairs) {
            service.associate(&fpga_id, ecs_id);
        }
        let printed = run(Command::new(&program)
            .args([service.endpoint(), service.project_id(), ecs_id])
            .env("FPGA_TOKEN", service.token()))
        .unwrap();
        let numbers: Vec<f64> = printed
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect();
        assert_eq!(numbers[0], pairs as f64);
        (numbers[1], numbers[2] * 1024.0)
    };
    let [
        (json_5, memory_5),
        (json_10, memory_10),
        (json_20, memory_20),
    ] = [5_000, 10_000, 20_000].map(measure);
    let first = (memory_10 - memory_5) / (json_10 - json_5);
    let second = (memory_20 - memory_10) / (json_20 - json_10);
    let all = memory_10 / 1e6;
    println!(
        "10,000 pairs: {all:.1} MB in all; {first:.1} bytes for each byte of JSON, then {second:.1}"
    );
    assert!(second < 1.5 * first, "not linear: {first} and {second}");
    assert!(second < 8.0, "{second}");
}
