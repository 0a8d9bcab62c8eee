//! Tokens and access keys: what they look like, how they end, and how a key is locked.
mod support;

use ecs_emulator::Emulator;
use support::signing::{first_key, list, now, refused, with_another_secret};
use support::{Answer, Client};

const MINUTE: i64 = 60;

#[test]
fn keys_look_like_the_services() {
    let ecs = Emulator::start_plain().unwrap();
    let (permanent, temporary) = (ecs.issue_access_key(), ecs.issue_temporary_access_key(900));
    for key in [&first_key(&ecs), &permanent, &temporary] {
        let capital = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        assert!(key.access_key.len() == 20 && key.access_key.bytes().all(capital));
        let base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        assert!(key.secret_key.len() == 40 && key.secret_key.bytes().all(base64));
        assert!(key.secret_key.contains('+') && key.secret_key.contains('/'));
    }
    assert_eq!(
        (permanent.security_token, permanent.expires_at),
        (None, None)
    );
    let length = temporary.security_token.unwrap().len();
    assert!((1_024..2_048).contains(&length), "{length}");
    assert!((now() + 890..=now() + 900).contains(&temporary.expires_at.unwrap()));
}

#[test]
fn the_date_of_an_answer_follows_the_clock() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    ecs.set_clock_offset(951_782_400 - now());
    let date = client.list("").date;
    assert!(date.starts_with("Tue, 29 Feb 2000 00:00:"), "{date}");
    assert!(client.send("GET", "/", "").date.starts_with("Tue, 29 Feb"));
}

#[test]
fn five_failures_in_a_row_lock_an_access_key_for_five_minutes() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let key = ecs.issue_access_key();
    let good = |offset| list(&ecs, &key).at(now() + offset).send(&client);
    let bad = || list(&ecs, &with_another_secret(&key)).send(&client);

    // A success before the fifth begins the count anew.
    for failures in 1..=4 {
        assert_eq!(
            (bad().status, ecs.failures_of(&key.access_key)),
            (401, failures)
        );
    }
    assert_eq!((good(0).status, ecs.failures_of(&key.access_key)), (200, 0));

    // Whatever is wrong with them counts: two times, two signatures, a security token.
    for answer in [
        good(20 * MINUTE),
        bad(),
        good(-20 * MINUTE),
        bad(),
        list(&ecs, &key)
            .adding("x-security-token", "x")
            .send(&client),
    ] {
        assert_eq!(answer.status, 401);
        assert!(!answer.text.contains("forbidden"), "{}", answer.text);
    }
    let locked = "AK access failed to reach the limit,forbidden.";
    for answer in [good(0), bad(), good(20 * MINUTE)] {
        refused(&answer, locked);
    }
    assert_eq!(ecs.failures_of(&key.access_key), 5);
    assert_eq!(list(&ecs, &first_key(&ecs)).send(&client).status, 200);
    assert_eq!(client.list("").status, 200);

    ecs.set_clock_offset(5 * MINUTE - 10);
    refused(&good(0), locked);
    ecs.set_clock_offset(5 * MINUTE);
    assert_eq!(good(0).status, 200);
    assert_eq!(ecs.failures_of(&key.access_key), 0);
    assert_eq!((bad().status, ecs.failures_of(&key.access_key)), (401, 1));
}

#[test]
fn a_key_that_is_not_there_is_named() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (gone, stays) = (ecs.issue_access_key(), ecs.issue_access_key());
    assert_eq!(list(&ecs, &gone).send(&client).status, 200);
    ecs.revoke_access_key(&gone.access_key);
    let cause = format!("ak {} not exist", gone.access_key);
    for _ in 0..6 {
        refused(&list(&ecs, &gone).send(&client), &cause);
    }
    assert_eq!(ecs.failures_of(&gone.access_key), 0);
    assert_eq!(list(&ecs, &stays).send(&client).status, 200);
}

#[test]
fn a_temporary_key_ends_with_its_time() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let key = ecs.issue_temporary_access_key(60 * MINUTE);
    let at = |offset| {
        ecs.set_clock_offset(offset);
        list(&ecs, &key).at(now() + offset).send(&client)
    };
    let expired = "verify aksk signature fail: security token expired";
    assert_eq!(at(59 * MINUTE).status, 200);
    refused(&at(60 * MINUTE), expired);
    assert_eq!(at(0).status, 200);
    ecs.expire_access_key(&key.access_key);
    refused(&at(0), expired);

    let permanent = ecs.issue_access_key();
    ecs.expire_access_key(&permanent.access_key);
    refused(&list(&ecs, &permanent).send(&client), expired);
}

#[test]
fn tokens_can_be_issued_and_end() {
    let ecs = Emulator::start().unwrap();
    let token = ecs.issue_token(60 * MINUTE);
    let list = |token: &str| {
        let mut client = Client::new(&ecs);
        client.token = Some(token.to_owned());
        client.list("")
    };
    let expired = |answer: Answer| {
        let (status, code, _) = answer.refusal();
        assert_eq!((status, code.as_str()), (401, "APIGW.0307"));
    };
    assert_eq!(list(&token).status, 200);
    ecs.set_clock_offset(60 * MINUTE);
    expired(list(&token));
    assert_eq!(list(ecs.token()).status, 200);
    ecs.set_clock_offset(0);
    assert_eq!(list(&token).status, 200);
    for token in [token.as_str(), ecs.token()] {
        ecs.expire_token(token);
        expired(list(token));
    }
}
