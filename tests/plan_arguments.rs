//! What the functions of plans accept, and how several threads share a plan or a client.

use std::ffi::c_char;
use std::ptr;
use std::thread;
use std::time::Duration;

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call::{self, Outcome};
use support::plans::{AS_WANTED, CHANGED, OPEN, Plan, service};
use support::raw::{NO_CONTENT, Seen, Server, Then};
use support::slow::wait_until;

fn assert_refused(outcome: &Outcome, argument: &str) {
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
    assert!(
        outcome.message.starts_with(&format!("{argument}: ")),
        "{outcome:?}"
    );
}

#[test]
fn null_is_refused_or_nothing() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = support::client::config().client(&server.endpoint());
    let plan = Plan::of([("f", "e", true)]);
    let id: *const c_char = c"id".as_ptr();
    let none: *const c_char = ptr::null();
    // SAFETY: what is not NULL is alive, and text that ends in NUL.
    unsafe {
        use capi::*;
        for (status, argument) in [
            (fpga_assoc_plan_add(ptr::null_mut(), id, id, true), "plan"),
            (
                fpga_assoc_plan_add(plan.as_ptr(), none, id, true),
                "fpga_id",
            ),
            (fpga_assoc_plan_add(plan.as_ptr(), id, none, true), "ecs_id"),
            (fpga_assoc_plan_set_parallel(ptr::null_mut(), 1), "plan"),
            (fpga_assoc_plan_set_timeout_ms(ptr::null_mut(), 1), "plan"),
            (
                fpga_assoc_plan_set_progress(ptr::null_mut(), None, ptr::null_mut()),
                "plan",
            ),
        ] {
            // The last of them is what the thread remembers.
            assert_eq!(status, Status::INVALID_ARGUMENT.number(), "{argument}");
        }
        assert_refused(&call::outcome(Status::INVALID_ARGUMENT.number()), "plan");
        for job in [fpga_assoc_client_apply, fpga_assoc_client_compare] {
            for (client, token, project_id, plan, argument) in [
                (ptr::null_mut(), id, id, plan.as_ptr(), "client"),
                (client.as_ptr(), none, id, plan.as_ptr(), "token"),
                (client.as_ptr(), id, none, plan.as_ptr(), "project_id"),
                (
                    client.as_ptr(),
                    id,
                    c"a b".as_ptr(),
                    plan.as_ptr(),
                    "project_id",
                ),
                (
                    client.as_ptr(),
                    c"a\nb".as_ptr(),
                    id,
                    plan.as_ptr(),
                    "token",
                ),
                (client.as_ptr(), id, id, ptr::null_mut(), "plan"),
            ] {
                let mut error = ptr::null_mut();
                let status = job(client, token, project_id, plan, &raw mut error);
                assert_refused(&call::outcome_of(status, error.as_ref()), argument);
                fpga_assoc_error_free(error);
                let status = job(client, token, project_id, plan, ptr::null_mut());
                assert_refused(&call::outcome(status), argument);
            }
        }
        assert_eq!(fpga_assoc_plan_len(None), 0);
        assert_eq!(fpga_assoc_plan_result(None, 0), OPEN);
        assert!(fpga_assoc_plan_error(None, 0).is_null());
        fpga_assoc_plan_free(None);
    }
    assert_eq!((plan.len(), plan.result(0)), (1, OPEN));
    assert_eq!(server.finish(), Seen::default());
}

#[test]
fn ids_are_those_of_a_call_and_a_refused_pair_is_not_added() {
    let long = "a".repeat(129);
    let plan = Plan::new();
    for (fpga_id, ecs_id, argument) in [
        ("", "e", "fpga_id"),
        ("f", "", "ecs_id"),
        ("f/", "e", "fpga_id"),
        ("f", "e\r\n", "ecs_id"),
        (&long, "e", "fpga_id"),
        ("f", &long, "ecs_id"),
        (
            "18efee75-e058-4c52-a49c-9e3ba4d1c8de",
            "4010a32b5f231f04015f24259efd0429",
            "fpga_id",
        ),
    ] {
        assert_refused(&plan.add(fpga_id, ecs_id, true), argument);
    }
    assert_eq!(plan.len(), 0);
    assert!(plan.add(&long[1..], &long[1..], false).is(Status::OK));
    assert_eq!(plan.len(), 1);
}

