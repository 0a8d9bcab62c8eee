//! What every answer comes to: documented ones, those of gateways and proxies, and those of no
//! well-behaved server.

mod support;

use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use fpga_associate::status::Status;
use support::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN, example};
use support::client::config;
use support::raw::{NO_CONTENT, Server, Then, answer, succeed};

/// What an answer that needs no waiting may take on a busy machine; the library's own deadline is
/// 30 s.
const PROMPT: Duration = Duration::from_secs(15);

/// What a call makes of an answer.
fn outcome_of(answer: impl Into<Vec<u8>>) -> Outcome {
    let server = Server::answering_first(answer, Then::Keep);
    outcome_at(&server)
}

/// What a call makes of an answer after which the server closes the connection.
fn outcome_of_last(answer: impl Into<Vec<u8>>) -> Outcome {
    let server = Server::answering_first(answer, Then::Close);
    outcome_at(&server)
}

/// Whatever came of one call, the next one on the same thread gets the answer that is meant for it.
fn outcome_at(server: &Server) -> Outcome {
    let begun = Instant::now();
    let outcome = example_with_token(&server.endpoint(), TOKEN);
    let took = begun.elapsed();
    assert!(took < PROMPT, "{took:?}: {outcome:?}");
    let next = example(&server.endpoint());
    assert!(next.is(Status::OK), "{next:?} after {outcome:?}");
    outcome
}

