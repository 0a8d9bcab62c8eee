//! Whatever stops a plan, each pair has its result, and carrying it out again goes on from there.

use std::io::Write;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ecs_emulator::Rate;
use fpga_associate::status::Status;
use serde_json::json;
use support::asked::{FIRST, REFUSED, asking};
use support::client::config;
use support::credentials::in_seconds;
use support::lists::json_answer;
use support::plans::{CHANGED, FAILED, OPEN, Plan, service};
use support::raw::{NO_CONTENT, Server, Then, read_request};
use support::slow::{on_line, wait_until};

#[test]
fn a_shutdown_stops_a_plan_at_once() {
    let service = service(5, 40);
    service.emulator.set_service_time(Duration::from_millis(30));
    let pairs = service.pairs(5);
    let plan = Plan::associating(&pairs).parallel(4);
    let client = service.client();
    let outcome = thread::scope(|scope| {
        let applied = scope.spawn(|| service.apply_with(&client, &plan));
        wait_until(|| plan.count(CHANGED) >= 10);
        let begun = Instant::now();
        client.shutdown();
        let outcome = applied.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30));
        outcome
    });
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert!(outcome.message.contains("shut down"), "{outcome:?}");
    assert!(plan.count(OPEN) > 0);
    service.assert_told_truly(&plan, &pairs, &outcome);
    let outcome = service.apply_with(&client, &plan);
    assert!(outcome.is(Status::CANCELLED), "{outcome:?}");
    assert_eq!(plan.count(OPEN), 200);
    service.emulator.set_service_time(Duration::ZERO);
    service.assert_goes_on(&plan);
}

#[test]
fn a_shutdown_stops_a_plan_that_waits_for_the_service_to_have_time() {
    let service = service(2, 40);
    service.emulator.set_rate(Some(Rate {
        burst: 10,
        retry_after: Some("600".to_owned()),
        ..Rate::of(0.0)
    }));
    let pairs = service.pairs(2);
    let plan = Plan::associating(&pairs);
    let client = service.client();
    thread::scope(|scope| {
        let applied = scope.spawn(|| service.apply_with(&client, &plan));
        wait_until(|| service.emulator.refused_by_rate() > 0);
        client.shutdown();
        let begun = Instant::now();
        let outcome = applied.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
        service.assert_told_truly(&plan, &pairs, &outcome);
    });
}

#[test]
fn who_asks_is_refused_once_and_the_plan_is_stopped() {
    let service = service(10, 30);
    let pairs = service.pairs(10);
    let plan = Plan::associating(&pairs);
    let token = service.emulator.expired_token();
    let outcome = service
        .client()
        .apply(token, service.emulator.project_id(), &plan);
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert_eq!(outcome.http_status, 401);
    assert_eq!(service.emulator.requests_count(), 1);
    assert!(plan.count(FAILED) > 0 && plan.count(OPEN) > 0);
    let errors = (0..plan.len()).filter_map(|index| plan.error(index));
    for error in errors {
        assert!(error.is(Status::UNAUTHORIZED), "{error:?}");
    }
}

#[test]
fn a_token_that_expires_in_the_middle_stops_a_plan() {
    let service = service(10, 30);
    service.emulator.set_service_time(Duration::from_millis(10));
    let pairs = service.pairs(10);
    let plan = Plan::associating(&pairs).parallel(4);
    let token = service.emulator.issue_token(3600);
    let client = service.client();
    let outcome = thread::scope(|scope| {
        let project_id = service.emulator.project_id();
        let applied = scope.spawn(|| client.apply(&token, project_id, &plan));
        wait_until(|| plan.count(CHANGED) >= 20);
        service.emulator.expire_token(&token);
        applied.join().unwrap()
    });
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert_eq!(outcome.http_status, 401);
    // Those that were under way.
    assert!((1..=4).contains(&plan.count(FAILED)));
    service.assert_told_truly(&plan, &pairs, &outcome);
    service.emulator.set_service_time(Duration::ZERO);
    service.assert_goes_on(&plan);
}

#[test]
fn credentials_that_expire_in_the_middle_are_asked_for_once_for_all_calls() {
    let service = service(10, 30);
    service.emulator.set_service_time(Duration::from_millis(5));
    let plan = Plan::associating(&service.pairs(10)).parallel(6);
    let tokens = [0; 2].map(|_| service.emulator.issue_token(3600));
    let (client, asked) = asking(service.emulator.endpoint(), {
        let tokens = tokens.clone();
        move |nth, grant| assert_eq!(grant.token(&tokens[nth - 1], in_seconds(3600)), 0)
    });
    let outcome = thread::scope(|scope| {
        let applied = scope.spawn(|| {
            let apply = fpga_associate::capi::fpga_assoc_client_apply;
            client.plan(apply, None, service.emulator.project_id(), &plan)
        });
        wait_until(|| plan.count(CHANGED) >= 20);
        service.emulator.expire_token(&tokens[0]);
        applied.join().unwrap()
    });
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(CHANGED), 300);
    assert_eq!(asked.reasons(), [FIRST, REFUSED]);
}

#[test]
fn a_service_that_is_not_there_is_tried_for_ten_seconds() {
    let server = Server::answering("", Then::Close);
    let endpoint = server.endpoint();
    drop(server);
    let plan = Plan::of([("f", "e1", true), ("f", "e2", true), ("g", "e3", true)]);
    let begun = Instant::now();
    let outcome = config().client(&endpoint).apply("token", "project", &plan);
    let time = begun.elapsed();
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert!(!outcome.outcome_unknown);
    assert!(
        time >= Duration::from_secs(10) && time < Duration::from_secs(60),
        "{time:?}"
    );
    // Nothing was sent.
    assert_eq!(plan.count(OPEN), 3);
    assert!(outcome.message.contains("connecting to"), "{outcome:?}");
}

#[test]
fn a_service_that_starts_anew_is_waited_for() {
    let before = Server::answering("", Then::Close);
    let address = before.address().to_string();
    drop(before);
    let plan = Plan::of([("f", "e1", true), ("f", "e2", true)]);
    let (tell, told) = mpsc::channel();
    // What is tried again is the plan's, not that of its calls.
    let config = on_line(config().max_attempts(1), move |_, line| {
        if line.contains("connecting to") {
            tell.send(()).ok();
        }
    });
    let client = config.client(&format!("http://{address}"));
    thread::scope(|scope| {
        let applied = scope.spawn(|| client.apply("token", "project", &plan));
        told.recv().unwrap();
        let server = Server::serve_on(&address, |mut visit| {
            while let (request, true) = read_request(&mut visit.stream) {
                let answer = match request.starts_with(b"GET ") {
                    true => json_answer(&json!({ "associations": [] })),
                    false => NO_CONTENT.to_vec(),
                };
                visit.stream.write_all(&answer).ok();
            }
        });
        let outcome = applied.join().unwrap();
        assert!(outcome.is(Status::OK), "{outcome:?}");
        assert_eq!(plan.results(), [CHANGED; 2]);
        drop(server);
    });
}
