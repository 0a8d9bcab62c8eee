//! The time limits of a call.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use fpga_associate::status::Status;
use support::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID};
use support::client::{Client, config};
use support::raw::{Server, Then, answer};
use support::slow::{Hold, threads, wait_until, with_own_dns};
use support::times::{AT_ONCE, MOST_ROUNDS, PROMISE};

support::tests! {
    a_call_ends_when_its_time_has_passed_wherever_it_is_held,
    a_connection_has_a_limit_of_its_own_and_the_message_names_it,
    a_connection_has_ten_seconds_unless_it_is_told_otherwise,
    the_limit_of_a_connection_does_not_end_an_answer,
    the_time_for_the_call_bounds_that_for_a_connection,
    a_warm_connection_is_waited_for_no_longer_than_a_new_one,
    attempts_and_the_waits_between_them_end_before_the_time_has_passed,
    a_refusal_is_told_in_time_though_its_text_never_ends,
    a_name_lookup_that_hangs_ends_when_the_time_has_passed,
    a_host_is_found_though_the_lookups_of_others_hang,
    a_lookup_ends_though_the_process_was_forked_meanwhile,
    a_thousand_calls_with_hanging_dns_leave_at_most_sixteen_threads,
    a_lookup_that_outlasts_its_call_gives_back_what_it_had,
}

/// The outcomes of calls, each of which must end when its time has passed: never earlier, and not
/// much later. They are repeated until one has kept the promise.
fn end_on_time(name: &str, limit: Duration, call: impl Fn() -> Outcome) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while outcomes.len() < MOST_ROUNDS {
        let begun = Instant::now();
        let outcome = call();
        let time = begun.elapsed();
        assert!(time >= limit, "{name}: early, {time:?}, {outcome:?}");
        assert!(
            time < limit + AT_ONCE,
            "{name}: late, {time:?}, {outcome:?}"
        );
        outcomes.push(outcome);
        if time < limit + PROMISE {
            return outcomes;
        }
    }
    panic!("{name}: always over {PROMISE:?} late");
}

fn each_hold(holds: Vec<Hold>, check: impl Fn(&Hold) + Sync) {
    thread::scope(|scope| {
        for hold in holds {
            let check = &check;
            scope.spawn(move || check(&hold));
        }
    });
}

fn a_call_ends_when_its_time_has_passed_wherever_it_is_held() {
    each_hold(Hold::all(), |hold| {
        let client = hold.client(config().timeout_ms(400));
        let token = hold.token();
        let call = || client.associate(&token, PROJECT_ID, FPGA_ID, ECS_ID);
        for outcome in end_on_time(hold.name, Duration::from_millis(400), call) {
            let case = format!("{}: {outcome:?}", hold.name);
            assert!(outcome.is(Status::TIMEOUT), "{case}");
            assert_eq!(outcome.outcome_unknown, hold.is_sent, "{case}");
            assert!(outcome.message.contains(hold.step), "{case}");
            assert_eq!(outcome.attempts, 1, "{case}");
        }
    });
}

fn a_connection_has_a_limit_of_its_own_and_the_message_names_it() {
    let before_the_request = Hold::all().into_iter().filter(|hold| !hold.is_sent);
    each_hold(before_the_request.collect(), |hold| {
        let client = hold.client(config().connect_timeout_ms(250).max_attempts(1));
        for outcome in end_on_time(hold.name, Duration::from_millis(250), || client.example()) {
            let case = format!("{}: {outcome:?}", hold.name);
            assert!(outcome.is(Status::TIMEOUT), "{case}");
            assert!(!outcome.outcome_unknown, "{case}");
            assert!(outcome.message.contains("250 ms"), "{case}");
        }
    });
}

fn a_connection_has_ten_seconds_unless_it_is_told_otherwise() {
    let hold = Hold::never_accepted();
    let begun = Instant::now();
    let outcome = hold.client(config().max_attempts(1)).example();
    let time = begun.elapsed();
    assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
    assert!(outcome.message.contains("10000 ms"), "{outcome:?}");
    let limit = Duration::from_secs(10);
    assert!(time >= limit && time < limit + AT_ONCE, "{time:?}");
}

