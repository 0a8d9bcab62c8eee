//! Connections that nobody uses: how many there are, and when they are closed.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call;
use support::certificates::{Authority, tls_server};
use support::client::{Client, config};
use support::raw::{NO_CONTENT, Server, Then, answer, succeed};
use support::slow::{open_to, sockets_to, this_thread, wait_until, wait_until_asleep};

/// Answers when so many requests are there at once, so that each has a connection of its own.
fn together(count: usize, then: impl Fn(usize) -> Then + Send + Sync + 'static) -> Server {
    let all = Arc::new(Barrier::new(count));
    Server::start(move |nth, stream| {
        if nth < count {
            all.wait();
        }
        succeed(stream);
        then(nth)
    })
}

fn call_together(client: &Client, count: usize) {
    thread::scope(|scope| {
        for _ in 0..count {
            scope.spawn(|| assert!(client.example().is(Status::OK)));
        }
    });
}

#[test]
fn at_most_a_hundred_connections_are_kept() {
    const CALLERS: usize = 120;
    let server = together(CALLERS, |_| Then::Keep);
    let client = config().client(&server.endpoint());
    call_together(&client, CALLERS);
    wait_until(|| open_to(server.port()) == 100);
    assert!(client.example().is(Status::OK));
    let seen = server.finish();
    assert_eq!(seen.connections, CALLERS);
}

#[test]
fn connections_that_the_service_has_closed_are_closed_by_the_next_call() {
    const CALLERS: usize = 20;
    let server = together(CALLERS, |nth| {
        if nth < CALLERS {
            Then::Close
        } else {
            Then::Keep
        }
    });
    let client = config().client(&server.endpoint());
    call_together(&client, CALLERS);
    wait_until(|| {
        let sockets = sockets_to(server.port());
        sockets.len() == CALLERS && sockets.iter().all(|socket| socket.is_ended)
    });
    assert!(client.example().is(Status::OK));
    assert_eq!(open_to(server.port()), 1);
}

#[test]
fn a_closed_connection_to_one_endpoint_is_closed_by_a_call_to_another() {
    let closing = Server::answering(NO_CONTENT, Then::Close);
    let keeping = Server::answering(NO_CONTENT, Then::Keep);
    assert!(call::example(&closing.endpoint()).is(Status::OK));
    wait_until(|| {
        // Another test may have closed it already: the one-line calls share a client.
        let sockets = sockets_to(closing.port());
        sockets
            .iter()
            .all(|socket| socket.is_ended || !socket.is_open)
    });
    assert!(call::example(&keeping.endpoint()).is(Status::OK));
    assert_eq!(open_to(closing.port()), 0);
}

#[test]
fn idle_connections_are_closed_when_the_host_asks_for_it() {
    let authority = Authority::new();
    let server = tls_server(authority.sign(&["127.0.0.1"]));
    let client = config()
        .ca_pem(authority.pem())
        .client(&format!("https://127.0.0.1:{}", server.port()));
    client.close_idle();
    for connections in 1..4 {
        assert!(client.example().is(Status::OK));
        client.close_idle();
        wait_until(|| open_to(server.port()) == 0);
        assert_eq!(server.seen().connections, connections);
    }

    let server = Server::answering(NO_CONTENT, Then::Keep);
    for connections in 1..4 {
        assert!(call::example(&server.endpoint()).is(Status::OK));
        capi::fpga_assoc_close_idle();
        wait_until(|| open_to(server.port()) == 0);
        assert_eq!(server.seen().connections, connections);
    }
}

#[test]
fn a_client_that_is_freed_closes_its_connections() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = config().client(&server.endpoint());
    assert!(client.example().is(Status::OK));
    assert_eq!(open_to(server.port()), 1);
    drop(client);
    wait_until(|| open_to(server.port()) == 0);
}

#[test]
fn a_connection_that_is_used_is_not_closed_with_the_idle_ones() {
    let server = Server::start(|_, stream| succeed(stream));
    let client = Arc::new(config().client(&server.endpoint()));
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                client.close_idle();
            }
        });
        for _ in 0..200 {
            let outcome = client.example();
            assert!(outcome.is(Status::OK), "{outcome:?}");
        }
    });
}

#[test]
fn no_more_than_sixteen_connections_are_made_at_once() {
    const CALLERS: usize = 64;
    const WATCHED: Duration = Duration::from_millis(1_500);
    // Accepts, and never shakes hands.
    let server = Server::serve(|mut visit| {
        std::io::copy(&mut visit.stream, &mut std::io::sink()).ok();
    });
    let client = config()
        .timeout_ms(2_000)
        .max_attempts(1)
        .client(&format!("https://127.0.0.1:{}", server.port()));
    let begun = Instant::now();
    let ended = AtomicUsize::new(0);
    let mut most = 0;
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                let outcome = client.example();
                ended.fetch_add(1, Ordering::SeqCst);
                assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
                assert!(!outcome.outcome_unknown, "{outcome:?}");
            });
        }
        wait_until(|| {
            let open = open_to(server.port());
            // When the first end, others begin while the kernel is still being asked.
            if begun.elapsed() < WATCHED {
                most = most.max(open);
            }
            ended.load(Ordering::SeqCst) == CALLERS
        });
    });
    assert_eq!(most, 16);
}

