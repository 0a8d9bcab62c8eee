//! A plan is as fast as the service allows, and no faster.

use std::time::{Duration, Instant};

use ecs_emulator::{Flow, Rate, RateKind};
use fpga_associate::status::Status;
use support::plans::{CHANGED, Plan, service};

#[test]
fn so_many_requests_as_are_allowed_are_under_way_at_once() {
    for parallel in [1, 2, 8, 20] {
        let service = service(2, 40);
        let time = Duration::from_millis(10);
        service.emulator.set_service_time(parallel * time);
        let plan = Plan::associating(&service.pairs(2)).parallel(parallel);
        let outcome = service.apply(&plan);
        assert!(outcome.is(Status::OK), "{outcome:?}");
        assert_eq!(plan.count(CHANGED), 80);
        let most = service.emulator.most_at_once();
        assert!(
            most <= parallel as usize && 2 * most > parallel as usize,
            "{most}"
        );
    }
}

#[test]
fn eight_requests_are_under_way_at_once_where_nothing_else_was_set() {
    let service = service(1, 40);
    service
        .emulator
        .set_service_time(Duration::from_millis(100));
    let outcome = service.apply(&Plan::associating(&service.pairs(1)));
    assert!(outcome.is(Status::OK), "{outcome:?}");
    let most = service.emulator.most_at_once();
    assert!((5..=8).contains(&most), "{most}");
}

#[test]
fn at_one_ecs_image_one_pair_is_changed_after_the_other() {
    let service = service(10, 2);
    service.emulator.set_service_time(Duration::from_millis(5));
    let plan = Plan::associating(&service.pairs(10)).parallel(16);
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(service.emulator.most_changes_at_once_at_one_ecs_image(), 1);
    assert_eq!(service.emulator.most_at_once(), 2);
}

#[test]
fn a_service_that_allows_so_much_gets_no_more_and_every_pair_is_changed() {
    let rates = [
        (RateKind::Bucket, Flow::TooManyRequests, None),
        (RateKind::Bucket, Flow::Accepted, None),
        (RateKind::Window, Flow::Unavailable, Some("1")),
    ];
    std::thread::scope(|scope| {
        for (kind, refusal, retry_after) in rates {
            scope.spawn(move || {
                const PAIRS: usize = 1_500;
                let service = service(10, PAIRS / 10);
                let per_second = 200.0;
                service.emulator.set_rate(Some(Rate {
                    burst: 20,
                    kind,
                    refusal,
                    retry_after: retry_after.map(str::to_owned),
                    ..Rate::of(per_second)
                }));
                let plan = Plan::associating(&service.pairs(10));
                let begun = Instant::now();
                let outcome = service.apply(&plan);
                let time = begun.elapsed();
                let refused = service.emulator.refused_by_rate();
                let requests = service.emulator.requests_count();
                let ideal = (requests - refused) as f64 / per_second;
                let what = format!("{kind:?} {refusal:?}: {time:?}, ideal {ideal} s, {refused} of {requests} refused");
                println!("{what}");
                assert!(outcome.is(Status::OK), "{what}: {outcome:?}");
                assert_eq!(plan.count(CHANGED), PAIRS);
                assert_eq!(service.emulator.associations().len(), PAIRS);
                assert!(refused > 0 && refused * 10 < requests, "{what}");
                assert!(time.as_secs_f64() < 4.0 * ideal, "{what}");
            });
        }
    });
}

#[test]
fn a_pair_is_sent_again_as_often_as_the_service_is_too_busy() {
    let service = service(1, 4);
    let plan = Plan::associating(&service.pairs(1));
    service.emulator.set_rate(Some(Rate {
        burst: 2,
        ..Rate::of(1.0)
    }));
    let client = support::client::config()
        .max_attempts(1)
        .client(service.emulator.endpoint());
    let outcome = service.apply_with(&client, &plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(CHANGED), 4);
    assert!(service.emulator.refused_by_rate() > 0);
}
