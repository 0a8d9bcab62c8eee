//! An identifier is what can stand in a path and in a body, and two that are swapped are noticed.

use fpga_associate::status::Status;
use support::arguments::{IDS, NAMES, Unreached, assert_refused};
use support::call::{self, ECS_ID, FPGA_ID, PROJECT_ID, TOKEN, associate_bytes};
use support::raw::{NO_CONTENT, Server, Then};

/// As FPGA images are named.
const HEX: &str = FPGA_ID;
/// As ECS images are named.
const UUID: &str = ECS_ID;

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
