//! A child of fork and its parent do not disturb each other.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::c::{Toolchain, root, run};
use support::call::{ECS_ID, FPGA_ID, PROJECT_ID, TOKEN};
use support::certificates::{Authority, tls_server_with};
use support::client::config;
use support::itself::{end_child, was_so_in};
use support::raw::{NO_CONTENT, Server, Then, succeed};
use support::slow::{on_line, wait_until};

/// Calls of both sides, with and without threads that are in the middle of a call when the process
/// forks.
fn fork(service: &Emulator, ca_file: &Path, calls: u32, threads: u32, how: &str) {
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/fork.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    run(Command::new(program)
        .arg(service.endpoint())
        .arg(ca_file)
        .arg(service.project_id())
        .arg(service.ecs_ids().first().unwrap())
        .args([&calls.to_string(), &threads.to_string(), how])
        .env("FPGA_TOKEN", service.token()))
    .unwrap();
}

#[test]
fn both_sides_get_their_own_answers_over_plain_connections() {
    fork(
        &Emulator::start_plain().unwrap(),
        Path::new("-"),
        1_000,
        0,
        "fork",
    );
}

#[test]
fn both_sides_get_their_own_answers_over_tls() {
    let service = Emulator::start().unwrap();
    fork(&service, service.ca_file(), 1_000, 0, "fork");
}

#[test]
fn both_sides_work_when_the_fork_came_in_the_middle_of_plain_calls() {
    fork(
        &Emulator::start_plain().unwrap(),
        Path::new("-"),
        20,
        8,
        "fork",
    );
}

#[test]
fn both_sides_work_when_the_fork_came_in_the_middle_of_calls_over_tls() {
    let service = Emulator::start().unwrap();
    fork(&service, service.ca_file(), 20, 8, "fork");
}

#[test]
fn children_of_every_other_kind_get_connections_of_their_own() {
    let service = Emulator::start().unwrap();
    for how in ["_Fork", "clone"] {
        fork(
            &Emulator::start_plain().unwrap(),
            Path::new("-"),
            200,
            0,
            how,
        );
        fork(&service, service.ca_file(), 200, 0, how);
    }
}

#[test]
fn a_fork_in_the_log_callback_disturbs_neither_side() {
    fork(
        &Emulator::start_plain().unwrap(),
        Path::new("-"),
        0,
        0,
        "log",
    );
    let service = Emulator::start().unwrap();
    fork(&service, service.ca_file(), 0, 0, "log");
}

/// Where a kept connection turns out to be closed and is replaced, too.
#[test]
fn a_child_of_the_log_callback_sends_nothing_of_its_parents_call() {
    let server = Server::start(|nth, stream| match nth {
        1 => Then::Close,
        _ => succeed(stream),
    });
    let child = Arc::new(AtomicI32::new(-1));
    let made = Arc::clone(&child);
    let settings = on_line(config(), move |_, line| {
        if line.contains("once more on a new connection") {
            // SAFETY: the child makes no call but the one that it is in, and ends.
            made.store(unsafe { libc::fork() }, Ordering::SeqCst);
        }
    });
    let client = settings.client(&server.endpoint());
    assert!(client.example().is(Status::OK));
    let outcome = client.example();
    let child = child.load(Ordering::SeqCst);
    if child == 0 {
        end_child(outcome.is(Status::CONNECTION_LOST) && outcome.outcome_unknown);
    }
    assert!(child > 0 && outcome.is(Status::OK), "{outcome:?}");
    assert!(was_so_in(child));
    assert_eq!(server.finish().requests.len(), 3);
}

#[test]
fn a_child_can_change_settings_that_a_thread_of_its_parent_was_changing() {
    let service = Emulator::start().unwrap();
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/fork_config.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    run(Command::new(program).arg(service.ca_file()).arg("500")).unwrap();
}

/// The parent's connections, one that a call uses and one that is idle, are used on: over TLS too, where
/// a word of farewell from the child would end them.
#[test]
fn what_a_child_shuts_down_closes_or_frees_is_its_own() {
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/fork_ends.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    let authority = Authority::new();
    for (what, connections) in [("shutdown", 2), ("close_idle", 4), ("free", 2)] {
        for is_tls in [false, true] {
            let (release, released) = mpsc::channel::<()>();
            let released = Mutex::new(released);
            let answer = move |nth: usize, stream: &mut dyn Write| {
                if nth == 0 {
                    released.lock().unwrap().recv().ok();
                }
                stream.write_all(NO_CONTENT).ok();
                Then::Keep
            };
            let (server, scheme) = match is_tls {
                true => {
                    let identity = authority.sign(&["127.0.0.1"]);
                    let server = tls_server_with(identity, move |nth, stream| answer(nth, stream));
                    (server, "https")
                }
                false => (
                    Server::start(move |nth, stream| answer(nth, stream)),
                    "http",
                ),
            };
            let mut host = Command::new(&program)
                .arg(format!("{scheme}://{}", server.address()))
                .arg(if is_tls { authority.file() } else { "-".into() })
                .args([PROJECT_ID, FPGA_ID, ECS_ID, what])
                .env("FPGA_TOKEN", TOKEN)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            // The first call is under way.
            wait_until(|| server.seen().requests.len() == 1);
            host.stdin.take().unwrap().write_all(b"\n").unwrap();
            let mut line = String::new();
            BufReader::new(host.stdout.take().unwrap())
                .read_line(&mut line)
                .unwrap();
            release.send(()).ok();
            let status = host.wait().unwrap();
            assert!(
                status.success() && line == "called\n",
                "{what}, {scheme}: {status}"
            );
            let seen = server.finish();
            assert_eq!(
                seen.connections,
                connections,
                "{what}, {scheme}: {:?}",
                seen.connection_of_each()
            );
        }
    }
}
