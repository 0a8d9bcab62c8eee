//! What the arguments accept; and that what they refuse is explained, shows no secret and sends
//! nothing.

mod support;

use fpga_associate::status::Status;
use support::call::{self, ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN, associate_bytes};
use support::raw::{NO_CONTENT, Seen, Server, Then};

const NAMES: [&str; 5] = ["endpoint", "token", "project_id", "fpga_id", "ecs_id"];
const ENDPOINT: usize = 0;
const TOKEN_AT: usize = 1;
const IDS: [usize; 3] = [2, 3, 4];

/// As FPGA images are named.
const HEX: &str = FPGA_ID;
/// As ECS images are named.
const UUID: &str = ECS_ID;

/// A server that must never hear of any of the calls, and good arguments that would reach it.
struct Unreached {
    server: Server,
    endpoint: String,
}

impl Unreached {
    fn new() -> Self {
        let server = Server::answering(NO_CONTENT, Then::Keep);
        let endpoint = server.endpoint();
        Self { server, endpoint }
    }

    fn good(&self) -> [Option<&[u8]>; 5] {
        [&self.endpoint, TOKEN, PROJECT_ID, FPGA_ID, ECS_ID].map(|text| Some(text.as_bytes()))
    }

    /// Calls with good arguments but one, which must be refused by its name.
    fn refuses(&self, at: usize, value: Option<&[u8]>) -> Outcome {
        let mut arguments = self.good();
        arguments[at] = value;
        let outcome = associate_bytes(arguments);
        let shown = value.map(|value| {
            let beginning = &value[..value.len().min(80)];
            String::from_utf8_lossy(beginning).into_owned()
        });
        let case = format!("{}: {shown:?}: {outcome:?}", NAMES[at]);
        assert_refused(&outcome, NAMES[at], &case);
        outcome
    }

    fn finish(self) {
        assert_eq!(self.server.finish(), Seen::default());
    }
}

fn assert_refused(outcome: &Outcome, argument: &str, case: &str) {
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{case}");
    let reason = outcome.message.strip_prefix(&format!("{argument}: "));
    assert!(reason.is_some_and(|reason| reason.len() > 5), "{case}");
    assert!(!outcome.message.contains(TOKEN), "{case}");
    assert!(!outcome.message.contains(&TOKEN[..16]), "{case}");
    assert_eq!(outcome.attempts, 0, "{case}");
    assert_eq!(outcome.http_status, 0, "{case}");
    assert_eq!((&*outcome.code, &*outcome.request_id), ("", ""), "{case}");
    assert_eq!(outcome.retry_after_ms, 0, "{case}");
    assert!(!outcome.outcome_unknown, "{case}");
}

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
fn an_identifier_that_could_change_the_path_or_the_body_is_refused() {
    let unreached = Unreached::new();
    for at in IDS {
        for value in [
            ".",
            "..",
            "../..",
            "a.b",
            "/",
            "a/b",
            "/a",
            "a/",
            "\\",
            "a\\b",
            "?",
            "a?b=c",
            "#",
            "a#b",
            "%",
            "%2f",
            "%2F",
            "%00",
            "a%20b",
            "+",
            "a+b",
            "a:b",
            "a;b",
            "a,b",
            "a@b",
            "a&b",
            "a=b",
            "a~b",
            "a*b",
            "a|b",
            "a^b",
            "a`b",
            "$a",
            "!",
            "(a)",
            "[a]",
            "{a}",
            "<a>",
            "\"",
            "a\"b",
            "\"},\"x\":{\"y\":\"",
            "'",
            "{18efee75-e058-4c52-a49c-9e3ba4d1c8de}",
            "urn:uuid:18efee75-e058-4c52-a49c-9e3ba4d1c8de",
        ] {
            unreached.refuses(at, Some(value.as_bytes()));
        }
    }
    unreached.finish();
}

