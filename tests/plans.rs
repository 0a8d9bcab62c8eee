//! A plan brings its pairs to what is wanted, and sends no more than that takes.

use fpga_associate::status::Status;
use support::plans::{AS_WANTED, CHANGED, FAILED, OPEN, Plan, Service, TO_CHANGE, service};

/// The methods of the requests, in the order in which they came.
fn methods(service: &Service) -> Vec<String> {
    let requests = service.emulator.requests();
    requests
        .iter()
        .map(|request| request.method.clone())
        .collect()
}

fn changes(service: &Service) -> usize {
    methods(service)
        .iter()
        .filter(|method| *method != "GET")
        .count()
}

#[test]
fn the_differences_alone_are_sent_and_a_second_run_sends_no_change() {
    let service = service(10, 30);
    let pairs = service.pairs(10);
    for (fpga_id, ecs_id) in pairs.iter().step_by(3) {
        assert!(service.emulator.associate(fpga_id, ecs_id));
    }
    let plan = Plan::associating(&pairs);
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!((plan.count(AS_WANTED), plan.count(CHANGED)), (100, 200));
    assert_eq!(changes(&service), 200);
    assert_eq!(service.emulator.associations().len(), 300);

    service.emulator.clear_requests();
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(AS_WANTED), 300);
    assert_eq!(changes(&service), 0);
}

#[test]
fn what_there_is_is_read_with_the_fewest_requests() {
    for (fpga_images, ecs_images, before, after) in [
        // The list of one ECS image is one request.
        (10, 5, 5, 5),
        // That of one FPGA image a page, and an empty one behind it where there is anything.
        (2, 150, 2, 6),
        (1, 1, 1, 1),
    ] {
        let service = service(fpga_images, ecs_images);
        let plan = Plan::associating(&service.pairs(fpga_images));
        for reads in [before, after] {
            service.emulator.clear_requests();
            let outcome = service.apply(&plan);
            assert!(outcome.is(Status::OK), "{outcome:?}");
            let read = methods(&service).len() - changes(&service);
            assert_eq!(
                read, reads,
                "{fpga_images} FPGA images, {ecs_images} ECS images"
            );
        }
    }
}

#[test]
fn a_plan_is_compared_without_a_change() {
    let service = service(4, 6);
    let pairs = service.pairs(4);
    for (fpga_id, ecs_id) in &pairs[..10] {
        assert!(service.emulator.associate(fpga_id, ecs_id));
    }
    let wanted = |index: usize| index.is_multiple_of(2);
    let plan = Plan::of(
        pairs
            .iter()
            .enumerate()
            .map(|(index, (fpga_id, ecs_id))| (fpga_id.as_str(), ecs_id.as_str(), wanted(index))),
    );
    let outcome = service.compare(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    for (index, result) in plan.results().into_iter().enumerate() {
        let is_associated = index < 10;
        let expected = if is_associated == wanted(index) {
            AS_WANTED
        } else {
            TO_CHANGE
        };
        assert_eq!(result, expected, "{index}");
    }
    assert_eq!(changes(&service), 0);
    assert_eq!(service.emulator.associations().len(), 10);
}

#[test]
fn a_full_ecs_image_gets_room_first() {
    let service = service(20, 3);
    let (here, wanted) = service.fpga_ids.split_at(10);
    for ecs_id in &service.ecs_ids {
        for fpga_id in here {
            assert!(service.emulator.associate(fpga_id, ecs_id));
        }
    }
    let plan = Plan::new();
    for ecs_id in &service.ecs_ids {
        for (fpga_id, associated) in wanted
            .iter()
            .map(|id| (id, true))
            .chain(here.iter().map(|id| (id, false)))
        {
            assert_eq!(plan.add(fpga_id, ecs_id, associated).status, 0);
        }
    }
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(CHANGED), 60);
    assert_eq!(changes(&service), 60);
    for (fpga_id, _) in service.emulator.associations() {
        assert!(wanted.contains(&fpga_id));
    }
}

#[test]
fn a_pair_that_is_wanted_both_ways_is_refused_and_nothing_is_sent() {
    let service = service(2, 2);
    let [first, second] = [&service.fpga_ids[0], &service.fpga_ids[1]];
    let [one, other] = [&service.ecs_ids[0], &service.ecs_ids[1]];
    for ecs_id in [one.clone(), one.to_uppercase()] {
        let plan = Plan::of([
            (first.as_str(), one.as_str(), true),
            (second, other, true),
            (first, &ecs_id, false),
        ]);
        for outcome in [service.apply(&plan), service.compare(&plan)] {
            assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
            for part in [first.as_str(), one, "indices 0 and 2"] {
                assert!(outcome.message.contains(part), "{outcome:?}");
            }
        }
        assert_eq!(plan.results(), [OPEN; 3]);
    }
    assert_eq!(service.emulator.requests_count(), 0);
}

