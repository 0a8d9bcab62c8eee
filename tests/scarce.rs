//! Memory that runs out is a status: wherever in a call it does, the host lives, what is told is true,
//! and the next call works.

mod support;

use std::fs;
use std::process::Command;

use ecs_emulator::Emulator;
use support::c::{Toolchain, root};

const ALL: u32 = u32::MAX;

/// More than a program has children.
const FPGA_IMAGES: usize = 4_000;

/// Runs the work with memory running out at each place, and at each `step`th beyond the first ones.
fn scarce(service: &Emulator, work: &str, hows: &[(&str, u32, u32)]) {
    // Not its name: the C library's resolver may crash where it gets no memory.
    let endpoint = service.endpoint().replace("localhost", "127.0.0.1");
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/scarce.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    for (how, first, step) in hows {
        service.set_limit(usize::MAX);
        let ids = toolchain.folder().join("fpga-ids");
        fs::write(&ids, service.add_fpga_images(FPGA_IMAGES).join("\n")).unwrap();
        let output = Command::new(&program)
            .args([work, how, &first.to_string(), &step.to_string(), &endpoint])
            .arg(service.ca_file())
            .args([service.project_id(), &service.ecs_ids()[0]])
            .arg(&ids)
            .env("FPGA_TOKEN", service.token())
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{printed}");
        let (tried, stopped) = printed.trim().split_once(' ').unwrap();
        let [tried, stopped]: [u32; 2] = [tried, stopped].map(|number| number.parse().unwrap());
        println!("{work} at {endpoint}, {how}: {stopped} of {tried} stopped");
        assert!(
            stopped > 0 && stopped < tried,
            "{work} {how}: {stopped} of {tried}"
        );
    }
}

#[test]
fn settings_and_clients_for_which_memory_runs_out_are_refused() {
    scarce(
        &Emulator::start_plain().unwrap(),
        "settings",
        &[("once", ALL, 1), ("ever", ALL, 1)],
    );
}

#[test]
fn a_change_for_which_memory_runs_out_tells_the_truth() {
    scarce(
        &Emulator::start_plain().unwrap(),
        "associate",
        &[("once", ALL, 1), ("ever", ALL, 1), ("limit", 50, 7)],
    );
}

#[test]
fn a_change_over_tls_for_which_memory_runs_out_tells_the_truth() {
    let service = Emulator::start().unwrap();
    scarce(
        &service,
        "associate",
        &[("once", ALL, 1), ("ever", ALL, 1), ("limit", 50, 7)],
    );
}

#[test]
fn a_long_list_for_which_memory_runs_out_is_none() {
    let service = Emulator::start_plain().unwrap();
    service.set_limit(usize::MAX);
    for fpga_id in service.add_fpga_images(2_000) {
        service.associate(&fpga_id, &service.ecs_ids()[0]);
    }
    scarce(
        &service,
        "list",
        &[("once", 60, 301), ("ever", 60, 301), ("limit", 0, 10)],
    );
}