/// One attempt and no question, so that the answer is seen as it is.
fn example_with_token(endpoint: &str, token: &str) -> Outcome {
    let client = config().max_attempts(1).no_confirm().client(endpoint);
    client.associate(token, PROJECT_ID, FPGA_ID, ECS_ID)
}

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
fn every_error_body_gives_its_code_message_and_request_id() {
    for (http_status, body, status, code, message, request_id) in [
        (
            400,
            r#"{"error":{"code":"Ecs.0005","message":"request body is illegal."}}"#,
            Status::REJECTED,
            "Ecs.0005",
            "request body is illegal.",
            "",
        ),
        (
            400,
            r#"{"error":{"code":"Ecs.0005","message":"bad","details":[{"code":"Ecs.0039","message":"worse"}]}}"#,
            Status::REJECTED,
            "Ecs.0005",
            "bad",
            "",
        ),
        (
            400,
            r#"{"error":{"message":"Ecs.0005","code":"request body is illegal."}}"#,
            Status::REJECTED,
            "Ecs.0005",
            "request body is illegal.",
            "",
        ),
        (
            500,
            r#"{"error":{"code":"Common.0001","message":"system error"},"internalError":[{"code":"X.1"}]}"#,
            Status::SERVICE_FAILED,
            "Common.0001",
            "system error",
            "",
        ),
        (
            401,
            r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information","request_id":"2f1ac8"}"#,
            Status::UNAUTHORIZED,
            "APIGW.0301",
            "Incorrect IAM authentication information",
            "2f1ac8",
        ),
        (
            401,
            r#"{"error_code":"APIG.0301","error_msg":"Incorrect IAM authentication information"}"#,
            Status::UNAUTHORIZED,
            "APIG.0301",
            "Incorrect IAM authentication information",
            "",
        ),
        (
            403,
            r#"{"errorCode":"Ecs.0003","errorMsg":"no right"}"#,
            Status::FORBIDDEN,
            "Ecs.0003",
            "no right",
            "",
        ),
        (
            403,
            r#"{"code":"Pdp.0001","message":"policy does not allow it"}"#,
            Status::FORBIDDEN,
            "Pdp.0001",
            "policy does not allow it",
            "",
        ),
        (
            401,
            r#"{"message":"Authorization information is wrong","request_id":"9a8b7c"}"#,
            Status::UNAUTHORIZED,
            "",
            "Authorization information is wrong",
            "9a8b7c",
        ),
        (
            400,
            r#"{"badRequest":{"code":400,"message":"Invalid input"}}"#,
            Status::REJECTED,
            "400",
            "Invalid input",
            "",
        ),
        (
            404,
            r#"{"itemNotFound":{"message":"no such image","code":404}}"#,
            Status::NOT_FOUND,
            "404",
            "no such image",
            "",
        ),
        (
            403,
            r#"{"forbidden":{"code":403,"message":"Policy refuses"}}"#,
            Status::FORBIDDEN,
            "403",
            "Policy refuses",
            "",
        ),
        (
            502,
            "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>",
            Status::SERVICE_FAILED,
            "",
            "502 Bad Gateway",
            "",
        ),
        (
            503,
            "upstream connect error",
            Status::SERVICE_FAILED,
            "",
            "upstream connect error",
            "",
        ),
        (
            400,
            "{\"error\":{\"code\":\"Ecs.00",
            Status::REJECTED,
            "",
            "Ecs.00",
            "",
        ),
        (
            400,
            r#"["no","object"]"#,
            Status::REJECTED,
            "",
            "object",
            "",
        ),
        (400, "null", Status::REJECTED, "", "", ""),
        (400, "17", Status::REJECTED, "", "", ""),
        (400, "{}", Status::REJECTED, "", "", ""),
        (400, r#"{"error":{}}"#, Status::REJECTED, "", "", ""),
        (400, r#"{"error":[]}"#, Status::REJECTED, "", "", ""),
        (
            400,
            r#"{"error":"invalid_request"}"#,
            Status::REJECTED,
            "",
            "invalid_request",
            "",
        ),
        (
            400,
            r#"{"error":{"code":null,"message":null}}"#,
            Status::REJECTED,
            "",
            "",
            "",
        ),
        (
            400,
            r#"{"error":{"code":"Ecs.0005","message":"一个 \"不\" 合法 \u8bf7\u6c42"}}"#,
            Status::REJECTED,
            "Ecs.0005",
            "一个 \"不\" 合法 请求",
            "",
        ),
        (
            400,
            r#"{"error":{"code":"Ecs.0304","message":"tenant [p] relate fpga image [f] and image [e] failed: relation already exist or the related fpga image count of image reach the max limit"}}"#,
            Status::REJECTED,
            "Ecs.0304",
            "relation already exist or the related fpga image count of image reach the max limit",
            "",
        ),
        // Flow control, whatever the HTTP status.
        (
            202,
            r#"{"error":{"code":"Common.0024","message":"exceeds flow over limit"}}"#,
            Status::THROTTLED,
            "Common.0024",
            "exceeds flow over limit",
            "",
        ),
        (
            202,
            r#"{"code":"Common.0024","message":"exceeds flow over limit"}"#,
            Status::THROTTLED,
            "Common.0024",
            "exceeds flow over limit",
            "",
        ),
        (
            503,
            r#"{"error":{"code":"Common.1503","message":"flow control"}}"#,
            Status::THROTTLED,
            "Common.1503",
            "flow control",
            "",
        ),
        (
            400,
            r#"{"error_code":"APIGW.0308","error_msg":"The throttling threshold has been reached","request_id":"r"}"#,
            Status::THROTTLED,
            "APIGW.0308",
            "throttling threshold",
            "r",
        ),
        (
            429,
            r#"{"error_code":"APIGW.0308","error_msg":"The throttling threshold has been reached","request_id":"r"}"#,
            Status::THROTTLED,
            "APIGW.0308",
            "throttling threshold",
            "r",
        ),
        (
            500,
            r#"{"error_code":"APIG.0308","error_msg":"The throttling threshold has been reached"}"#,
            Status::THROTTLED,
            "APIG.0308",
            "throttling threshold",
            "",
        ),
    ] {
        let outcome = outcome_of(answer(
            http_status,
            "Content-Type: application/json\r\n",
            body,
        ));
        let case = format!("{http_status} {body}: {outcome:?}");
        assert!(outcome.is(status), "{case}");
        assert_eq!(outcome.code, code, "{case}");
        assert_eq!(outcome.request_id, request_id, "{case}");
        assert_eq!(outcome.http_status, i32::from(http_status), "{case}");
        for part in [message, code, request_id] {
            assert!(outcome.message.contains(part), "{part} in {case}");
        }
        let may_have_acted = status == Status::SERVICE_FAILED;
        assert_eq!(outcome.outcome_unknown, may_have_acted, "{case}");
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
fn the_request_id_is_found_in_the_headers_in_any_letter_case() {
    for name in [
        "X-Request-Id",
        "x-request-id",
        "X-REQUEST-ID",
        "X-Request-ID",
        "x-rEQUEST-iD",
    ] {
        let header = format!("{name}: 5d2c1f-0042\r\n");
        let outcome = outcome_of(answer(400, &header, ""));
        assert_eq!(outcome.request_id, "5d2c1f-0042", "{name}: {outcome:?}");
        assert!(outcome.message.contains("5d2c1f-0042"), "{outcome:?}");
    }
}

#[test]
fn retry_after_is_told_in_milliseconds() {
    for (http_status, value, milliseconds) in [
        (429, "120", 120_000),
        (503, "1", 1_000),
        (202, "7", 7_000),
        (400, "3", 3_000),
        (429, "0", 0),
        (429, "", 0),
        (429, "soon", 0),
        (429, "-5", 0),
        (429, "1.5", 0),
        (429, "Sun, 06 Nov 1994 08:49:37 GMT", 0),
        (429, "86401", 86_400_000),
        (429, "99999999999999999999999999", 86_400_000),
        (429, "18446744073709551615", 86_400_000),
        (429, "Fri, 31 Dec 9999 23:59:59 GMT", 86_400_000),
    ] {
        let body = r#"{"error":{"code":"Common.0024","message":"slow down"}}"#;
        let header = format!("Retry-After: {value}\r\n");
        let outcome = outcome_of(answer(http_status, &header, body));
        let case = format!("{http_status} {value:?}: {outcome:?}");
        assert!(outcome.is(Status::THROTTLED), "{case}");
        assert_eq!(outcome.retry_after_ms, milliseconds, "{case}");
    }

    let in_an_hour = SystemTime::now() + Duration::from_secs(3_600);
    let header = format!("Retry-After: {}\r\n", httpdate::fmt_http_date(in_an_hour));
    let outcome = outcome_of(answer(429, &header, ""));
    let about_an_hour = 3_500_000..=3_600_000;
    let time = outcome.retry_after_ms;
    assert!(about_an_hour.contains(&time), "{outcome:?}");
}

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

/// That nothing odd is left in any text is checked with every outcome; here, that the rest of it is
/// still there.
#[test]
fn a_strange_text_is_shown_on_one_clean_line() {
    for (case, body) in [
        ("NUL", &b"before\0after"[..]),
        ("line ends", b"before\r\n\n\rafter"),
        ("a terminal's escape", b"before\x1b[2J\x1b]0;title\x07after"),
        ("control characters", b"before\x01\x08\x0b\x0c\x7fafter"),
        ("C1 controls", "before\u{85}\u{9b}31mafter".as_bytes()),
        ("invalid UTF-8", b"before\xff\xfe\x80after"),
        ("half a character", b"before\xe9\x95after"),
        ("a surrogate", b"before\xed\xa0\x80after"),
        ("UTF-16", b"\xff\xfeb\0e\0f\0o\0r\0e\0 before after"),
        ("right to left", "before\u{202e}after".as_bytes()),
        ("an isolate", "before\u{2067}after".as_bytes()),
        (
            "line and paragraph separators",
            "before\u{2028}\u{2029}after".as_bytes(),
        ),
        ("a byte order mark", "\u{feff}before after".as_bytes()),
        ("tabs", b"before\t\t\tafter"),
        (
            "JSON with escapes",
            br#"{"error":{"code":"Ecs.0005","message":"before\u0000\u001b[31m\r\n\u202eafter"}}"#,
        ),
        (
            "JSON with a lone surrogate",
            br#"{"error":{"code":"Ecs.0005","message":"before \ud800 after"}}"#,
        ),
        (
            "JSON with odd text as its code",
            br#"{"error":{"code":"a\u0000b\u001bc\r\nd\u202ee","message":"before after"},"request_id":"\u001b[31m\n"}"#,
        ),
        (
            "HTML that never closes its tag",
            b"<html><body>before after</body><a href=",
        ),
    ] {
        let outcome = outcome_of(answer(400, "", body));
        let case = format!("{case}: {outcome:?}");
        assert!(outcome.is(Status::REJECTED), "{case}");
        assert!(outcome.message.contains("before"), "{case}");
        assert!(outcome.message.contains("after"), "{case}");
    }
}

#[test]
fn a_strange_header_is_shown_on_one_clean_line_or_not_at_all() {
    for (case, value) in [
        ("invalid UTF-8", &b"\xff\xfe"[..]),
        ("UTF-8", "镜像".as_bytes()),
        ("a tab", b"a\tb"),
        ("right to left", "a\u{202e}b".as_bytes()),
        ("C1 in UTF-8", "a\u{9b}b".as_bytes()),
        ("nothing", b""),
        ("long", &[b'r'; 5_000]),
    ] {
        let mut bytes = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nX-Request-Id: ".to_vec();
        bytes.extend(value);
        bytes.extend(b"\r\nRetry-After: ");
        bytes.extend(value);
        bytes.extend(b"\r\n\r\n");
        let outcome = outcome_of(bytes);
        let case = format!("{case}: {outcome:?}");
        assert!(outcome.is(Status::FORBIDDEN), "{case}");
        assert_eq!(outcome.retry_after_ms, 0, "{case}");
    }
}

#[test]
fn long_texts_are_cut_and_the_facts_before_them_are_not() {
    let long = "长".repeat(20_000);
    let long_words = "word ".repeat(10_000);
    for (case, body, headers, parts) in [
        (
            "message",
            format!(r#"{{"error":{{"code":"Ecs.0005","message":"{long}"}}}}"#),
            "X-Request-Id: r1\r\n",
            ["HTTP 400", "Ecs.0005", "长长", "r1"],
        ),
        (
            "words",
            format!(r#"{{"error":{{"code":"Ecs.0005","message":"{long_words}"}}}}"#),
            "X-Request-Id: r1\r\n",
            ["HTTP 400", "Ecs.0005", "word word", "r1"],
        ),
        (
            "code",
            format!(r#"{{"error":{{"code":"{long}","message":"said so"}}}}"#),
            "X-Request-Id: r1\r\n",
            ["HTTP 400", "长长", "said so", "r1"],
        ),
        (
            "request id",
            format!(r#"{{"error_code":"Ecs.0005","error_msg":"said so","request_id":"{long}"}}"#),
            "",
            ["HTTP 400", "Ecs.0005", "said so", "长长"],
        ),
        (
            "everything",
            format!(r#"{{"error_code":"{long}","error_msg":"{long}","request_id":"{long}"}}"#),
            "",
            ["HTTP 400", "长长", "127.0.0.1", "associate"],
        ),
        (
            "details",
            format!(
                r#"{{"error":{{"code":"Ecs.0005","message":"said so","details":[{{"code":"X.0001","message":"{long}"}}]}}}}"#
            ),
            "X-Request-Id: r1\r\n",
            ["HTTP 400", "Ecs.0005", "said so", "r1"],
        ),
        (
            "plain text",
            long.clone(),
            "X-Request-Id: r1\r\n",
            ["HTTP 400", "长长", "127.0.0.1", "r1"],
        ),
    ] {
        let outcome = outcome_of(answer(400, headers, body));
        let case = format!("{case}: {outcome:?}");
        assert!(outcome.is(Status::REJECTED), "{case}");
        for part in parts {
            assert!(outcome.message.contains(part), "{part} in {case}");
        }
        for text in outcome.texts() {
            assert!(text.len() <= 1_023, "{case}");
        }
    }
}

/// How many bytes of a token in a row would give it away.
const TELLING: usize = 8;

/// As long as a real one, with the bytes that base64 and its relatives have, and no piece of it
/// twice.
fn long_token() -> String {
    let mut token = "MIIF".to_owned();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
    let mut state = 0x2545_f491_u32;
    while token.len() < 2_048 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let index = usize::try_from(state >> 26).unwrap();
        token.push(char::from(alphabet[index]));
    }
    token
}

/// As the long one, with a slash so often that no sixteen bytes are without.
fn token_with_slashes() -> String {
    let token = long_token();
    let pieces: Vec<&str> = (0..token.len() / 8)
        .map(|nth| &token[nth * 8..nth * 8 + 8])
        .collect();
    pieces.join("/")
}

fn assert_says_nothing_of(token: &str, outcome: &Outcome, case: &str) {
    let length = token.len().min(TELLING);
    for text in outcome.texts() {
        // An echo that a reader can undo is an echo.
        for text in [
            text.to_owned(),
            text.replace('\\', ""),
            text.replace(' ', ""),
        ] {
            let telling = token
                .as_bytes()
                .windows(length)
                .find(|piece| text.as_bytes().windows(length).any(|other| other == *piece));
            assert!(telling.is_none(), "{case}: {outcome:?}");
        }
    }
}

#[test]
fn a_token_that_the_service_echoes_is_in_no_text() {
    let long = long_token();
    let with_slashes = token_with_slashes();
    let short = "short-secret";
    let odd = r#"odd"quoted\and<tagged>&{braced}'%2F'secret-token-of-visible-ascii"#;
    for (kind, token) in [
        ("long", &*long),
        ("with slashes", &with_slashes),
        ("short", short),
        ("odd", odd),
    ] {
        let json = serde_json::to_string(token).unwrap();
        let escaped = json.replace('/', "\\/");
        let unicode = json.replace('/', "\\u002f").replace('-', "\\u002D");
        let echo = format!("POST /v1 HTTP/1.1\r\nX-Auth-Token: {token}\r\nAccept: */*\r\n");
        let header = format!("X-Request-Id: {token}\r\n");
        for (place, headers, body) in [
            (
                "message",
                "",
                format!(r#"{{"error":{{"code":"Ecs.0005","message":{json}}}}}"#),
            ),
            (
                "message, slashes escaped",
                "",
                format!(r#"{{"error":{{"code":"Ecs.0005","message":{escaped}}}}}"#),
            ),
            (
                "message, in Unicode escapes",
                "",
                format!(r#"{{"error":{{"code":"Ecs.0005","message":{unicode}}}}}"#),
            ),
            (
                "message, without its end",
                "",
                format!(r#"{{"error":{{"code":"Ecs.0005","message":{escaped}"#),
            ),
            (
                "code",
                "",
                format!(r#"{{"error":{{"code":{json},"message":"wrong token"}}}}"#),
            ),
            (
                "details",
                "",
                format!(
                    r#"{{"error":{{"code":"Ecs.0005","message":"m","details":[{{"code":{json},"message":{json}}}]}}}}"#
                ),
            ),
            (
                "request id",
                "",
                format!(r#"{{"error_code":"APIGW.0301","error_msg":"m","request_id":{json}}}"#),
            ),
            ("request id header", &header, String::new()),
            (
                "another JSON field",
                "",
                format!(r#"{{"your_token":{json}}}"#),
            ),
            ("text", "", echo.clone()),
            ("HTML", "", format!("<html><pre>{echo}</pre></html>")),
            (
                "HTML attribute",
                "",
                format!("<a href=\"?{token}\">back</a>"),
            ),
            ("twice", "", format!("{token}{token}")),
            ("between words", "", format!("token {token} is wrong")),
            (
                "after a long text",
                "",
                format!("{} {token}", "x".repeat(300)),
            ),
        ] {
            let server = Server::answering_first(answer(401, headers, body), Then::Keep);
            let outcome = example_with_token(&server.endpoint(), token);
            let case = format!("{kind} token in {place}");
            assert!(outcome.is(Status::UNAUTHORIZED), "{case}: {outcome:?}");
            assert_says_nothing_of(token, &outcome, &case);
        }
    }
}

#[test]
fn a_part_of_a_token_that_the_service_echoes_is_in_no_text() {
    let token = long_token();
    let (first, second) = token.split_at(token.len() / 2);
    let lines: Vec<&str> = (0..token.len() / 64)
        .map(|nth| &token[nth * 64..nth * 64 + 64])
        .collect();
    for (part, echo) in [
        ("first half", first.to_owned()),
        ("second half", second.to_owned()),
        ("middle", token[700..1_400].to_owned()),
        ("beginning", token[..40].to_owned()),
        ("end", token[token.len() - 40..].to_owned()),
        ("halves apart", format!("{second} and {first}")),
        (
            "shortened",
            format!("{}...{}", &token[..20], &token[2_000..]),
        ),
        ("lines", lines.join("\n")),
    ] {
        let json = serde_json::to_string(&echo).unwrap();
        let header = format!("X-Request-Id: {}\r\n", echo.replace('\n', " "));
        for (place, headers, body) in [
            ("text", "", echo.clone()),
            (
                "message",
                "",
                format!(r#"{{"error_code":"APIGW.0301","error_msg":{json}}}"#),
            ),
            (
                "code",
                "",
                format!(r#"{{"error_code":{json},"error_msg":"m"}}"#),
            ),
            ("header", &header, String::new()),
        ] {
            let server = Server::answering_first(answer(401, headers, body), Then::Keep);
            let outcome = example_with_token(&server.endpoint(), &token);
            let case = format!("{part} in {place}");
            assert!(outcome.is(Status::UNAUTHORIZED), "{case}: {outcome:?}");
            assert_says_nothing_of(&token, &outcome, &case);
        }
    }
}

#[test]
fn a_token_in_an_answer_that_is_not_http_is_in_no_text() {
    let token = long_token();
    for (place, bytes) in [
        ("first line", format!("{token}\r\n\r\n")),
        ("version", format!("HTTP/{token} 200 OK\r\n\r\n")),
        ("status", format!("HTTP/1.1 {token}\r\n\r\n")),
        (
            "header name",
            format!("HTTP/1.1 200 OK\r\n{token} x\r\n\r\n"),
        ),
        (
            "length",
            format!("HTTP/1.1 200 OK\r\nContent-Length: {token}\r\n\r\n"),
        ),
        (
            "chunk length",
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{token}\r\n"),
        ),
    ] {
        let server = Server::answering_first(bytes, Then::Close);
        let outcome = example_with_token(&server.endpoint(), &token);
        assert!(outcome.is(Status::BAD_RESPONSE), "{place}: {outcome:?}");
        assert_says_nothing_of(&token, &outcome, place);
    }
}

#[test]
fn a_short_code_is_shown_whatever_the_token_holds() {
    let body = r#"{"error":{"code":"Ecs.0005","message":"request body is illegal."}}"#;
    for token in ["t", "E", "Ecs.0005", "xxEcs.0005yy"] {
        let server = Server::answering_first(answer(400, "", body), Then::Keep);
        let outcome = example_with_token(&server.endpoint(), token);
        assert_eq!(outcome.code, "Ecs.0005", "{token}: {outcome:?}");
        let words = "HTTP 400 Ecs.0005: request body is illegal.";
        assert!(outcome.message.contains(words), "{token}: {outcome:?}");
    }
}

#[test]
fn what_repeats_the_token_is_withheld_and_that_is_said() {
    let body = format!(
        r#"{{"error":{{"code":"Ecs.0005","message":"got {}"}}}}"#,
        &TOKEN[3..11]
    );
    let server = Server::answering_first(answer(400, "X-Request-Id: r-1\r\n", body), Then::Keep);
    let outcome = example_with_token(&server.endpoint(), TOKEN);
    let words = "HTTP 400 Ecs.0005: the answer repeats the token (request id r-1)";
    assert!(outcome.message.ends_with(words), "{outcome:?}");
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
