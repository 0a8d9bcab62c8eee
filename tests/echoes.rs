//! No text holds a part of the token, though the service echoes it.

use fpga_associate::status::Status;
use support::call::{Outcome, TOKEN};
use support::one_answer::one_attempt;
use support::raw::{Server, Then, answer};

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
            let outcome = one_attempt(&server.endpoint(), token);
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
            let outcome = one_attempt(&server.endpoint(), &token);
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
        let outcome = one_attempt(&server.endpoint(), &token);
        assert!(outcome.is(Status::BAD_RESPONSE), "{place}: {outcome:?}");
        assert_says_nothing_of(&token, &outcome, place);
    }
}

#[test]
fn a_short_code_is_shown_whatever_the_token_holds() {
    let body = r#"{"error":{"code":"Ecs.0005","message":"request body is illegal."}}"#;
    for token in ["t", "E", "Ecs.0005", "xxEcs.0005yy"] {
        let server = Server::answering_first(answer(400, "", body), Then::Keep);
        let outcome = one_attempt(&server.endpoint(), token);
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
    let outcome = one_attempt(&server.endpoint(), TOKEN);
    let words = "HTTP 400 Ecs.0005: the answer repeats the token (request id r-1)";
    assert!(outcome.message.ends_with(words), "{outcome:?}");
}
