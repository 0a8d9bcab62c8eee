//! Wherever a connection breaks, what the library returns is what the service did.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::call::Outcome;
use support::changes::{Call, has, make, service};
use support::client::config;
use support::raw::{Server, Then, succeed};
use support::relay::{Break, Listing, relay};

const BREAKS: &[Break] = &[
    Break::BeforeTheRequest,
    Break::InTheRequest,
    Break::AfterTheRequestWithoutActing,
    Break::AfterTheRequestHavingActed,
    Break::InTheAnswer,
    Break::StatusWithoutActing(500),
    Break::StatusHavingActed(500),
    Break::StatusWithoutActing(502),
    Break::StatusHavingActed(502),
    Break::StatusWithoutActing(504),
    Break::StatusHavingActed(504),
];

/// One way in which a call can go.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Which of all it is, and so which FPGA image is its own.
    number: usize,
    call: Call,
    breaks: Break,
    /// How many requests break.
    times: usize,
    attempts: u32,
    /// On a connection that an earlier call left.
    is_warm: bool,
    listing: Listing,
    confirms: bool,
    /// Whether the pair is associated before the call.
    was_associated: bool,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &breaks in BREAKS {
        for call in [Call::Associate, Call::Disassociate] {
            for (times, attempts) in [(1, 1), (1, 3), (9, 2)] {
                for is_warm in [false, true] {
                    for (listing, confirms) in [
                        (Listing::Works, true),
                        (Listing::Forbidden, true),
                        (Listing::Works, false),
                    ] {
                        for was_associated in [false, true] {
                            // Then every connection breaks, that of the list too; and there is none
                            // to be left.
                            let is_before = breaks == Break::BeforeTheRequest;
                            if is_before && (times > 1 || is_warm) {
                                continue;
                            }
                            cases.push(Case {
                                number: cases.len(),
                                call,
                                breaks,
                                times,
                                attempts,
                                is_warm,
                                listing,
                                confirms,
                                was_associated,
                            });
                        }
                    }
                }
            }
        }
    }
    cases
}

#[test]
fn what_is_returned_is_what_the_service_did() {
    let cases = cases();
    let service = service();
    let fpga_ids = service.add_fpga_images(cases.len());
    // Beside each other, because most of the time they wait before another attempt.
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(*case, &service, &fpga_ids);
                }
            });
        }
    });
    println!("{} cases", cases.len());
}

fn run(case: Case, service: &Emulator, fpga_ids: &[String]) {
    let fpga_id = &fpga_ids[case.number];
    if case.was_associated {
        service.associate(fpga_id, &service.ecs_ids()[0]);
    }
    let relay = relay(service.address(), case.breaks, case.times, case.listing);
    let config = config().max_attempts(case.attempts);
    let config = if case.confirms {
        config
    } else {
        config.no_confirm()
    };
    let client = config.client(&relay.endpoint());
    if case.is_warm {
        // A list, which does not break, leaves a connection.
        let fpga_id = Some(fpga_id.as_str());
        client
            .associations(service.token(), service.project_id(), fpga_id, None)
            .ok();
    }
    let outcome = make(&client, service, case.call, fpga_id);
    check(case, &outcome, has(service, fpga_id));
}

fn check(case: Case, outcome: &Outcome, has: bool) {
    let is_as_wanted = has == (case.call == Call::Associate);
    let can_tell = case.confirms && case.listing == Listing::Works;
    let is_before_sending = (1..=5).contains(&outcome.status);
    assert!(
        !is_before_sending || !outcome.outcome_unknown,
        "{case:?}: {outcome:?}"
    );
    if outcome.is(Status::OK) {
        assert!(is_as_wanted, "{case:?}: it says done, and it is not");
    } else if !outcome.outcome_unknown {
        let says = "it says that nothing was done";
        assert_eq!(has, case.was_associated, "{case:?}: {says}: {outcome:?}");
    }
    if outcome.is(Status::ALREADY_ASSOCIATED) || outcome.is(Status::NOT_ASSOCIATED) {
        assert!(!outcome.outcome_unknown, "{case:?}: {outcome:?}");
        assert!(is_as_wanted, "{case:?}: {outcome:?}");
    }
    if !can_tell {
        assert_eq!(outcome.observed, 0, "{case:?}: {outcome:?}");
    } else if outcome.outcome_unknown {
        let observed = if has { 1 } else { 2 };
        assert_eq!(outcome.observed, observed, "{case:?}: {outcome:?}");
    }
    let began_apart = case.was_associated != (case.call == Call::Associate);
    if can_tell && began_apart && case.attempts > case.times as u32 {
        assert!(outcome.is(Status::OK), "{case:?}: {outcome:?}");
    }
}

/// What went out on a kept connection that closed may have been acted on, whatever comes next.
#[test]
fn a_refused_connection_after_a_kept_one_closed_does_not_say_that_nothing_was_sent() {
    let server = Server::start(|nth, stream| match nth {
        0 => succeed(stream),
        _ => Then::Close,
    });
    let endpoint = server.endpoint();
    let client = config().max_attempts(1).client(&endpoint);
    assert!(client.example().is(Status::OK));
    let outcome = {
        // Closes the listening socket when the second request has come.
        let stopping = thread::spawn(move || {
            while server.seen().requests.len() < 2 {
                thread::yield_now();
            }
            server.finish()
        });
        let outcome = client.example();
        stopping.join().unwrap();
        outcome
    };
    assert!(outcome.is(Status::CONNECTION_LOST), "{outcome:?}");
    assert!(outcome.outcome_unknown, "{outcome:?}");
}
