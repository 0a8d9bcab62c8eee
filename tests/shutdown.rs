//! Ending a client's calls from another thread.

use std::io::{Read, Write};
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::c::{Toolchain, root, run};
use support::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID};
use support::client::{Client, config};
use support::needs;
use support::raw::{NO_CONTENT, Server, Then, answer, read_request, succeed};
use support::slow::{Hold, on_line, sockets_to, wait_until, with_own_dns};
use support::times::{AT_ONCE, MOST_ROUNDS, PROMISE};

support::tests! {
    a_call_ends_at_once_wherever_it_is_held,
    a_call_that_waits_before_another_attempt_ends_at_once,
    a_call_whose_name_is_being_looked_up_ends_at_once,
    a_call_that_reads_the_text_of_a_refusal_ends_at_once,
    all_calls_of_a_client_end_together,
    later_calls_end_at_once_and_open_no_connection,
    kept_connections_are_closed,
    other_clients_go_on,
    a_shutdown_may_come_twice_and_of_nothing_and_when_nothing_is_under_way,
    shutdowns_at_once_with_the_first_calls_leave_nobody_waiting,
    a_log_callback_may_shut_down_the_client_whose_call_it_hears,
    a_client_may_be_freed_while_the_shutdown_that_ended_its_last_call_is_returning,
}

/// Shuts the client down once a call has come to the point; the call's outcome, and how long it
/// took to end.
fn shut_down(
    client: &Client,
    call: impl FnOnce() -> Outcome + Send,
    wait: impl FnOnce(),
) -> (Outcome, Duration) {
    thread::scope(|scope| {
        let call = scope.spawn(|| (call(), Instant::now()));
        wait();
        let begun = Instant::now();
        client.shutdown();
        let (outcome, ended) = call.join().unwrap();
        (outcome, ended.duration_since(begun))
    })
}

fn a_call_ends_at_once_wherever_it_is_held() {
    thread::scope(|scope| {
        for hold in Hold::all() {
            scope.spawn(move || {
                let is_kept = (0..MOST_ROUNDS).any(|_| {
                    let client = hold.client(config());
                    let token = hold.token();
                    let call = || client.associate(&token, PROJECT_ID, FPGA_ID, ECS_ID);
                    let (outcome, time) = shut_down(&client, call, || hold.wait());
                    let case = format!("{}: {time:?}, {outcome:?}", hold.name);
                    assert!(outcome.is(Status::CANCELLED), "{case}");
                    assert_eq!(outcome.outcome_unknown, hold.is_sent, "{case}");
                    assert!(outcome.message.contains(hold.step), "{case}");
                    assert!(time < AT_ONCE, "{case}");
                    time < PROMISE
                });
                assert!(is_kept, "{}: always over {PROMISE:?}", hold.name);
            });
        }
    });
}

fn a_call_that_waits_before_another_attempt_ends_at_once() {
    let server = Server::answering(answer(429, "Retry-After: 20\r\n", ""), Then::Keep);
    let (waits, is_waiting) = mpsc::channel();
    let hear = move |_, line: &str| {
        if line.contains("; again in ") {
            waits.send(()).ok();
        }
    };
    let client = on_line(config(), hear).client(&server.endpoint());
    let wait = || is_waiting.recv_timeout(Duration::from_secs(60)).unwrap();
    let (outcome, time) = shut_down(&client, || client.example(), wait);
    assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(outcome.attempts, 1, "{outcome:?}");
    assert!(time < AT_ONCE, "{time:?}");
    assert_eq!(server.finish().requests.len(), 1);
}

fn a_call_whose_name_is_being_looked_up_ends_at_once() {
    with_own_dns("a_call_whose_name_is_being_looked_up_ends_at_once", |dns| {
        let client = config().client("https://service.test");
        let wait = || assert!(dns.recv(&mut [0; 512]).unwrap() > 0);
        let (outcome, time) = shut_down(&client, || client.example(), wait);
        assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
        assert!(!outcome.outcome_unknown, "{outcome:?}");
        assert!(outcome.message.contains("resolving"), "{outcome:?}");
        assert!(time < AT_ONCE, "{time:?}");
    });
}

fn a_call_that_reads_the_text_of_a_refusal_ends_at_once() {
    for http_status in [400, 500, 503] {
        let (sends, is_sent) = mpsc::channel();
        let server = Server::start(move |_, stream| {
            let head = format!("HTTP/1.1 {http_status} Reason\r\nContent-Length: 60000\r\n\r\n{{");
            stream.write_all(head.as_bytes()).ok();
            sends.send(()).ok();
            read_request(stream);
            Then::Close
        });
        let client = config().client(&server.endpoint());
        let wait = || {
            is_sent.recv_timeout(Duration::from_secs(60)).unwrap();
            wait_until(|| {
                let mut sockets = sockets_to(server.port()).into_iter();
                sockets.all(|socket| socket.unread == 0)
            });
        };
        let (outcome, time) = shut_down(&client, || client.example(), wait);
        let case = format!("{http_status}: {time:?}, {outcome:?}");
        assert!(outcome.is(Status::CANCELLED), "{case}");
        assert!(time < AT_ONCE, "{case}");
        assert_eq!(server.finish().requests.len(), 1, "{case}");
    }
}

