//! Requests at the same time: how long they take, and how many there were.
mod support;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use ecs_emulator::{Emulator, Rate};
use support::{Client, image};

/// No test waits for it.
const FOREVER: Duration = Duration::from_secs(3_600);

/// A request whose answer nobody waits for.
fn begin(ecs: &Emulator, method: &str, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(ecs.address()).unwrap();
    let (token, length) = (ecs.token(), body.len());
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {token}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn begin_list(ecs: &Emulator) -> TcpStream {
    let project_id = ecs.project_id();
    let path = format!("/v1/{project_id}/cloudservers/fpga_image/associations");
    begin(ecs, "GET", &path, "")
}

/// Comes true in the other thread's time; fails when it never does.
fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(60), "in vain");
        std::thread::yield_now();
    }
}

#[test]
fn a_request_takes_the_service_time_and_none_at_the_start() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let time = Duration::from_millis(120);
    ecs.set_service_time(time);
    ecs.set_rate(Some(Rate::of(0.0)));
    for status in [200, 429] {
        let start = Instant::now();
        assert_eq!(client.list("").status, status);
        assert!(start.elapsed() >= time);
    }
    // An hour would not end within the test.
    ecs.set_service_time(FOREVER);
    ecs.set_service_time(Duration::ZERO);
    assert_eq!(client.list("").status, 429);
}

#[test]
fn requests_are_served_at_the_same_time() {
    let ecs = Emulator::start_plain().unwrap();
    assert_eq!(ecs.most_at_once(), 0);
    ecs.set_service_time(FOREVER);
    let waiting: Vec<TcpStream> = (0..200).map(|_| begin_list(&ecs)).collect();
    until(|| ecs.most_at_once() == waiting.len());
    assert_eq!(ecs.requests_count(), 0);

    // Nothing that they hold keeps others from their answers.
    ecs.set_service_time(Duration::ZERO);
    assert_eq!(Client::new(&ecs).list("").status, 200);
    assert_eq!((ecs.most_at_once(), ecs.requests_count()), (201, 1));
}

#[test]
fn one_after_another_is_one_at_once() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    for _ in 0..20 {
        client.associate(fpga_id, ecs_id);
        client.list("");
        client.disassociate(fpga_id, ecs_id);
    }
    assert_eq!(ecs.most_at_once(), 1);
    assert_eq!(ecs.most_changes_at_once_at_one_ecs_image(), 1);
    assert_eq!(ecs.requests_count(), 60);
}

#[test]
fn changes_are_counted_for_each_ecs_image_in_any_letter_case() {
    let ecs = Emulator::start_plain().unwrap();
    let client = Client::new(&ecs);
    ecs.set_service_time(FOREVER);
    // Those over the rate too: who asks can't know that they will be.
    ecs.set_rate(Some(Rate::of(0.0)));
    let path = client.association(&ecs.fpga_ids()[0]);
    let (one, other) = (&ecs.ecs_ids()[0], &ecs.ecs_ids()[1]);
    let mut waiting = vec![
        begin(&ecs, "POST", &path, &image(one)),
        begin(&ecs, "POST", &path, &image(&one.to_uppercase())),
        begin(&ecs, "DELETE", &path, &image(one)),
        begin(&ecs, "POST", &path, &image(other)),
        begin(&ecs, "DELETE", &path, &image(other)),
    ];
    // These change nothing.
    for (method, path, body) in [
        ("PUT", path.as_str(), image(one)),
        ("POST", "/", image(one)),
        ("POST", &path, String::new()),
    ] {
        waiting.push(begin(&ecs, method, path, &body));
    }
    waiting.push(begin_list(&ecs));
    until(|| ecs.most_at_once() == waiting.len());
    assert_eq!(ecs.most_changes_at_once_at_one_ecs_image(), 3);
}

#[test]
fn forgotten_requests_are_not_counted_but_for_those_being_served() {
    let ecs = Emulator::start_plain().unwrap();
    let client = Client::new(&ecs);
    client.associate(&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    ecs.clear_requests();
    assert_eq!((ecs.requests_count(), ecs.most_at_once()), (0, 0));
    assert_eq!(ecs.most_changes_at_once_at_one_ecs_image(), 0);

    ecs.set_service_time(FOREVER);
    let path = client.association("x");
    let _waiting = begin(&ecs, "POST", &path, &image("y"));
    until(|| ecs.most_at_once() == 1);
    ecs.clear_requests();
    assert_eq!((ecs.requests_count(), ecs.most_at_once()), (0, 1));
    assert_eq!(ecs.most_changes_at_once_at_one_ecs_image(), 1);
}

#[test]
fn what_was_asked_is_done_though_the_client_leaves() {
    let ecs = Emulator::start_plain().unwrap();
    ecs.set_service_time(Duration::from_millis(100));
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    let path = Client::new(&ecs).association(fpga_id);
    let stream = begin(&ecs, "POST", &path, &image(ecs_id));
    until(|| ecs.most_at_once() == 1);
    drop(stream);
    until(|| ecs.requests_count() == 1);
    assert_eq!(ecs.associations(), [(fpga_id.clone(), ecs_id.clone())]);
    assert_eq!(ecs.requests()[0].status, 204);
}
