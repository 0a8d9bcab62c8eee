//! What a call costs that finds a connection.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Barrier, mpsc};
use std::thread;

use fpga_associate::status::Status;
use support::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID};
use support::certificates::{Authority, tls_server};
use support::client::{Client, config};
use support::needs;
use support::raw::{NO_CONTENT, Server, Then, answer, succeed};
use support::slow::{sockets_to, threads, wait_until};

support::tests! {
    later_calls_open_no_connection_and_leave_no_thread,
    a_connection_is_kept_after_a_refusal_too,
    a_chunked_answer_is_read_to_its_end,
    head_and_body_of_a_request_go_out_as_one,
    there_are_no_more_connections_than_threads,
    as_many_connections_are_kept_as_were_in_use_at_once,
    clients_and_endpoints_share_no_connections,
    a_connection_with_more_on_it_than_was_asked_for_is_not_used_again,
    a_connection_that_the_service_has_closed_is_not_used_again,
    a_connection_that_the_service_wants_to_close_is_not_used_again,
    a_connection_whose_answer_was_not_read_to_its_end_is_not_used_again,
    a_later_call_makes_at_most_four_system_calls,
}

/// A call with a token of the usual length.
fn call(client: &Client) -> Outcome {
    let token = "t".repeat(2_000);
    client.associate(&token, PROJECT_ID, FPGA_ID, ECS_ID)
}

fn later_calls_open_no_connection_and_leave_no_thread() {
    let authority = Authority::new();
    let plain = Server::answering(NO_CONTENT, Then::Keep);
    let tls = tls_server(authority.sign(&["127.0.0.1"]));
    let tls_endpoint = format!("https://{}", tls.address());
    let file = authority.file();
    for (server, endpoint, config) in [
        (&plain, plain.endpoint(), config()),
        (&tls, tls_endpoint, config().ca_file(file.to_str().unwrap())),
    ] {
        let client = config.client(&endpoint);
        for nth in 0..20 {
            let outcome = call(&client);
            assert!(outcome.is(Status::OK), "{endpoint} {nth}: {outcome:?}");
        }
        let seen = server.seen();
        assert_eq!(
            (seen.connections, seen.requests.len()),
            (1, 20),
            "{endpoint}"
        );
    }
}

fn a_connection_is_kept_after_a_refusal_too() {
    let refusal = r#"{"error":{"code":"Ecs.0005","message":"request body is illegal."}}"#;
    for http_status in [400, 401, 404, 500] {
        let answer = answer(http_status, "", refusal);
        let server = Server::answering_first(answer, Then::Keep);
        let client = config()
            .max_attempts(1)
            .no_confirm()
            .client(&server.endpoint());
        assert!(!call(&client).is(Status::OK));
        assert!(call(&client).is(Status::OK), "{http_status}");
        assert_eq!(server.finish().connections, 1, "{http_status}");
    }
}

fn a_chunked_answer_is_read_to_its_end() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let server = Server::answering(chunked, Then::Keep);
    let client = config().client(&server.endpoint());
    for _ in 0..3 {
        assert!(call(&client).is(Status::OK));
    }
    assert_eq!(server.finish().connections, 1);
}

fn head_and_body_of_a_request_go_out_as_one() {
    let (comes, came) = mpsc::channel();
    let server = Server::serve(move |mut visit| {
        let mut buffer = vec![0; 256 * 1024];
        loop {
            // One read: what is sent in two pieces comes in two.
            let amount = visit.stream.read(&mut buffer).unwrap_or(0);
            if amount == 0 {
                break;
            }
            comes.send(buffer[..amount].to_vec()).ok();
            succeed(&mut visit.stream);
        }
    });
    let client = config().client(&server.endpoint());
    for nth in 0..20 {
        assert!(call(&client).is(Status::OK));
        let request = String::from_utf8(came.recv().unwrap()).unwrap();
        let body = format!("{{\"image\":{{\"id\":\"{ECS_ID}\"}}}}");
        assert!(request.starts_with("POST /v1/"), "{nth}: {request}");
        assert!(
            request.ends_with(&format!("\r\n\r\n{body}")),
            "{nth}: {request}"
        );
    }
}

fn there_are_no_more_connections_than_threads() {
    const THREADS: usize = 64;
    const CALLS: usize = 100;
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let client = config().client(&server.endpoint());
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..CALLS {
                    let outcome = call(&client);
                    assert!(outcome.is(Status::OK), "{outcome:?}");
                }
            });
        }
    });
    let seen = server.finish();
    assert_eq!(seen.requests.len(), THREADS * CALLS);
    assert!(seen.connections <= THREADS, "{}", seen.connections);
}

fn as_many_connections_are_kept_as_were_in_use_at_once() {
    const THREADS: usize = 64;
    let all_asked = std::sync::Arc::new(Barrier::new(THREADS));
    let server = Server::start(move |_, stream| {
        // Answers when all have asked: each on a connection of its own.
        all_asked.wait();
        succeed(stream)
    });
    let client = config().client(&server.endpoint());
    for round in 0..3 {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| assert!(call(&client).is(Status::OK)));
            }
        });
        assert_eq!(server.seen().connections, THREADS, "{round}");
    }
}

fn clients_and_endpoints_share_no_connections() {
    let one = Server::answering(NO_CONTENT, Then::Keep);
    let first = config().client(&one.endpoint());
    let second = config().client(&one.endpoint());
    for _ in 0..2 {
        assert!(call(&first).is(Status::OK));
        assert!(call(&second).is(Status::OK));
    }
    assert_eq!(one.finish().connection_of_each(), [0, 1, 0, 1]);
}

