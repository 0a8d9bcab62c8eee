//! What a plan believes of the lists that it reads: what they prove, and no more.

use std::io::Write;

use fpga_associate::status::Status;
use serde_json::{Value, json};
use support::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN};
use support::client::config;
use support::lists::json_answer;
use support::plans::{AS_WANTED, CHANGED, FAILED, Plan};
use support::raw::{NO_CONTENT, Server, Then};

const OTHER: &str = "4010a32b5f231f04015f24259efd042a";

/// Answers the requests for a list in turn, the ones after them as the last, and every change as done.
fn server(lists: Vec<Value>) -> Server {
    let next = std::sync::atomic::AtomicUsize::new(0);
    Server::serve(move |mut visit| {
        while visit.read_request().is_some() {
            let nth = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let document = lists.get(nth).or(lists.last()).unwrap();
            let answer = match document {
                Value::Null => NO_CONTENT.to_vec(),
                document => json_answer(document),
            };
            visit.stream.write_all(&answer).ok();
        }
    })
}

fn group(ecs_id: &str, fpga_ids: &[&str]) -> Value {
    let images: Vec<Value> = fpga_ids.iter().map(|id| json!({ "id": id })).collect();
    json!({ "image_id": ecs_id, "fpgaimages": images })
}

fn list(groups: &[Value]) -> Value {
    json!({ "associations": groups })
}

/// Carries a plan of one pair out; what became of it, and the requests.
fn apply(server: Server, associated: bool) -> (Outcome, i32, Option<Outcome>, Vec<String>) {
    let plan = Plan::of([(FPGA_ID, ECS_ID, associated)]);
    let client = config().client(&server.endpoint());
    let outcome = client.apply(TOKEN, PROJECT_ID, &plan);
    let requests = server.finish().requests;
    let lines = requests
        .iter()
        .map(|request| support::lists::first_line(&request.bytes))
        .collect();
    (outcome, plan.result(0), plan.error(0), lines)
}

#[test]
fn a_pair_is_there_in_whatever_letter_case_the_service_spells_it() {
    let shown = list(&[group(
        &ECS_ID.to_uppercase(),
        &[OTHER, &FPGA_ID.to_uppercase()],
    )]);
    let (outcome, result, error, lines) = apply(server(vec![shown]), true);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!((result, error, lines.len()), (AS_WANTED, None, 1));
}

#[test]
fn what_a_list_does_not_show_is_not_there() {
    for shown in [
        list(&[]),
        list(&[group(ECS_ID, &[])]),
        list(&[group(ECS_ID, &[OTHER])]),
    ] {
        let (outcome, result, error, lines) = apply(server(vec![shown.clone()]), false);
        assert!(outcome.is(Status::OK), "{shown}: {outcome:?}");
        assert_eq!((result, error, lines.len()), (AS_WANTED, None, 1));
        let (outcome, result, _, lines) = apply(server(vec![shown, Value::Null]), true);
        assert!(outcome.is(Status::OK), "{outcome:?}");
        assert_eq!((result, lines.len()), (CHANGED, 2));
    }
}

#[test]
fn a_list_that_can_not_tell_fails_the_pair_and_nothing_is_changed() {
    for shown in [
        json!({}),
        json!([]),
        list(&[json!(7)]),
        list(&[json!({ "image_id": ECS_ID })]),
        list(&[json!({ "image_id": ECS_ID, "fpgaimages": null })]),
        list(&[json!({ "fpgaimages": [{ "id": FPGA_ID }] })]),
        list(&[json!({ "image_id": ECS_ID, "fpgaimages": [{ "name": "no id" }] })]),
        list(&[group("18efee75-e058-4c52-a49c-9e3ba4d1c8df", &[FPGA_ID])]),
        list(&[
            group(ECS_ID, &[OTHER]),
            group("18efee75-e058-4c52-a49c-9e3ba4d1c8df", &[OTHER]),
        ]),
        json!({ "associations": [], "error": { "code": "Ecs.0005", "message": "no" } }),
    ] {
        for associated in [true, false] {
            let (outcome, result, error, lines) = apply(server(vec![shown.clone()]), associated);
            assert!(outcome.is(Status::INCOMPLETE), "{shown}: {outcome:?}");
            assert!(!outcome.outcome_unknown, "{shown}: {outcome:?}");
            assert_eq!(result, FAILED, "{shown}");
            assert!(error.unwrap().message.starts_with("list: "), "{shown}");
            assert!(
                lines.iter().all(|line| line.starts_with("GET ")),
                "{lines:?}"
            );
        }
    }
}

#[test]
fn an_ecs_image_without_an_end_is_not_read_for_ever() {
    let pages = (0..).map(|page| {
        let ids: Vec<String> = (0..100).map(|id| format!("{page}-{id}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        list(&[group(ECS_ID, &ids)])
    });
    let (outcome, result, error, lines) = apply(server(pages.take(50).collect()), true);
    assert!(outcome.is(Status::INCOMPLETE), "{outcome:?}");
    assert_eq!((result, lines.len()), (FAILED, 10));
    assert!(error.unwrap().is(Status::BAD_RESPONSE));
}

#[test]
fn the_lists_of_a_service_that_does_not_know_paging_are_not_believed_beyond_what_they_show() {
    let ecs_ids: Vec<String> = (0..40).map(|number| format!("ecs-{number}")).collect();
    let shown: Vec<Value> = ecs_ids[..39]
        .iter()
        .map(|ecs_id| group(ecs_id, &[FPGA_ID]))
        .collect();
    // The page comes again; the ECS image that it lacks is asked, and has nothing.
    let page = list(&shown);
    let server = server(vec![page.clone(), page, list(&[])]);
    let plan = Plan::of(
        ecs_ids
            .iter()
            .map(|ecs_id| (FPGA_ID, ecs_id.as_str(), ecs_id != "ecs-39")),
    );
    let client = config().client(&server.endpoint());
    let outcome = client.apply(TOKEN, PROJECT_ID, &plan);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    assert_eq!(plan.count(AS_WANTED), 40);
    let requests = server.finish().requests;
    assert_eq!(requests.len(), 3);
    let last = support::lists::first_line(&requests[2].bytes);
    assert!(last.contains("image_id=ecs-39"), "{last}");
    let _ = Then::Keep;
}
