//! Requests that an access key signs. The emulator verifies each with an implementation of its own.

use std::io::Write;

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::call::{Outcome, PROJECT_ID};
use support::client::{Client, config};
use support::credentials::{ACCESS_KEY, SECRET_KEY, SECURITY_TOKEN, header_of};
use support::raw::{NO_CONTENT, Server, Then, answer, succeed};

fn pair(service: &Emulator) -> [&str; 3] {
    [
        service.project_id(),
        &service.fpga_ids()[0],
        &service.ecs_ids()[0],
    ]
}

fn associate(client: &Client, service: &Emulator) -> Outcome {
    let [project_id, fpga_id, ecs_id] = pair(service);
    client.own_associate(project_id, fpga_id, ecs_id)
}

fn signing(service: &Emulator) -> Client {
    config()
        .ca_file(service.ca_file().to_str().unwrap())
        .access_key(service.access_key(), service.secret_key(), None)
        .client(service.endpoint())
}

/// With a secret key that is not the service's.
fn wrong(service: &Emulator) -> Client {
    config()
        .ca_file(service.ca_file().to_str().unwrap())
        .access_key(service.access_key(), SECRET_KEY, None)
        .client(service.endpoint())
}

#[test]
fn all_calls_are_signed_and_carry_no_token() {
    for service in [Emulator::start().unwrap(), Emulator::start_plain().unwrap()] {
        let client = signing(&service);
        let [project_id, fpga_id, ecs_id] = pair(&service);
        assert!(associate(&client, &service).is(Status::OK));
        for filter in [
            (Some(fpga_id), None),
            (None, Some(ecs_id)),
            (Some(fpga_id), Some(ecs_id)),
        ] {
            let list = client.list(None, project_id, filter.0, filter.1).unwrap();
            assert_eq!(list.pairs(), [(fpga_id.to_owned(), ecs_id.to_owned())]);
        }
        let outcome = client.own_disassociate(project_id, fpga_id, ecs_id);
        assert!(outcome.is(Status::OK), "{outcome:?}");
        let requests = service.requests();
        // By FPGA image there are pages until an empty one.
        assert_eq!(requests.len(), 6);
        for request in requests {
            let authorization = request.header("authorization").unwrap();
            assert!(authorization.starts_with("SDK-HMAC-SHA256 Access="));
            assert_eq!(request.header("x-auth-token"), None);
            assert_eq!(request.header("x-project-id"), Some(project_id));
            assert_eq!(request.header("x-security-token"), None);
            assert!(!request.path.ends_with('/'), "{request:?}");
        }
    }
}

#[test]
fn a_temporary_key_is_signed_with_its_security_token() {
    let service = Emulator::start().unwrap();
    let key = service.issue_temporary_access_key(3600);
    let client = config()
        .ca_file(service.ca_file().to_str().unwrap())
        .access_key(
            &key.access_key,
            &key.secret_key,
            key.security_token.as_deref(),
        )
        .client(service.endpoint());
    assert!(associate(&client, &service).is(Status::OK));
    let requests = service.requests();
    let token = requests[0].header("x-security-token");
    assert_eq!(token, key.security_token.as_deref());
    let authorization = requests[0].header("authorization").unwrap();
    assert!(
        authorization.contains("x-sdk-date;x-security-token, "),
        "{authorization}"
    );
}

#[test]
fn all_that_matters_is_signed_and_nothing_that_a_proxy_changes() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = config()
        .access_key(ACCESS_KEY, SECRET_KEY, Some(SECURITY_TOKEN))
        .client(&server.endpoint());
    assert!(client.own_example().is(Status::OK));
    let request = &server.seen().requests[0].bytes;
    let header = |name| header_of(request, name);
    let names = "SignedHeaders=content-type;host;x-project-id;x-sdk-date;x-security-token,";
    assert!(header("authorization").unwrap().contains(names));
    assert_eq!(header("host").unwrap(), server.address().to_string());
    assert_eq!(header("x-project-id").as_deref(), Some(PROJECT_ID));
    assert_eq!(header("x-security-token").as_deref(), Some(SECURITY_TOKEN));
    assert_eq!(header("x-sdk-date").unwrap().len(), 16);
    assert_eq!(header("x-auth-token"), None);
    assert!(!String::from_utf8_lossy(request).contains(SECRET_KEY));
}

#[test]
fn each_attempt_is_signed_anew() {
    let server = Server::start(|nth, stream| match nth {
        0 => {
            let later = answer(429, "Retry-After: 1\r\n", "");
            stream.write_all(&later).ok();
            Then::Keep
        }
        _ => succeed(stream),
    });
    let client = config()
        .access_key(ACCESS_KEY, SECRET_KEY, None)
        .client(&server.endpoint());
    assert!(client.own_example().is(Status::OK));
    let requests = server.seen().requests;
    assert_eq!(requests.len(), 2);
    for name in ["x-sdk-date", "authorization"] {
        let [one, other] = [0, 1].map(|nth: usize| header_of(&requests[nth].bytes, name).unwrap());
        assert_ne!(one, other, "{name}");
    }
}

#[test]
fn a_token_that_is_given_is_used_in_place_of_the_clients_own() {
    let service = Emulator::start_plain().unwrap();
    let client = wrong(&service);
    let [project_id, fpga_id, ecs_id] = pair(&service);
    let outcome = client.associate(service.token(), project_id, fpga_id, ecs_id);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    let requests = service.requests();
    assert_eq!(requests[0].header("x-auth-token"), Some(service.token()));
    assert_eq!(requests[0].header("authorization"), None);
    assert_eq!(requests[0].header("x-sdk-date"), None);
}

