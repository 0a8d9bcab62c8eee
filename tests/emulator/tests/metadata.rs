//! The metadata service: what it gives, to whom, and how else it can behave.
mod support;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use ecs_emulator::{AccessKey, Emulator, Metadata, MetadataMode};
use serde_json::Value;
use support::signing::{Draft, now};
use support::{Client, trusting};
use ureq::http::{Request, Response};
use ureq::tls::RootCerts;

const TOKEN: &str = "/meta-data/latest/api/token";
const KEY: &str = "/openstack/latest/securitykey";
const SERVER: &str = "/openstack/latest/meta_data.json";
const LIFE: (&str, &str) = ("X-Metadata-Token-Ttl-Seconds", "21600");

fn start(ecs: &Emulator) -> Metadata {
    ecs.start_metadata((Ipv4Addr::LOCALHOST, 0)).unwrap()
}

fn ask(
    metadata: &Metadata,
    method: &str,
    path: &str,
    header: Option<(&str, &str)>,
) -> Response<String> {
    let uri = format!("http://{}{path}", metadata.address());
    let mut request = Request::builder().method(method).uri(uri);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let agent = trusting(RootCerts::WebPki);
    let request = agent
        .configure_request(request.body(()).unwrap())
        .max_redirects(0)
        .build();
    let response = agent.run(request).unwrap();
    let (parts, mut body) = response.into_parts();
    Response::from_parts(parts, body.read_to_string().unwrap())
}

fn token(metadata: &Metadata) -> String {
    let answer = ask(metadata, "PUT", TOKEN, Some(LIFE));
    assert_eq!(answer.status(), 200);
    answer.into_body()
}

fn with_token(metadata: &Metadata, path: &str, token: Option<&str>) -> Response<String> {
    let header = token.map(|token| ("X-Metadata-Token", token));
    ask(metadata, "GET", path, header)
}

fn json(answer: &Response<String>) -> Value {
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    serde_json::from_str(answer.body()).unwrap()
}

/// The key, and its end as it is written.
fn key(answer: &Response<String>) -> (AccessKey, String) {
    let json = json(answer);
    let text = |name: &str| json["credential"][name].as_str().unwrap().to_owned();
    let key = AccessKey {
        access_key: text("access"),
        secret_key: text("secret"),
        security_token: Some(text("securitytoken")),
        expires_at: None,
    };
    (key, text("expires_at"))
}

fn status(ecs: &Emulator, key: &AccessKey, time: i64) -> u16 {
    let path = format!(
        "/v1/{}/cloudservers/fpga_image/associations",
        ecs.project_id()
    );
    let draft = Draft::new(ecs, key, "GET", &path).at(time);
    draft.send(&Client::new(ecs)).status
}

#[test]
fn the_keys_are_temporary_ones_that_the_emulator_takes() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    let (first, _) = key(&with_token(&metadata, KEY, None));
    let (second, _) = key(&with_token(&metadata, KEY, Some(&token(&metadata))));
    assert_ne!(first, second);
    for key in [&first, &second] {
        assert_eq!(status(&ecs, key, now()), 200);
        let stripped = AccessKey {
            security_token: None,
            ..key.clone()
        };
        assert_eq!(status(&ecs, &stripped, now()), 401);
    }
    drop(metadata);
    assert_eq!(status(&ecs, &first, now()), 200);
}

#[test]
fn a_key_lives_as_long_as_it_was_told_to() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    // So that the end is known to the minute: the clock stands near the 29th of February 2024.
    let start = 1_709_164_800;
    let set_clock = |time: i64| ecs.set_clock_offset(time - now());
    set_clock(start);
    let (long, end) = key(&with_token(&metadata, KEY, None));
    assert!(
        end.starts_with("2024-02-29T06:00:") && end.ends_with(".000000Z"),
        "{end}"
    );
    metadata.set_key_life(900);
    let (short, end) = key(&with_token(&metadata, KEY, None));
    assert!(
        end.starts_with("2024-02-29T00:15:") && end.len() == 27,
        "{end}"
    );
    metadata.set_key_life(-1);
    let (over, _) = key(&with_token(&metadata, KEY, None));
    for (at, statuses) in [
        (0, [200, 200, 401]),
        (890, [200, 200, 401]),
        (960, [200, 401, 401]),
        (6 * 60 * 60 + 60, [401, 401, 401]),
    ] {
        set_clock(start + at);
        let status = |key| status(&ecs, key, start + at);
        assert_eq!([&long, &short, &over].map(status), statuses, "{at}");
    }
}

#[test]
fn it_knows_which_server_it_is_on() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    let server = json(&with_token(&metadata, SERVER, None));
    assert_eq!(server["project_id"], ecs.project_id());
    assert_eq!(server["region_id"], "cn-north-1");
    assert!(
        server["availability_zone"]
            .as_str()
            .unwrap()
            .starts_with("cn-north-1")
    );
    assert_eq!(server["uuid"].as_str().unwrap().len(), 36);
}

