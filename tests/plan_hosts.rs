//! A plan does its host no harm: its threads, its callbacks, its forks.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use support::c::{Toolchain, root, run};
use support::plans::{Service, service};

/// The program, and a file of pairs for it.
struct Host {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Host {
    fn new(toolchain: &Toolchain, service: &Service, fpga_images: usize) -> Self {
        let source = root().join("tests/support/programs/plan.c");
        let program = toolchain
            .compile(&source, &["-D_GNU_SOURCE", "-ldl"])
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pairs = service.pairs(fpga_images);
        let lines = pairs
            .iter()
            .map(|(fpga_id, ecs_id)| format!("{fpga_id} {ecs_id}\n"));
        fs::write(folder.path().join("pairs"), lines.collect::<String>()).unwrap();
        Self { program, folder }
    }

    fn command(&self, service: &Service, mode: &str, parallel: u32) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg(mode)
            // An address, which takes no thread to look up.
            .arg(format!("http://{}", service.emulator.address()))
            .arg(service.emulator.project_id())
            .arg(self.folder.path().join("pairs"))
            .arg(parallel.to_string())
            .env("FPGA_TOKEN", service.emulator.token())
            .env("no_proxy", "*");
        command
    }
}

#[test]
fn threads_and_callbacks_of_a_plan_leave_the_host_as_it_was() {
    let toolchain = Toolchain::new().unwrap();
    // The lists of four FPGA images are read, the first of them before the others, and then twenty ECS
    // images changed.
    for (mode, parallel, time, threads) in [
        ("apply", 8, 0, 3 + 8),
        ("apply", 1, 0, 0),
        ("no-thread", 8, 0, 0),
        ("one-thread", 8, 0, 1),
        ("callback", 4, 15, 3 + 4),
        ("callback", 1, 15, 0),
        ("log-fork", 8, 1, 3 + 8),
        ("fault", 8, 1, 3 + 8),
    ] {
        let service = service(4, 20);
        service
            .emulator
            .set_service_time(Duration::from_millis(time));
        let host = Host::new(&toolchain, &service, 4);
        let printed = run(&mut host.command(&service, mode, parallel)).unwrap();
        let expected = format!("as wanted 0, changed 80, failed 0, open 0, threads {threads}");
        assert_eq!(printed.trim(), expected, "{mode}, {parallel} at once");
    }
}

#[test]
fn a_child_that_is_forked_in_the_middle_of_a_plan_ends_it_and_lives_on() {
    let toolchain = Toolchain::new().unwrap();
    for parallel in [1, 8] {
        let service = service(4, 20);
        service.emulator.set_service_time(Duration::from_millis(20));
        let host = Host::new(&toolchain, &service, 4);
        run(&mut host.command(&service, "fork", parallel)).unwrap();
        assert_eq!(service.emulator.associations().len(), 80);
    }
}

#[test]
fn a_plan_can_not_be_broken_off_by_a_cancellation() {
    let toolchain = Toolchain::new().unwrap();
    let service = service(4, 20);
    let host = Host::new(&toolchain, &service, 4);
    run(&mut host.command(&service, "cancel", 4)).unwrap();
    assert_eq!(service.emulator.associations().len(), 80);
}

#[test]
fn a_plan_whose_process_is_killed_goes_on_where_it_ended() {
    let toolchain = Toolchain::new().unwrap();
    let service = service(10, 20);
    service.emulator.set_service_time(Duration::from_millis(5));
    let host = Host::new(&toolchain, &service, 10);
    let mut child = host
        .command(&service, "apply", 4)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while service.emulator.associations().len() < 50 {
        assert!(child.try_wait().unwrap().is_none(), "it ended too early");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What was under way is done or not, and not for much longer.
    service.emulator.set_service_time(Duration::ZERO);
    run(&mut host.command(&service, "apply", 4)).unwrap();
    assert_eq!(service.emulator.associations().len(), 200);
}