fn the_limit_of_a_connection_does_not_end_an_answer() {
    let hold = Hold::silent();
    let client = hold.client(config().connect_timeout_ms(100).timeout_ms(500));
    for outcome in end_on_time(hold.name, Duration::from_millis(500), || client.example()) {
        assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
        assert!(outcome.outcome_unknown, "{outcome:?}");
    }
}

fn the_time_for_the_call_bounds_that_for_a_connection() {
    let hold = Hold::never_accepted();
    let client = hold.client(config().connect_timeout_ms(10_000).timeout_ms(200));
    for outcome in end_on_time(hold.name, Duration::from_millis(200), || client.example()) {
        assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
        assert!(!outcome.message.contains("10000"), "{outcome:?}");
    }
}

fn a_warm_connection_is_waited_for_no_longer_than_a_new_one() {
    let server = Server::start(|nth, stream| {
        if nth == 0 {
            return support::raw::succeed(stream);
        }
        support::raw::read_request(stream);
        Then::Close
    });
    let client = config().timeout_ms(300).client(&server.endpoint());
    assert!(client.example().is(Status::OK));
    let call = || client.example();
    for outcome in end_on_time("warm", Duration::from_millis(300), call) {
        assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
        assert!(outcome.outcome_unknown, "{outcome:?}");
    }
}

fn attempts_and_the_waits_between_them_end_before_the_time_has_passed() {
    let server = Server::answering(answer(429, "", ""), Then::Keep);
    let limit = Duration::from_millis(900);
    let client = config()
        .timeout_ms(900)
        .max_attempts(100)
        .client(&server.endpoint());
    let begun = Instant::now();
    let outcome = client.example();
    let time = begun.elapsed();
    assert!(outcome.is(Status::THROTTLED), "{outcome:?}");
    assert!((2..=3).contains(&outcome.attempts), "{outcome:?}");
    assert!(time < limit + AT_ONCE, "{time:?}");
}

fn a_refusal_is_told_in_time_though_its_text_never_ends() {
    // Nobody reads on for longer than the call may take, and what the service has said is not lost.
    let server = Server::start(|_, stream| {
        let head = b"HTTP/1.1 400 Reason\r\nContent-Length: 60000\r\n\r\n{";
        std::io::Write::write_all(stream, head).ok();
        support::raw::read_request(stream);
        Then::Close
    });
    let client = config().timeout_ms(300).client(&server.endpoint());
    let begun = Instant::now();
    let outcome = client.example();
    let time = begun.elapsed();
    assert!(outcome.is(Status::REJECTED), "{outcome:?}");
    assert_eq!(outcome.http_status, 400);
    assert!(time < Duration::from_millis(300) + AT_ONCE, "{time:?}");
}

fn a_name_lookup_that_hangs_ends_when_the_time_has_passed() {
    let test = "a_name_lookup_that_hangs_ends_when_the_time_has_passed";
    with_own_dns(test, |_dns| {
        let limit = Duration::from_millis(300);
        let client = config().timeout_ms(300).client("https://service.test");
        for outcome in end_on_time("DNS", limit, || client.example()) {
            assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
            assert!(!outcome.outcome_unknown, "{outcome:?}");
            assert!(outcome.message.contains("resolving"), "{outcome:?}");
        }
        let client = config()
            .connect_timeout_ms(300)
            .max_attempts(1)
            .client("https://service.test");
        for outcome in end_on_time("DNS of a connection", limit, || client.example()) {
            assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
            assert!(outcome.message.contains("300 ms"), "{outcome:?}");
        }
    });
}

fn a_host_is_found_though_the_lookups_of_others_hang() {
    let test = "a_host_is_found_though_the_lookups_of_others_hang";
    with_own_dns(test, |_dns| {
        for host in ["one.test", "two.test", "three.test"] {
            let client = config().timeout_ms(20).client(host);
            let outcome = client.example();
            assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
        }
        // Its address is in /etc/hosts.
        let server = Server::answering(support::raw::NO_CONTENT, Then::Keep);
        let endpoint = format!("http://localhost:{}", server.port());
        let outcome = config().client(&endpoint).example();
        assert!(outcome.is(Status::OK), "{outcome:?}");
    });
}

