//! Credentials that a function of the host gives.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::{iter, ptr};

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::asked::{FIRST, REFUSED, asking, associate};
use support::call::associate_raw;
use support::client::config;
use support::credentials::{ACCESS_KEY, Grant, SECRET_KEY, in_seconds};
use support::raw::{NO_CONTENT, Server, Then, answer};

#[test]
fn a_host_is_asked_once_for_what_does_not_expire() {
    let service = Emulator::start_plain().unwrap();
    let token = service.token().to_owned();
    let (client, asked) = asking(service.endpoint(), move |_, grant| {
        assert_eq!(grant.token(&token, 0), 0);
    });
    for _ in 0..5 {
        assert!(associate(&client, &service).is(Status::OK));
    }
    assert_eq!(asked.reasons(), [FIRST]);
}

#[test]
fn a_token_that_the_service_refuses_is_replaced_once_and_the_request_sent_again() {
    let service = Emulator::start_plain().unwrap();
    let tokens = [service.issue_token(3600), service.issue_token(3600)];
    let (client, asked) = asking(service.endpoint(), {
        let tokens = tokens.clone();
        move |nth, grant| assert_eq!(grant.token(&tokens[nth - 1], in_seconds(3600)), 0)
    });
    assert!(associate(&client, &service).is(Status::OK));
    service.expire_token(&tokens[0]);
    assert!(associate(&client, &service).is(Status::OK));
    assert_eq!(asked.reasons(), [FIRST, REFUSED]);
    let statuses = service
        .requests()
        .iter()
        .map(|request| request.status)
        .take(3)
        .collect::<Vec<_>>();
    assert_eq!(statuses[..2], [204, 401]);

    // The same with keys that sign.
    let keys = [0; 2].map(|_| service.issue_temporary_access_key(3600));
    let (client, asked) = asking(service.endpoint(), {
        let keys = keys.clone();
        move |nth, grant| {
            let key = &keys[nth - 1];
            let token = key.security_token.as_deref();
            assert_eq!(
                grant.access_key(&key.access_key, &key.secret_key, token, in_seconds(3600)),
                0
            );
        }
    });
    service.expire_access_key(&keys[0].access_key);
    assert!(associate(&client, &service).is(Status::OK));
    assert_eq!(asked.reasons(), [FIRST, REFUSED]);
    assert_eq!(service.failures_of(&keys[0].access_key), 1);
}

#[test]
fn a_second_401_is_the_answer() {
    for grants_keys in [false, true] {
        let server = Server::answering(answer(401, "", ""), Then::Keep);
        let (client, asked) = asking(&server.endpoint(), move |nth, grant| {
            let status = match grants_keys {
                false => grant.token(&format!("token-{nth}"), 0),
                true => grant.access_key(&format!("AK{nth}"), SECRET_KEY, None, 0),
            };
            assert_eq!(status, 0);
        });
        let outcome = client.own_example();
        assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
        assert!(!outcome.outcome_unknown);
        assert_eq!(outcome.attempts, 1);
        assert_eq!(asked.reasons(), [FIRST, REFUSED]);
        assert_eq!(server.finish().requests.len(), 2);
    }
}

#[test]
fn what_is_granted_again_is_not_sent_again() {
    let server = Server::answering(answer(401, "", ""), Then::Keep);
    let (client, asked) = asking(&server.endpoint(), |_, grant| {
        assert_eq!(grant.access_key(ACCESS_KEY, SECRET_KEY, None, 0), 0);
    });
    let outcome = client.own_example();
    assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
    assert_eq!(asked.reasons(), [FIRST, REFUSED]);
    assert_eq!(server.finish().requests.len(), 1);
}

#[test]
fn a_host_that_grants_nothing_is_told_so_and_nothing_is_sent() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    type Case = (fn(&Grant), &'static str);
    let cases: [Case; 5] = [
        (|_| (), "the credentials callback granted nothing"),
        (
            |grant| assert_eq!(grant.refuse("the vault is\nsealed"), 0),
            "the credentials callback refused: the vault is sealed",
        ),
        (
            |grant| assert_eq!(grant.refuse(""), 0),
            "the credentials callback refused",
        ),
        (
            |grant| assert_eq!(grant.token("", 0), Status::INVALID_ARGUMENT.number()),
            "the credentials callback granted what can't be used: token: is empty",
        ),
        (
            |grant| assert_eq!(grant.token("t", -1), Status::INVALID_ARGUMENT.number()),
            "the credentials callback granted what can't be used: expires_at: is negative",
        ),
    ];
    for (grant, words) in cases {
        let (client, asked) = asking(&server.endpoint(), move |_, answer| grant(answer));
        for _ in 0..2 {
            let outcome = client.own_example();
            assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
            assert!(outcome.message.ends_with(words), "{outcome:?}");
            assert!(!outcome.outcome_unknown);
        }
        assert_eq!(asked.reasons(), [FIRST, FIRST]);
    }
    assert_eq!(server.finish().connections, 0);
}

