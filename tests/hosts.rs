//! The library lives in other people's processes: hosts with habits, and what it must not do to
//! them.

use std::ffi::OsString;
use std::io::Write;
use std::process::Command;
use std::sync::{Arc, Mutex};

use ecs_emulator::Emulator;
use rustls::HandshakeKind;
use support::c::{Toolchain, root, run};
use support::certificates::{Authority, tls_server_with};
use support::needs;
use support::raw::{NO_CONTENT, Server, Then};

support::tests! {
    a_call_fits_a_stack_of_64_kib,
    a_signal_every_millisecond_disturbs_nothing,
    a_broken_connection_does_not_raise_sigpipe,
    a_call_works_while_the_process_exits,
    running_out_of_file_descriptors_is_a_clear_error_and_passes,
    a_kept_connection_is_given_up_where_descriptors_run_out,
    a_clock_before_1970_makes_certificates_invalid_and_nothing_else,
    after_an_hour_of_use_a_server_shows_its_certificate_again,
    a_connection_that_no_call_uses_serves_for_55_seconds,
    a_client_has_two_descriptors_and_one_for_each_connection,
    running_out_of_threads_is_a_clear_error,
    a_system_without_certificates_still_verifies,
    what_the_host_prints_never_goes_into_a_connection,
    a_call_leaves_the_process_as_it_was,
    a_terminal_given_as_ca_file_does_not_become_the_hosts,
    the_library_can_be_closed_and_loaded_again,
}

const FPGA_ID: &str = "00000000000000000000000000000000";

/// The program's exit status where the machine can't show the promise.
const CANT_SHOW: i32 = 77;

/// Runs one mode of the program against the emulator, over TLS.
fn host(mode: &str, more: &[&str]) {
    let service = Emulator::start().unwrap();
    let ca_file = service.ca_file().to_str().unwrap();
    host_at(mode, service.endpoint(), ca_file, &service, more);
}

fn host_at(mode: &str, endpoint: &str, ca_file: &str, service: &Emulator, more: &[&str]) {
    host_with(mode, endpoint, ca_file, service, more, |_| None);
}

