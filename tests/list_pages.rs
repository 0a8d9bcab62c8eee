//! A list is whole: its pages are read to their end, and again where they moved.

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::call::{FPGA_ID, PROJECT_ID, TOKEN};
use support::client::{Client, List, config};
use support::lists::{first_line, in_turn, list_from, once, page, service};
use support::raw::Server;

fn list(client: &Client, service: &Emulator, fpga_id: Option<&str>, ecs_id: Option<&str>) -> List {
    client
        .associations(service.token(), service.project_id(), fpga_id, ecs_id)
        .unwrap()
}

#[test]
fn a_list_is_by_fpga_image_by_ecs_image_or_by_both() {
    let service = service();
    let client = config().client(service.endpoint());
    let [one, two] = [&service.fpga_ids()[0], &service.fpga_ids()[1]];
    let [first, second] = [&service.ecs_ids()[0], &service.ecs_ids()[1]];
    for (fpga_id, ecs_id) in [(one, first), (two, first), (one, second)] {
        service.associate(fpga_id, ecs_id);
    }
    for (fpga_id, ecs_id, pairs) in [
        (Some(one), None, vec![(one, first), (one, second)]),
        (None, Some(first), vec![(one, first), (two, first)]),
        (Some(one), Some(second), vec![(one, second)]),
        (Some(two), Some(second), vec![]),
    ] {
        let fpga_id = fpga_id.map(String::as_str);
        let ecs_id = ecs_id.map(String::as_str);
        let mut expected: Vec<_> = pairs
            .into_iter()
            .map(|(fpga_id, ecs_id)| (fpga_id.clone(), ecs_id.clone()))
            .collect();
        let mut found = list(&client, &service, fpga_id, ecs_id).pairs();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{fpga_id:?} {ecs_id:?}");
    }
}

#[test]
fn pages_of_100_are_fetched_over_one_connection_until_one_is_not_full() {
    for (pairs, pages) in [(0, 1), (1, 1), (99, 1), (100, 2), (101, 2), (250, 3)] {
        let service = service();
        let ecs_id = &service.ecs_ids()[0];
        for fpga_id in service.add_fpga_images(pairs) {
            service.associate(&fpga_id, ecs_id);
        }
        let server = forwarding(&service);
        let client = config().client(&server.endpoint());
        let found = list(&client, &service, None, Some(ecs_id));
        assert_eq!(found.len(), pairs, "{pairs}");
        let seen = server.finish();
        assert_eq!(seen.connections, 1, "{pairs}");
        let lines: Vec<_> = seen
            .requests
            .iter()
            .map(|request| first_line(&request.bytes))
            .collect();
        let expected: Vec<_> = (1..=pages)
            .map(|page| {
                let project_id = service.project_id();
                format!("GET /v1/{project_id}/cloudservers/fpga_image/associations?image_id={ecs_id}&page={page}&size=100 HTTP/1.1")
            })
            .collect();
        assert_eq!(lines, expected);
    }
}

/// Hands everything on to the emulator, and counts connections.
fn forwarding(service: &Emulator) -> Server {
    use support::relay::{Break, Listing, relay};
    relay(service.address(), Break::InTheAnswer, 0, Listing::Works)
}

#[test]
fn by_fpga_image_pages_are_read_until_an_empty_one() {
    // What the caller may not see is left out of a page, so that it is short.
    let pages = vec![page(0, 100), page(100, 3), page(103, 100), page(0, 0)];
    let server = in_turn(pages);
    let client = config().client(&server.endpoint());
    let found = client
        .associations(TOKEN, PROJECT_ID, Some(FPGA_ID), None)
        .unwrap();
    assert_eq!(found.len(), 203);
    let seen = server.finish();
    assert_eq!((seen.connections, seen.requests.len()), (1, 4));
    assert!(first_line(&seen.requests[3].bytes).contains("page=4&size=100"));
}

#[test]
fn a_service_that_does_not_know_paging_ends_the_list() {
    let server = in_turn(vec![page(0, 150)]);
    assert_eq!(once(&server).unwrap().len(), 150);
    assert_eq!(server.finish().requests.len(), 2);

    let server = in_turn(vec![page(0, 150)]);
    let found = list_from(&config().client(&server.endpoint())).unwrap();
    assert_eq!(found.len(), 150);
    // Twice, because a list whose pages moved looks the same.
    assert_eq!(server.finish().requests.len(), 4);
}

#[test]
fn a_pair_that_moved_to_a_later_page_is_listed_once() {
    let pages = vec![page(0, 100), page(90, 20)];
    assert_eq!(once(&in_turn(pages)).unwrap().len(), 110);
}

#[test]
fn a_list_that_moved_while_it_was_read_is_read_again() {
    let moved = [page(0, 100), page(90, 30)];
    let still = [page(0, 100), page(100, 30)];
    let server = in_turn([moved, still].concat());
    let found = list_from(&config().client(&server.endpoint())).unwrap();
    assert_eq!(found.len(), 130);
    assert_eq!(server.finish().requests.len(), 4);
}

#[test]
fn a_list_that_never_stands_still_is_an_error() {
    let reading = |first: usize| [page(first, 100), page(first + 90, 30)];
    let server = in_turn([reading(0), reading(1), reading(2)].concat());
    let outcome = list_from(&config().client(&server.endpoint()))
        .map(|_| ())
        .unwrap_err();
    assert!(outcome.is(Status::BAD_RESPONSE), "{outcome:?}");
    assert!(outcome.message.contains("moved"), "{outcome:?}");
    assert!(!outcome.outcome_unknown, "{outcome:?}");
    assert_eq!(outcome.attempts, 3, "{outcome:?}");
    assert_eq!(server.finish().requests.len(), 6);
}
