//! Waits between attempts double, or are as long as the service asks for where that fits the time.

use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use fpga_associate::status::Status;
use support::attempts::{attempt_once, config};
use support::raw::{Server, Then, answer, succeed};
use support::slow::on_line;
use support::times::AT_ONCE;

/// Gives these answers in turn and then does what is asked; and tells when each request came.
fn answering_in_turn(answers: Vec<Vec<u8>>) -> (Server, mpsc::Receiver<Instant>) {
    let (comes, came) = mpsc::channel();
    let server = Server::start(move |nth, stream| {
        comes.send(Instant::now()).ok();
        match answers.get(nth) {
            Some(answer) => {
                stream.write_all(answer).ok();
                Then::Keep
            }
            None => succeed(stream),
        }
    });
    (server, came)
}

/// The times between the requests.
fn waits(came: &mpsc::Receiver<Instant>) -> Vec<Duration> {
    let moments: Vec<_> = came.try_iter().collect();
    moments.windows(2).map(|two| two[1] - two[0]).collect()
}

#[test]
fn waits_begin_at_200_ms_and_double() {
    let (server, came) = answering_in_turn(vec![answer(429, "", ""); 3]);
    let outcome = config()
        .max_attempts(4)
        .client(&server.endpoint())
        .example();
    assert!(outcome.is(Status::OK), "{outcome:?}");
    let waits = waits(&came);
    assert_eq!(waits.len(), 3);
    for (wait, least) in waits.iter().zip([200, 400, 800]) {
        let least = Duration::from_millis(least);
        assert!(*wait >= least, "{waits:?}");
        assert!(*wait < least * 3 / 2 + AT_ONCE, "{waits:?}");
    }
}

#[test]
fn clients_that_failed_together_do_not_come_back_together() {
    let (asks, asked) = mpsc::channel();
    let server = Server::answering(answer(429, "", ""), Then::Keep);
    let waits: Vec<String> = thread::scope(|scope| {
        for _ in 0..8 {
            let asks = asks.clone();
            let endpoint = server.endpoint();
            scope.spawn(move || {
                let hear = move |_, line: &str| {
                    if let Some((_, wait)) = line.rsplit_once("; again in ") {
                        asks.send(wait.to_owned()).ok();
                    }
                };
                on_line(config().max_attempts(2), hear)
                    .client(&endpoint)
                    .example()
            });
        }
        (0..8).map(|_| asked.recv().unwrap()).collect()
    });
    assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
}

#[test]
fn the_seconds_that_the_service_asks_for_are_waited() {
    for http_status in [429, 425] {
        let asks = answer(http_status, "Retry-After: 1\r\n", "");
        let (server, came) = answering_in_turn(vec![asks]);
        let outcome = config().client(&server.endpoint()).example();
        assert!(outcome.is(Status::OK), "{outcome:?}");
        let waits = waits(&came);
        assert!(waits[0] >= Duration::from_secs(1), "{waits:?}");
        assert!(waits[0] < Duration::from_secs(1) + AT_ONCE, "{waits:?}");
    }
}

#[test]
fn the_moment_that_the_service_asks_for_is_waited_for() {
    let moment = SystemTime::now() + Duration::from_secs(2);
    let date = httpdate::fmt_http_date(moment);
    let asks = answer(429, &format!("Retry-After: {date}\r\n"), "");
    let (comes, came) = mpsc::channel();
    let server = Server::start(move |nth, stream| {
        comes.send(SystemTime::now()).ok();
        if nth == 0 {
            stream.write_all(&asks).ok();
            return Then::Keep;
        }
        succeed(stream)
    });
    let outcome = config().client(&server.endpoint()).example();
    assert!(outcome.is(Status::OK), "{outcome:?}");
    // A date has no fractions of a second; a wait has no fractions of a millisecond.
    let asked = httpdate::parse_http_date(&date).unwrap() - Duration::from_millis(1);
    let [_, second] = came.try_iter().collect::<Vec<_>>()[..] else {
        panic!("not two requests");
    };
    assert!(second >= asked);
    assert!(second < asked + AT_ONCE);
}

#[test]
fn a_wait_that_does_not_fit_the_time_is_told_and_not_begun() {
    let in_an_hour = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3600));
    for (http_status, status) in [(429, Status::THROTTLED), (425, Status::REJECTED)] {
        for (value, least, most) in [
            ("6", 6_000, 6_000),
            ("3600", 3_600_000, 3_600_000),
            ("18446744073709551615", 86_400_000, 86_400_000),
            (in_an_hour.as_str(), 3_500_000, 3_600_000),
        ] {
            let asks = answer(http_status, &format!("Retry-After: {value}\r\n"), "");
            let server = Server::answering_first(asks, Then::Keep);
            let client = config().timeout_ms(5_000).client(&server.endpoint());
            let begun = Instant::now();
            let outcome = attempt_once(&client);
            assert!(begun.elapsed() < AT_ONCE, "{outcome:?}");
            assert!(outcome.is(status), "{value}: {outcome:?}");
            let asked = outcome.retry_after_ms;
            assert!((least..=most).contains(&asked), "{value}: {outcome:?}");
            assert_eq!(server.finish().requests.len(), 1, "{value}");
        }
    }
}

#[test]
fn a_wait_that_makes_no_sense_is_the_librarys_own() {
    thread::scope(|scope| {
        for value in [
            "",
            "0",
            "soon",
            "-1",
            "1.5",
            "Sun, 06 Nov 1994 08:49:37 GMT",
        ] {
            scope.spawn(move || {
                let asks = answer(429, &format!("Retry-After: {value}\r\n"), "");
                let (server, came) = answering_in_turn(vec![asks]);
                let outcome = config().client(&server.endpoint()).example();
                assert!(outcome.is(Status::OK), "{value}: {outcome:?}");
                let waits = waits(&came);
                assert!(waits[0] >= Duration::from_millis(200), "{value}: {waits:?}");
                assert!(waits[0] < Duration::from_millis(300) + AT_ONCE, "{value}");
            });
        }
    });
}
