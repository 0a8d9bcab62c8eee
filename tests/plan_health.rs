//! Which failures stop a plan, and which do not.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ecs_emulator::{Rate, RateKind};
use fpga_associate::status::Status;
use serde_json::json;
use support::changes::list_of;
use support::client::config;
use support::lists::json_answer;
use support::plans::{AS_WANTED, CHANGED, FAILED, Plan, service};
use support::raw::{NO_CONTENT, Server, Then, answer, read_request};

/// Lists nothing, and answers each change as the script says, which is told how many there were before
/// and what was sent. Where it says nothing the connection ends.
fn server(change: impl Fn(usize, &str) -> Vec<u8> + Send + Sync + 'static) -> Server {
    let next = AtomicUsize::new(0);
    Server::serve(move |mut visit| {
        while let (request, true) = read_request(&mut visit.stream) {
            let request = String::from_utf8_lossy(&request).into_owned();
            let answer = match request.starts_with("GET ") {
                true => json_answer(&json!({ "associations": [] })),
                false => change(next.fetch_add(1, Ordering::SeqCst), &request),
            };
            if answer.is_empty() {
                return;
            }
            visit.stream.write_all(&answer).ok();
        }
    })
}

/// One FPGA image at many ECS images.
fn plan_of(pairs: usize) -> Plan {
    let ecs_ids: Vec<String> = (0..pairs).map(|number| format!("ecs-{number}")).collect();
    Plan::of(ecs_ids.iter().map(|ecs_id| ("f", ecs_id.as_str(), true)))
}

#[test]
fn a_service_that_answers_nothing_of_use_stops_a_plan_after_ten_seconds() {
    thread::scope(|scope| {
        for answer in [
            "",
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        ] {
            scope.spawn(move || {
                let server = Server::answering(answer, Then::Close);
                let plan = Plan::new();
                for ecs in 0..50 {
                    for fpga in 0..8 {
                        plan.add(&format!("{fpga}-of-{ecs}"), &format!("ecs-{ecs}"), true);
                    }
                }
                let begun = Instant::now();
                let client = config().max_attempts(1).client(&server.endpoint());
                let outcome = client.apply("token", "project", &plan.parallel(4));
                let time = begun.elapsed();
                assert!(outcome.is(Status::INCOMPLETE), "{answer}: {outcome:?}");
                assert!(time >= Duration::from_secs(10), "{answer}: {time:?}");
                let requests = server.finish().requests.len();
                assert!(requests <= 40, "{answer}: {requests} requests");
            });
        }
    });
}

#[test]
fn pairs_that_always_fail_do_not_keep_the_others_from_their_end() {
    thread::scope(|scope| {
        for (answered, unknown) in [
            ("403 Forbidden", false),
            ("500 Internal Server Error", true),
        ] {
            scope.spawn(move || {
                let bad = format!("HTTP/1.1 {answered}\r\nContent-Length: 0\r\n\r\n");
                let server = server(move |_, request| match request.contains("bad") {
                    true => bad.clone().into_bytes(),
                    false => NO_CONTENT.to_vec(),
                });
                let plan = Plan::new();
                for number in 0..60 {
                    let kind = if number < 20 { "bad" } else { "good" };
                    plan.add("f", &format!("{kind}-{number}"), true);
                }
                let client = config().no_confirm().client(&server.endpoint());
                let outcome = client.apply("token", "project", &plan);
                assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
                assert_eq!((plan.count(CHANGED), plan.count(FAILED)), (40, 20));
                assert_eq!(outcome.outcome_unknown, unknown);
            });
        }
    });
}

#[test]
fn all_that_is_under_way_may_break_at_once() {
    // As when the service is started anew.
    let server = server(|nth, _| match nth {
        20..28 => answer(502, "Connection: close\r\n", ""),
        _ => NO_CONTENT.to_vec(),
    });
    let plan = plan_of(100);
    let client = config().no_confirm().client(&server.endpoint());
    let outcome = client.apply("token", "project", &plan);
    // The list shows later that they were not done.
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(CHANGED), 100);
}

#[test]
fn a_pair_at_which_another_change_is_under_way_is_tried_again() {
    for (conflicts, changes, status) in [(3, 4, Status::OK), (100, 6, Status::INCOMPLETE)] {
        let seen = Arc::new(AtomicUsize::new(0));
        let server = server({
            let seen = Arc::clone(&seen);
            move |nth, _| {
                seen.fetch_add(1, Ordering::SeqCst);
                match nth < conflicts {
                    true => answer(409, "", ""),
                    false => NO_CONTENT.to_vec(),
                }
            }
        });
        let plan = plan_of(1);
        let client = config().client(&server.endpoint());
        let outcome = client.apply("token", "project", &plan);
        assert!(outcome.is(status), "{outcome:?}");
        let error = plan.error(0);
        assert!(error.is_none_or(|error| error.is(Status::CONFLICT)));
        assert_eq!(seen.load(Ordering::SeqCst), changes);
    }
}

