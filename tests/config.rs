//! The settings of a client, and the pointers that it takes and gives.

mod support;

use std::ffi::{CStr, CString, c_char, c_void};
use std::fs;
use std::io::Write;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call::{self, ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN};
use support::certificates::{Authority, tls_server};
use support::client::{Client, Config, config, default_config};
use support::raw::{NO_CONTENT, Server, Then, answer, succeed};
use support::slow::{Closed, on_line};

type RawConfig = *mut capi::fpga_assoc_config;
type SetNumber = unsafe extern "C" fn(RawConfig, u32) -> i32;
type SetText = unsafe extern "C" fn(RawConfig, *const c_char) -> i32;

const SET_CA_FILE: SetText = capi::fpga_assoc_config_set_ca_file;
const SET_PROXY: SetText = capi::fpga_assoc_config_set_proxy;
const SET_USER_AGENT: SetText = capi::fpga_assoc_config_set_user_agent;
const SET_TIMEOUT: SetNumber = capi::fpga_assoc_config_set_timeout_ms;
const SET_CONNECT_TIMEOUT: SetNumber = capi::fpga_assoc_config_set_connect_timeout_ms;
const SET_MAX_ATTEMPTS: SetNumber = capi::fpga_assoc_config_set_max_attempts;

/// So that -1 of another language is refused.
const LONGEST: u32 = i32::MAX as u32;

const USER_AGENT: &str = concat!("fpga-associate/", env!("CARGO_PKG_VERSION"));

fn set_number(config: &Config, set: SetNumber, number: u32) -> Outcome {
    // SAFETY: the configuration is alive.
    call::outcome(unsafe { set(config.as_ptr(), number) })
}

fn set_text(config: &Config, set: SetText, text: impl Into<Vec<u8>>) -> Outcome {
    let text = CString::new(text).unwrap();
    // SAFETY: the configuration is alive, and the text for the call.
    call::outcome(unsafe { set(config.as_ptr(), text.as_ptr()) })
}

fn assert_refused(outcome: &Outcome, argument: &str, case: impl std::fmt::Debug) {
    assert!(
        outcome.is(Status::INVALID_ARGUMENT),
        "{case:?}: {outcome:?}"
    );
    let begins = outcome.message.starts_with(&format!("{argument}: "));
    assert!(begins, "{case:?}: {outcome:?}");
    assert!(!outcome.outcome_unknown, "{case:?}: {outcome:?}");
    assert_eq!(outcome.attempts, 0, "{case:?}: {outcome:?}");
}

fn associate_raw(
    client: *mut capi::fpga_assoc_client,
    error: *mut *mut capi::fpga_assoc_error,
) -> i32 {
    let texts = [TOKEN, PROJECT_ID, FPGA_ID, ECS_ID].map(|text| CString::new(text).unwrap());
    let [token, project_id, fpga_id, ecs_id] = texts.each_ref().map(|text| text.as_ptr());
    // SAFETY: the texts live for the call; the rest is the test's matter.
    unsafe { capi::fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, error) }
}

fn last_error() -> String {
    // SAFETY: never NULL, and alive until the thread's next call.
    let text = unsafe { CStr::from_ptr(capi::fpga_assoc_last_error()) };
    text.to_str().unwrap().to_owned()
}

/// A pointer that leads nowhere, as a caller has who initialises nothing.
fn garbage<T>() -> *mut T {
    ptr::without_provenance_mut(usize::MAX & !15)
}

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
fn the_longest_times_are_usable() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let config = config().timeout_ms(LONGEST).connect_timeout_ms(LONGEST);
    assert!(config.client(&server.endpoint()).example().is(Status::OK));
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
    // SAFETY: NULL is the point.
    let (allow_http, log) = unsafe {
        (
            capi::fpga_assoc_config_set_allow_http(ptr::null_mut(), true),
            capi::fpga_assoc_config_set_log(ptr::null_mut(), None, ptr::null_mut()),
        )
    };
    assert_eq!([allow_http, log], [Status::INVALID_ARGUMENT.number(); 2]);
}

