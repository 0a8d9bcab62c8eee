//! A setting that can't be used is refused by its name when it is set, and changes nothing.

use std::{fs, ptr};

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call;
use support::client::config;
use support::raw::{Server, Then, answer};
use support::settings::{
    LONGEST, SET_CA_FILE, SET_CONNECT_TIMEOUT, SET_MAX_ATTEMPTS, SET_PROXY, SET_TIMEOUT, SET_TOKEN,
    SET_USER_AGENT, assert_refused, set_number, set_text, user_agent,
};

#[test]
fn numbers_have_ranges() {
    for (name, set, good, bad) in [
        (
            "timeout_ms",
            SET_TIMEOUT,
            [1, 30_000, LONGEST],
            [0, LONGEST + 1, u32::MAX],
        ),
        (
            "connect_timeout_ms",
            SET_CONNECT_TIMEOUT,
            [1, 10_000, LONGEST],
            [0, LONGEST + 1, u32::MAX],
        ),
        (
            "max_attempts",
            SET_MAX_ATTEMPTS,
            [1, 3, 100],
            [0, 101, u32::MAX],
        ),
    ] {
        let config = config();
        for number in good {
            let outcome = set_number(&config, set, number);
            assert!(outcome.is(Status::OK), "{name} {number}: {outcome:?}");
        }
        for number in bad {
            assert_refused(&set_number(&config, set, number), name, number);
        }
    }
}

#[test]
fn a_value_that_is_refused_changes_nothing() {
    let server = Server::answering(answer(429, "", ""), Then::Keep);
    let config = config().max_attempts(2).user_agent("before/1");
    assert_refused(&set_number(&config, SET_MAX_ATTEMPTS, 0), "max_attempts", 0);
    assert_refused(&set_number(&config, SET_TIMEOUT, 0), "timeout_ms", 0);
    assert_refused(&set_text(&config, SET_USER_AGENT, "\n"), "user_agent", 0);
    assert_refused(&set_text(&config, SET_PROXY, "x://"), "proxy", 0);
    let outcome = config.client(&server.endpoint()).example();
    assert_eq!(outcome.attempts, 2, "{outcome:?}");
    assert!(user_agent(&server).starts_with("before/1 "));
}

#[test]
fn null_and_text_that_is_not_utf_8_are_refused() {
    for (name, set) in [
        ("ca_file", SET_CA_FILE),
        ("proxy", SET_PROXY),
        ("user_agent", SET_USER_AGENT),
        ("token", SET_TOKEN),
    ] {
        let config = config();
        // SAFETY: the configuration is alive; NULL is the point.
        let outcome = call::outcome(unsafe { set(config.as_ptr(), ptr::null()) });
        assert_refused(&outcome, name, "NULL");
        assert_refused(&set_text(&config, set, b"\xff\xfe"), name, "not UTF-8");
        // SAFETY: NULL is the point.
        let outcome = call::outcome(unsafe { set(ptr::null_mut(), c"x".as_ptr()) });
        assert_refused(&outcome, "config", name);
    }
    for set in [SET_TIMEOUT, SET_CONNECT_TIMEOUT, SET_MAX_ATTEMPTS] {
        // SAFETY: NULL is the point.
        let outcome = call::outcome(unsafe { set(ptr::null_mut(), 1) });
        assert_refused(&outcome, "config", "NULL");
    }
    let (config, pem) = (ptr::null_mut(), c"x".as_ptr());
    // SAFETY: NULL is the point, and the text is a constant of one byte.
    let statuses = unsafe {
        [
            capi::fpga_assoc_config_set_allow_http(config, true),
            capi::fpga_assoc_config_set_confirm(config, true),
            capi::fpga_assoc_config_set_idempotent(config, true),
            capi::fpga_assoc_config_set_ca_pem(config, pem, 1),
            capi::fpga_assoc_config_set_client_certificate(config, pem, 1),
            capi::fpga_assoc_config_set_log(config, None, ptr::null_mut()),
        ]
    };
    assert_eq!(statuses, [Status::INVALID_ARGUMENT.number(); 6]);
}