fn a_connection_with_more_on_it_than_was_asked_for_is_not_used_again() {
    for more in ["x", "\r\n", "HTTP/1.1 204 No Content\r\n\r\n"] {
        // In one piece with the answer.
        let answer = [NO_CONTENT, more.as_bytes()].concat();
        let server = Server::answering_first(answer, Then::Keep);
        let client = config().client(&server.endpoint());
        assert!(call(&client).is(Status::OK), "{more:?}");
        assert!(call(&client).is(Status::OK), "{more:?}");
        assert_eq!(server.finish().connection_of_each(), [0, 1], "{more:?}");

        // Later.
        let (later, is_later) = mpsc::channel::<()>();
        let is_later = std::sync::Mutex::new(is_later);
        let server = Server::start(move |nth, stream| {
            succeed(stream);
            if nth == 0 {
                is_later.lock().unwrap().recv().ok();
                stream.write_all(more.as_bytes()).ok();
            }
            Then::Keep
        });
        let client = config().client(&server.endpoint());
        assert!(call(&client).is(Status::OK), "{more:?}");
        later.send(()).unwrap();
        wait_until(|| {
            sockets_to(server.port())
                .iter()
                .any(|socket| socket.unread > 0)
        });
        assert!(call(&client).is(Status::OK), "{more:?}");
        assert_eq!(server.finish().connection_of_each(), [0, 1], "{more:?}");
    }
}

fn a_connection_that_the_service_has_closed_is_not_used_again() {
    let server = Server::start(|nth, stream| {
        succeed(stream);
        if nth == 0 { Then::Close } else { Then::Keep }
    });
    let client = config().client(&server.endpoint());
    assert!(call(&client).is(Status::OK));
    wait_until(|| {
        sockets_to(server.port())
            .iter()
            .any(|socket| socket.is_ended)
    });
    assert!(call(&client).is(Status::OK));
    assert_eq!(server.finish().connection_of_each(), [0, 1]);
}

fn a_connection_that_the_service_wants_to_close_is_not_used_again() {
    // The server keeps all of them open, so that only what it said can be the reason.
    for answer in [
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nconnection: Close\r\n\r\n",
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    ] {
        let server = Server::answering_first(answer, Then::Keep);
        let client = config().client(&server.endpoint());
        assert!(call(&client).is(Status::OK), "{answer}");
        assert!(call(&client).is(Status::OK), "{answer}");
        assert_eq!(server.finish().connection_of_each(), [0, 1], "{answer}");
    }
}

fn a_connection_whose_answer_was_not_read_to_its_end_is_not_used_again() {
    let long = answer(400, "", "x".repeat(100_000));
    let server = Server::answering_first(long, Then::Keep);
    let client = config().client(&server.endpoint());
    assert!(call(&client).is(Status::REJECTED));
    assert!(call(&client).is(Status::OK));
    assert_eq!(server.finish().connection_of_each(), [0, 1]);
}

/// Which system calls a process makes that calls the service so many times, and how often each.
fn system_calls(test: &str, calls: usize) -> BTreeMap<String, i64> {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let output = Command::new("strace")
        .args(["-f", "-qq", "-o"])
        .arg(&trace)
        .args(support::itself::words())
        .args([test, "--exact"])
        // By name, so that the first call has one to look up.
        .env(ENDPOINT, format!("http://localhost:{}", server.port()))
        .env(CALLS, calls.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(server.finish().requests.len(), calls);
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(trace).unwrap().lines() {
        let event = line.split_once(' ').map_or("", |(_, event)| event.trim());
        // A call that was interrupted by another thread's has a second line, which begins with
        // "<...".
        if let Some((name, _)) = event.split_once('(')
            && !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    counts
}

const ENDPOINT: &str = "FPGA_ASSOCIATE_TEST_ENDPOINT";
const CALLS: &str = "FPGA_ASSOCIATE_TEST_CALLS";

fn a_later_call_makes_at_most_four_system_calls() {
    const TEST: &str = "a_later_call_makes_at_most_four_system_calls";
    const FEW: usize = 10;
    const MANY: usize = 210;
    if let (Ok(endpoint), Ok(calls)) = (env::var(ENDPOINT), env::var(CALLS)) {
        let client = config().client(&endpoint);
        let calls: usize = calls.parse().unwrap();
        assert!(call(&client).is(Status::OK));
        let before = threads();
        for _ in 1..calls {
            assert!(call(&client).is(Status::OK));
        }
        assert!(threads() <= before);
        return;
    }
    needs::tools(&["strace"]);
    let few = system_calls(TEST, FEW);
    let many = system_calls(TEST, MANY);
    let more: BTreeMap<&str, i64> = many
        .iter()
        .map(|(name, count)| (name.as_str(), count - few.get(name).unwrap_or(&0)))
        .filter(|(_, more)| *more != 0)
        .collect();
    let later = i64::try_from(MANY - FEW).unwrap();
    // A few for the memory of the process, which do not come with each call.
    assert!(more.values().sum::<i64>() <= 4 * later + 20, "{more:?}");
    let sends = ["write", "writev", "send", "sendto", "sendmsg"];
    let sends: i64 = sends.iter().filter_map(|name| more.get(name)).sum();
    assert!(sends <= later, "{more:?}");
    for name in ["socket", "connect", "open", "openat", "clone", "clone3"] {
        assert!(!more.contains_key(name), "{name}: {more:?}");
    }
}
