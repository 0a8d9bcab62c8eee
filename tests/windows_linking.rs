//! Programs in C on Windows, as far as Wine shows it, which come to the library in all ways.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ecs_emulator::Emulator;
use support::c::{root, run};
use support::proxies::pump;
use support::raw::Server;
use support::wine::{COMPILER, Linked, Wine, path};
use support::wine_calls::HOST;

const UNLOADING: &str = "tests/support/programs/windows_unload.c";

/// Leads to the service, and counts connections.
fn counting(service: &Emulator) -> Server {
    let to = service.address();
    Server::serve(move |visit| pump(&visit.stream, &TcpStream::connect(to).unwrap()))
}

/// Runs a program that uses the service.
fn use_service(source: &str, linked: Linked, service_time: Duration) {
    let wine = Wine::new().unwrap();
    let service = Emulator::start().unwrap();
    service.set_service_time(service_time);
    let program = wine.compile(Path::new(source), linked).unwrap();
    use_service_with(&wine, &program, &service);
}

fn use_service_with(wine: &Wine, program: &Path, service: &Emulator) {
    let counting = counting(service);
    let arguments = [
        "service",
        &format!("https://localhost:{}", counting.port()),
        &path(service.ca_file()),
        service.project_id(),
        &service.fpga_ids()[0],
        &service.ecs_ids()[0],
    ];
    let output = wine.run(program, &arguments, service.token()).unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {told}", output.status);
    assert!(output.stdout.is_empty() && told.is_empty(), "{told}");
    // One for each thread.
    let connections = counting.seen().connections;
    assert!((1..=4).contains(&connections), "{connections}");
}

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn a_program_with_the_dll_uses_the_service() {
    use_service(HOST, Linked::Shared, Duration::ZERO);
}

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn a_program_with_the_import_library_for_microsofts_linker_uses_the_service() {
    use_service(HOST, Linked::Microsofts, Duration::ZERO);
}

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn a_program_with_the_static_library_uses_the_service() {
    use_service(HOST, Linked::Static, Duration::ZERO);
}

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn a_call_that_is_on_its_way_ends_well_though_the_host_frees_the_library() {
    use_service(UNLOADING, Linked::Not, Duration::from_secs(1));
}

#[test]
#[ignore = "needs the library for Windows: .packaging/release x86_64-windows"]
fn cmake_finds_the_dll_and_the_static_library() {
    let wine = Wine::new().unwrap();
    let service = Emulator::start().unwrap();
    let project = wine.folder().join("project");
    fs::create_dir(&project).unwrap();
    fs::copy(root().join(HOST), project.join("host.c")).unwrap();
    let lists = "cmake_minimum_required(VERSION 3.16)\n\
         project(host C)\n\
         find_package(fpga_associate 0.1 CONFIG REQUIRED)\n\
         foreach(kind fpga_associate fpga_associate_static)\n\
         add_executable(${kind} host.c)\n\
         target_link_libraries(${kind} PRIVATE fpga_associate::${kind})\n\
         endforeach()\n";
    fs::write(project.join("CMakeLists.txt"), lists).unwrap();
    run(Command::new("cmake").current_dir(&project).args([
        "-S",
        ".",
        "-B",
        "build",
        "-DCMAKE_SYSTEM_NAME=Windows",
        &format!("-DCMAKE_C_COMPILER={COMPILER}"),
        &format!("-Dfpga_associate_DIR={}", wine.cmake().display()),
        // Beside the DLL.
        &format!(
            "-DCMAKE_RUNTIME_OUTPUT_DIRECTORY={}",
            wine.programs().display()
        ),
    ]))
    .unwrap();
    run(Command::new("cmake")
        .current_dir(&project)
        .args(["--build", "build"]))
    .unwrap();
    for program in ["fpga_associate.exe", "fpga_associate_static.exe"] {
        use_service_with(&wine, &wine.programs().join(program), &service);
    }
}
