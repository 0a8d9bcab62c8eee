//! Keys of the ECS server's agency. Each test has a network of its own, in which 169.254.169.254 is a
//! server of the test.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use ecs_emulator::{Emulator, Metadata, MetadataMode};
use fpga_associate::status::Status;
use support::call::Outcome;
use support::client::{Client, config, default_config};
use support::credentials::SECRET_KEY;
use support::raw::{NO_CONTENT, Server, Then, answer};
use support::slow::with_metadata_address;

support::tests! {
    keys_are_asked_for_at_the_first_call_and_kept,
    keys_that_are_refused_are_replaced_once,
    no_proxy_and_no_redirect_leads_to_or_from_the_metadata_service,
    what_is_no_key_is_never_taken_for_one,
    keys_that_were_given_are_never_mixed_with_the_agencys,
    where_there_is_no_metadata_service_that_is_told,
    a_metadata_service_that_does_not_answer_is_given_up_in_time,
}

const ADDRESS: ([u8; 4], u16) = ([169, 254, 169, 254], 80);

fn associate(client: &Client, service: &Emulator) -> Outcome {
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    client.own_associate(service.project_id(), fpga_id, ecs_id)
}

fn with_metadata(test: &str, work: impl FnOnce(&Emulator, &Metadata)) {
    with_metadata_address(test, || {
        let service = Emulator::start_plain().unwrap();
        let metadata = service.start_metadata(ADDRESS).unwrap();
        work(&service, &metadata);
    });
}

fn asked(metadata: &Metadata) -> Vec<(String, String, u16)> {
    let requests = metadata.requests().into_iter();
    requests
        .map(|request| (request.method, request.path, request.status))
        .collect()
}

const TOKEN: &str = "/meta-data/latest/api/token";
const KEYS: &str = "/openstack/latest/securitykey";

fn question(method: &str, path: &str, status: u16) -> (String, String, u16) {
    (method.to_owned(), path.to_owned(), status)
}

fn keys_are_asked_for_at_the_first_call_and_kept() {
    with_metadata(
        "keys_are_asked_for_at_the_first_call_and_kept",
        |service, metadata| {
            for (mode, token_status) in [
                (MetadataMode::TokenOptional, 200),
                (MetadataMode::TokenRequired, 200),
                (MetadataMode::Open, 404),
            ] {
                metadata.set_mode(mode);
                metadata.clear_requests();
                let client = config()
                    .idempotent()
                    .ecs_agency()
                    .client(service.endpoint());
                assert_eq!(asked(metadata), []);
                for _ in 0..3 {
                    let outcome = associate(&client, service);
                    assert!(outcome.is(Status::OK), "{outcome:?}");
                }
                let expected = [
                    question("PUT", TOKEN, token_status),
                    question("GET", KEYS, 200),
                ];
                assert_eq!(asked(metadata), expected);
            }
        },
    );
}

fn keys_that_are_refused_are_replaced_once() {
    with_metadata(
        "keys_that_are_refused_are_replaced_once",
        |service, metadata| {
            let client = config()
                .idempotent()
                .ecs_agency()
                .client(service.endpoint());
            assert!(associate(&client, service).is(Status::OK));
            let requests = service.requests();
            let authorization = requests[0].header("authorization").unwrap();
            let (_, rest) = authorization.split_once("Access=").unwrap();
            service.expire_access_key(rest.split(',').next().unwrap());
            assert!(associate(&client, service).is(Status::OK));
            assert_eq!(asked(metadata).len(), 4);
        },
    );
}