/// As [`host_at`], with a library in front of the others where one is made.
fn host_with(
    mode: &str,
    endpoint: &str,
    ca_file: &str,
    service: &Emulator,
    more: &[&str],
    in_front: impl FnOnce(&Toolchain) -> Option<(&'static str, OsString)>,
) {
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/host.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    let output = Command::new(program)
        .args([mode, endpoint, ca_file, service.project_id(), FPGA_ID])
        .arg(service.ecs_ids().first().unwrap())
        .args(more)
        .env("FPGA_TOKEN", service.token())
        .env("SSL_CERT_FILE", service.ca_file())
        .env_remove("SSL_CERT_DIR")
        .envs(in_front(&toolchain))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    let can_show = output.status.code() != Some(CANT_SHOW);
    needs::that(
        can_show,
        &format!("this machine can't show it\n{mode}: {told}"),
    );
    assert!(output.status.success(), "{mode}: {}: {told}", output.status);
    assert!(output.stdout.is_empty(), "{mode}");
    assert!(output.stderr.is_empty(), "{mode}: {told}");
}

fn a_call_fits_a_stack_of_64_kib() {
    // Without optimisation every copy has a place of its own on the stack.
    let is_optimised = Toolchain::new().unwrap().is_optimised();
    let kib: u32 = if is_optimised { 64 } else { 256 };
    host("small-stack", &[&(kib * 1024).to_string()]);
}

fn a_signal_every_millisecond_disturbs_nothing() {
    host("timer-signal", &[]);
}

fn a_broken_connection_does_not_raise_sigpipe() {
    let service = Emulator::start().unwrap();
    // Not read at all, so that what is still on its way when it closes is answered with a reset.
    let server = Server::serve(|_| {});
    host_at("broken-pipe", &server.endpoint(), "", &service, &[]);
}

fn a_call_works_while_the_process_exits() {
    host("at-exit", &[]);
}

fn running_out_of_file_descriptors_is_a_clear_error_and_passes() {
    host("no-descriptors", &[]);
}

fn a_kept_connection_is_given_up_where_descriptors_run_out() {
    let (service, plain) = (Emulator::start().unwrap(), Emulator::start_plain().unwrap());
    let endpoint = format!("https://{}", service.address());
    // By its address, which needs no lookup.
    let other = format!("http://{}", plain.address());
    host_at("few-descriptors", &endpoint, "", &service, &[&other]);
}

fn a_clock_before_1970_makes_certificates_invalid_and_nothing_else() {
    let (service, plain) = (Emulator::start().unwrap(), Emulator::start_plain().unwrap());
    let ca_file = service.ca_file().to_str().unwrap();
    let endpoint = service.endpoint();
    host_with(
        "early-clock",
        endpoint,
        ca_file,
        &service,
        &[plain.endpoint()],
        clock,
    );
}

/// The library that gives a process clocks of its own.
fn clock(toolchain: &Toolchain) -> Option<(&'static str, OsString)> {
    let source = root().join("tests/support/programs/clock.c");
    let options = ["-D_GNU_SOURCE", "-shared", "-fPIC"];
    let library = toolchain.compile(&source, &options).unwrap();
    Some(toolchain.in_front(library))
}

fn after_an_hour_of_use_a_server_shows_its_certificate_again() {
    let authority = Authority::new();
    let kinds: Arc<Mutex<Vec<HandshakeKind>>> = Arc::default();
    let seen_kinds = Arc::clone(&kinds);
    let server = tls_server_with(authority.sign(&["127.0.0.1"]), move |_, stream| {
        let kind = stream.conn.handshake_kind().unwrap();
        seen_kinds.lock().unwrap().push(kind);
        stream.write_all(NO_CONTENT).ok();
        Then::Keep
    });
    let service = Emulator::start().unwrap();
    let endpoint = format!("https://127.0.0.1:{}", server.port());
    let file = authority.file();
    let ca_file = file.to_str().unwrap();
    // More than an hour, with 50 seconds between two calls.
    let pace = &["50", "80"];
    host_with("long-use", &endpoint, ca_file, &service, pace, clock);
    let connections = server.finish().connection_of_each();
    assert_eq!(connections.len(), 80);
    assert_eq!(connections.last(), Some(&1), "{connections:?}");
    assert!(!kinds.lock().unwrap().contains(&HandshakeKind::Resumed));
}

fn a_connection_that_no_call_uses_serves_for_55_seconds() {
    let service = Emulator::start_plain().unwrap();
    for (seconds, connections) in [("54", [0, 0, 0]), ("56", [0, 1, 2])] {
        let server = Server::answering(NO_CONTENT, Then::Keep);
        let pace = &[seconds, "3"];
        host_with("long-use", &server.endpoint(), "", &service, pace, clock);
        assert_eq!(server.finish().connection_of_each(), connections);
    }
}

fn a_client_has_two_descriptors_and_one_for_each_connection() {
    host("counted-descriptors", &[]);
}

fn running_out_of_threads_is_a_clear_error() {
    host("no-threads", &[]);
}

fn a_system_without_certificates_still_verifies() {
    let empty = tempfile::tempdir().unwrap();
    let service = Emulator::start().unwrap();
    // By its address, because there is no /etc/hosts either.
    let endpoint = format!("https://{}", service.address());
    let ca_file = service.ca_file().to_str().unwrap();
    let folder = empty.path().to_str().unwrap();
    host_at("empty-root", &endpoint, ca_file, &service, &[folder]);
}

fn what_the_host_prints_never_goes_into_a_connection() {
    host("closed-streams", &[]);
}

fn a_call_leaves_the_process_as_it_was() {
    host("left-alone", &[]);
}

fn a_terminal_given_as_ca_file_does_not_become_the_hosts() {
    host("no-terminal", &[]);
}

fn the_library_can_be_closed_and_loaded_again() {
    let service = Emulator::start().unwrap();
    let toolchain = Toolchain::new().unwrap();
    let text = r#"
        #include <dlfcn.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        typedef int32_t call(const char *, const char *, const char *, const char *, const char *);
        int main(int argc, char **argv) {
            int i;
            for (i = 0; argc == 6 && i < 5; i++) {
                call *associate;
                int32_t status;
                void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
                if (library == NULL) { puts(dlerror()); return 1; }
                *(void **)&associate = dlsym(library, "fpga_associate");
                status = associate(argv[2], getenv("FPGA_TOKEN"), argv[3], argv[4], argv[5]);
                if (status != 23) { printf("status %d\n", (int)status); return 1; }
                dlclose(library);
            }
            return i == 5 ? 0 : 1;
        }"#;
    let program = toolchain.compile_text("again", text, &["-ldl"]).unwrap();
    run(Command::new(program)
        .arg(toolchain.library())
        .args([service.endpoint(), service.project_id(), FPGA_ID])
        .arg(service.ecs_ids().first().unwrap())
        .env("FPGA_TOKEN", service.token())
        .env("SSL_CERT_FILE", service.ca_file())
        .env_remove("SSL_CERT_DIR"))
    .unwrap();
}