#[test]
fn the_longest_identifier_has_128_bytes() {
    let unreached = Unreached::new();
    for at in IDS {
        for length in [129, 130, 256, 65_536] {
            unreached.refuses(at, Some("a".repeat(length).as_bytes()));
        }
        for length in [1, 2, 127, 128] {
            // What is complained about is the next one, so this one was accepted.
            let mut arguments = unreached.good();
            let longest = "a".repeat(length);
            arguments[at] = Some(longest.as_bytes());
            let other = if at == 4 { 1 } else { at + 1 };
            arguments[other] = Some(b"");
            let case = format!("{} of {length} bytes", NAMES[at]);
            assert_refused(&associate_bytes(arguments), NAMES[other], &case);
        }
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
fn a_uuid_as_fpga_id_with_32_hex_digits_as_ecs_id_is_refused_as_swapped() {
    let unreached = Unreached::new();
    let endpoint = &unreached.endpoint;
    let upper_uuid = UUID.to_uppercase();
    let upper_hex = HEX.to_uppercase();
    for (fpga_id, ecs_id) in [
        (UUID, HEX),
        (&upper_uuid, HEX),
        (UUID, &upper_hex),
        (&upper_uuid, &upper_hex),
        (
            "00000000-0000-0000-0000-000000000000",
            "00000000000000000000000000000000",
        ),
    ] {
        let outcome = call::associate(endpoint, TOKEN, PROJECT_ID, fpga_id, ecs_id);
        let case = format!("{fpga_id} {ecs_id}: {outcome:?}");
        assert_refused(&outcome, "fpga_id", &case);
        assert!(outcome.message.contains("swapped"), "{case}");
        assert!(outcome.message.contains("ecs_id"), "{case}");
    }
    unreached.finish();
}

#[test]
fn images_that_only_look_a_little_swapped_are_sent() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let endpoint = server.endpoint();
    let pairs = [
        (HEX, UUID),
        (UUID, UUID),
        (HEX, HEX),
        (UUID, "my-image"),
        ("my-image", HEX),
        (UUID, &HEX[1..]),
        (&UUID[1..], HEX),
        ("18efee75e-058-4c52-a49c-9e3ba4d1c8de", HEX),
        ("18efee75-e058-4c52-a49c-9e3ba4d1c8dg", HEX),
        (UUID, "4010a32b5f231f04015f24259efd042g"),
        ("18efee75_e058_4c52_a49c_9e3ba4d1c8de", HEX),
    ];
    for (fpga_id, ecs_id) in pairs {
        let outcome = call::associate(&endpoint, TOKEN, PROJECT_ID, fpga_id, ecs_id);
        assert!(outcome.is(Status::OK), "{fpga_id} {ecs_id}: {outcome:?}");
    }
    assert_eq!(server.finish().requests.len(), pairs.len());
}

#[test]
fn an_endpoint_with_more_than_a_host_and_a_port_is_refused_without_its_password() {
    let label = "a".repeat(64);
    let host = format!("{}.com", "abcdefgh.".repeat(28));
    let unreached = Unreached::new();
    let port = unreached.server.port();
    for endpoint in [
        // User information.
        "https://user:hunter2@ecs.example.com",
        "https://hunter2@ecs.example.com",
        "https://:hunter2@ecs.example.com:443",
        "user:hunter2@ecs.example.com",
        "hunter2@ecs.example.com",
        "http://user:hunter2@127.0.0.1:PORT",
        "http://127.0.0.1:PORT@ecs.example.com",
        "https://@ecs.example.com",
        "https://ecs.example.com@",
        "https://user:hunter2@[::1]:PORT",
        // A path, a query, a fragment.
        "http://127.0.0.1:PORT/v1",
        "http://127.0.0.1:PORT//",
        "http://127.0.0.1:PORT/.",
        "http://127.0.0.1:PORT/?hunter2",
        "http://127.0.0.1:PORT?hunter2",
        "http://127.0.0.1:PORT#hunter2",
        "http://127.0.0.1:PORT/#hunter2",
        "http://127.0.0.1:PORT/v1/hunter2",
        "http://127.0.0.1:PORT\\hunter2",
        "ecs.example.com/v1",
        "ecs.example.com?hunter2",
        "ecs.example.com#hunter2",
        "ecs.example.com%2fhunter2",
        // A port that is none.
        "http://127.0.0.1:0",
        "http://127.0.0.1:00",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:18446744073709551617",
        "http://127.0.0.1:",
        "http://127.0.0.1:/",
        "http://127.0.0.1:abc",
        "http://127.0.0.1:+1",
        "http://127.0.0.1:-1",
        "http://127.0.0.1:0x50",
        "http://127.0.0.1:8 0",
        "http://127.0.0.1:80:80",
        "ecs.example.com:0",
        "ecs.example.com:65536",
        "ecs.example.com:",
        "ecs.example.com:https",
        "[::1]:0",
        "[::1]:65536",
        "[::1]:",
        "[::1]:+1",
        // A scheme that is not https.
        "ftp://127.0.0.1:PORT",
        "httpss://127.0.0.1:PORT",
        "ws://127.0.0.1:PORT",
        "file:///etc/passwd",
        "unix:/run/socket",
        "://127.0.0.1:PORT",
        "//127.0.0.1:PORT",
        ":127.0.0.1",
        "http:127.0.0.1:PORT",
        "http:/127.0.0.1:PORT",
        "http://http://127.0.0.1:PORT",
        "https://https://127.0.0.1:PORT",
        "https:127.0.0.1",
        "https:/ecs.example.com",
        // Plain http beyond this machine.
        "http://ecs.example.com",
        "http://ecs.example.com:80",
        "HTTP://10.0.0.1",
        "http://128.0.0.1",
        "http://0.0.0.0:PORT",
        "http://[::]:PORT",
        "http://[2001:db8::1]",
        "http://[::ffff:10.0.0.1]",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://localhostx",
        "http://xlocalhost",
        // IPv6 without brackets, and brackets without IPv6.
        "::1",
        "https://::1",
        "http://::1:PORT",
        "2001:db8::1",
        "2001:db8::1:443",
        "[::1",
        "::1]",
        "[]",
        "[]:443",
        "[::1]x",
        "[::1]443",
        "[::1]]",
        "[[::1]]",
        "x[::1]",
        "[::g]",
        "[127.0.0.1]",
        "[localhost]",
        "[::1%25lo]",
        "[fe80::1%eth0]",
        "[v1.fe80]",
        "[1:2:3:4:5:6:7:8:9]",
        // A host that is none.
        "https://",
        "https:///",
        "http://",
        "http:///",
        "/",
        ":443",
        "https://:443",
        ".",
        "..",
        ".example.com",
        "ecs..example.com",
        "ecs.example.com..",
        "ecs_example,com",
        "ecs!.example.com",
        "ecs.exam*ple.com",
        "*.example.com",
        "$(id).example.com",
        "ecs.example.com\"",
        "{endpoint}",
        "<endpoint>",
        "ecs.例子.com",
        "ecs.example.com。",
        "ecs．example．com",
        "127.1",
        "http://127.1:PORT",
        "2130706433",
        "http://2130706433:PORT",
        "0x7f.0.0.1",
        "http://0x7f.0.0.0x1:PORT",
        "0x7f000001",
        "127.0.0.1.",
        "http://0177.0.0.1:PORT",
        "256.0.0.1",
        "1.2.3.4.5",
        &label,
        &format!("{label}.example.com"),
        &format!("ecs.{label}"),
        &host,
    ] {
        let endpoint = endpoint.replace("PORT", &port.to_string());
        let outcome = unreached.refuses(ENDPOINT, Some(endpoint.as_bytes()));
        assert!(!outcome.message.contains("hunter2"), "{outcome:?}");
    }
    unreached.finish();
}

/// Whatever else would keep the call from working, the complaint is about the argument behind it.
#[test]
fn every_documented_form_of_an_endpoint_is_accepted() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", &label[..61]);
    assert_eq!(longest.len(), 253);
    for endpoint in [
        "ecs.cn-north-1.myhuaweicloud.com",
        "ecs.cn-east-2.myhuaweicloud.com",
        "ecs.cn-south-1.myhuaweicloud.com",
        "ECS.CN-NORTH-1.MYHUAWEICLOUD.COM",
        "ecs.private.example",
        "ecs",
        "e",
        "ecs.example.com.",
        "under_score.example.com",
        "xn--fsqu00a.example.com",
        "3com.com",
        "1.2.3.4.example",
        "ecs.example.com:1",
        "ecs.example.com:443",
        "ecs.example.com:65535",
        "ecs.example.com:08443",
        "https://ecs.example.com",
        "https://ecs.example.com/",
        "https://ecs.example.com:8443",
        "https://ecs.example.com:8443/",
        "HTTPS://ecs.example.com",
        "HttpS://ecs.example.com/",
        "10.0.0.1",
        "10.0.0.1:8443",
        "https://10.0.0.1/",
        "255.255.255.255",
        "[::1]",
        "[::1]:8443",
        "[2001:db8::1]",
        "[2001:DB8::1]:443",
        "[::ffff:10.0.0.1]",
        "[1:2:3:4:5:6:7:8]",
        "https://[2001:db8::1]",
        "https://[2001:db8::1]/",
        "https://[2001:db8::1]:8443/",
        "http://localhost",
        "http://LOCALHOST",
        "http://localhost:8080",
        "http://localhost/",
        "http://127.0.0.1",
        "http://127.0.0.1:1/",
        "http://127.255.255.254",
        "HTTP://127.0.0.1",
        "http://[::1]",
        "http://[::1]:8080/",
        "http://[0:0:0:0:0:0:0:1]",
        &label,
        &longest,
    ] {
        let outcome = call::associate(endpoint, "", PROJECT_ID, FPGA_ID, ECS_ID);
        assert_refused(&outcome, "token", endpoint);
    }
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
