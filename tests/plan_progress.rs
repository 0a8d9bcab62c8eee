//! `examples/plan.c` shows how far it is, and goes on where it was ended.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Stdio;
use std::ptr;
use std::thread;
use std::time::Duration;

use support::plan_program::Plans;

/// A plan of forty pairs that takes a second or two.
fn slow_plan(plans: &Plans) -> String {
    let service = plans.service();
    service.set_service_time(Duration::from_millis(100));
    let ecs_ids = service.add_ecs_images(40);
    let fpga_id = &service.fpga_ids()[0];
    let lines = ecs_ids
        .iter()
        .map(|ecs_id| format!("+ {fpga_id} {ecs_id}\n"));
    lines.collect()
}

#[test]
fn where_there_is_no_terminal_progress_has_a_few_lines() {
    let plans = Plans::new();
    let ended = plans.run(&[], slow_plan(&plans));
    assert_eq!(ended.status, 0, "{ended:?}");
    let lines: Vec<usize> = ended
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("Applying ")?.strip_suffix("/40"))
        .map(|settled| settled.parse().unwrap())
        .collect();
    assert!((2..=10).contains(&lines.len()), "{ended:?}");
    assert!(lines.is_sorted(), "{ended:?}");
    assert_eq!(lines.last(), Some(&40));
    assert!(!ended.stderr.contains('\r'), "{ended:?}");
}

#[test]
fn on_a_terminal_progress_is_a_bar() {
    let plans = Plans::new();
    let text = slow_plan(&plans);
    fs::write(plans.place.home().join("plan.txt"), text).unwrap();
    let (mut terminal, of_the_program) = terminal();
    let mut command = plans.command(&[], "plan.txt");
    command.stdout(Stdio::null()).stderr(of_the_program);
    let mut running = command.spawn().unwrap();
    drop(command);
    // A terminal that nobody has open any more is an error.
    let mut shown = Vec::new();
    terminal.read_to_end(&mut shown).unwrap_err();
    assert!(running.wait().unwrap().success());

    let shown = String::from_utf8(shown).unwrap();
    let (_, applying) = shown.split_once("\r\n").unwrap();
    let begin = "\rApplying [--------------------] 0/40\r";
    assert!(applying.starts_with(begin), "{shown:?}");
    assert!(applying.contains("#-"), "{shown:?}");
    let end = "\rApplying [####################] 40/40\r\n";
    assert!(applying.ends_with(end), "{shown:?}");
    assert_eq!(applying.matches('\n').count(), 1, "{shown:?}");
}

#[test]
fn after_ctrl_c_a_second_run_goes_on() {
    let plans = Plans::new();
    let service = plans.service();
    let text = slow_plan(&plans);
    // So slow that it is still under way when the signal comes.
    service.set_service_time(Duration::from_millis(500));
    fs::write(plans.place.home().join("plan.txt"), &text).unwrap();
    let mut command = plans.command(&[], "plan.txt");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    // Who is started in the background of a script ignores the signal.
    // SAFETY: the child does nothing else before it is another program.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            Ok(())
        });
    }
    let mut running = command.spawn().unwrap();
    while service.associations().len() < 5 {
        assert!(running.try_wait().unwrap().is_none());
        thread::sleep(Duration::from_millis(1));
    }
    let process = running.id().try_into().unwrap();
    // SAFETY: the process is not waited for yet, so that no other has its number.
    assert_eq!(unsafe { libc::kill(process, libc::SIGINT) }, 0);
    let ended = running.wait().unwrap();
    assert_eq!(ended.signal(), Some(libc::SIGINT));
    // What had gone out is done all the same.
    thread::sleep(Duration::from_secs(2));
    service.set_service_time(Duration::ZERO);
    let done = service.associations().len();
    assert!(done < 40, "{done}");

    service.clear_requests();
    let again = plans.run(&[], &text);
    assert_eq!(again.status, 0, "{again:?}");
    assert_eq!(service.associations().len(), 40);
    assert_eq!(plans.changes(), 40 - done);
}

/// A terminal, and the end of it that a program has.
fn terminal() -> (File, OwnedFd) {
    let (mut ours, mut of_a_program) = (-1, -1);
    // SAFETY: both numbers may be written to, and nothing else is asked for.
    let opened = unsafe {
        libc::openpty(
            &raw mut ours,
            &raw mut of_a_program,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    };
    assert_eq!(opened, 0);
    // SAFETY: both were just opened, and belong to nobody else.
    unsafe { (File::from_raw_fd(ours), OwnedFd::from_raw_fd(of_a_program)) }
}
