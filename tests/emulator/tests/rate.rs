//! The rate: what is over it is refused, and how. When requests are let in again stands in
//! `src/rate/tests.rs`, where the time is given.
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use ecs_emulator::{Emulator, Flow, Rate, RateKind};
use support::{Client, trusting};
use ureq::tls::RootCerts;

/// So many requests and never one more.
fn only(burst: u32) -> Rate {
    Rate {
        burst,
        ..Rate::of(0.0)
    }
}

#[test]
fn a_rate_is_a_bucket_without_a_burst_unless_it_says_more() {
    let expected = Rate {
        per_second: 2.5,
        burst: 1,
        kind: RateKind::Bucket,
        refusal: Flow::TooManyRequests,
        retry_after: None,
    };
    assert_eq!(Rate::of(2.5), expected);
}

#[test]
fn what_is_over_the_rate_is_refused_in_the_services_three_ways() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let throttled = "The throttling threshold has been reached";
    let table = [
        (Flow::TooManyRequests, 429, "APIGW.0308", throttled),
        (Flow::Unavailable, 503, "Common.1503", "flow control"),
        (
            Flow::Accepted,
            202,
            "Common.0024",
            "exceeds flow over limit",
        ),
    ];
    for (refusal, status, code, text) in table {
        for retry_after in [None, Some("7"), Some("Tue, 29 Feb 2000 00:00:00 GMT")] {
            let retry_after = retry_after.map(str::to_owned);
            ecs.set_rate(Some(Rate {
                refusal,
                retry_after: retry_after.clone(),
                ..only(1)
            }));
            let answer = client.list("");
            assert_eq!((answer.status, answer.retry_after), (200, None));
            let answer = client.list("");
            let expected = (status, code.to_owned(), text.to_owned());
            assert_eq!(answer.refusal(), expected, "{refusal:?}");
            assert_eq!(answer.retry_after, retry_after);
        }
    }
}

#[test]
fn what_is_over_the_rate_changes_nothing_whatever_it_says() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (f0, f1, ecs_id) = (&ecs.fpga_ids()[0], &ecs.fpga_ids()[1], &ecs.ecs_ids()[0]);
    assert!(ecs.associate(f0, ecs_id));
    for refusal in [Flow::TooManyRequests, Flow::Unavailable, Flow::Accepted] {
        ecs.set_rate(Some(Rate { refusal, ..only(0) }));
        client.associate(f1, ecs_id);
        client.disassociate(f0, ecs_id);
        assert_eq!(ecs.associations(), [(f0.clone(), ecs_id.clone())]);
    }
}

#[test]
fn the_rate_comes_before_all_else_and_what_it_refuses_is_recorded() {
    let ecs = Emulator::start().unwrap();
    let mut client = Client::new(&ecs);
    client.token = Some("other".to_owned());
    ecs.set_rate(Some(only(0)));
    let long = " ".repeat((1 << 20) + 1);
    let path = client.association("x");
    for (method, path, body) in [("GET", "/", ""), ("PUT", &path, ""), ("POST", &path, &long)] {
        assert_eq!(client.send(method, path, body).status, 429);
    }
    let key = ecs.issue_access_key();
    let wrong = support::signing::with_another_secret(&key);
    let answer = support::signing::list(&ecs, &wrong).send(&client);
    assert_eq!(answer.status, 429);
    assert_eq!(ecs.failures_of(&key.access_key), 0);

    assert_eq!(ecs.refused_by_rate(), 4);
    let statuses: Vec<u16> = ecs
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [429; 4]);
}

#[test]
fn those_within_the_rate_are_not_counted_as_refused() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    ecs.set_rate(Some(only(3)));
    let statuses: Vec<u16> = (0..5).map(|_| client.list("").status).collect();
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(ecs.refused_by_rate(), 2);

    // Set anew, it begins anew.
    ecs.set_rate(Some(only(1)));
    assert_eq!([client.list("").status, client.list("").status], [200, 429]);
    ecs.set_rate(None);
    assert_eq!([client.list("").status, client.list("").status], [200, 200]);
    assert_eq!(ecs.refused_by_rate(), 3);
    ecs.clear_requests();
    assert_eq!(ecs.refused_by_rate(), 0);
}

#[test]
fn the_program_has_a_rate_when_it_is_given_one() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ecs-emulator"))
        .args(["--http", "--rate", "0.0001"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let endpoint = lines
        .map(Result::unwrap)
        .find_map(|line| Some(line.strip_prefix("export FPGA_ENDPOINT=")?.to_owned()));
    let endpoint = endpoint.unwrap();
    let agent = trusting(RootCerts::WebPki);
    let statuses = [(); 2].map(|()| agent.get(&endpoint).call().unwrap().status());
    program.kill().unwrap();
    program.wait().unwrap();
    assert_eq!(statuses, [404, 429]);
}
