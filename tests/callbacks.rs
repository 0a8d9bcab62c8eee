//! On which thread the host's functions are called, and what a client does that has none.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Barrier, OnceLock, mpsc};
use std::thread;

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::client::{Client, config};
use support::itself::{end_child, was_so_in};
use support::raw::{NO_CONTENT, Server, Then, answer};
use support::slow::on_line;

#[test]
fn the_functions_for_the_log_and_for_credentials_are_called_on_the_thread_that_calls() {
    let server = Server::answering_first(answer(429, "", ""), Then::Keep);
    let (tells, told) = mpsc::channel();
    let tells_too = tells.clone();
    let settings = config().credentials(move |_, grant| {
        tells_too.send(thread::current().id()).unwrap();
        assert_eq!(grant.token("a-token", 0), 0);
    });
    let settings = on_line(settings, move |_, _| {
        tells.send(thread::current().id()).unwrap();
    });
    let client = settings.client(&server.endpoint());
    let caller = thread::scope(|scope| {
        let call = scope.spawn(|| {
            let outcome = client.own_example();
            assert!(outcome.is(Status::OK), "{outcome:?}");
            thread::current().id()
        });
        call.join().unwrap()
    });
    let threads: Vec<_> = told.try_iter().collect();
    assert!(threads.len() > 5, "{threads:?}");
    assert!(threads.iter().all(|thread| *thread == caller));
}

#[test]
fn null_in_place_of_a_credentials_callback_takes_the_clients_credentials_away() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let settings = config().token("a-token").set(|config| {
        let set = capi::fpga_assoc_config_set_credentials_callback;
        // SAFETY: the configuration is alive.
        unsafe { set(config, None, ptr::null_mut()) }
    });
    let outcome = settings.client(&server.endpoint()).own_example();
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
    assert!(outcome.message.starts_with("token: is NULL"), "{outcome:?}");
    assert_eq!(server.finish().connections, 0);
}

unsafe extern "C" fn refuse(_: *mut c_void, _: i32, grant: *mut capi::fpga_assoc_grant) {
    // SAFETY: the grant lives as long as the callback, and the text is a constant.
    unsafe {
        let status = capi::fpga_assoc_grant_refuse(grant, c"\xff".as_ptr());
        assert_eq!(status, Status::INVALID_ARGUMENT.number());
        assert_eq!(capi::fpga_assoc_grant_refuse(grant, ptr::null()), 0);
    }
}

#[test]
fn a_refusal_needs_no_words_and_takes_none_that_are_not_utf_8() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let settings = config().set(|config| {
        let set = capi::fpga_assoc_config_set_credentials_callback;
        // SAFETY: the configuration is alive.
        unsafe { set(config, Some(refuse), ptr::null_mut()) }
    });
    let outcome = settings.client(&server.endpoint()).own_example();
    assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
    let words = "the credentials callback refused";
    assert!(outcome.message.ends_with(words), "{outcome:?}");
    assert_eq!(server.finish().connections, 0);
}

#[test]
fn a_child_of_the_credentials_callback_sends_nothing_of_its_parents_call() {
    for child_refuses in [false, true] {
        let server = Server::answering(NO_CONTENT, Then::Keep);
        let child = Arc::new(AtomicI32::new(-1));
        let made = Arc::clone(&child);
        let settings = config().credentials(move |_, grant| {
            // SAFETY: the child makes no call but the one that it is in, and ends.
            let child = unsafe { libc::fork() };
            made.store(child, Ordering::SeqCst);
            match child == 0 && child_refuses {
                true => assert_eq!(grant.refuse("not here"), 0),
                false => assert_eq!(grant.token("a-token", 0), 0),
            }
        });
        let outcome = settings.client(&server.endpoint()).own_example();
        let child = child.load(Ordering::SeqCst);
        if child == 0 {
            // Its parent goes on with the same call.
            end_child(outcome.is(Status::CONNECTION_LOST) && outcome.outcome_unknown);
        }
        assert!(child > 0 && outcome.is(Status::OK), "{outcome:?}");
        assert!(was_so_in(child), "{child_refuses}");
        assert_eq!(server.finish().requests.len(), 1);
    }
}

/// Each waits for credentials that the other's function is to bring, which waits in its turn; one that has
/// waited until its deadline lets the other go on.
#[test]
fn two_clients_whose_functions_call_each_other_wait_until_a_deadline_and_no_longer() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let clients: Arc<[OnceLock<Client>; 2]> = Arc::default();
    let are_both_asked = Arc::new(Barrier::new(2));
    for (one, other, timeout_ms) in [(0, 1, 500), (1, 0, 60_000)] {
        let (all, are_both_asked) = (Arc::clone(&clients), Arc::clone(&are_both_asked));
        let settings = config()
            .timeout_ms(timeout_ms)
            .credentials(move |_, grant| {
                are_both_asked.wait();
                all[other].get().unwrap().own_example();
                assert_eq!(grant.token("a-token", 0), 0);
            });
        assert!(
            clients[one]
                .set(settings.client(&server.endpoint()))
                .is_ok()
        );
    }
    let [hasty, patient] = &*clients;
    thread::scope(|scope| {
        let call = scope.spawn(|| patient.get().unwrap().own_example());
        let outcome = hasty.get().unwrap().own_example();
        assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
        let outcome = call.join().unwrap();
        assert!(outcome.is(Status::OK), "{outcome:?}");
    });
    assert_eq!(server.finish().requests.len(), 2);
}