fn all_calls_of_a_client_end_together() {
    const CALLERS: usize = 8;
    let hold = Hold::silent();
    let client = hold.client(config());
    thread::scope(|scope| {
        let calls: Vec<_> = (0..CALLERS)
            .map(|_| scope.spawn(|| (client.example(), Instant::now())))
            .collect();
        (0..CALLERS).for_each(|_| hold.wait());
        let begun = Instant::now();
        client.shutdown();
        for call in calls {
            let (outcome, ended) = call.join().unwrap();
            assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
            assert!(outcome.outcome_unknown, "{outcome:?}");
            assert!(ended.duration_since(begun) < AT_ONCE, "{outcome:?}");
        }
    });
}

fn later_calls_end_at_once_and_open_no_connection() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    for is_warm in [true, false] {
        let client = config().client(&server.endpoint());
        if is_warm {
            assert!(client.example().is(Status::OK));
        }
        let before = server.seen();
        client.shutdown();
        for _ in 0..3 {
            let begun = Instant::now();
            let outcome = client.example();
            assert!(outcome.is(Status::CANCELLED), "{is_warm}: {outcome:?}");
            assert!(!outcome.outcome_unknown, "{is_warm}: {outcome:?}");
            assert!(begun.elapsed() < AT_ONCE, "{is_warm}");
        }
        assert_eq!(server.seen(), before, "{is_warm}");
    }
    let seen = server.finish();
    assert_eq!((seen.connections, seen.requests.len()), (1, 1));
}

fn kept_connections_are_closed() {
    let (ends, has_ended) = mpsc::channel();
    let server = Server::serve(move |mut visit| {
        visit.read_request();
        succeed(&mut visit.stream);
        assert_eq!(visit.stream.read(&mut [0]).unwrap(), 0);
        ends.send(()).ok();
    });
    let client = config().client(&server.endpoint());
    assert!(client.example().is(Status::OK));
    client.shutdown();
    has_ended.recv_timeout(Duration::from_secs(60)).unwrap();
}

fn other_clients_go_on() {
    let hold = Hold::silent();
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let settings = config();
    let other = config().client(&server.endpoint());
    assert!(other.example().is(Status::OK));

    let client = hold.client(settings);
    let (outcome, _) = shut_down(&client, || client.example(), || hold.wait());
    assert!(outcome.is(Status::CANCELLED), "{outcome:?}");

    assert!(other.example().is(Status::OK));
    let new = config().client(&server.endpoint());
    assert!(new.example().is(Status::OK));
    assert_eq!(server.finish().connection_of_each(), [0, 0, 1]);
}

fn a_shutdown_may_come_twice_and_of_nothing_and_when_nothing_is_under_way() {
    // SAFETY: NULL is ignored.
    unsafe { capi::fpga_assoc_client_shutdown(ptr::null_mut()) };
    let client = config().client("https://service.test");
    client.shutdown();
    client.shutdown();
    assert!(client.example().is(Status::CANCELLED));
    client.shutdown();
}

fn shutdowns_at_once_with_the_first_calls_leave_nobody_waiting() {
    // Whichever comes first, the call or the shutdown, in the making of what both need.
    let hold = Hold::silent();
    for _ in 0..50 {
        let client = hold.client(config());
        thread::scope(|scope| {
            let call = scope.spawn(|| client.example());
            scope.spawn(|| client.shutdown());
            client.shutdown();
            let outcome = call.join().unwrap();
            assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
        });
    }
}

fn a_log_callback_may_shut_down_the_client_whose_call_it_hears() {
    let hold = Hold::silent();
    let slot = Arc::new(AtomicPtr::new(ptr::null_mut()));
    let heard = Arc::clone(&slot);
    let hear = move |_, line: &str| {
        if line.contains("attempt 1") {
            // SAFETY: the client is in a call, and so alive.
            unsafe { capi::fpga_assoc_client_shutdown(heard.load(Ordering::SeqCst)) };
        }
    };
    let client = on_line(config(), hear).client(hold.endpoint());
    slot.store(client.as_ptr(), Ordering::SeqCst);
    let outcome = client.example();
    assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
}

/// The thread whose call was ended is free to go on, and frees the client.
fn a_client_may_be_freed_while_the_shutdown_that_ended_its_last_call_is_returning() {
    needs::tools(&["valgrind"]);
    let silent = Server::serve(|mut visit| {
        visit.read_request();
        visit.read_request();
    });
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/shutdown_free.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    let endpoint = silent.endpoint();
    run(Command::new("valgrind")
        .args(["--quiet", "--error-exitcode=9", "--fair-sched=yes"])
        .arg(&program)
        .args([endpoint.as_str(), "40"])
        .env_remove("http_proxy"))
    .unwrap();
    run(Command::new(&program).args([endpoint.as_str(), "400"])).unwrap();
}
