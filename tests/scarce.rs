//! Memory that runs out is a status: wherever in a call it does, the host lives, what is told is true,
//! and the next call works.

use std::fs;
use std::process::Command;

use ecs_emulator::Emulator;
use support::c::{Toolchain, root, run};
use support::raw::{Server, Then, answer};

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
    let key = service.issue_temporary_access_key(24 * 3600);
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
            .env("FPGA_ACCESS_KEY", &key.access_key)
            .env("FPGA_SECRET_KEY", &key.secret_key)
            .env("FPGA_SECURITY_TOKEN", key.security_token.as_ref().unwrap())
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
fn a_signed_change_for_which_memory_runs_out_tells_the_truth() {
    scarce(
        &Emulator::start_plain().unwrap(),
        "signed",
        &[("once", ALL, 1), ("ever", ALL, 1), ("limit", 50, 7)],
    );
}

#[test]
fn a_change_for_whose_credentials_memory_runs_out_tells_the_truth() {
    scarce(
        &Emulator::start_plain().unwrap(),
        "granted",
        &[("once", ALL, 1), ("ever", ALL, 1), ("limit", 50, 7)],
    );
}

#[test]
fn a_plan_for_which_memory_runs_out_tells_the_truth_of_each_pair() {
    scarce(
        &Emulator::start_plain().unwrap(),
        "plan",
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
        &[("once", 60, 701), ("ever", 60, 701), ("limit", 0, 20)],
    );
}

#[test]
fn what_is_kept_of_calls_for_which_memory_ran_out_does_not_add_up() {
    let service = Emulator::start_plain().unwrap();
    scarce(&service, "refusals", &[("ever", 0, 15)]);
}

#[test]
fn the_first_call_of_a_thread_is_refused_where_the_loader_would_find_no_memory() {
    let service = Emulator::start_plain().unwrap();
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/late.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    let printed = run(Command::new(program)
        .arg(toolchain.library())
        .args([
            service.endpoint(),
            service.project_id(),
            &service.ecs_ids()[0],
        ])
        .env("FPGA_TOKEN", service.token()))
    .unwrap();
    assert_eq!(printed, "23 11\n");
}

#[test]
fn the_reserve_for_that_is_a_megabyte_and_a_half_of_address_space_and_is_not_touched() {
    let service = Emulator::start().unwrap();
    let toolchain = Toolchain::new().unwrap();
    let text = r#"
        #include <stdio.h>
        #include <stdlib.h>
        #include "fpga_associate.h"
        int main(int argc, char **argv) {
            char line[4096];
            if (argc != 4 || fpga_associate(argv[1], getenv("FPGA_TOKEN"), argv[2], "f", argv[3]) != FPGA_ASSOC_NOT_FOUND)
                return 1;
            FILE *memory = fopen("/proc/self/smaps", "r");
            while (memory != NULL && fgets(line, sizeof line, memory) != NULL)
                fputs(line, stdout);
            return 0;
        }"#;
    let program = toolchain.compile_text("reserve", text, &[]).unwrap();
    let printed = run(Command::new(program)
        .args([
            service.endpoint(),
            service.project_id(),
            &service.ecs_ids()[0],
        ])
        .env("FPGA_TOKEN", service.token())
        .env("SSL_CERT_FILE", service.ca_file())
        .env_remove("SSL_CERT_DIR"))
    .unwrap();
    // What a library has that is zeros at first lies without a name behind its last part that has one.
    let (_, behind) = printed.rsplit_once("libfpga_associate").unwrap();
    let (_, zeros) = behind.split_once("VmFlags").unwrap();
    let kib = |field: &str| -> u32 {
        let value = zeros.lines().find_map(|line| line.strip_prefix(field));
        value
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap()
    };
    let (size, touched) = (kib("Size:"), kib("Rss:"));
    println!("{size} KiB, of which {touched} are touched");
    assert!((1_536..1_600).contains(&size), "{size}");
    assert!(touched <= 64, "{touched}");
}

/// Calls with little address space left, answered like this.
fn short_of(call: &str, answer: Vec<u8>, most_kib: u32, threads: u32, statuses: &str) {
    let server = Server::answering(answer, Then::Keep);
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/shortage.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    let step = most_kib / 20;
    let printed = run(Command::new(program)
        .arg(server.endpoint())
        .arg(call)
        .args([most_kib, step, threads].map(|number| number.to_string())))
    .unwrap();
    assert_eq!(printed.trim(), statuses, "{call}");
}

#[test]
fn long_answers_for_which_there_is_no_memory_end_no_host() {
    let page = format!("<html>{}", "a word and ".repeat(100_000));
    short_of("list", answer(400, "", &page), 4_000, 1, "11 20");
    short_of("list", answer(400, "", [0xff; 400_000]), 4_000, 1, "11 20");
    let details = vec![r#"{"code":"a","message":"b"}"#; 5_000].join(",");
    let details = format!(r#"{{"error":{{"code":"x","message":"y","details":[{details}]}}}}"#);
    short_of("list", answer(400, "", &details), 4_000, 1, "11 20");
    let names: Vec<_> = (0..200)
        .map(|at| format!(r#""{at}\u0061{}":1"#, "n".repeat(4_000)))
        .collect();
    let names = format!(r#"{{"associations":[],{}}}"#, names.join(","));
    short_of("list", answer(200, "", &names), 8_000, 1, "0 11");
}

#[test]
fn many_threads_for_which_there_is_no_memory_end_no_host() {
    let text = "\\u0061".repeat(10_000);
    let entry =
        format!(r#"{{"id":"f","name":"{text}","description":"{text}","message":"{text}"}}"#);
    let list = format!(r#"{{"associations":[{{"image_id":"e","fpgaimages":[{entry}]}}]}}"#);
    short_of("list", answer(200, "", &list), 20_000, 16, "0 11");
    short_of(
        "associate",
        answer(400, "", [0xff; 65_000]),
        20_000,
        16,
        "11 20",
    );
}