#[test]
fn a_ca_file_that_holds_no_certificate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let config = config();
    for path in [
        String::new(),
        folder.path().join("missing").to_str().unwrap().to_owned(),
        folder.path().to_str().unwrap().to_owned(),
        file("empty", ""),
        file("text", "not a certificate\n"),
        file(
            "key",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        ),
        file("cut", "-----BEGIN CERTIFICATE-----\nAAAA\n"),
        file(
            "not base64",
            "-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n",
        ),
    ] {
        assert_refused(&set_text(&config, SET_CA_FILE, &*path), "ca_file", &path);
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_refused_and_its_password_not_repeated() {
    let config = config();
    for url in [
        "ftp://proxy.test",
        "socks4://proxy.test",
        "://proxy.test",
        "http://",
        "http://:3128",
        "http://user:hunter2@",
        "http://user:hunter2@:3128",
        "http://proxy.test:0",
        "http://proxy.test:65536",
        "http://proxy.test:port",
        "http://proxy.test:-1",
        "http://user:hunter2@proxy.test:99999",
        "gopher://user:hunter2@proxy.test",
        "http://user:hunter2@pro xy.test",
        "http://user:hunter2@proxy.test:hunter2",
        "http://proxy.test:3128:hunter2",
        "http://[::1",
        " ",
        "\n",
    ] {
        let outcome = set_text(&config, SET_PROXY, url);
        assert_refused(&outcome, "proxy", url);
        assert!(!outcome.message.contains("hunter2"), "{outcome:?}");
    }
    for url in [
        "",
        "proxy.test",
        "proxy.test:3128",
        "http://proxy.test",
        "HTTP://proxy.test:3128",
        "http://proxy.test:3128/",
        "http://user:pass%3Aword@proxy.test:3128",
        "http://user@proxy.test",
        "https://proxy.test",
        "socks5://127.0.0.1:1080",
        "socks5h://[::1]:1080",
    ] {
        let outcome = set_text(&config, SET_PROXY, url);
        assert!(outcome.is(Status::OK), "{url}: {outcome:?}");
    }
}

#[test]
fn a_product_that_cannot_stand_in_a_header_is_refused() {
    let config = config();
    let long = "p".repeat(257);
    for product in [
        "",
        " ",
        "a\nb",
        "a\r\nX-Other: b",
        "a\tb",
        "a\u{7f}",
        "镜像",
        &long,
    ] {
        let outcome = set_text(&config, SET_USER_AGENT, product);
        assert_refused(&outcome, "user_agent", product);
    }
}

#[test]
fn a_token_that_cannot_be_sent_is_refused_and_not_repeated() {
    let config = config();
    for token in [
        "",
        "hunter2 hunter2",
        "hunter2hunter2\r\nX-Other: b",
        "hunter2hunter2é",
        &"hunter2".repeat(10_000),
    ] {
        let outcome = set_text(&config, SET_TOKEN, token);
        assert_refused(&outcome, "token", &token[..token.len().min(40)]);
        assert!(!outcome.message.contains("hunter2"), "{outcome:?}");
    }
    for (length, is_accepted) in [(1, true), (65_536, true), (65_537, false)] {
        let outcome = set_text(&config, SET_TOKEN, "t".repeat(length));
        assert_eq!(outcome.is(Status::OK), is_accepted, "{length}: {outcome:?}");
    }
}

#[test]
fn plain_http_leaves_this_machine_only_where_it_is_allowed() {
    let endpoints = [
        "http://192.0.2.1",
        "http://service.test:8080",
        "http://[2001:db8::1]",
    ];
    for endpoint in endpoints {
        let refused = config().try_client(endpoint).map(drop).unwrap_err();
        assert_refused(&refused, "endpoint", endpoint);
        config().allow_http().client(endpoint);

        let forbidden = config().allow_http();
        // SAFETY: the configuration is alive.
        let status = unsafe { capi::fpga_assoc_config_set_allow_http(forbidden.as_ptr(), false) };
        assert_eq!(status, 0);
        assert!(forbidden.try_client(endpoint).is_err(), "{endpoint}");
    }
    for endpoint in ["http://127.0.0.1", "http://localhost:8080", "http://[::1]"] {
        config().client(endpoint);
    }
}

#[test]
fn what_is_not_an_endpoint_is_refused_whatever_is_allowed() {
    for endpoint in [
        "",
        "ftp://host",
        "http://host/path",
        "http://user@host",
        "http://host:0",
    ] {
        let refused = config().allow_http().try_client(endpoint).map(drop);
        assert_refused(&refused.unwrap_err(), "endpoint", endpoint);
    }
}