#[test]
fn a_refusal_after_a_401_says_both() {
    let body = r#"{"error_code":"APIGW.0301","error_msg":"Incorrect token","request_id":"abc"}"#;
    let server = Server::answering(answer(401, "Retry-After: 7\r\n", body), Then::Keep);
    let (client, _) = asking(&server.endpoint(), |nth, grant| match nth {
        1 => assert_eq!(grant.token("first-token", 0), 0),
        _ => assert_eq!(grant.refuse("no more"), 0),
    });
    let outcome = client.own_example();
    assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
    assert!(outcome.message.contains("no more"), "{outcome:?}");
    assert!(outcome.message.contains("HTTP 401"), "{outcome:?}");
    assert_eq!((outcome.http_status, outcome.outcome_unknown), (401, false));
    assert_eq!(
        (&*outcome.code, &*outcome.request_id),
        ("APIGW.0301", "abc")
    );
    assert_eq!(outcome.retry_after_ms, 7_000);
}

#[test]
fn the_last_grant_that_succeeds_counts() {
    let service = Emulator::start_plain().unwrap();
    let token = service.token().to_owned();
    let (client, _) = asking(service.endpoint(), move |_, grant| {
        assert_eq!(grant.refuse("not yet"), 0);
        assert_eq!(grant.token(&token, 0), 0);
        assert_ne!(grant.token("", 0), 0);
    });
    assert!(associate(&client, &service).is(Status::OK));
}

#[test]
fn a_callback_that_calls_its_own_client_is_refused_and_not_held_up() {
    let service = Emulator::start_plain().unwrap();
    let own = Arc::new(AtomicPtr::new(ptr::null_mut()));
    let was_refused = Arc::new(AtomicBool::new(false));
    let token = service.token().to_owned();
    let (client, _) = asking(service.endpoint(), {
        let (own, was_refused) = (Arc::clone(&own), Arc::clone(&was_refused));
        move |_, grant| {
            let status = associate_raw(own.load(Ordering::SeqCst), ptr::null_mut());
            was_refused.store(
                status == Status::INVALID_ARGUMENT.number(),
                Ordering::SeqCst,
            );
            assert_eq!(grant.token(&token, 0), 0);
        }
    });
    own.store(client.as_ptr(), Ordering::SeqCst);
    assert!(associate(&client, &service).is(Status::OK));
    assert!(was_refused.load(Ordering::SeqCst));
}

#[test]
fn what_expires_at_once_is_used_once_and_no_loop_begins() {
    let service = Emulator::start_plain().unwrap();
    let token = service.token().to_owned();
    for life in [-3600, 0, 30, 59] {
        let token = token.clone();
        let (client, asked) = asking(service.endpoint(), move |_, grant| {
            assert_eq!(grant.token(&token, in_seconds(life)), 0);
        });
        for _ in 0..3 {
            assert!(associate(&client, &service).is(Status::OK));
        }
        let reasons = asked.reasons();
        let expiring = iter::repeat_n(2, reasons.len() - 1).collect::<Vec<_>>();
        assert_eq!((reasons[0], &reasons[1..]), (FIRST, &*expiring));
        // Each of its requests asks, and nothing else does: a change that finds nothing to do asks the list too.
        assert!(
            (3..=service.requests().len()).contains(&reasons.len()),
            "{reasons:?}"
        );
        service.clear_requests();
    }
}

#[test]
fn one_clients_credentials_are_no_others() {
    let service = Emulator::start_plain().unwrap();
    let token = service.token().to_owned();
    let (one, asked) = asking(service.endpoint(), move |_, grant| {
        assert_eq!(grant.token(&token, 0), 0);
    });
    let other = config().client(service.endpoint());
    assert!(associate(&one, &service).is(Status::OK));
    assert!(associate(&other, &service).is(Status::INVALID_ARGUMENT));
    // A token that is given leaves the client's own where they are.
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    let outcome = one.associate("wrong", service.project_id(), fpga_id, ecs_id);
    assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
    assert!(associate(&one, &service).is(Status::OK));
    assert_eq!(asked.reasons(), [FIRST]);
}
