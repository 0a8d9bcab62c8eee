//! The list is asked about a change that is in doubt, and about no other, while the call has time.

use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use fpga_associate::status::Status;
use support::call::{ECS_ID, FPGA_ID, PROJECT_ID, TOKEN};
use support::changes::{Call, first_then_list, list_of, make, service};
use support::client::config;
use support::raw::{Server, Then, answer};
use support::relay::{Break, Listing, relay};

#[test]
fn a_certain_refusal_asks_nothing() {
    let service = service();
    let client = config().client(service.endpoint());
    let outcome = make(
        &client,
        &service,
        Call::Associate,
        service.inactive_fpga_id(),
    );
    assert!(outcome.is(Status::REJECTED), "{outcome:?}");
    let methods: Vec<_> = service
        .requests()
        .into_iter()
        .map(|request| request.method)
        .collect();
    assert_eq!(methods, ["POST"]);
}

#[test]
fn what_was_seen_before_the_latest_request_is_not_told_of_it() {
    // A change that may have been made, a list without it, the same change once more, and no list.
    let server = Server::start(|nth, stream| {
        let answer = match nth {
            1 => answer(200, "", r#"{"associations":[]}"#),
            0 | 2 => answer(502, "", ""),
            _ => answer(403, "", ""),
        };
        stream.write_all(&answer).ok();
        Then::Keep
    });
    let outcome = config().client(&server.endpoint()).example();
    assert!(outcome.is(Status::SERVICE_FAILED), "{outcome:?}");
    assert_eq!((outcome.outcome_unknown, outcome.observed), (true, 0));
    assert!(server.finish().requests.len() > 3);
}

#[test]
fn a_change_stops_waiting_while_there_is_time_to_ask() {
    let service = service();
    let fpga_id = &service.fpga_ids()[0];
    let asked = |acts: bool| {
        let breaks = if acts {
            Break::SilenceHavingActed
        } else {
            Break::SilenceWithoutActing
        };
        let relay = relay(service.address(), breaks, 1, Listing::Works);
        let client = config().timeout_ms(1_000).client(&relay.endpoint());
        make(&client, &service, Call::Associate, fpga_id)
    };
    let outcome = asked(false);
    assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
    assert_eq!((outcome.outcome_unknown, outcome.observed), (true, 2));
    let outcome = asked(true);
    assert!(outcome.is(Status::OK), "{outcome:?}");
}

/// A gateway may be acting still.
#[test]
fn the_list_is_looked_at_twice_half_a_second_apart() {
    let (comes, came) = mpsc::channel();
    let server = Server::start(move |nth, stream| {
        comes.send(Instant::now()).ok();
        let answer = match nth {
            0 => answer(502, "", ""),
            _ => answer(200, "", r#"{"associations":[]}"#),
        };
        stream.write_all(&answer).ok();
        Then::Keep
    });
    let outcome = config()
        .max_attempts(1)
        .client(&server.endpoint())
        .example();
    assert!(outcome.is(Status::SERVICE_FAILED), "{outcome:?}");
    assert_eq!((outcome.outcome_unknown, outcome.observed), (true, 2));
    let came: Vec<_> = came.try_iter().collect();
    assert_eq!(came.len(), 3);
    assert!(came[2] - came[1] >= Duration::from_millis(500));
}

#[test]
fn what_was_accepted_is_pending_until_the_list_shows_it() {
    let listed = list_of(ECS_ID, FPGA_ID);
    let accepting = move |looks: usize| {
        let listed = listed.clone();
        Server::start(move |nth, stream| {
            let answer = match nth {
                0 => answer(202, "", ""),
                _ if nth > looks => answer(200, "", &listed),
                _ => answer(200, "", r#"{"associations":[]}"#),
            };
            stream.write_all(&answer).ok();
            Then::Keep
        })
    };
    let server = accepting(2);
    let outcome = config().client(&server.endpoint()).example();
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(server.finish().requests.len(), 4);

    let server = accepting(1_000);
    let begun = Instant::now();
    let client = config().timeout_ms(2_000).client(&server.endpoint());
    let outcome = client.example();
    assert!(outcome.is(Status::PENDING), "{outcome:?}");
    assert_eq!((outcome.outcome_unknown, outcome.observed), (true, 2));
    assert_eq!(outcome.http_status, 202);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(server.finish().requests.len() < 8);

    let server = accepting(0);
    let outcome = config().no_confirm().client(&server.endpoint()).example();
    assert!(outcome.is(Status::PENDING), "{outcome:?}");
    assert!(outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(server.finish().requests.len(), 1);
}

/// The service lists the pair with its ids in another letter case.
#[test]
fn an_id_in_another_letter_case_is_the_same_id() {
    let listed = list_of(&ECS_ID.to_uppercase(), &FPGA_ID.to_uppercase());
    let server = first_then_list(answer(500, "", ""), &listed);
    let client = config().max_attempts(1).client(&server.endpoint());
    let outcome = client.disassociate(TOKEN, PROJECT_ID, FPGA_ID, ECS_ID);
    assert!(outcome.is(Status::SERVICE_FAILED), "{outcome:?}");
    assert_eq!((outcome.outcome_unknown, outcome.observed), (true, 1));
}

/// While the list is asked what became of a request.
#[test]
fn a_shutdown_while_the_list_is_asked_is_a_cancelled_call() {
    let server = Server::serve(|mut visit| {
        if visit.read_request().is_some() {
            visit.stream.write_all(&answer(500, "", "")).ok();
            // The list, which gets no answer.
            visit.read_request();
            visit.read_request();
        }
    });
    let client = config().client(&server.endpoint());
    let outcome = thread::scope(|scope| {
        let call = scope.spawn(|| client.example());
        while server.seen().requests.len() < 2 {
            thread::yield_now();
        }
        client.shutdown();
        call.join().unwrap()
    });
    assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
    assert!(outcome.outcome_unknown, "{outcome:?}");
}

/// A refusal that may be the echo of the call's own success stays one after a shutdown.
#[test]
fn a_shutdown_while_the_list_is_asked_about_an_echo_leaves_the_outcome_open() {
    let echo = r#"{"error":{"code":"Ecs.0000","message":"relation already exist or reach the max limit"}}"#;
    let server = Server::serve(move |mut visit| {
        for answer in [answer(429, "", ""), answer(400, "", echo)] {
            visit.read_request();
            visit.stream.write_all(&answer).ok();
        }
        // The list, which gets no answer.
        visit.read_request();
        visit.read_request();
    });
    let client = config().client(&server.endpoint());
    let outcome = thread::scope(|scope| {
        let call = scope.spawn(|| client.example());
        while server.seen().requests.len() < 3 {
            thread::yield_now();
        }
        client.shutdown();
        call.join().unwrap()
    });
    assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
    assert!(outcome.outcome_unknown, "{outcome:?}");
}
