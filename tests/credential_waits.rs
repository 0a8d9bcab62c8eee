//! One thread gets credentials, and those that need them wait for it: with deadlines of their own, and
//! until their client is shut down.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::asked::{FIRST, REFUSED, asking, associate};
use support::client::{Client, config};
use support::credentials::in_seconds;
use support::raw::{NO_CONTENT, Server, Then};
use support::slow::{this_thread, wait_until_asleep};
use support::times::AT_ONCE;

#[test]
fn fifty_threads_with_an_expired_token_cause_one_callback() {
    const THREADS: usize = 50;
    let service = Emulator::start_plain().unwrap();
    let tokens = [service.issue_token(3600), service.issue_token(3600)];
    let (client, asked) = asking(service.endpoint(), {
        let tokens = tokens.clone();
        move |nth, grant| {
            // So that others come to wait.
            thread::yield_now();
            assert_eq!(grant.token(&tokens[nth - 1], in_seconds(3600)), 0);
        }
    });
    for expired in [None, Some(&tokens[0])] {
        expired.iter().for_each(|token| service.expire_token(token));
        let barrier = Barrier::new(THREADS);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    let outcome = associate(&client, &service);
                    assert!(outcome.is(Status::OK), "{outcome:?}");
                });
            }
        });
    }
    assert_eq!(asked.reasons(), [FIRST, REFUSED]);
}

#[test]
fn who_waited_for_a_callback_in_vain_is_told_what_it_said() {
    const THREADS: usize = 20;
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let waiting = Arc::new(AtomicUsize::new(0));
    let (client, asked) = asking(&server.endpoint(), {
        let waiting = Arc::clone(&waiting);
        move |_, grant| {
            let begun = Instant::now();
            while waiting.load(Ordering::SeqCst) < THREADS
                && begun.elapsed() < Duration::from_secs(60)
            {
                thread::yield_now();
            }
            assert_eq!(grant.refuse("sealed"), 0);
        }
    });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                waiting.fetch_add(1, Ordering::SeqCst);
                let outcome = client.own_example();
                assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
                assert!(outcome.message.contains("sealed"), "{outcome:?}");
            });
        }
    });
    // Who came after the refusal asked anew.
    assert!(asked.reasons().len() < THREADS, "{:?}", asked.reasons());
}

/// A callback that is held until it is let go.
fn held(endpoint: &str, timeout_ms: u32) -> (Client, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (begun, has_begun) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let (begun, gone) = (Mutex::new(begun), Mutex::new(gone));
    let client = config()
        .timeout_ms(timeout_ms)
        .credentials(move |_, grant| {
            begun.lock().unwrap().send(()).unwrap();
            gone.lock().unwrap().recv().ok();
            assert_eq!(grant.token("a-token", 0), 0);
        });
    (client.client(endpoint), has_begun, go)
}

#[test]
fn who_waits_for_a_callback_keeps_its_own_deadline() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let (client, has_begun, go) = held(&server.endpoint(), 700);
    thread::scope(|scope| {
        let first = scope.spawn(|| client.own_example());
        has_begun.recv().unwrap();
        let begun = Instant::now();
        let outcome = client.own_example();
        assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
        assert!(
            !outcome.outcome_unknown && outcome.message.contains("credentials"),
            "{outcome:?}"
        );
        assert!(begun.elapsed() >= Duration::from_millis(700));
        go.send(()).unwrap();
        // Its own time was over when the callback returned.
        assert!(first.join().unwrap().is(Status::TIMEOUT));
    });
    assert!(client.own_example().is(Status::OK));
    assert_eq!(server.finish().requests.len(), 1);
}

#[test]
fn who_waits_for_a_callback_can_be_shut_down() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let (client, has_begun, go) = held(&server.endpoint(), 60_000);
    thread::scope(|scope| {
        let first = scope.spawn(|| client.own_example());
        has_begun.recv().unwrap();
        let (tell, thread) = mpsc::channel();
        let client = &client;
        let waiting = scope.spawn(move || {
            tell.send(this_thread()).unwrap();
            client.own_example()
        });
        wait_until_asleep(thread.recv().unwrap());
        let begun = Instant::now();
        client.shutdown();
        let outcome = waiting.join().unwrap();
        let took = begun.elapsed();
        go.send(()).unwrap();
        assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
        assert!(took < AT_ONCE, "{took:?}");
        assert!(first.join().unwrap().is(Status::CANCELLED));
    });
    assert_eq!(server.finish().requests.len(), 0);
}