/// Says of each name that is asked for that it does not exist.
fn deny(dns: &UdpSocket, query: &mut [u8], from: SocketAddr) {
    const IS_ANSWER: u8 = 0x80;
    const NO_SUCH_NAME: u8 = 3;
    query[2] |= IS_ANSWER;
    query[3] = NO_SUCH_NAME;
    dns.send_to(query, from).unwrap();
}

fn a_lookup_ends_though_the_process_was_forked_meanwhile() {
    let test = "a_lookup_ends_though_the_process_was_forked_meanwhile";
    with_own_dns(test, |dns| {
        let client = config().max_attempts(1).client("https://service.test");
        let mut query = [0; 512];
        let outcome = thread::scope(|scope| {
            let call = scope.spawn(|| client.example());
            let (length, from) = dns.recv_from(&mut query).unwrap();
            // The child has a copy of all that the lookup's end is told with.
            // SAFETY: the child calls nothing but pause.
            let child = unsafe { libc::fork() };
            if child == 0 {
                loop {
                    // SAFETY: takes nothing.
                    unsafe { libc::pause() };
                }
            }
            deny(&dns, &mut query[..length], from);
            dns.set_read_timeout(Some(Duration::from_millis(20)))
                .unwrap();
            while !call.is_finished() {
                if let Ok((length, from)) = dns.recv_from(&mut query) {
                    deny(&dns, &mut query[..length], from);
                }
            }
            // SAFETY: the child has not been waited for.
            unsafe {
                libc::kill(child, libc::SIGKILL);
                libc::waitpid(child, std::ptr::null_mut(), 0);
            }
            call.join().unwrap()
        });
        assert!(outcome.is(Status::RESOLVE_FAILED), "{outcome:?}");
    });
}

fn a_thousand_calls_with_hanging_dns_leave_at_most_sixteen_threads() {
    let test = "a_thousand_calls_with_hanging_dns_leave_at_most_sixteen_threads";
    with_own_dns(test, |_dns| {
        const CALLERS: usize = 50;
        const CALLS: usize = 20;
        const MOST: usize = 16;
        let hosts = 0..2 * MOST;
        let clients: Vec<_> = hosts
            .map(|host| config().timeout_ms(20).client(&format!("{host}.test")))
            .collect();
        let before = threads();
        thread::scope(|scope| {
            for caller in 0..CALLERS {
                let client: &Client = &clients[caller % clients.len()];
                scope.spawn(move || {
                    for _ in 0..CALLS {
                        let outcome = client.example();
                        assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
                    }
                });
            }
        });
        // The kernel takes a moment to put the callers away.
        wait_until(|| threads() <= before + MOST);

        // An address needs no lookup.
        let server = Server::answering(support::raw::NO_CONTENT, Then::Keep);
        let client = config().client(&server.endpoint());
        assert!(client.example().is(Status::OK));
    });
}

fn a_lookup_that_outlasts_its_call_gives_back_what_it_had() {
    let test = "a_lookup_that_outlasts_its_call_gives_back_what_it_had";
    with_own_dns(test, |dns| {
        let mut query = [0; 512];
        let mappings = || {
            fs::read_to_string("/proc/self/maps")
                .unwrap()
                .lines()
                .count()
        };
        dns.set_read_timeout(Some(Duration::from_millis(20)))
            .unwrap();
        let before = threads();
        let mut count = 0;
        for host in 0..40 {
            let client = config()
                .timeout_ms(20)
                .client(&format!("https://{host}.test"));
            let outcome = client.example();
            assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
            drop(client);
            while threads() > before {
                if let Ok((length, from)) = dns.recv_from(&mut query) {
                    deny(&dns, &mut query[..length], from);
                }
            }
            // What the C library keeps for later is there by then.
            if host == 10 {
                count = mappings();
            }
        }
        let now = mappings();
        assert!(
            now <= count + 10,
            "{count} mappings, {now} after 30 lookups"
        );
    });
}
