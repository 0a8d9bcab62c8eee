//! The three calls that need no client, as C makes them, and what their list's functions do with NULL.

use std::ffi::CString;
use std::ptr;

use ecs_emulator::Emulator;
use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call;
use support::client::{config, text};
use support::raw::{NO_CONTENT, Server, Then};

#[test]
fn a_pair_is_associated_listed_and_taken_apart_without_a_client() {
    let service = Emulator::start_plain().unwrap();
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    let pair = (fpga_id.clone(), ecs_id.clone());
    let (endpoint, token) = (service.endpoint(), service.token());
    let texts = [endpoint, token, service.project_id(), fpga_id, ecs_id];
    let texts = texts.map(|text| CString::new(text).unwrap());
    let [endpoint, token, project_id, fpga_id, ecs_id] = texts.each_ref().map(|text| text.as_ptr());
    // SAFETY: the texts live for the calls, and each list is freed once.
    unsafe {
        let status = capi::fpga_associate(endpoint, token, project_id, fpga_id, ecs_id);
        let outcome = call::outcome(status);
        assert!(outcome.is(Status::OK), "{outcome:?}");
        assert_eq!(service.associations(), std::slice::from_ref(&pair));

        let none = ptr::null();
        for (fpga_id, ecs_id) in [(fpga_id, none), (none, ecs_id), (fpga_id, ecs_id)] {
            let mut list = ptr::null_mut();
            let place = &raw mut list;
            let status =
                capi::fpga_associations(endpoint, token, project_id, fpga_id, ecs_id, place);
            let outcome = call::outcome(status);
            assert!(outcome.is(Status::OK), "{outcome:?}");
            let list = Box::from_raw(list);
            assert_eq!(capi::fpga_assoc_list_len(Some(&list)), 1);
            let entry = &*capi::fpga_assoc_list_get(Some(&list), 0);
            assert_eq!((text(entry.fpga_id), text(entry.ecs_id)), pair);
            capi::fpga_assoc_list_free(Some(list));
        }

        for expected in [Status::OK, Status::NOT_ASSOCIATED] {
            let status = capi::fpga_disassociate(endpoint, token, project_id, fpga_id, ecs_id);
            let outcome = call::outcome(status);
            assert!(outcome.is(expected), "{outcome:?}");
            assert_eq!(service.associations(), []);
        }
    }
}

#[test]
fn without_a_place_for_the_list_nothing_is_asked_and_a_place_is_written_to() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let endpoint = CString::new(server.endpoint()).unwrap();
    let client = config().client(&server.endpoint());
    let (endpoint, id, nowhere) = (endpoint.as_ptr(), c"id".as_ptr(), ptr::null_mut());
    // As a caller has it who initialises nothing.
    let mut list = ptr::without_provenance_mut(usize::MAX & !15);
    // SAFETY: the texts and the client live for the calls, and NULL is what is tried.
    let statuses = unsafe {
        [
            capi::fpga_associations(endpoint, id, id, id, id, nowhere),
            capi::fpga_assoc_client_associations(
                client.as_ptr(),
                id,
                id,
                id,
                id,
                nowhere,
                ptr::null_mut(),
            ),
            capi::fpga_associations(c"".as_ptr(), id, id, id, id, &raw mut list),
        ]
    };
    assert_eq!(statuses, [Status::INVALID_ARGUMENT.number(); 3]);
    assert!(list.is_null());
    assert_eq!(server.finish().connections, 0);
}

#[test]
fn the_functions_of_a_list_take_null() {
    assert_eq!(capi::fpga_assoc_list_len(None), 0);
    assert!(capi::fpga_assoc_list_get(None, 0).is_null());
    assert_eq!(text(capi::fpga_assoc_list_json(None)), "");
    capi::fpga_assoc_list_free(None);
}
