//! Where one refusal has two causes, the list tells which: nothing to do, or the image's limit.

use fpga_associate::status::Status;
use support::call::{ECS_ID, FPGA_ID};
use support::changes::{Call, first_then_list, has, list_of, make, service};
use support::client::config;
use support::raw::answer;

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

/// The service's text for two causes, under the HTTP statuses that it is known or likely with, in
/// other capitals, and in Chinese.
#[test]
fn the_text_for_two_causes_is_known_under_any_http_status() {
    let listed = list_of(&ECS_ID.to_uppercase(), FPGA_ID);
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
                let server = first_then_list(answer(http_status, "", &refusal), list);
                let outcome = config().client(&server.endpoint()).example();
                let case = format!("{http_status} {text} {list}: {outcome:?}");
                assert!(outcome.is(status), "{case}");
                assert!(!outcome.outcome_unknown, "{case}");
            }
        }
    }
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
