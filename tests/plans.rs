//! A plan brings its pairs to what is wanted, and sends no more than that takes.

mod support;

use fpga_associate::status::Status;
use support::plans::{AS_WANTED, CHANGED, OPEN, Plan, TO_CHANGE, service};

#[test]
fn a_plan_sends_the_differences_alone_and_a_second_run_sends_no_change() {
    let service = service(5, 20);
    let pairs = service.pairs(5);
    let plan = Plan::associating(&pairs);
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(CHANGED), 100);
    println!("{} requests", service.emulator.requests_count());
    service.emulator.clear_requests();
    let outcome = service.apply(&plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(AS_WANTED), 100);
    println!("{} requests", service.emulator.requests_count());
    let _ = (OPEN, TO_CHANGE);
}
