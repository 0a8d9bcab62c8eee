//! Every HTTP status ends in its documented status, and a success has to look like one.

use fpga_associate::status::Status;
use support::call::{Outcome, example};
use support::one_answer::outcome_of;
use support::raw::{NO_CONTENT, Server, Then, answer};

#[test]
fn every_http_status_is_the_documented_status() {
    for (http_status, status, outcome_unknown) in [
        (101, Status::UNEXPECTED_STATUS, true),
        (200, Status::OK, false),
        (201, Status::OK, false),
        (202, Status::PENDING, true),
        (203, Status::UNEXPECTED_STATUS, true),
        (204, Status::OK, false),
        (206, Status::UNEXPECTED_STATUS, true),
        (299, Status::UNEXPECTED_STATUS, true),
        (300, Status::UNEXPECTED_STATUS, true),
        (301, Status::UNEXPECTED_STATUS, true),
        (302, Status::UNEXPECTED_STATUS, true),
        (303, Status::UNEXPECTED_STATUS, true),
        (304, Status::UNEXPECTED_STATUS, true),
        (307, Status::UNEXPECTED_STATUS, true),
        (308, Status::UNEXPECTED_STATUS, true),
        (400, Status::REJECTED, false),
        (401, Status::UNAUTHORIZED, false),
        (402, Status::REJECTED, false),
        (403, Status::FORBIDDEN, false),
        (404, Status::NOT_FOUND, false),
        (405, Status::REJECTED, false),
        (406, Status::REJECTED, false),
        (407, Status::REJECTED, false),
        (408, Status::REJECTED, false),
        (409, Status::CONFLICT, false),
        (410, Status::REJECTED, false),
        (413, Status::REJECTED, false),
        (415, Status::REJECTED, false),
        (418, Status::REJECTED, false),
        (428, Status::REJECTED, false),
        (429, Status::THROTTLED, false),
        (431, Status::REJECTED, false),
        (451, Status::REJECTED, false),
        (499, Status::REJECTED, false),
        (500, Status::SERVICE_FAILED, true),
        (501, Status::SERVICE_FAILED, true),
        (502, Status::SERVICE_FAILED, true),
        (503, Status::SERVICE_FAILED, true),
        (504, Status::SERVICE_FAILED, true),
        (505, Status::SERVICE_FAILED, true),
        (511, Status::SERVICE_FAILED, true),
        (599, Status::SERVICE_FAILED, true),
        (600, Status::UNEXPECTED_STATUS, true),
        (999, Status::UNEXPECTED_STATUS, true),
    ] {
        let outcome = match http_status {
            // These have no body, whatever their headers say.
            101 | 204 | 304 => outcome_of(format!("HTTP/1.1 {http_status} Reason\r\n\r\n")),
            _ => outcome_of(answer(http_status, "", "")),
        };
        let case = format!("{http_status}: {outcome:?}");
        assert!(outcome.is(status), "{case}");
        assert_eq!(outcome.outcome_unknown, outcome_unknown, "{case}");
        assert_eq!((&*outcome.code, &*outcome.request_id), ("", ""), "{case}");
        assert_eq!(outcome.retry_after_ms, 0, "{case}");
        if status == Status::OK {
            continue;
        }
        assert_eq!(outcome.http_status, i32::from(http_status), "{case}");
        assert_eq!(outcome.attempts, 1, "{case}");
        let named = format!("HTTP {http_status}");
        assert!(outcome.message.contains(&named), "{case}");
        assert!(outcome.message.contains("127.0.0.1"), "{case}");
    }
}