#[test]
fn a_plan_has_ten_million_pairs_and_no_more() {
    let plan = Plan::new();
    let (fpga_id, ecs_id) = (c"f".as_ptr(), c"e".as_ptr());
    // SAFETY: the plan is alive, the ids end in NUL.
    let add = || unsafe { capi::fpga_assoc_plan_add(plan.as_ptr(), fpga_id, ecs_id, true) };
    assert!((0..10_000_000).all(|_| add() == Status::OK.number()));
    let outcome = call::outcome(add());
    assert_refused(&outcome, "plan");
    assert!(outcome.message.contains("10000000 pairs"), "{outcome:?}");
    assert_eq!(plan.len(), 10_000_000);
}

#[test]
fn numbers_out_of_range_are_refused() {
    let plan = Plan::new();
    // SAFETY: the plan is alive.
    unsafe {
        for requests in [0, 101, u32::MAX] {
            let status = capi::fpga_assoc_plan_set_parallel(plan.as_ptr(), requests);
            assert_refused(&call::outcome(status), "requests");
        }
        for ms in [0, 1 << 31, u32::MAX] {
            let status = capi::fpga_assoc_plan_set_timeout_ms(plan.as_ptr(), ms);
            assert_refused(&call::outcome(status), "timeout_ms");
        }
        for requests in [1, 100] {
            assert_eq!(
                capi::fpga_assoc_plan_set_parallel(plan.as_ptr(), requests),
                0
            );
        }
        assert_eq!(
            capi::fpga_assoc_plan_set_timeout_ms(plan.as_ptr(), i32::MAX as u32),
            0
        );
    }
}

#[test]
fn one_plan_is_carried_out_once_at_a_time_and_not_changed_meanwhile() {
    let service = service(5, 20);
    service.emulator.set_service_time(Duration::from_millis(10));
    let plan = Plan::associating(&service.pairs(5));
    thread::scope(|scope| {
        let first = scope.spawn(|| service.apply(&plan));
        wait_until(|| plan.count(CHANGED) > 0);
        for outcome in [
            service.apply(&plan),
            service.compare(&plan),
            plan.add("f", "e", true),
        ] {
            assert_refused(&outcome, "plan");
            assert!(
                outcome.message.contains("is being carried out"),
                "{outcome:?}"
            );
        }
        assert_eq!(plan.len(), 100);
        assert!(first.join().unwrap().is(Status::OK));
    });
    assert_eq!(plan.count(CHANGED), 100);
    assert!(plan.add("f", "e", false).is(Status::OK));
}

#[test]
fn one_client_carries_out_many_plans_at_once_beside_other_calls() {
    let service = service(5, 40);
    let client = service.client();
    let pairs = service.pairs(5);
    thread::scope(|scope| {
        for part in pairs.chunks(50) {
            let (client, service) = (&client, &service);
            scope.spawn(move || {
                let plan = Plan::associating(part).parallel(3);
                let outcome = service.apply_with(client, &plan);
                assert!(outcome.is(Status::OK), "{outcome:?}");
                assert_eq!(plan.count(CHANGED), part.len());
            });
        }
        scope.spawn(|| {
            let (token, project_id) = (service.emulator.token(), service.emulator.project_id());
            for ecs_id in &service.ecs_ids {
                let list = client.associations(token, project_id, None, Some(ecs_id));
                assert!(list.unwrap().len() <= 5);
            }
        });
    });
    assert_eq!(service.emulator.associations().len(), 200);
}

#[test]
fn two_plans_for_the_same_pairs_at_once_end_as_wanted() {
    let service = service(5, 20);
    service.emulator.set_service_time(Duration::from_millis(2));
    let pairs = service.pairs(5);
    let plans = [(); 2].map(|()| Plan::associating(&pairs));
    thread::scope(|scope| {
        for plan in &plans {
            scope.spawn(|| {
                let outcome = service.apply(plan);
                assert!(outcome.is(Status::OK), "{outcome:?}");
                assert_eq!(plan.count(CHANGED) + plan.count(AS_WANTED), 100);
            });
        }
    });
    // Of each pair one of them says that it changed it.
    for index in 0..100 {
        let changed = plans
            .iter()
            .filter(|plan| plan.result(index) == CHANGED)
            .count();
        assert_eq!(changed, 1, "{index}");
    }
}

#[test]
fn many_threads_may_fill_one_plan() {
    let plan = Plan::new();
    thread::scope(|scope| {
        for thread in 0..8 {
            let plan = &plan;
            scope.spawn(move || {
                for number in 0..500 {
                    let outcome = plan.add(&format!("f{thread}"), &format!("e{number}"), true);
                    assert!(outcome.is(Status::OK), "{outcome:?}");
                }
            });
        }
    });
    assert_eq!(plan.len(), 4_000);
}