#[test]
fn a_caller_that_waits_for_its_turn_is_ended_by_a_shutdown() {
    const CALLERS: usize = 20;
    let server = Server::serve(|mut visit| {
        std::io::copy(&mut visit.stream, &mut std::io::sink()).ok();
    });
    let client = config().client(&format!("https://127.0.0.1:{}", server.port()));
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                let outcome = client.example();
                assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
            });
        }
        wait_until(|| server.seen().connections == 16);
        client.shutdown();
    });
}

#[test]
fn who_waits_takes_a_connection_that_is_given_back() {
    /// So many are made at once.
    const DIALS: usize = 16;
    let tunnels = AtomicUsize::new(0);
    let (asks, asked) = mpsc::channel();
    let (answer, answered) = mpsc::channel::<()>();
    let answered = Mutex::new(answered);
    // A proxy that makes one tunnel, in which it is the service, and no other.
    let proxy = Server::serve(move |mut visit| {
        visit.read_request();
        let nth = tunnels.fetch_add(1, Ordering::SeqCst);
        asks.send(nth).ok();
        if nth == 0 {
            visit.stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok();
        }
        while visit.read_request().is_some() {
            answered.lock().unwrap().recv().ok();
            visit.stream.write_all(NO_CONTENT).ok();
        }
    });
    let client = config()
        .allow_http()
        .proxy(&proxy.endpoint())
        .client("http://service.test");
    thread::scope(|scope| {
        // Gone before the proxy waits for its threads, however this ends.
        let answer = answer;
        let first = scope.spawn(|| client.example());
        asked.recv().unwrap();
        let others: Vec<_> = (0..DIALS)
            .map(|_| scope.spawn(|| client.example()))
            .collect();
        (0..DIALS).for_each(|_| assert_ne!(asked.recv().unwrap(), 0));
        let (tell, thread) = mpsc::channel();
        let client = &client;
        let waiting = scope.spawn(move || {
            tell.send(this_thread()).unwrap();
            client.example()
        });
        wait_until_asleep(thread.recv().unwrap());
        // One is for the first call, and one for who waited.
        (0..2).for_each(|_| answer.send(()).unwrap());
        for call in [first, waiting] {
            let outcome = call.join().unwrap();
            assert!(outcome.is(Status::OK), "{outcome:?}");
        }
        client.shutdown();
        for other in others {
            assert!(other.join().unwrap().is(Status::CANCELLED));
        }
    });
    assert_eq!(proxy.finish().connections, 1 + DIALS);
}

/// poll(2) takes no more descriptors than the process may have.
#[test]
fn an_answer_that_nobody_asked_for_is_not_taken_though_the_limit_was_lowered() {
    const CHILD: &str = "FPGA_ASSOCIATE_TEST_LIMIT";
    const CALLERS: usize = 20;
    let test = "an_answer_that_nobody_asked_for_is_not_taken_though_the_limit_was_lowered";
    if std::env::var_os(CHILD).is_none() {
        let output = support::itself::command()
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        return;
    }
    let all = Barrier::new(CALLERS);
    let server = Server::start(move |nth, stream| {
        if nth >= CALLERS {
            stream.write_all(&answer(403, "", "")).ok();
            return Then::Keep;
        }
        all.wait();
        let unasked = [NO_CONTENT, NO_CONTENT].concat();
        stream.write_all(NO_CONTENT).ok();
        // Behind the answer, when it has been read.
        while unread_by_others(stream) > 0 {
            thread::yield_now();
        }
        stream.write_all(&unasked).ok();
        Then::Keep
    });
    let client = config().max_attempts(1).client(&server.endpoint());
    call_together(&client, CALLERS);
    wait_until(|| {
        let sockets = sockets_to(server.port());
        sockets
            .iter()
            .all(|socket| !socket.is_open || socket.unread > 0)
    });
    let few = libc::rlimit {
        rlim_cur: 10,
        rlim_max: 1024,
    };
    // SAFETY: the limit lives for the call.
    let lowered = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const few) };
    assert_eq!(lowered, 0);
    let outcome = client.example();
    assert!(!outcome.is(Status::OK), "{outcome:?}");
}

/// Bytes that the other side has not confirmed.
fn unread_by_others(stream: &std::net::TcpStream) -> i32 {
    use std::os::fd::AsRawFd;
    let mut amount = 0;
    // SAFETY: writes one int.
    let result = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut amount) };
    assert_eq!(result, 0);
    amount
}
