//! Each step is logged once, without the token, to the callback of its client, which may call.

use std::ffi::{c_char, c_void};
use std::io::Write;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call::{self, TOKEN, associate_raw};
use support::client::{Client, config};
use support::plans::Plan;
use support::raw::{NO_CONTENT, Server, Then, answer, succeed};
use support::settings::{SET_MAX_ATTEMPTS, set_number};
use support::slow::{Closed, on_line};

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
fn the_call_that_failed_is_the_plan_and_what_it_goes_on_after_is_a_warning() {
    let server = Server::start(|nth, stream| {
        let answer = match nth {
            0 => answer(200, "", r#"{"associations":[]}"#),
            _ => answer(404, "", ""),
        };
        stream.write_all(&answer).ok();
        Then::Keep
    });
    let client = config().log().client(&server.endpoint());
    let plan = Plan::of([("f", "e", true), ("g", "e", true)]);
    let outcome = client.apply("token", "project", &plan);
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    let lines = client.lines();
    let at = |wanted: i32| lines.iter().filter(move |(level, _)| *level == wanted);
    assert_eq!(at(1).count(), 1, "{lines:?}");
    assert_eq!(at(1).next().unwrap().1, outcome.message);
    assert_eq!(at(2).count(), 2, "{lines:?}");
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
        let told = TOKEN.as_bytes().windows(8).find(|piece| {
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
    assert!(begun.elapsed() < Duration::from_secs(30));
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
