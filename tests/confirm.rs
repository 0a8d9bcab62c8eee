//! Wherever a connection breaks, what the library returns is what the service did.

mod support;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN};
use support::client::{Client, config};
use support::raw::{Server, Then, answer, succeed};
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Associate,
    Disassociate,
}

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

fn service() -> Emulator {
    let service = Emulator::start_plain().unwrap();
    service.set_limit(100_000);
    service
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

fn make(client: &Client, service: &Emulator, call: Call, fpga_id: &str) -> Outcome {
    let (token, project_id) = (service.token(), service.project_id());
    let ecs_id = &service.ecs_ids()[0];
    match call {
        Call::Associate => client.associate(token, project_id, fpga_id, ecs_id),
        Call::Disassociate => client.disassociate(token, project_id, fpga_id, ecs_id),
    }
}

fn has(service: &Emulator, fpga_id: &str) -> bool {
    service.associations().iter().any(|(id, _)| id == fpga_id)
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

#[test]
fn one_text_for_two_causes_becomes_two_statuses() {
    let service = service();
    let client = config().client(service.endpoint());
    let ecs_id = &service.ecs_ids()[0];
    let first = &service.fpga_ids()[0];
    assert!(make(&client, &service, Call::Associate, first).is(Status::OK));

    let again = make(&client, &service, Call::Associate, first);
    assert!(again.is(Status::ALREADY_ASSOCIATED), "{again:?}");
    assert!(again.message.contains("are associated"), "{again:?}");
    assert_eq!((again.code.as_str(), again.http_status), ("Ecs.0000", 400));
    assert_eq!((again.outcome_unknown, again.observed), (false, 1));

    for fpga_id in service.add_fpga_images(9) {
        service.associate(&fpga_id, ecs_id);
    }
    service.set_limit(10);
    let eleventh = &service.fpga_ids()[1];
    let full = make(&client, &service, Call::Associate, eleventh);
    assert!(full.is(Status::LIMIT_REACHED), "{full:?}");
    assert!(full.message.contains("limit"), "{full:?}");
    assert_eq!((full.outcome_unknown, full.observed), (false, 2));
    assert_eq!(service.associations().len(), 10);

    // Fewer than ten: then the text means something else.
    assert!(make(&client, &service, Call::Disassociate, first).is(Status::OK));
    service.set_limit(9);
    let refused = make(&client, &service, Call::Associate, eleventh);
    assert!(refused.is(Status::REJECTED), "{refused:?}");
    assert_eq!((refused.outcome_unknown, refused.observed), (false, 2));

    let unasked = config().no_confirm().client(service.endpoint());
    let again = make(&unasked, &service, Call::Associate, eleventh);
    assert!(again.is(Status::REJECTED), "{again:?}");
    assert_eq!((again.outcome_unknown, again.observed), (false, 0));
}

#[test]
fn nothing_to_do_is_a_status_of_its_own_and_a_success_where_that_is_wanted() {
    let service = service();
    let first = &service.fpga_ids()[0];
    let client = config().client(service.endpoint());
    let apart = make(&client, &service, Call::Disassociate, first);
    assert!(apart.is(Status::NOT_ASSOCIATED), "{apart:?}");
    assert_eq!((apart.outcome_unknown, apart.observed), (false, 2));

    let idempotent = config().idempotent().client(service.endpoint());
    for call in [Call::Disassociate, Call::Associate, Call::Associate] {
        let outcome = make(&idempotent, &service, call, first);
        assert!(outcome.is(Status::OK), "{call:?}: {outcome:?}");
    }
    assert!(has(&service, first));
    let inactive = service.inactive_fpga_id();
    let outcome = make(&idempotent, &service, Call::Associate, inactive);
    assert!(outcome.is(Status::REJECTED), "{outcome:?}");
}

/// The service's text for two causes, under the HTTP statuses that it is known or likely with, in
/// other capitals, and in Chinese.
#[test]
fn the_text_for_two_causes_is_known_under_any_http_status() {
    let listed = format!(
        r#"{{"associations":[{{"image_id":"{}","fpgaimages":[{{"id":"{FPGA_ID}"}}]}}]}}"#,
        ECS_ID.to_uppercase()
    );
    for (http_status, otherwise) in [
        (400, Status::REJECTED),
        (404, Status::NOT_FOUND),
        (409, Status::CONFLICT),
    ] {
        for text in [
            "failed: relation already exist or the related fpga image count of image reach the max limit",
            "Relation Already Exists",
            "关联关系已存在",
        ] {
            for (list, status) in [
                (r#"{"associations":[]}"#, otherwise),
                (listed.as_str(), Status::ALREADY_ASSOCIATED),
                ("{}", otherwise),
            ] {
                let refusal = format!(r#"{{"error":{{"code":"Ecs.0000","message":"{text}"}}}}"#);
                let outcome = first_then_list(http_status, &refusal, list);
                let case = format!("{http_status} {text} {list}: {outcome:?}");
                assert!(outcome.is(status), "{case}");
                assert!(!outcome.outcome_unknown, "{case}");
            }
        }
    }
}

/// What an associate call makes of this answer, where every later one is the list.
fn first_then_list(http_status: u16, first: &str, list: &str) -> Outcome {
    let (first, list) = (first.to_owned(), list.to_owned());
    let server = Server::start(move |nth, stream| {
        let answer = match nth {
            0 => answer(http_status, "", &first),
            _ => answer(200, "", &list),
        };
        stream.write_all(&answer).ok();
        Then::Keep
    });
    config().client(&server.endpoint()).example()
}

/// The service lists the pair with its ids in another letter case.
#[test]
fn an_id_in_another_letter_case_is_the_same_id() {
    let listed = format!(
        r#"{{"associations":[{{"image_id":"{}","fpgaimages":[{{"id":"{}"}}]}}]}}"#,
        ECS_ID.to_uppercase(),
        FPGA_ID.to_uppercase()
    );
    let server = Server::start(move |nth, stream| {
        let answer = match nth {
            0 => answer(500, "", ""),
            _ => answer(200, "", &listed),
        };
        stream.write_all(&answer).ok();
        Then::Keep
    });
    let client = config().max_attempts(1).client(&server.endpoint());
    let outcome = client.disassociate(TOKEN, PROJECT_ID, FPGA_ID, ECS_ID);
    assert!(outcome.is(Status::SERVICE_FAILED), "{outcome:?}");
    assert_eq!((outcome.outcome_unknown, outcome.observed), (true, 1));
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

/// While the list is asked what became of a request, too.
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
    let listed = format!(
        r#"{{"associations":[{{"image_id":"{ECS_ID}","fpgaimages":[{{"id":"{FPGA_ID}"}}]}}]}}"#
    );
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
