//! A thread that is cancelled (pthread_cancel) in the middle of a call ends after it, and the host lives.

use std::net::TcpListener;
use std::process::Command;

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::c::{Toolchain, root, run};

const FPGA_ID: &str = "00000000000000000000000000000000";

/// Has threads cancelled in calls to the endpoint that end so.
fn cancelled(service: &Emulator, endpoint: &str, threads: u32, expected: Status) {
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/cancel.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    let printed = run(Command::new(program)
        .arg(endpoint)
        .arg(service.ca_file())
        .args([service.project_id(), FPGA_ID, &service.ecs_ids()[0]])
        .args([threads.to_string(), expected.number().to_string()])
        .env("FPGA_TOKEN", service.token()))
    .unwrap();
    assert_eq!(printed, "all cancelled after their call\n");
}

#[test]
fn a_thread_that_is_cancelled_in_a_call_ends_after_it() {
    let service = Emulator::start_plain().unwrap();
    cancelled(&service, service.endpoint(), 200, Status::NOT_FOUND);
}

#[test]
fn a_thread_that_is_cancelled_in_a_call_over_tls_ends_after_it() {
    let service = Emulator::start().unwrap();
    cancelled(&service, service.endpoint(), 200, Status::NOT_FOUND);
}

#[test]
fn a_thread_that_is_cancelled_while_it_waits_ends_when_the_call_does() {
    let service = Emulator::start().unwrap();
    // It connects, and never says anything.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    for scheme in ["http", "https"] {
        let endpoint = format!("{scheme}://{}", silent.local_addr().unwrap());
        cancelled(&service, &endpoint, 3, Status::TIMEOUT);
    }
}
