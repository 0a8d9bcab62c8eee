//! What a refusal says of itself is told: code, message, request ID, and when to come again.

use std::time::{Duration, SystemTime};

use fpga_associate::status::Status;
use support::one_answer::outcome_of;
use support::raw::answer;

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
