//! No text and no line of the log holds a part of the credentials, though the service echoes them.

use std::io::Write;

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::call::Outcome;
use support::client::{Client, config};
use support::credentials::{ACCESS_KEY, SECRET_KEY, SECURITY_TOKEN};
use support::raw::{Server, Then, answer, read_request};

/// So many bytes of a secret in a row would give it away.
const TELLING: usize = 8;

fn assert_says_nothing(client: &Client, outcome: &Outcome, secrets: &[&str], case: &str) {
    let mut texts: Vec<String> = outcome.texts().map(str::to_owned).to_vec();
    texts.extend(client.lines().into_iter().map(|(_, line)| line));
    for text in texts {
        for plain in [text.clone(), text.replace('\\', ""), text.replace(' ', "")] {
            for secret in secrets {
                let pieces = secret.as_bytes().windows(TELLING);
                let telling = pieces
                    .filter_map(|piece| std::str::from_utf8(piece).ok())
                    .find(|piece| plain.contains(piece));
                assert_eq!(telling, None, "{case}: {text}");
            }
        }
    }
}

#[test]
fn what_the_gateway_shows_of_a_signed_request_is_withheld() {
    let service = Emulator::start().unwrap();
    let key = service.issue_temporary_access_key(3600);
    let token = key.security_token.clone().unwrap();
    let client = config()
        .log()
        .ca_file(service.ca_file().to_str().unwrap())
        .access_key(&key.access_key, SECRET_KEY, Some(&token))
        .client(service.endpoint());
    let outcome = client.own_associate(service.project_id(), "f", "e");
    assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
    let requests = service.requests();
    let authorization = requests[0].header("authorization").unwrap();
    let signature = authorization.rsplit('=').next().unwrap();
    let date = requests[0].header("x-sdk-date").unwrap();
    let secrets = [SECRET_KEY, &token, signature, date];
    assert_says_nothing(&client, &outcome, &secrets, "emulator");
    assert!(
        outcome.message.contains("verify aksk signature fail"),
        "{outcome:?}"
    );
    assert_eq!(outcome.code, "APIGW.0301");
}

/// A server that shows the head of each request in its answer, in this form.
fn echoing(form: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
    Server::serve(move |mut visit| {
        loop {
            let (request, is_whole) = read_request(&mut visit.stream);
            visit.record(request.clone(), is_whole);
            if !is_whole {
                break;
            }
            let shown = form(&String::from_utf8_lossy(&request));
            visit.stream.write_all(&answer(401, "", shown)).ok();
        }
    })
}

#[test]
fn credentials_are_known_in_every_disguise_and_wherever_they_are_cut() {
    let value = |head: &str, name: &str| {
        let line = head
            .lines()
            .find(|line| line.to_lowercase().starts_with(name));
        line.and_then(|line| line.split_once(": "))
            .map_or(String::new(), |(_, value)| value.to_owned())
    };
    type Form = Box<dyn Fn(&str) -> String + Send + Sync>;
    let json = |text: &str| {
        serde_json::json!({ "error_code": "APIGW.0301", "error_msg": text }).to_string()
    };
    let escaped = |text: &str| {
        text.bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<String>()
    };
    let forms: Vec<(&str, Form)> = vec![
        ("the request", Box::new(move |head| json(head))),
        ("the request as text", Box::new(str::to_owned)),
        (
            "lines as bars",
            Box::new(move |head| json(&format!("canonicalRequest:{}", head.replace("\r\n", "|")))),
        ),
        (
            "the security token alone",
            Box::new(move |head| json(&value(head, "x-security-token"))),
        ),
        (
            "the signature alone",
            Box::new(move |head| json(value(head, "authorization").rsplit('=').next().unwrap())),
        ),
        (
            "percent-encoded",
            Box::new(move |head| json(&escaped(&value(head, "x-security-token")))),
        ),
        (
            "JSON in JSON",
            Box::new(move |head| json(&json(&json(&value(head, "x-security-token"))))),
        ),
        (
            "cut at the end",
            Box::new(move |head| {
                json(&format!(
                    "{}{}",
                    "x".repeat(470),
                    value(head, "x-security-token")
                ))
            }),
        ),
        (
            "cut in the line",
            Box::new(move |head| {
                json(&format!(
                    "{}{}",
                    "wrong ".repeat(75),
                    value(head, "authorization")
                ))
            }),
        ),
        (
            "as a code",
            Box::new(move |head| {
                serde_json::json!({ "error_code": value(head, "x-security-token"), "error_msg": "no" }).to_string()
            }),
        ),
        (
            "as the request's id",
            Box::new(move |head| {
                serde_json::json!({ "message": "no", "request_id": value(head, "authorization") })
                    .to_string()
            }),
        ),
        (
            "as HTML",
            Box::new(move |head| format!("<html><b>{}</b>", value(head, "x-security-token"))),
        ),
    ];
    for (case, form) in forms {
        let server = echoing(form);
        let signing = config()
            .log()
            .access_key(ACCESS_KEY, SECRET_KEY, Some(SECURITY_TOKEN));
        let granted = config().log().credentials(|_, grant| {
            assert_eq!(
                grant.access_key(ACCESS_KEY, SECRET_KEY, Some(SECURITY_TOKEN), 0),
                0
            );
        });
        for config in [signing, granted] {
            let client = config.client(&server.endpoint());
            let outcome = client.own_example();
            assert!(outcome.is(Status::UNAUTHORIZED), "{case}: {outcome:?}");
            let seen = server.seen();
            let request =
                String::from_utf8_lossy(&seen.requests.last().unwrap().bytes).into_owned();
            let signature = value(&request, "authorization")
                .rsplit('=')
                .next()
                .unwrap()
                .to_owned();
            assert_eq!(signature.len(), 64);
            let secrets = [SECRET_KEY, SECURITY_TOKEN, &signature];
            assert_says_nothing(&client, &outcome, &secrets, case);
        }
        assert_eq!(server.finish().connections, 2, "{case}");
    }
}

#[test]
fn a_list_that_repeats_the_credentials_does_not_show_them() {
    let echo = format!(
        r#"{{"associations":[{{"image_id":"e","fpgaimage":{{"fpga_image_id":"f","name":"{SECURITY_TOKEN}"}}}}]}}"#
    );
    let server = Server::answering(answer(200, "", echo), Then::Keep);
    let client = config()
        .log()
        .access_key(ACCESS_KEY, SECRET_KEY, Some(SECURITY_TOKEN))
        .client(&server.endpoint());
    match client.list(None, "p", None, Some("e")) {
        Ok(list) => assert!(
            !list.json().contains(&SECURITY_TOKEN[..TELLING]),
            "{list:?}"
        ),
        Err(outcome) => assert_says_nothing(&client, &outcome, &[SECURITY_TOKEN], "list"),
    }
}

#[test]
fn an_own_token_and_one_that_was_replaced_are_withheld_too() {
    let tokens = ["first-token-of-many-bytes", "second-token-of-many-bytes"];
    for asked_for in 0..2 {
        let shown = tokens[asked_for];
        let server = Server::answering(answer(401, "", format!("wrong: {shown}")), Then::Keep);
        let client = config().log().credentials(move |reason, grant| {
            assert_eq!(grant.token(tokens[usize::from(reason != 1)], 0), 0);
        });
        let client = client.client(&server.endpoint());
        let outcome = client.own_example();
        assert!(outcome.is(Status::UNAUTHORIZED), "{outcome:?}");
        assert_says_nothing(&client, &outcome, &tokens, shown);
        assert_eq!(server.finish().requests.len(), 2);
    }
}