#[test]
fn a_2xx_answer_with_an_error_object_is_a_failure() {
    for body in [
        r#"{"error":{"code":"Ecs.0005","message":"request body is illegal."}}"#,
        r#"{"error":{"message":"Ecs.0005","code":"request body is illegal."}}"#,
        r#"{"error_code":"Ecs.0005","error_msg":"request body is illegal."}"#,
        r#"{"errorCode":"Ecs.0005","errorMsg":"request body is illegal."}"#,
        r#"{"code":"Ecs.0005","message":"request body is illegal."}"#,
        "\r\n {\"error\":{\"code\":\"Ecs.0005\",\"message\":\"request body is illegal.\"}}\r\n",
    ] {
        for http_status in [200, 201, 202] {
            let outcome = outcome_of(answer(http_status, "X-Request-Id: r9\r\n", body));
            let case = format!("{http_status} {body}: {outcome:?}");
            assert!(outcome.is(Status::UNEXPECTED_STATUS), "{case}");
            assert_eq!(outcome.http_status, i32::from(http_status), "{case}");
            assert_eq!(outcome.code, "Ecs.0005", "{case}");
            assert_eq!(outcome.request_id, "r9", "{case}");
            assert!(outcome.message.contains("body is illegal"), "{case}");
        }
    }
}

#[test]
fn success_has_no_body_or_a_json_object_that_carries_no_error() {
    for body in [
        "",
        "{}",
        " {} \r\n",
        r#"{"job_id":"ff808082"}"#,
        r#"{"error":null}"#,
        r#"{"error_code":"0","error_msg":"success"}"#,
        r#"{"code":"0","message":"OK"}"#,
        r#"{"associations":[{"image_id":"a","fpgaimages":[{"id":"f","message":null}]}]}"#,
    ] {
        for http_status in [200, 201] {
            let outcome = outcome_of(answer(http_status, "", body));
            assert!(outcome.is(Status::OK), "{http_status} {body}: {outcome:?}");
        }
        let outcome = outcome_of(answer(202, "", body));
        assert!(outcome.is(Status::PENDING), "{body}: {outcome:?}");
        assert!(outcome.outcome_unknown, "{body}: {outcome:?}");
    }
}

#[test]
fn a_2xx_answer_of_another_form_says_nothing_of_the_outcome() {
    let texts = [
        " ",
        "[]",
        "null",
        "true",
        r#""OK""#,
        r#"{"message":"accepted"}"#,
        r#"{"message":"Authorization information is wrong","request_id":"r"}"#,
        r#"{"code":500,"message":"no"}"#,
        r#"{"errors":[{"message":"no"}]}"#,
        r#"{"error":{"code":"Ecs.0005"},"error":null}"#,
        r#"{"note":"\ud800"}"#,
        "<html><body>login</body></html>",
        "under maintenance",
        "{\"error\":",
        "\u{feff}{}",
    ];
    let utf_16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let gbk = b"{\"a\":\"\xce\xac\xbb\xa4\"}".to_vec();
    let texts = texts.map(|text| text.as_bytes().to_vec());
    for body in texts.into_iter().chain([utf_16, gbk]) {
        for http_status in [200, 201] {
            let outcome = outcome_of(answer(http_status, "", &body));
            let case = format!("{http_status} {}: {outcome:?}", body.escape_ascii());
            assert!(outcome.is(Status::UNEXPECTED_STATUS), "{case}");
            assert!(outcome.outcome_unknown, "{case}");
        }
    }
}

#[test]
fn a_success_leaves_no_error_behind() {
    let server = Server::answering_first(answer(403, "X-Request-Id: r\r\n", "no"), Then::Keep);
    let refused = example(&server.endpoint());
    assert!(refused.is(Status::FORBIDDEN), "{refused:?}");
    let done = example(&server.endpoint());
    assert_eq!(
        done,
        Outcome {
            status: 0,
            message: String::new(),
            http_status: 0,
            code: String::new(),
            request_id: String::new(),
            retry_after_ms: 0,
            attempts: 0,
            outcome_unknown: false,
            observed: 0,
        }
    );
    let again = Server::answering(NO_CONTENT, Then::Close);
    assert_eq!(example(&again.endpoint()), done);
}