#[test]
fn who_sends_a_token_sends_a_right_one() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    let status = |token: Option<&str>| {
        [KEY, SERVER].map(|path| with_token(&metadata, path, token).status().as_u16())
    };
    let right = token(&metadata);
    for (mode, without) in [
        (MetadataMode::TokenOptional, 200),
        (MetadataMode::TokenRequired, 401),
    ] {
        metadata.set_mode(mode);
        assert_eq!(status(None), [without; 2]);
        assert_eq!(status(Some(&right)), [200; 2]);
        assert_eq!(status(Some("wrong")), [401; 2]);
        assert_eq!(status(Some("")), [401; 2]);
    }
    let refusal = with_token(&metadata, KEY, None);
    assert!(!refusal.body().contains("Agency"), "{}", refusal.body());

    ecs.set_clock_offset(21_600);
    assert_eq!(status(Some(&right)), [401; 2]);
    let right = token(&metadata);
    assert_eq!(status(Some(&right)), [200; 2]);
    metadata.forget_tokens();
    assert_eq!(status(Some(&right)), [401; 2]);
}

#[test]
fn a_token_is_asked_for_with_its_life() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    let status = |life| ask(&metadata, "PUT", TOKEN, life).status().as_u16();
    assert_eq!(status(None), 400);
    for (life, expected) in [
        ("1", 200),
        ("21600", 200),
        ("0", 400),
        ("21601", 400),
        ("x", 400),
    ] {
        assert_eq!(status(Some((LIFE.0, life))), expected, "{life}");
    }
    assert_ne!(token(&metadata), token(&metadata));
}

#[test]
fn an_open_service_has_no_tokens() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    metadata.set_mode(MetadataMode::Open);
    assert_eq!(ask(&metadata, "PUT", TOKEN, Some(LIFE)).status(), 404);
    for token in [None, Some("anything")] {
        let (key, _) = key(&with_token(&metadata, KEY, token));
        assert_eq!(status(&ecs, &key, now()), 200);
        json(&with_token(&metadata, SERVER, token));
    }
}

#[test]
fn without_an_agency_there_are_no_keys() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    metadata.set_mode(MetadataMode::NoAgency);
    let token = token(&metadata);
    for token in [None, Some(token.as_str())] {
        let answer = with_token(&metadata, KEY, token);
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.body(), "Please configure Cloud Service Agency first");
        json(&with_token(&metadata, SERVER, token));
    }
}

#[test]
fn keys_and_tokens_can_be_anything_else() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    let portal = "<html>\r\nPlease log in</html>".to_owned();
    let huge = "x".repeat(1 << 20);
    for (status, content_type, body) in [
        (200, "text/html", portal),
        (200, "application/json", huge),
        (503, "text/plain", String::new()),
    ] {
        metadata.set_mode(MetadataMode::Answer {
            status,
            content_type: content_type.to_owned(),
            body: body.clone().into_bytes(),
        });
        let answer = with_token(&metadata, KEY, Some("wrong"));
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers()["content-type"], content_type);
        assert_eq!(answer.body(), &body);
        json(&with_token(&metadata, SERVER, Some(&token(&metadata))));

        metadata.set_mode(MetadataMode::TokenAnswer {
            status,
            content_type: content_type.to_owned(),
            body: body.clone().into_bytes(),
        });
        let answer = ask(&metadata, "PUT", TOKEN, Some(LIFE));
        assert_eq!((answer.status().as_u16(), answer.body()), (status, &body));
        key(&with_token(&metadata, KEY, None));
        assert_eq!(with_token(&metadata, KEY, Some("wrong")).status(), 401);
    }
    metadata.set_mode(MetadataMode::Redirect {
        status: 307,
        location: "http://localhost:9/".to_owned(),
    });
    let answer = with_token(&metadata, KEY, None);
    assert_eq!(answer.status(), 307);
    assert_eq!(answer.headers()["location"], "http://localhost:9/");
}

#[test]
fn other_paths_and_methods_are_none_of_it() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/openstack/latest/securitykey/", 404),
        ("GET", TOKEN, 405),
        ("POST", KEY, 405),
        ("PUT", SERVER, 405),
    ] {
        assert_eq!(
            ask(&metadata, method, path, None).status(),
            status,
            "{method} {path}"
        );
    }
}

#[test]
fn requests_are_remembered_apart_from_the_emulators() {
    let ecs = Emulator::start().unwrap();
    let (metadata, other) = (start(&ecs), start(&ecs));
    let token = token(&metadata);
    with_token(&metadata, KEY, Some(&token));
    let [put, get] = metadata.requests().try_into().unwrap();
    assert_eq!((put.method.as_str(), put.path.as_str()), ("PUT", TOKEN));
    assert_eq!(put.header(LIFE.0), Some(LIFE.1));
    assert_eq!((get.path.as_str(), get.status), (KEY, 200));
    assert_eq!(get.header("x-metadata-token"), Some(token.as_str()));
    assert_eq!((ecs.requests(), other.requests()), (vec![], vec![]));
    metadata.clear_requests();
    assert_eq!(metadata.requests(), []);
}

#[test]
fn it_may_outlive_the_emulator_and_ends_when_dropped() {
    let ecs = Emulator::start().unwrap();
    let metadata = start(&ecs);
    assert!(ecs.start_metadata(metadata.address()).is_err());
    drop(ecs);
    key(&with_token(&metadata, KEY, None));

    let mut open = TcpStream::connect(metadata.address()).unwrap();
    let request = format!("GET {KEY} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    open.write_all(request.as_bytes()).unwrap();
    open.read_exact(&mut [0; 12]).unwrap();
    drop(metadata);
    open.read_to_end(&mut Vec::new()).unwrap();
}