#[test]
fn a_token_of_the_client_serves_calls_that_bring_none() {
    let service = Emulator::start_plain().unwrap();
    let client = config().token(service.token()).client(service.endpoint());
    assert!(associate(&client, &service).is(Status::OK));
}

#[test]
fn the_last_kind_of_credentials_that_is_set_counts() {
    let service = Emulator::start_plain().unwrap();
    let client = config()
        .token("no-token-of-this-service")
        .ecs_agency()
        .credentials(|_, grant| assert_eq!(grant.refuse("not asked"), 0))
        .access_key(service.access_key(), service.secret_key(), None)
        .client(service.endpoint());
    assert!(associate(&client, &service).is(Status::OK));
}

#[test]
fn a_key_that_is_refused_is_not_tried_again() {
    let service = Emulator::start_plain().unwrap();
    let outcome = associate(&wrong(&service), &service);
    assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
    assert!(!outcome.outcome_unknown);
    assert_eq!(service.requests().len(), 1);
    assert_eq!(service.failures_of(service.access_key()), 1);
    assert!(
        outcome.message.contains("verify aksk signature fail"),
        "{outcome:?}"
    );

    service.revoke_access_key(service.access_key());
    let outcome = associate(&signing(&service), &service);
    assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
    assert!(outcome.message.contains("not exist"), "{outcome:?}");
    assert_eq!(service.requests().len(), 2);
}

#[test]
fn a_key_that_the_service_locked_is_left_alone() {
    let service = Emulator::start_plain().unwrap();
    let client = wrong(&service);
    for _ in 0..6 {
        assert!(associate(&client, &service).is(Status::UNAUTHORIZED));
    }
    for _ in 0..2 {
        let outcome = associate(&client, &service);
        assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
        assert!(outcome.message.contains("locked"), "{outcome:?}");
        assert!(!outcome.outcome_unknown);
    }
    assert_eq!(service.requests().len(), 6);
    let [project_id, fpga_id, ecs_id] = pair(&service);
    let outcome = client.associate(service.token(), project_id, fpga_id, ecs_id);
    assert!(outcome.is(Status::OK), "{outcome:?}");
}

#[test]
fn a_clock_that_is_off_is_told_by_how_much() {
    for (offset, words) in [
        (
            17 * 60,
            "this machine's clock is 17 minutes behind the service's",
        ),
        (
            -16 * 60,
            "this machine's clock is 16 minutes ahead of the service's",
        ),
        (
            5 * 3600,
            "this machine's clock is 5 hours behind the service's",
        ),
    ] {
        let service = Emulator::start_plain().unwrap();
        service.set_clock_offset(offset);
        let outcome = associate(&signing(&service), &service);
        assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
        assert!(outcome.message.ends_with(words), "{outcome:?}");
        assert_eq!(service.requests().len(), 1);

        service.set_clock_offset(0);
        assert!(associate(&signing(&service), &service).is(Status::OK));
    }
}

#[test]
fn the_date_of_the_answer_tells_of_the_clock_where_its_words_do_not() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let server = Server::answering(answer(401, date, ""), Then::Keep);
    let signed = config()
        .access_key(ACCESS_KEY, SECRET_KEY, None)
        .client(&server.endpoint());
    let outcome = signed.own_example();
    assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
    let words = "days ahead of the service's";
    assert!(outcome.message.ends_with(words), "{outcome:?}");
    // A token is not about time.
    let outcome = config().client(&server.endpoint()).example();
    assert!(!outcome.message.contains("clock"), "{outcome:?}");
}

#[test]
fn a_401_after_a_request_in_doubt_leaves_the_doubt_and_nothing_more_is_sent() {
    const EMPTY: &str = r#"{"associations":[]}"#;
    for (list, requests, http_status) in [
        (answer(200, "", EMPTY), 3, 401),
        (answer(401, "", ""), 2, 0),
    ] {
        let server = Server::start(move |nth, stream| match nth {
            0 => Then::Close,
            1 => {
                stream.write_all(&list).ok();
                Then::Keep
            }
            _ => {
                stream.write_all(&answer(401, "", "")).ok();
                Then::Keep
            }
        });
        let client = config()
            .access_key(ACCESS_KEY, SECRET_KEY, None)
            .client(&server.endpoint());
        let outcome = client.own_example();
        assert!(outcome.outcome_unknown, "{outcome:?}");
        assert_eq!(outcome.http_status, http_status, "{outcome:?}");
        assert_eq!(server.finish().requests.len(), requests, "{outcome:?}");
    }
}

#[test]
fn a_redirect_takes_no_signature_elsewhere() {
    let other = Server::answering(NO_CONTENT, Then::Keep);
    let location = format!("Location: {}/\r\n", other.endpoint());
    for http_status in [301, 302, 307, 308] {
        let server = Server::answering(answer(http_status, &location, ""), Then::Keep);
        let client = config()
            .no_confirm()
            .access_key(ACCESS_KEY, SECRET_KEY, Some(SECURITY_TOKEN))
            .client(&server.endpoint());
        assert!(client.own_example().is(Status::UNEXPECTED_STATUS));
    }
    assert_eq!(other.finish().connections, 0);
}