const EXISTS: &str = r#"{"error":{"code":"Ecs.0005","message":"relation already exist or the related fpga image count of image reach the max limit"}}"#;

#[test]
fn a_refusal_of_a_change_that_was_sent_before_may_be_its_echo() {
    for (list, is_shown) in [
        (answer(200, "", list_of("ecs-0", "f")), true),
        (answer(403, "", ""), false),
    ] {
        for first in [429, 409] {
            let list = list.clone();
            let server = Server::start(move |nth, stream| {
                let answer = match nth {
                    0 => json_answer(&json!({ "associations": [] })),
                    1 => answer(first, "", ""),
                    2 => answer(400, "", EXISTS),
                    _ => list.clone(),
                };
                stream.write_all(&answer).ok();
                Then::Keep
            });
            let plan = plan_of(1);
            let client = config().client(&server.endpoint());
            let outcome = client.apply("token", "project", &plan);
            if is_shown {
                assert!(outcome.is(Status::OK), "{first}: {outcome:?}");
                assert_eq!(plan.result(0), CHANGED);
            } else {
                let error = plan.error(0).unwrap();
                assert!(error.is(Status::REJECTED), "{first}: {error:?}");
                assert!(
                    error.outcome_unknown && outcome.outcome_unknown,
                    "{error:?}"
                );
            }
        }
    }
}

#[test]
fn a_change_that_is_in_doubt_is_not_forgotten_over_a_conflict() {
    // On the connection of the list, which ends: the change may have been made. Its second try meets it.
    let server = server(move |nth, _| match nth {
        0 => Vec::new(),
        1 => answer(409, "", ""),
        _ => answer(400, "", EXISTS),
    });
    let plan = plan_of(1);
    let client = config().no_confirm().client(&server.endpoint());
    let outcome = client.apply("token", "project", &plan);
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    let error = plan.error(0).unwrap();
    assert!(
        error.is(Status::CONFLICT) && error.outcome_unknown,
        "{error:?}"
    );
    assert!(outcome.outcome_unknown);
}

#[test]
fn too_early_is_tried_again_as_in_a_call_that_stands_alone() {
    let server = server(|nth, _| match nth {
        0 => answer(425, "", ""),
        1 => answer(408, "", ""),
        _ => NO_CONTENT.to_vec(),
    });
    let plan = plan_of(1);
    let outcome = config()
        .client(&server.endpoint())
        .apply("token", "project", &plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
}

#[test]
fn a_quota_that_comes_again_later_is_waited_for() {
    let service = service(1, 60);
    // So many in a second, whatever their number at once.
    service.emulator.set_rate(Some(Rate {
        kind: RateKind::Window,
        ..Rate::of(8.0)
    }));
    let plan = Plan::associating(&service.pairs(1)).parallel(32);
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(CHANGED), 60);
}

#[test]
fn what_moves_between_two_pages_is_looked_for_at_its_ecs_image() {
    // The 101st comes to the first page after that was read: the second has nothing.
    let of = |ecs_ids: std::ops::Range<usize>| {
        let groups = ecs_ids.map(
            |number| json!({ "image_id": format!("ecs-{number}"), "fpgaimages": [{ "id": "f" }] }),
        );
        json_answer(&json!({ "associations": groups.collect::<Vec<_>>() }))
    };
    let lists = [of(0..100), of(0..0), of(100..101)];
    let changed = AtomicUsize::new(0);
    let next = AtomicUsize::new(0);
    let server = Server::serve(move |mut visit| {
        while let (request, true) = read_request(&mut visit.stream) {
            let answer = match request.starts_with(b"GET ") {
                true => lists[next.fetch_add(1, Ordering::SeqCst).min(2)].clone(),
                false => {
                    changed.fetch_add(1, Ordering::SeqCst);
                    NO_CONTENT.to_vec()
                }
            };
            visit.stream.write_all(&answer).ok();
        }
    });
    let plan = Plan::new();
    for number in 0..100 {
        plan.add("f", &format!("ecs-{number}"), true);
    }
    plan.add("f", "ecs-100", false);
    let outcome = config()
        .client(&server.endpoint())
        .apply("token", "project", &plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!((plan.count(AS_WANTED), plan.result(100)), (100, CHANGED));
}
