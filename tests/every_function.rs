//! Every function of the header, called by programs in C and C++ in each use that the header allows,
//! alone and by many threads at once. `.ci/sanitizers` runs them with sanitizers, which see what an
//! exit status does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use ecs_emulator::Emulator;
use support::c::{Toolchain, root, run};
use support::certificates::Authority;
use support::header::{Declaration, declarations};
use support::needs;
use support::raw::Server;

support::tests! {
    the_programs_call_every_function_of_the_header,
    every_function_of_calls_keeps_its_promises_in_c_and_cpp,
    every_function_of_grants_and_plans_keeps_its_promises_in_c_and_cpp,
    threads_may_share_all_that_the_header_says_they_may,
}

/// They call every function between them.
const CALL: &str = "every_call";
const PLAN: &str = "every_plan";

fn source(name: &str) -> PathBuf {
    root().join("tests/support/programs").join(name)
}

/// The program in C, and the same in C++.
fn in_both_languages(toolchain: &Toolchain, name: &str) -> [PathBuf; 2] {
    let c = source(name).with_extension("c");
    let cpp = toolchain.folder().join(format!("{name}_too.cpp"));
    fs::write(&cpp, format!("#include \"{}\"\n", c.display())).unwrap();
    [c, cpp].map(|source| toolchain.compile(&source, &[]).unwrap())
}

/// A command with the token, and no other credentials, certificates and proxies but the service's own.
fn command(program: &PathBuf, service: &Emulator) -> Command {
    let mut command = Command::new(program);
    command
        .env("FPGA_TOKEN", service.token())
        .env("SSL_CERT_FILE", service.ca_file())
        .env("no_proxy", "*")
        .env("HOME", "/nowhere");
    for variable in [
        "SSL_CERT_DIR",
        "HUAWEICLOUD_SDK_AK",
        "HW_ACCESS_KEY",
        "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
    ] {
        command.env_remove(variable);
    }
    command.arg(service.endpoint()).arg(service.ca_file());
    command
}

fn the_programs_call_every_function_of_the_header() {
    let header = fs::read_to_string(root().join("include/fpga_associate.h")).unwrap();
    let programs = [CALL, PLAN, "reading"].map(|name| {
        let extension = if name == "reading" { "h" } else { "c" };
        fs::read_to_string(source(name).with_extension(extension)).unwrap()
    });
    let words: BTreeSet<&str> = programs
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .collect();
    let functions = declarations(&header)
        .into_iter()
        .filter_map(|declaration| match declaration {
            Declaration::Function { name, .. } => Some(name),
            _ => None,
        });
    let (called, missing): (Vec<_>, Vec<_>) =
        functions.partition(|name| words.contains(name.as_str()));
    assert_eq!(missing, Vec::<String>::new());
    assert!(called.len() > 50, "{called:?}");
}

fn every_function_of_calls_keeps_its_promises_in_c_and_cpp() {
    needs::tools(&["g++"]);
    let toolchain = Toolchain::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("client.pem");
    let ours = Authority::new().sign_for_clients("client.test");
    fs::write(&certificate, ours.pem_with_key()).unwrap();
    let service = Emulator::start().unwrap();
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    assert!(service.associate(fpga_id, ecs_id));
    for program in in_both_languages(&toolchain, CALL) {
        run(command(&program, &service)
            .arg(&certificate)
            .args([service.project_id(), fpga_id, service.inactive_fpga_id()])
            .arg(ecs_id))
        .unwrap();
    }
}

fn every_function_of_grants_and_plans_keeps_its_promises_in_c_and_cpp() {
    needs::tools(&["g++"]);
    let toolchain = Toolchain::new().unwrap();
    let service = Emulator::start().unwrap();
    let key = service.issue_access_key();
    for program in in_both_languages(&toolchain, PLAN) {
        run(command(&program, &service)
            .args([service.project_id(), &key.access_key, &key.secret_key])
            .args([service.inactive_fpga_id(), &service.fpga_ids()[0]])
            .args(service.ecs_ids()))
        .unwrap();
        assert_eq!(service.associations(), []);
    }
}

fn threads_may_share_all_that_the_header_says_they_may() {
    needs::tools(&["g++"]);
    let toolchain = Toolchain::new().unwrap();
    let service = Emulator::start().unwrap();
    let silent = Server::serve(|mut visit| {
        visit.read_request();
        visit.read_request();
    });
    let program = toolchain.compile(&source("together.cpp"), &[]).unwrap();
    run(command(&program, &service)
        .arg(silent.endpoint())
        .args([service.project_id(), &service.fpga_ids()[0]])
        .args(service.ecs_ids()))
    .unwrap();
}