#[test]
fn null_is_freed_and_shut_down_as_nothing() {
    // SAFETY: NULL is ignored.
    unsafe {
        capi::fpga_assoc_client_shutdown(ptr::null_mut());
        capi::fpga_assoc_error_free(ptr::null_mut());
    }
    capi::fpga_assoc_config_free(None);
    capi::fpga_assoc_client_free(None);
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
fn a_ca_file_is_trusted_in_place_of_the_systems_and_read_when_it_is_set() {
    let (trusted, other) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    fs::copy(trusted.file(), &path).unwrap();
    let config = config().ca_file(path.to_str().unwrap());
    fs::remove_file(&path).unwrap();

    let server = tls_server(trusted.sign(&["127.0.0.1"]));
    let elsewhere = tls_server(other.sign(&["127.0.0.1"]));
    let client = |server: &Server| {
        let mut made = ptr::null_mut();
        let endpoint = CString::new(format!("https://{}", server.address())).unwrap();
        // SAFETY: all pointers are good for the call.
        let status = unsafe {
            capi::fpga_assoc_client_new(
                endpoint.as_ptr(),
                config.as_ptr().as_ref(),
                &raw mut made,
                ptr::null_mut(),
            )
        };
        assert_eq!(status, 0);
        let outcome = call::outcome(associate_raw(made, ptr::null_mut()));
        // SAFETY: made above, freed once.
        unsafe { capi::fpga_assoc_client_free(Some(Box::from_raw(made))) };
        outcome
    };
    assert!(client(&server).is(Status::OK));
    assert!(client(&elsewhere).is(Status::TLS_FAILED));
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
fn the_password_of_a_proxy_is_told_to_the_proxy_alone() {
    let proxy = Server::answering(answer(407, "", "no, hunter2"), Then::Close);
    let url = format!("http://user:hunter2@{}", proxy.address());
    let client = config().proxy(&url).log().client("https://service.test");
    let outcome = client.example();
    assert!(outcome.is(Status::PROXY_FAILED), "{outcome:?}");
    let place = proxy.address().to_string();
    assert!(outcome.message.contains(&place), "{outcome:?}");
    for text in outcome.texts() {
        assert!(!text.contains("hunter2"), "{text}");
    }
    for (_, line) in client.lines() {
        assert!(!line.contains("hunter2"), "{line}");
    }
    let request = proxy.finish().requests[0].bytes.clone();
    let request = String::from_utf8(request).unwrap();
    // "user:hunter2"
    assert!(request.contains("Basic dXNlcjpodW50ZXIy"), "{request}");
}

/// The User-Agent of the first request.
fn user_agent(server: &Server) -> String {
    let request = String::from_utf8(server.seen().requests[0].bytes.clone()).unwrap();
    let values: Vec<_> = request
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| name.eq_ignore_ascii_case("user-agent"))
        .map(|(_, value)| value.to_owned())
        .collect();
    assert_eq!(values.len(), 1, "{request}");
    values[0].clone()
}

#[test]
fn the_callers_product_stands_in_front_of_the_librarys() {
    let long = "p".repeat(256);
    for (product, expected) in [
        (None, USER_AGENT.to_owned()),
        (
            Some("deploy-tool/2.1"),
            format!("deploy-tool/2.1 {USER_AGENT}"),
        ),
        (
            Some("tool/1 (linux; x86_64) lib/2"),
            format!("tool/1 (linux; x86_64) lib/2 {USER_AGENT}"),
        ),
        (Some(long.as_str()), format!("{long} {USER_AGENT}")),
    ] {
        let server = Server::answering(NO_CONTENT, Then::Keep);
        let config = match product {
            Some(product) => config().user_agent(product),
            None => config(),
        };
        assert!(config.client(&server.endpoint()).example().is(Status::OK));
        assert_eq!(user_agent(&server), expected);
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

#[test]
fn a_client_keeps_the_settings_that_it_was_made_with() {
    let server = Server::answering(answer(429, "", ""), Then::Keep);
    let endpoint = CString::new(server.endpoint()).unwrap();
    let mut client = ptr::null_mut();
    // SAFETY: all pointers are good for their calls; each thing is freed once.
    let outcome = unsafe {
        let config = Box::into_raw(capi::fpga_assoc_config_new().unwrap());
        assert_eq!(capi::fpga_assoc_config_set_proxy(config, c"".as_ptr()), 0);
        assert_eq!(capi::fpga_assoc_config_set_max_attempts(config, 2), 0);
        assert_eq!(
            capi::fpga_assoc_config_set_user_agent(config, c"before/1".as_ptr()),
            0
        );
        let new = capi::fpga_assoc_client_new;
        assert_eq!(
            new(
                endpoint.as_ptr(),
                config.as_ref(),
                &raw mut client,
                ptr::null_mut()
            ),
            0
        );
        assert_eq!(capi::fpga_assoc_config_set_max_attempts(config, 1), 0);
        assert_eq!(
            capi::fpga_assoc_config_set_user_agent(config, c"after/1".as_ptr()),
            0
        );
        capi::fpga_assoc_config_free(Some(Box::from_raw(config)));
        let outcome = call::outcome(associate_raw(client, ptr::null_mut()));
        capi::fpga_assoc_client_free(Some(Box::from_raw(client)));
        outcome
    };
    assert_eq!(outcome.attempts, 2, "{outcome:?}");
    assert!(user_agent(&server).starts_with("before/1 "));
}

#[test]
fn null_settings_are_the_defaults() {
    let server = Server::answering(answer(429, "", ""), Then::Keep);
    let endpoint = CString::new(server.endpoint()).unwrap();
    let mut client = ptr::null_mut();
    // SAFETY: all pointers are good for their calls; the client is freed once.
    let outcome = unsafe {
        let new = capi::fpga_assoc_client_new;
        let status = new(endpoint.as_ptr(), None, &raw mut client, ptr::null_mut());
        assert_eq!(status, 0);
        let outcome = call::outcome(associate_raw(client, ptr::null_mut()));
        capi::fpga_assoc_client_free(Some(Box::from_raw(client)));
        outcome
    };
    assert_eq!(outcome.attempts, 3, "{outcome:?}");
    assert_eq!(user_agent(&server), USER_AGENT);
    let refused = default_config().try_client("http://192.0.2.1");
    assert_refused(&refused.map(drop).unwrap_err(), "endpoint", "default");
}

#[test]
fn a_call_has_thirty_seconds_unless_it_is_told_otherwise() {
    // Seen from which waits still fit, so that nobody has to wait.
    for (seconds, limit, confirms, fits) in [
        (29, None, false, true),
        (30, None, false, false),
        (59, Some(60_000), false, true),
        (60, Some(60_000), false, false),
        // A fifth is left for questions to the list, and 5 s at most.
        (24, None, true, true),
        (25, None, true, false),
        (54, Some(60_000), true, true),
        (55, Some(60_000), true, false),
        (7, Some(10_000), true, true),
        (8, Some(10_000), true, false),
    ] {
        let asks = answer(429, &format!("Retry-After: {seconds}\r\n"), "");
        let server = Server::answering(asks, Then::Keep);
        let (waits, is_waiting) = mpsc::channel();
        let hear = move |_, line: &str| {
            if line.contains("; again in ") {
                waits.send(()).ok();
            }
        };
        let config = on_line(config(), hear);
        let config = if confirms {
            config
        } else {
            config.no_confirm()
        };
        let config = match limit {
            Some(limit) => config.timeout_ms(limit),
            None => config,
        };
        let client = config.client(&server.endpoint());
        let outcome = thread::scope(|scope| {
            let call = scope.spawn(|| client.example());
            if fits {
                is_waiting.recv_timeout(Duration::from_secs(10)).unwrap();
                client.shutdown();
            }
            call.join().unwrap()
        });
        let status = if fits {
            Status::CANCELLED
        } else {
            Status::THROTTLED
        };
        assert!(outcome.is(status), "{seconds}: {outcome:?}");
    }
}

#[test]
fn a_client_that_cannot_be_made_is_null_and_the_error_is_given() {
    let mut error = garbage();
    // SAFETY: all pointers but the one under test are good for their calls.
    unsafe {
        for endpoint in [ptr::null(), c"".as_ptr(), c"\xff".as_ptr()] {
            let mut client = garbage();
            let status =
                capi::fpga_assoc_client_new(endpoint, None, &raw mut client, &raw mut error);
            assert!(client.is_null());
            assert_refused(
                &call::outcome_of(status, error.as_ref()),
                "endpoint",
                endpoint,
            );
            capi::fpga_assoc_error_free(error);
            error = garbage();
        }
        let host = c"service.test".as_ptr();
        let status = capi::fpga_assoc_client_new(host, None, ptr::null_mut(), &raw mut error);
        assert_refused(
            &call::outcome_of(status, error.as_ref()),
            "client",
            "no place",
        );
        capi::fpga_assoc_error_free(error);

        let mut client = garbage();
        error = garbage();
        let status = capi::fpga_assoc_client_new(host, None, &raw mut client, &raw mut error);
        assert_eq!(status, 0);
        assert!(error.is_null());
        capi::fpga_assoc_client_free(Some(Box::from_raw(client)));
    }
}

#[test]
fn arguments_of_a_client_are_checked_before_anything_is_sent() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = config().client(&server.endpoint());
    assert_refused(
        &call::outcome(associate_raw(ptr::null_mut(), ptr::null_mut())),
        "client",
        "NULL",
    );
    for (argument, [token, project_id, fpga_id, ecs_id]) in [
        ("token", ["", PROJECT_ID, FPGA_ID, ECS_ID]),
        ("token", ["a b", PROJECT_ID, FPGA_ID, ECS_ID]),
        ("project_id", [TOKEN, "", FPGA_ID, ECS_ID]),
        ("project_id", [TOKEN, "a/b", FPGA_ID, ECS_ID]),
        ("fpga_id", [TOKEN, PROJECT_ID, "a b", ECS_ID]),
        ("ecs_id", [TOKEN, PROJECT_ID, FPGA_ID, "镜像"]),
    ] {
        let outcome = client.associate(token, project_id, fpga_id, ecs_id);
        assert_refused(&outcome, argument, argument);
    }
    let texts = ["token", "project_id", "fpga_id", "ecs_id"];
    for (at, argument) in texts.iter().enumerate() {
        for bad in [ptr::null(), c"\xff".as_ptr()] {
            let mut given = [c"t".as_ptr(); 4];
            given[at] = bad;
            let [token, project_id, fpga_id, ecs_id] = given;
            let none = ptr::null_mut();
            // SAFETY: the client is alive, and the texts are constants or NULL.
            let status = unsafe {
                capi::fpga_assoc_client_associate(
                    client.as_ptr(),
                    token,
                    project_id,
                    fpga_id,
                    ecs_id,
                    none,
                )
            };
            assert_refused(&call::outcome(status), argument, bad);
        }
    }
    assert_eq!(server.finish().connections, 0);
}

#[test]
fn an_error_goes_where_the_caller_wants_it_and_nowhere_else() {
    let server = Server::start(|nth, stream| match nth {
        0 | 2 => succeed(stream),
        _ => {
            stream.write_all(&answer(404, "", "no such thing")).ok();
            Then::Keep
        }
    });
    let client = config().client(&server.endpoint());
    let earlier = set_number(&config(), SET_TIMEOUT, 0).message;

    // To the caller: the thread's last error stays as it was.
    let mut error = garbage();
    assert_eq!(associate_raw(client.as_ptr(), &raw mut error), 0);
    assert!(error.is_null());
    assert_eq!(last_error(), earlier);
    error = garbage();
    let status = associate_raw(client.as_ptr(), &raw mut error);
    assert_eq!(status, Status::NOT_FOUND.number());
    assert_eq!(last_error(), earlier);

    // To the thread: cleared by a success, set by a failure.
    assert_eq!(associate_raw(client.as_ptr(), ptr::null_mut()), 0);
    assert_eq!(last_error(), "");
    let status = associate_raw(client.as_ptr(), ptr::null_mut());
    let second = call::outcome(status);
    assert!(second.is(Status::NOT_FOUND), "{second:?}");

    // An error outlives its client, and may be read and freed by another thread.
    drop(client);
    let error = AtomicPtr::new(error);
    thread::scope(|scope| {
        scope.spawn(|| {
            let error = error.load(Ordering::SeqCst);
            // SAFETY: given above, and freed once.
            let first = unsafe { call::outcome_of(status, error.as_ref()) };
            assert_eq!(first, second);
            // SAFETY: as above.
            unsafe { capi::fpga_assoc_error_free(error) };
        });
    });
    assert_eq!(last_error(), second.message);
}

#[test]
fn each_step_is_logged_once_at_its_level() {
    let server = Server::answering_first(answer(429, "", ""), Then::Keep);
    let client = config().log().client(&server.endpoint());
    assert!(client.example().is(Status::OK));
    let place = server.address().to_string();
    let expected = [
        (4, "attempt 1 of 3"),
        (3, "connected to"),
        (2, "; again in "),
        (4, "attempt 2 of 3"),
        (3, "done"),
    ];
    let lines = client.lines();
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for ((level, line), (expected_level, words)) in lines.iter().zip(expected) {
        assert_eq!(*level, expected_level, "{line}");
        assert!(line.contains(words) && line.contains(&place), "{line}");
    }

    let port = Closed::new();
    let config = config().log().max_attempts(1);
    let client = config.client(&format!("http://{}", port.address()));
    let outcome = client.example();
    let lines = client.lines();
    assert_eq!(
        lines.last(),
        Some(&(1, outcome.message.clone())),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn no_line_holds_the_token_though_the_service_echoes_it() {
    let echo = format!(r#"{{"error":{{"code":"{TOKEN}","message":"bad token {TOKEN}"}}}}"#);
    let headers = format!("X-Request-Id: {TOKEN}\r\n");
    let server = Server::start(move |nth, stream| {
        let http_status = if nth == 0 { 429 } else { 400 };
        stream.write_all(&answer(http_status, &headers, &echo)).ok();
        Then::Keep
    });
    let client = config().log().client(&server.endpoint());
    let outcome = client.example();
    assert!(outcome.is(Status::REJECTED), "{outcome:?}");
    let lines = client.lines();
    assert_eq!(lines.len(), 5, "{lines:?}");
    for (_, line) in lines {
        let told = TOKEN.as_bytes().windows(16).find(|piece| {
            let piece = std::str::from_utf8(piece).unwrap();
            line.contains(piece)
        });
        assert_eq!(told, None, "{line}");
        assert!(
            line.len() < 1024 && !line.contains(char::is_control),
            "{line}"
        );
    }
}

#[test]
fn lines_go_to_the_context_of_their_client_and_stop_with_null() {
    unsafe extern "C" fn count(context: *mut c_void, level: i32, line: *const c_char) {
        assert!((1..=4).contains(&level) && !line.is_null());
        // SAFETY: the context is a counter that outlives the client.
        let lines = unsafe { &*context.cast::<AtomicUsize>() };
        lines.fetch_add(1, Ordering::SeqCst);
    }
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let counters = [const { AtomicUsize::new(0) }; 2];
    let settings = counters.each_ref().map(|counter| {
        let config = config();
        let context = ptr::from_ref(counter).cast_mut().cast();
        // SAFETY: the configuration is alive; the counters outlive the clients.
        let status =
            unsafe { capi::fpga_assoc_config_set_log(config.as_ptr(), Some(count), context) };
        assert_eq!(status, 0);
        config
    });
    let [first, second] = settings;
    assert!(first.client(&server.endpoint()).example().is(Status::OK));
    assert!(counters[0].load(Ordering::SeqCst) >= 3);
    assert_eq!(counters[1].load(Ordering::SeqCst), 0);

    // SAFETY: the configuration is alive.
    let status = unsafe { capi::fpga_assoc_config_set_log(second.as_ptr(), None, ptr::null_mut()) };
    assert_eq!(status, 0);
    assert!(second.client(&server.endpoint()).example().is(Status::OK));
    assert_eq!(counters[1].load(Ordering::SeqCst), 0);
}

#[test]
fn a_callback_may_call_the_library() {
    // The first three requests are those of the first line.
    let server = Server::start(|nth, stream| match nth {
        3 => {
            stream.write_all(&answer(429, "", "")).ok();
            Then::Keep
        }
        _ => succeed(stream),
    });
    let endpoint = server.endpoint();
    let client: Arc<Mutex<Option<Arc<Client>>>> = Arc::default();
    let inside = AtomicBool::new(false);
    let (tells, told) = mpsc::channel();
    let hear = {
        let client = Arc::clone(&client);
        let endpoint = endpoint.clone();
        move |_: i32, line: &str| {
            // The first line would take the connection from the second. The calls in here log too.
            if line.contains("attempt 1") || inside.swap(true, Ordering::SeqCst) {
                return;
            }
            let client = client.lock().unwrap().clone().unwrap();
            let on_the_same = client.example();
            let one_line = call::example(&endpoint);
            let set = set_number(&config(), SET_MAX_ATTEMPTS, 0);
            let made = config().client(&endpoint).example();
            tells
                .send((line.to_owned(), [on_the_same, one_line, made, set]))
                .unwrap();
            inside.store(false, Ordering::SeqCst);
        }
    };
    let made = Arc::new(on_line(config(), hear).client(&endpoint));
    *client.lock().unwrap() = Some(Arc::clone(&made));

    let begun = Instant::now();
    // Without an error pointer, so that the calls within touch the same last error.
    let outcome = call::outcome(associate_raw(made.as_ptr(), ptr::null_mut()));
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    let told: Vec<_> = told.try_iter().collect();
    assert_eq!(told.len(), 4, "{told:?}");
    for ((line, outcomes), words) in
        told.into_iter()
            .zip(["connected", "again", "attempt 2", "done"])
    {
        assert!(line.contains(words), "{line}");
        let [on_the_same, one_line, made, set] = outcomes;
        assert!(on_the_same.is(Status::OK), "{on_the_same:?}");
        assert!(one_line.is(Status::OK), "{one_line:?}");
        assert!(made.is(Status::OK), "{made:?}");
        assert!(set.is(Status::INVALID_ARGUMENT), "{set:?}");
    }
    client.lock().unwrap().take();
}
