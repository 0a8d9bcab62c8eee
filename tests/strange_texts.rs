//! Whatever text the service sends, it is shown on one clean line of bounded length.

use fpga_associate::status::Status;
use support::one_answer::outcome_of;
use support::raw::answer;

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
