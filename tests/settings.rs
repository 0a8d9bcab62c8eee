//! A client does as it was set when it was made, and as the defaults say where nothing was set.

use std::ffi::CString;
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, ptr, thread};

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call::{self, associate_raw};
use support::certificates::{Authority, tls_server};
use support::client::{config, default_config};
use support::raw::{NO_CONTENT, Server, Then, answer};
use support::settings::{LONGEST, assert_refused, user_agent};
use support::slow::on_line;

const USER_AGENT: &str = concat!("fpga-associate/", env!("CARGO_PKG_VERSION"));

#[test]
fn the_longest_times_are_usable() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let config = config().timeout_ms(LONGEST).connect_timeout_ms(LONGEST);
    assert!(config.client(&server.endpoint()).example().is(Status::OK));
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
                is_waiting.recv_timeout(Duration::from_secs(60)).unwrap();
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
