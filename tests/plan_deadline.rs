//! A plan ends with its time.

use std::io::Write;
use std::time::{Duration, Instant};

use ecs_emulator::Rate;
use fpga_associate::status::Status;
use serde_json::json;
use support::call::{PROJECT_ID, TOKEN};
use support::client::config;
use support::lists::json_answer;
use support::plans::{CHANGED, FAILED, OPEN, Plan, service};
use support::raw::{Server, read_request};

#[test]
fn the_time_of_a_plan_stops_it() {
    let service = service(5, 40);
    service.emulator.set_service_time(Duration::from_millis(50));
    let pairs = service.pairs(5);
    let plan = Plan::associating(&pairs).parallel(2).timeout_ms(2_000);
    let begun = Instant::now();
    let outcome = service.apply(&plan);
    assert!(begun.elapsed() < Duration::from_secs(20));
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert!(outcome.message.contains("it was stopped: "), "{outcome:?}");
    assert!(outcome.message.contains("deadline passed"), "{outcome:?}");
    assert!(plan.count(CHANGED) > 0 && plan.count(OPEN) > 0);
    service.assert_told_truly(&plan, &pairs, &outcome);
    service.emulator.set_service_time(Duration::ZERO);
    // Its time is for each run.
    service.assert_goes_on(&plan);
}

#[test]
fn a_time_that_is_too_short_for_anything_leaves_all_pairs_open() {
    let service = service(2, 2);
    let plan = Plan::associating(&service.pairs(2)).timeout_ms(1);
    service.emulator.set_service_time(Duration::from_millis(50));
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert_eq!(plan.count(CHANGED), 0);
    assert_eq!(service.emulator.associations().len(), 0);
}

#[test]
fn a_pause_that_outlasts_the_plan_is_not_waited_for() {
    let service = service(2, 4);
    let plan = Plan::associating(&service.pairs(2)).timeout_ms(60_000);
    service.emulator.set_rate(Some(Rate {
        burst: 5,
        retry_after: Some("3600".to_owned()),
        ..Rate::of(0.0)
    }));
    let begun = Instant::now();
    let outcome = service.apply(&plan);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert!(
        outcome.message.contains("busy for longer than is left"),
        "{outcome:?}"
    );
    // So the caller knows when to come again.
    assert!(outcome.retry_after_ms > 3_000_000, "{outcome:?}");
    assert!(plan.count(OPEN) > 0 && plan.count(FAILED) == 0);
}

/// Lists so many images as without any other, and answers what comes then with this and no more.
fn hanging(lists: usize, rest: Vec<u8>) -> Server {
    Server::serve(move |mut visit| {
        for _ in 0..lists {
            if visit.read_request().is_none() {
                return;
            }
            let list = json_answer(&json!({ "associations": [] }));
            visit.stream.write_all(&list).ok();
        }
        if visit.read_request().is_some() {
            visit.stream.write_all(&rest).ok();
            // Until the client leaves.
            read_request(&mut visit.stream);
        }
    })
}

#[test]
fn a_list_that_comes_too_late_leaves_its_pairs_open() {
    let list = json_answer(&json!({ "associations": [] }));
    for part in [0, 20, list.len() - 19, list.len() - 5] {
        let server = hanging(0, list[..part].to_vec());
        let plan = Plan::of([("f", "e1", true), ("f", "e2", true)])
            .parallel(1)
            .timeout_ms(300);
        let outcome = config()
            .client(&server.endpoint())
            .apply(TOKEN, PROJECT_ID, &plan);
        assert!(outcome.is(Status::INCOMPLETE), "{part}: {outcome:?}");
        assert!(
            outcome.message.contains("it was stopped: "),
            "{part}: {outcome:?}"
        );
        assert_eq!(plan.results(), [OPEN; 2], "{part}");
        assert!(!outcome.outcome_unknown, "{part}");
    }
}

#[test]
fn a_change_that_takes_too_long_is_the_last() {
    let server = hanging(1, Vec::new());
    let plan = Plan::of([("f", "e1", true), ("f", "e2", true), ("f", "e3", true)])
        .parallel(1)
        .timeout_ms(1_000);
    let outcome = config()
        .client(&server.endpoint())
        .apply(TOKEN, PROJECT_ID, &plan);
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert!(outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(plan.results(), [FAILED, OPEN, OPEN]);
    let error = plan.error(0).unwrap();
    assert!(
        error.is(Status::TIMEOUT) && error.outcome_unknown,
        "{error:?}"
    );
}
