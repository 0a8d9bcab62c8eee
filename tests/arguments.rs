//! Every argument is checked before a packet is sent; a refusal names it and shows no secret.

use fpga_associate::status::Status;
use support::arguments::{NAMES, TOKEN_AT, Unreached, assert_refused};
use support::call::{self, ECS_ID, FPGA_ID, PROJECT_ID, TOKEN, associate_bytes};
use support::raw::{NO_CONTENT, Server, Then};

#[test]
fn null_is_refused_for_each_argument() {
    let unreached = Unreached::new();
    for at in 0..NAMES.len() {
        let outcome = unreached.refuses(at, None);
        assert!(outcome.message.contains("NULL"), "{outcome:?}");
    }
    let outcome = associate_bytes([None; 5]);
    assert_refused(&outcome, "endpoint", "all NULL");
    unreached.finish();
}

#[test]
fn what_no_argument_accepts_is_refused_for_each() {
    let megabyte = "a".repeat(1_000_000);
    let megabyte_of_no_ascii = "镜".repeat(333_333);
    let unreached = Unreached::new();
    for at in 0..NAMES.len() {
        for value in [
            &b""[..],
            b" ",
            b"\n",
            b"\xff",
            b"\xff\xfe\xfd",
            b"abc\xff",
            b"\xc0\x80",
            b"\xed\xa0\x80",
            b"\xe9\x95",
            b"a\xf5b",
            b"a b",
            b" abc",
            b"abc ",
            b"a\tb",
            b"a\nb",
            b"a\rb",
            b"abc\r",
            b"abc\n",
            b"abc\r\n",
            b"\r\nabc",
            b"abc\r\nX-Evil: 1",
            b"abc\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            b"a\x01b",
            b"a\x0bb",
            b"a\x1bb",
            b"\x7f",
            "镜像".as_bytes(),
            "abc\u{a0}".as_bytes(),
            "abc\u{2028}".as_bytes(),
            "\u{feff}abc".as_bytes(),
            "ａｂｃ".as_bytes(),
            "é".as_bytes(),
            megabyte.as_bytes(),
            megabyte_of_no_ascii.as_bytes(),
        ] {
            unreached.refuses(at, Some(value));
        }
    }
    unreached.finish();
}

#[test]
fn text_that_is_not_utf_8_is_called_so() {
    let unreached = Unreached::new();
    for at in 0..NAMES.len() {
        let outcome = unreached.refuses(at, Some(b"abc\xff"));
        assert!(outcome.message.contains("UTF-8"), "{outcome:?}");
    }
    unreached.finish();
}

#[test]
fn the_longest_token_has_65536_bytes() {
    let unreached = Unreached::new();
    for (length, accepted) in [
        (1, true),
        (20_000, true),
        (65_535, true),
        (65_536, true),
        (65_537, false),
        (65_538, false),
        (100_000, false),
    ] {
        let token = "t".repeat(length);
        let mut arguments = unreached.good();
        arguments[TOKEN_AT] = Some(token.as_bytes());
        arguments[2] = Some(b"");
        let refused = if accepted { "project_id" } else { "token" };
        let case = format!("{length} bytes");
        assert_refused(&associate_bytes(arguments), refused, &case);
    }
    unreached.finish();
}

#[test]
fn a_bad_token_is_refused_without_a_piece_of_it() {
    const SECRET: &str = "hunter2hunter2hunter2";
    let unreached = Unreached::new();
    for token in [
        format!("{SECRET}\r\n"),
        format!("{SECRET} "),
        format!(" {SECRET}"),
        format!("{SECRET}\tx"),
        format!("{SECRET}\r\nX-Evil: 1"),
        format!("{SECRET}é"),
        format!("Bearer {SECRET}"),
        SECRET.repeat(5_000),
    ] {
        let outcome = unreached.refuses(TOKEN_AT, Some(token.as_bytes()));
        assert!(!outcome.message.contains("hunter2"), "{outcome:?}");
    }
    let mut not_utf_8 = SECRET.as_bytes().to_vec();
    not_utf_8.push(0xff);
    let outcome = unreached.refuses(TOKEN_AT, Some(&not_utf_8));
    assert!(!outcome.message.contains("hunter2"), "{outcome:?}");
    unreached.finish();
}

#[test]
fn a_token_in_the_place_of_another_argument_is_not_shown() {
    let unreached = Unreached::new();
    for token in [
        "gAAAAABl-hunter2/hunter2+hunter2==",
        "hunter2:hunter2:hunter2",
        "hunter2@hunter2/hunter2",
        "hunter2://hunter2",
        "hunter2.hunter2:hunter2",
    ] {
        for at in [0, 2, 3, 4] {
            let outcome = unreached.refuses(at, Some(token.as_bytes()));
            assert!(!outcome.message.contains("hunter2"), "{outcome:?}");
        }
    }
    unreached.finish();
}

#[test]
fn the_argument_that_is_complained_about_is_the_first_that_is_unusable() {
    let unreached = Unreached::new();
    for (at, name) in NAMES.iter().enumerate() {
        for bad in [None, Some(&b""[..]), Some(b"\xff"), Some(b"a b")] {
            let mut arguments = unreached.good();
            arguments[at..].fill(bad);
            assert_refused(
                &associate_bytes(arguments),
                name,
                &format!("{name} {bad:?}"),
            );
        }
    }
    unreached.finish();
}

#[test]
fn a_good_call_after_a_refused_one_succeeds_and_clears_the_error() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let endpoint = server.endpoint();
    for at in 0..NAMES.len() {
        let mut arguments =
            [&endpoint, TOKEN, PROJECT_ID, FPGA_ID, ECS_ID].map(|text| Some(text.as_bytes()));
        arguments[at] = None;
        assert_refused(&associate_bytes(arguments), NAMES[at], NAMES[at]);
        let outcome = call::example(&endpoint);
        assert!(outcome.is(Status::OK), "{outcome:?}");
        assert_eq!(outcome.message, "");
    }
    assert_eq!(server.finish().requests.len(), NAMES.len());
}