#[test]
fn more_than_ten_fpga_images_at_an_ecs_image_are_refused_and_nothing_is_sent() {
    let service = service(12, 2);
    let pairs = service.pairs(12);
    let plan = Plan::associating(&pairs);
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
    for part in [&pairs[10].0, &pairs[10].1] {
        assert!(outcome.message.contains(part), "{outcome:?}");
    }
    assert_eq!(service.emulator.requests_count(), 0);

    // Ten of them, one of those twice, and others to be taken away.
    let plan = Plan::associating(&pairs[..10]);
    plan.add(&pairs[3].0, &pairs[3].1, true);
    plan.add(&pairs[10].0, &pairs[10].1, false);
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(CHANGED), 11);
    assert_eq!(plan.result(11), AS_WANTED);
    assert_eq!(changes(&service), 10);
}

#[test]
fn what_several_pages_of_an_fpga_image_do_not_show_is_looked_for_at_its_ecs_image() {
    let service = service(1, 250);
    let fpga_id = service.fpga_ids[0].as_str();
    for ecs_id in &service.ecs_ids[..200] {
        assert!(service.emulator.associate(fpga_id, ecs_id));
    }
    let plan = Plan::new();
    for (index, ecs_id) in service.ecs_ids.iter().enumerate() {
        // The last three are wanted apart, and are.
        plan.add(fpga_id, ecs_id, index < 247);
    }
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!((plan.count(CHANGED), plan.count(AS_WANTED)), (47, 203));
    // Two pages, an empty one, and three ECS images.
    assert_eq!(methods(&service).len() - changes(&service), 6);
}

#[test]
fn fpga_images_at_many_other_ecs_images_take_no_more_than_twice_the_requests() {
    let service = service(1, 1_000);
    let fpga_id = service.fpga_ids[0].as_str();
    for ecs_id in &service.ecs_ids {
        assert!(service.emulator.associate(fpga_id, ecs_id));
    }
    let few = service.ecs_ids[..6].iter();
    let plan = Plan::of(few.map(|ecs_id| (fpga_id, ecs_id.as_str(), true)));
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(AS_WANTED), 6);
    let requests = service.emulator.requests_count();
    assert!((6..=12).contains(&requests), "{requests}");
}

#[test]
fn a_pair_that_fails_has_its_own_error_and_the_others_go_on() {
    let service = service(3, 4);
    let pairs = service.pairs(3);
    let plan = Plan::associating(&pairs);
    let inactive = service.emulator.inactive_fpga_id();
    let shared = service.emulator.shared_ecs_id();
    plan.add(inactive, &service.ecs_ids[0], true);
    plan.add(&service.fpga_ids[0], shared, true);
    plan.add("unknown", &service.ecs_ids[1], true);
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert!(
        outcome.message.starts_with("apply: 12 of 15 pairs are as wanted, 3 failed, 0 are open; the first that failed, FPGA image "),
        "{outcome:?}"
    );
    assert!(!outcome.outcome_unknown);
    assert_eq!((plan.count(CHANGED), plan.count(FAILED)), (12, 3));
    for index in 0..15 {
        let error = plan.error(index);
        assert_eq!(error.is_some(), index >= 12, "{index}: {error:?}");
        if let Some(error) = error {
            assert!(error.message.starts_with("associate: "), "{error:?}");
            assert!(error.http_status >= 400, "{error:?}");
        }
    }
    assert!(plan.error(15).is_none());
    assert_eq!(plan.result(15), OPEN);
}

#[test]
fn an_ecs_image_that_others_have_filled_fails_with_the_limit() {
    let service = service(12, 1);
    for fpga_id in &service.fpga_ids[..9] {
        assert!(service.emulator.associate(fpga_id, &service.ecs_ids[0]));
    }
    let pairs = service.pairs(12);
    let plan = Plan::associating(&pairs[9..]);
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert_eq!(plan.results(), [CHANGED, FAILED, FAILED]);
    for index in [1, 2] {
        let error = plan.error(index).unwrap();
        assert!(error.is(Status::LIMIT_REACHED), "{error:?}");
    }
}

#[test]
fn a_plan_without_pairs_is_done_and_sends_nothing() {
    let service = service(1, 1);
    let plan = Plan::new();
    for outcome in [service.apply(&plan), service.compare(&plan)] {
        assert!(outcome.is(Status::OK), "{outcome:?}");
    }
    assert_eq!(plan.len(), 0);
    assert_eq!(service.emulator.requests_count(), 0);
}

#[test]
fn pairs_may_be_added_between_runs() {
    let service = service(4, 1);
    let pairs = service.pairs(4);
    let plan = Plan::associating(&pairs[..2]);
    assert!(service.apply(&plan).is(Status::OK));
    plan.add(&pairs[2].0, &pairs[2].1, true);
    assert_eq!(plan.results(), [CHANGED, CHANGED, OPEN]);
    assert!(service.compare(&plan).is(Status::OK));
    assert_eq!(plan.results(), [AS_WANTED, AS_WANTED, TO_CHANGE]);
    assert!(service.apply(&plan).is(Status::OK));
    assert_eq!(plan.results(), [AS_WANTED, AS_WANTED, CHANGED]);
}
