//! What follows where the service, or the host, says no to credentials.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::{ptr, thread};

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call::associate_raw;
use support::client::{config, text};
use support::credentials::{SECRET_KEY, SECURITY_TOKEN, header_of, in_seconds};
use support::raw::{NO_CONTENT, Server, Then, answer, read_request, succeed};

fn says(words: &str) -> Vec<u8> {
    answer(
        401,
        "",
        format!(r#"{{"error_code":"APIGW.0301","error_msg":"{words}"}}"#),
    )
}

#[test]
fn a_401_is_about_who_asks_whatever_words_it_has() {
    for words in [
        "ak AKX not exist",
        "Get secretKey failed,ak:AKX,err:ak not exist",
        "x-auth-token not found",
        "the token has already expired",
        "decrypt token fail",
    ] {
        for grants_keys in [false, true] {
            let refusal = says(words);
            let server = Server::start(move |nth, stream| match nth {
                0 => {
                    stream.write_all(&refusal).ok();
                    Then::Keep
                }
                _ => succeed(stream),
            });
            let nth = AtomicUsize::new(0);
            let client = config().credentials(move |_, grant| {
                let nth = nth.fetch_add(1, Ordering::SeqCst);
                let status = match grants_keys {
                    false => grant.token(&format!("token-{nth}"), 0),
                    true => grant.access_key(&format!("AK{nth}"), SECRET_KEY, None, 0),
                };
                assert_eq!(status, 0);
            });
            let outcome = client.client(&server.endpoint()).own_example();
            assert!(outcome.is(Status::OK), "{words}: {outcome:?}");
            assert_eq!(server.finish().requests.len(), 2, "{words}");
        }
        // Nobody asks the list about a token that is given and refused.
        let server = Server::answering(says(words), Then::Keep);
        let outcome = config().idempotent().client(&server.endpoint()).example();
        assert!(outcome.is(Status::UNAUTHORIZED), "{words}: {outcome:?}");
        assert_eq!(server.finish().requests.len(), 1, "{words}");
    }
}

/// The host is asked for another key, and none that is locked is tried.
#[test]
fn no_locked_key_is_tried_and_another_is_asked_for() {
    let locked = says("AK access failed to reach the limit,forbidden.");
    let server = Server::serve(move |mut visit| {
        loop {
            let (request, is_whole) = read_request(&mut visit.stream);
            visit.record(request.clone(), is_whole);
            if !is_whole {
                break;
            }
            let key = header_of(&request, "authorization").unwrap();
            let reply = if key.contains("Access=GOOD,") {
                NO_CONTENT
            } else {
                &locked
            };
            visit.stream.write_all(reply).ok();
        }
    });
    let granted = Arc::new(Mutex::new(
        ["AK0", "AK1", "AK0", "AK1", "AK0", "AK0", "GOOD"].into_iter(),
    ));
    let client = config().credentials({
        let granted = Arc::clone(&granted);
        move |_, grant| {
            let key = granted.lock().unwrap().next().unwrap_or("GOOD");
            assert_eq!(grant.access_key(key, SECRET_KEY, None, 0), 0);
        }
    });
    let client = client.client(&server.endpoint());
    let outcomes: Vec<_> = (0..8).map(|_| client.own_example()).collect();
    assert!(outcomes.last().unwrap().is(Status::OK), "{outcomes:?}");
    let requests = server.finish().requests;
    for key in ["Access=AK0,", "Access=AK1,"] {
        let with_it = requests.iter().filter(|request| {
            header_of(&request.bytes, "authorization")
                .unwrap()
                .contains(key)
        });
        assert_eq!(with_it.count(), 1, "{key}");
    }
}

#[test]
fn signatures_of_earlier_attempts_are_withheld_too() {
    let first = Arc::new(Mutex::new(String::new()));
    let server = Server::serve({
        let first = Arc::clone(&first);
        move |mut visit| {
            for nth in 0.. {
                let (request, is_whole) = read_request(&mut visit.stream);
                if !is_whole {
                    break;
                }
                let reply = if nth == 0 {
                    let authorization = header_of(&request, "authorization").unwrap();
                    let (_, signature) = authorization.rsplit_once('=').unwrap();
                    signature.clone_into(&mut first.lock().unwrap());
                    answer(429, "Retry-After: 1\r\n", "")
                } else {
                    let signature = first.lock().unwrap().clone();
                    answer(
                        400,
                        &format!("X-Request-Id: {signature}\r\n"),
                        format!("no: {signature}"),
                    )
                };
                visit.stream.write_all(&reply).ok();
            }
        }
    });
    let client = config()
        .log()
        .access_key("AK", SECRET_KEY, None)
        .client(&server.endpoint());
    let outcome = client.own_example();
    assert!(outcome.is(Status::REJECTED), "{outcome:?}");
    let signature = first.lock().unwrap().clone();
    assert_eq!(signature.len(), 64);
    let shown = format!("{outcome:?} {:?}", client.lines());
    assert!(!shown.contains(&signature[..8]), "{shown}");
}

#[test]
fn words_of_the_host_that_repeat_what_it_granted_are_withheld() {
    let server = Server::answering(says("no"), Then::Keep);
    let client = config().log().credentials(|reason, grant| match reason {
        1 => {
            let token = Some(SECURITY_TOKEN);
            assert_eq!(grant.access_key("AK", SECRET_KEY, token, 0), 0);
        }
        _ => {
            let words = format!("sts: {SECURITY_TOKEN} is revoked, {SECRET_KEY} too");
            assert_eq!(grant.refuse(&words), 0);
        }
    });
    let client = client.client(&server.endpoint());
    for _ in 0..2 {
        let outcome = client.own_example();
        assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
        let shown = format!("{outcome:?} {:?}", client.lines());
        for secret in [SECRET_KEY, SECURITY_TOKEN] {
            let telling = (0..secret.len() - 8).find(|&at| shown.contains(&secret[at..at + 8]));
            assert_eq!(telling, None, "{shown}");
        }
    }
}

#[test]
fn what_expires_at_once_serves_one_whole_call() {
    let pages = |nth: usize| {
        let entries: Vec<_> = (0..100)
            .filter(|_| nth < 5)
            .map(|at| {
                let fpga_id = format!("f{nth}x{at}");
                serde_json::json!({"image_id": "e", "fpgaimages": [{"fpga_image_id": fpga_id}]})
            })
            .collect();
        serde_json::json!({ "associations": entries }).to_string()
    };
    let server = Server::start(move |nth, stream| {
        stream.write_all(&answer(200, "", pages(nth))).ok();
        Then::Keep
    });
    let asked = Arc::new(AtomicUsize::new(0));
    let client = config().credentials({
        let asked = Arc::clone(&asked);
        move |_, grant| {
            asked.fetch_add(1, Ordering::SeqCst);
            assert_eq!(grant.token("a-token", in_seconds(20)), 0);
        }
    });
    let list = client
        .client(&server.endpoint())
        .list(None, "p", Some("f"), None);
    drop(list);
    assert!(server.finish().requests.len() > 2);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[test]
fn the_log_may_call_the_client_that_got_credentials() {
    static CLIENT: AtomicPtr<capi::fpga_assoc_client> = AtomicPtr::new(ptr::null_mut());
    static WORKED: AtomicBool = AtomicBool::new(false);
    unsafe extern "C" fn hear(_: *mut std::ffi::c_void, _: i32, line: *const std::ffi::c_char) {
        let client = CLIENT.load(Ordering::SeqCst);
        if text(line).contains("got credentials") && !WORKED.swap(true, Ordering::SeqCst) {
            assert_eq!(associate_raw(client, ptr::null_mut()), 0);
        }
    }
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let config = config()
        .timeout_ms(20_000)
        .credentials(|_, grant| assert_eq!(grant.token("a-token", in_seconds(30)), 0))
        // SAFETY: the configuration is alive.
        .set(|config| unsafe {
            capi::fpga_assoc_config_set_log(config, Some(hear), ptr::null_mut())
        });
    let client = config.client(&server.endpoint());
    CLIENT.store(client.as_ptr(), Ordering::SeqCst);
    assert!(client.own_example().is(Status::OK));
    assert!(WORKED.load(Ordering::SeqCst));
}

#[test]
fn a_callback_leaves_the_threads_last_error_as_it_is() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = config().credentials(|_, grant| {
        assert_ne!(grant.token("", 0), 0);
        assert_eq!(text(capi::fpga_assoc_last_error()), "token: is empty");
        assert_eq!(grant.token("a-token", 0), 0);
    });
    let client = client.client(&server.endpoint());
    let words = "timeout_ms: is not a number from 1 to 2147483647";
    let config = config();
    // SAFETY: the configuration is alive.
    let status = unsafe { capi::fpga_assoc_config_set_timeout_ms(config.as_ptr(), 0) };
    assert_eq!(status, Status::INVALID_ARGUMENT.number());
    let held = capi::fpga_assoc_last_error();
    assert!(client.own_example().is(Status::OK));
    assert_eq!(text(held), words);
}

#[test]
fn a_call_that_is_shut_down_in_its_callback_is_cancelled_whatever_that_says() {
    static CLIENT: AtomicPtr<capi::fpga_assoc_client> = AtomicPtr::new(ptr::null_mut());
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = config().credentials(|_, grant| {
        let client = CLIENT.load(Ordering::SeqCst).addr();
        thread::scope(|scope| {
            scope.spawn(|| {
                // SAFETY: the client is alive.
                unsafe {
                    capi::fpga_assoc_client_shutdown(ptr::with_exposed_provenance_mut(client))
                }
            });
        });
        assert_eq!(grant.refuse("no"), 0);
    });
    let client = client.client(&server.endpoint());
    let pointer = client.as_ptr();
    pointer.expose_provenance();
    CLIENT.store(pointer, Ordering::SeqCst);
    for _ in 0..2 {
        let outcome = client.own_example();
        assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
    }
    assert_eq!(server.finish().connections, 0);
}
