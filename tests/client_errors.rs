//! What a client refuses is said before anything is sent; errors go where the caller wants them.

use std::ffi::CStr;
use std::io::Write;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::{ptr, thread};

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call::{self, ECS_ID, FPGA_ID, PROJECT_ID, TOKEN, associate_raw};
use support::client::config;
use support::raw::{NO_CONTENT, Server, Then, answer, succeed};
use support::settings::{SET_TIMEOUT, assert_refused, set_number};

fn last_error() -> String {
    // SAFETY: never NULL, and alive until the thread's next call.
    let text = unsafe { CStr::from_ptr(capi::fpga_assoc_last_error()) };
    text.to_str().unwrap().to_owned()
}

/// A pointer that leads nowhere, as a caller has who initialises nothing.
fn garbage<T>() -> *mut T {
    ptr::without_provenance_mut(usize::MAX & !15)
}

#[test]
fn a_client_that_cannot_be_made_is_null_and_the_error_is_given() {
    let mut error = garbage();
    // SAFETY: all pointers but the one under test are good for their calls.
    unsafe {
        for endpoint in [ptr::null(), c"".as_ptr(), c"\xff".as_ptr()] {
            let mut client = garbage();
            let status =
                capi::fpga_assoc_client_new(endpoint, None, &raw mut client, &raw mut error);
            assert!(client.is_null());
            assert_refused(
                &call::outcome_of(status, error.as_ref()),
                "endpoint",
                endpoint,
            );
            capi::fpga_assoc_error_free(error);
            error = garbage();
        }
        let host = c"service.test".as_ptr();
        let status = capi::fpga_assoc_client_new(host, None, ptr::null_mut(), &raw mut error);
        assert_refused(
            &call::outcome_of(status, error.as_ref()),
            "client",
            "no place",
        );
        capi::fpga_assoc_error_free(error);

        let mut client = garbage();
        error = garbage();
        let status = capi::fpga_assoc_client_new(host, None, &raw mut client, &raw mut error);
        assert_eq!(status, 0);
        assert!(error.is_null());
        capi::fpga_assoc_client_free(Some(Box::from_raw(client)));
    }
}

#[test]
fn arguments_of_a_client_are_checked_before_anything_is_sent() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = config().client(&server.endpoint());
    assert_refused(
        &call::outcome(associate_raw(ptr::null_mut(), ptr::null_mut())),
        "client",
        "NULL",
    );
    for (argument, [token, project_id, fpga_id, ecs_id]) in [
        ("token", ["", PROJECT_ID, FPGA_ID, ECS_ID]),
        ("token", ["a b", PROJECT_ID, FPGA_ID, ECS_ID]),
        ("project_id", [TOKEN, "", FPGA_ID, ECS_ID]),
        ("project_id", [TOKEN, "a/b", FPGA_ID, ECS_ID]),
        ("fpga_id", [TOKEN, PROJECT_ID, "a b", ECS_ID]),
        ("ecs_id", [TOKEN, PROJECT_ID, FPGA_ID, "镜像"]),
    ] {
        let outcome = client.associate(token, project_id, fpga_id, ecs_id);
        assert_refused(&outcome, argument, argument);
    }
    let texts = ["token", "project_id", "fpga_id", "ecs_id"];
    for (at, argument) in texts.iter().enumerate() {
        for bad in [ptr::null(), c"\xff".as_ptr()] {
            let mut given = [c"t".as_ptr(); 4];
            given[at] = bad;
            let [token, project_id, fpga_id, ecs_id] = given;
            let none = ptr::null_mut();
            // SAFETY: the client is alive, and the texts are constants or NULL.
            let status = unsafe {
                capi::fpga_assoc_client_associate(
                    client.as_ptr(),
                    token,
                    project_id,
                    fpga_id,
                    ecs_id,
                    none,
                )
            };
            assert_refused(&call::outcome(status), argument, bad);
        }
    }
    assert_eq!(server.finish().connections, 0);
}

#[test]
fn an_error_goes_where_the_caller_wants_it_and_nowhere_else() {
    let server = Server::start(|nth, stream| match nth {
        0 | 2 => succeed(stream),
        _ => {
            stream.write_all(&answer(404, "", "no such thing")).ok();
            Then::Keep
        }
    });
    let client = config().client(&server.endpoint());
    let earlier = set_number(&config(), SET_TIMEOUT, 0).message;

    // To the caller: the thread's last error stays as it was.
    let mut error = garbage();
    assert_eq!(associate_raw(client.as_ptr(), &raw mut error), 0);
    assert!(error.is_null());
    assert_eq!(last_error(), earlier);
    error = garbage();
    let status = associate_raw(client.as_ptr(), &raw mut error);
    assert_eq!(status, Status::NOT_FOUND.number());
    assert_eq!(last_error(), earlier);

    // To the thread: cleared by a success, set by a failure.
    assert_eq!(associate_raw(client.as_ptr(), ptr::null_mut()), 0);
    assert_eq!(last_error(), "");
    let status = associate_raw(client.as_ptr(), ptr::null_mut());
    let second = call::outcome(status);
    assert!(second.is(Status::NOT_FOUND), "{second:?}");

    // An error outlives its client, and may be read and freed by another thread.
    drop(client);
    let error = AtomicPtr::new(error);
    thread::scope(|scope| {
        scope.spawn(|| {
            let error = error.load(Ordering::SeqCst);
            // SAFETY: given above, and freed once.
            let first = unsafe { call::outcome_of(status, error.as_ref()) };
            assert_eq!(first, second);
            // SAFETY: as above.
            unsafe { capi::fpga_assoc_error_free(error) };
        });
    });
    assert_eq!(last_error(), second.message);
}

#[test]
fn null_is_freed_and_shut_down_as_nothing() {
    // SAFETY: NULL is ignored.
    unsafe {
        capi::fpga_assoc_client_shutdown(ptr::null_mut());
        capi::fpga_assoc_error_free(ptr::null_mut());
    }
    capi::fpga_assoc_config_free(None);
    capi::fpga_assoc_client_free(None);
}