/// Environment and settings name a proxy; the names that the service has are looked up nowhere.
fn no_proxy_and_no_redirect_leads_to_or_from_the_metadata_service() {
    with_metadata(
        "no_proxy_and_no_redirect_leads_to_or_from_the_metadata_service",
        |_, metadata| {
            let proxy = Server::answering(answer(403, "", ""), Then::Keep);
            let other = Server::answering(NO_CONTENT, Then::Keep);
            // SAFETY: this test is alone in its process, and no other thread reads the environment now.
            unsafe {
                for name in [
                    "http_proxy",
                    "HTTP_PROXY",
                    "https_proxy",
                    "all_proxy",
                    "ALL_PROXY",
                ] {
                    std::env::set_var(name, proxy.endpoint());
                }
            }
            std::env::set_current_dir("/").unwrap();
            metadata.set_mode(MetadataMode::Redirect {
                status: 302,
                location: format!("{}/openstack/latest/securitykey", other.endpoint()),
            });
            // 192.0.2.1 can't be reached, but through the proxy.
            let client = default_config().ecs_agency().client("https://192.0.2.1");
            let outcome = client.own_example();
            assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
            assert!(outcome.message.contains("answered HTTP 302"), "{outcome:?}");
            assert_eq!(proxy.seen().connections, 0);
            assert_eq!(other.finish().connections, 0);

            metadata.set_mode(MetadataMode::TokenOptional);
            let outcome = client.own_example();
            assert!(outcome.is(Status::PROXY_FAILED), "{outcome:?}");
            let seen = proxy.finish();
            let through: Vec<_> = seen
                .requests
                .iter()
                .map(|request| String::from_utf8_lossy(&request.bytes))
                .collect();
            assert!(!through.is_empty());
            for request in &through {
                assert!(request.starts_with("CONNECT 192.0.2.1:443 "), "{request}");
            }
        },
    );
}

fn what_is_no_key_is_never_taken_for_one() {
    with_metadata(
        "what_is_no_key_is_never_taken_for_one",
        |service, metadata| {
            let json = |access: &str, secret: &str, token: &str, end: &str| {
                serde_json::json!({"credential": {"access": access, "secret": secret, "securitytoken": token, "expires_at": end}})
                .to_string()
                .into_bytes()
            };
            let end = "2099-01-04T09:05:22.701000Z";
            let good = json("AK", SECRET_KEY, "token", end);
            let mut huge = good.clone();
            huge.resize(100_000, b' ');
            let kind = "application/json";
            for (status, content_type, body, words) in [
                (200, "text/html", good.clone(), "something that is no key"),
                (
                    200,
                    "application/xml",
                    good.clone(),
                    "something that is no key",
                ),
                (
                    200,
                    kind,
                    b"<html>log in</html>".to_vec(),
                    "something that is no key",
                ),
                (200, kind, Vec::new(), "something that is no key"),
                (200, kind, b"{}".to_vec(), "something that is no key"),
                (200, kind, huge, "something that is no key"),
                (
                    200,
                    kind,
                    json("AK", SECRET_KEY, "token", "soon"),
                    "something that is no key",
                ),
                (
                    200,
                    kind,
                    json("A\r\nX: K", SECRET_KEY, "token", end),
                    "access_key: byte 2",
                ),
                (
                    200,
                    kind,
                    json("A,K", SECRET_KEY, "token", end),
                    "access_key: has a comma",
                ),
                (
                    200,
                    kind,
                    json("AK", "", "token", end),
                    "secret_key: is empty",
                ),
                (
                    200,
                    kind,
                    json("AK", SECRET_KEY, "to\nken", end),
                    "security_token: byte 3",
                ),
                (204, kind, Vec::new(), "answered HTTP 204"),
                (401, kind, b"no".to_vec(), "answered HTTP 401"),
                (404, kind, good.clone(), "answered HTTP 404"),
                (500, kind, good.clone(), "answered HTTP 500"),
            ] {
                metadata.set_mode(MetadataMode::Answer {
                    status,
                    content_type: content_type.to_owned(),
                    body,
                });
                let client = config().log().ecs_agency().client(service.endpoint());
                let outcome = associate(&client, service);
                assert!(
                    outcome.is(Status::CREDENTIALS_FAILED),
                    "{status} {content_type} {words}: {outcome:?}"
                );
                assert!(
                    outcome.message.contains(words),
                    "{status} {content_type} {words}: {outcome:?}"
                );
                assert!(!outcome.outcome_unknown);
                let lines = format!("{:?}", client.lines());
                assert!(!lines.contains(&SECRET_KEY[..8]), "{lines}");
            }
            for (status, body, words) in [
                (200, b"a\r\nb".to_vec(), "gave a token that is none"),
                (200, Vec::new(), "gave a token that is none"),
                (200, vec![b'x'; 100_000], "gave a token that is none"),
                (400, Vec::new(), "answered HTTP 400 when asked for a token"),
                (500, Vec::new(), "answered HTTP 500 when asked for a token"),
            ] {
                metadata.set_mode(MetadataMode::TokenAnswer {
                    status,
                    content_type: "text/plain".to_owned(),
                    body,
                });
                let client = config().ecs_agency().client(service.endpoint());
                let outcome = associate(&client, service);
                assert!(
                    outcome.is(Status::CREDENTIALS_FAILED),
                    "{words}: {outcome:?}"
                );
                assert!(outcome.message.contains(words), "{words}: {outcome:?}");
            }
            metadata.set_mode(MetadataMode::NoAgency);
            let client = config().ecs_agency().client(service.endpoint());
            let outcome = associate(&client, service);
            assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
            assert!(
                outcome.message.contains("this server has no agency"),
                "{outcome:?}"
            );
            assert!(service.requests().is_empty());

            metadata.set_mode(MetadataMode::TokenOptional);
            assert!(associate(&client, service).is(Status::OK));
        },
    );
}

fn keys_that_were_given_are_never_mixed_with_the_agencys() {
    with_metadata(
        "keys_that_were_given_are_never_mixed_with_the_agencys",
        |service, metadata| {
            let clients = [
                config().client(service.endpoint()),
                config()
                    .access_key("AK", SECRET_KEY, None)
                    .client(service.endpoint()),
                config()
                    .credentials(|_, grant| assert_eq!(grant.refuse("no"), 0))
                    .client(service.endpoint()),
            ];
            for client in &clients {
                assert!(!associate(client, service).is(Status::OK));
            }
            let client = config().ecs_agency().client(service.endpoint());
            let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
            let outcome = client.associate("wrong", service.project_id(), fpga_id, ecs_id);
            assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
            assert_eq!(asked(metadata), []);
        },
    );
}

fn where_there_is_no_metadata_service_that_is_told() {
    with_metadata_address("where_there_is_no_metadata_service_that_is_told", || {
        let service = Emulator::start_plain().unwrap();
        let client = config().ecs_agency().client(service.endpoint());
        let outcome = associate(&client, &service);
        assert!(outcome.is(Status::CREDENTIALS_FAILED), "{outcome:?}");
        assert!(
            outcome.message.contains("is this an ECS server?"),
            "{outcome:?}"
        );
    });
}

fn a_metadata_service_that_does_not_answer_is_given_up_in_time() {
    with_metadata_address(
        "a_metadata_service_that_does_not_answer_is_given_up_in_time",
        || {
            let service = Emulator::start_plain().unwrap();
            let silent = TcpListener::bind("169.254.169.254:80").unwrap();
            for (timeout_ms, status) in
                [(500, Status::TIMEOUT), (20_000, Status::CREDENTIALS_FAILED)]
            {
                let client = config()
                    .timeout_ms(timeout_ms)
                    .ecs_agency()
                    .client(service.endpoint());
                let begun = Instant::now();
                let outcome = associate(&client, &service);
                assert!(outcome.is(status), "{outcome:?}");
                assert!(!outcome.outcome_unknown);
                // A question takes three seconds at most, and without an answer there is no other.
                let time = begun.elapsed();
                assert!(time < Duration::from_secs(2 * 3), "{time:?}");
            }
            drop(silent);
        },
    );
}
