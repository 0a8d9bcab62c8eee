//! `examples/plan.c` brings what a file wants about, against the emulator of the service.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};

use support::examples::{Ended, is_signed};
use support::plan_program::Plans;

#[test]
fn a_dry_run_shows_what_would_change_and_changes_nothing() {
    let plans = Plans::new();
    let (text, shown) = plans.of_each_kind();
    let before = plans.service().associations();
    let ended = plans.run(&["--dry-run"], text);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(ended.stdout, shown);
    assert!(ended.stderr.ends_with("Comparing 4/4\n"), "{ended:?}");
    assert_eq!(plans.service().associations(), before);
    assert_eq!(plans.changes(), 0);
}

#[test]
fn a_run_brings_it_about_and_a_second_run_sends_no_change() {
    let plans = Plans::new();
    let (text, shown) = plans.of_each_kind();
    let ended = plans.run(&[], &text);
    assert_eq!(ended.status, 0, "{ended:?}");
    let done = "Done: 2 associated, 1 disassociated, 1 as wanted, 0 failed, 0 open.\n";
    assert_eq!(ended.stdout, shown + done);
    assert!(ended.stderr.contains("Comparing 4/4\n"), "{ended:?}");
    assert!(ended.stderr.ends_with("Applying 4/4\n"), "{ended:?}");
    let service = plans.service();
    let (fpga_ids, ecs_ids) = (service.fpga_ids(), service.ecs_ids());
    let mut wanted =
        [(0, 0), (1, 1), (3, 0)].map(|(fpga, ecs)| (fpga_ids[fpga].clone(), ecs_ids[ecs].clone()));
    let mut there = service.associations();
    wanted.sort();
    there.sort();
    assert_eq!(there, wanted);
    assert_eq!(plans.changes(), 3);

    service.clear_requests();
    let again = plans.run(&[], &text);
    assert_eq!(again.status, 0, "{again:?}");
    let words = "Plan: 0 to associate, 0 to disassociate, 4 as wanted.\n";
    assert!(again.stdout.ends_with(words), "{again:?}");
    assert_eq!(again.stdout.matches("  = ").count(), 4, "{again:?}");
    assert_eq!(plans.changes(), 0);
}

#[test]
fn a_line_that_can_not_be_used_is_named_with_its_number_and_nothing_is_sent() {
    let plans = Plans::new();
    let good = plans.line('+', 0, 0);
    let service = plans.service();
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    let neither = "neither \"+ FPGA_IMAGE_ID ECS_IMAGE_ID\" nor \"- FPGA_IMAGE_ID ECS_IMAGE_ID\"";
    let long = "x".repeat(1 << 20);
    for (line, reason) in [
        (&*format!("{fpga_id} {ecs_id}"), neither),
        (&*format!("+{fpga_id} {ecs_id}"), neither),
        (&*format!("= {fpga_id} {ecs_id}"), neither),
        (&*format!("++ {fpga_id} {ecs_id}"), neither),
        (&*format!("+ {fpga_id} # {ecs_id}"), neither),
        (&*format!("+ {fpga_id} {ecs_id} more"), neither),
        (&*format!("+ {fpga_id} {ecs_id} # \0"), neither),
        ("+", neither),
        (&long, neither),
        (&*format!("- {ecs_id} {fpga_id}"), "fpga_id: is a UUID"),
        (&*format!("+ {fpga_id} ö"), "ecs_id: "),
        (&*format!("+ {long} {ecs_id}"), "fpga_id: "),
    ] {
        let ended = plans.run(&[], format!("{good}\n# the next:\n{line}\n{good}?\n"));
        assert_eq!(ended.status, 1, "{ended:?}");
        assert_eq!(ended.stdout, "");
        let told = ended.stderr.strip_prefix("plan.txt:4: ");
        assert!(
            told.is_some_and(|told| told.starts_with(reason)),
            "{ended:?}"
        );
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
    let not_text = plans.run(&[], b"+ \xff b\n");
    assert_eq!(not_text.status, 1, "{not_text:?}");
    assert!(not_text.stderr.starts_with("plan.txt:1: "), "{not_text:?}");

    // No line is wrong by itself.
    let both = plans.run(&[], good.clone() + &plans.line('-', 0, 0));
    assert_eq!(both.status, 1, "{both:?}");
    assert_eq!(both.stdout, "");
    assert!(both.stderr.contains("both associated and not"), "{both:?}");

    for (file, reason) in [("nowhere", "No such file"), (".", "Is a directory")] {
        let ended = Ended::of(plans.command(&[], file).output().unwrap());
        assert_eq!(ended.status, 1, "{ended:?}");
        assert!(
            ended.stderr.starts_with(&format!("{file}: {reason}")),
            "{ended:?}"
        );
    }
    assert!(service.requests().is_empty());
}

#[test]
fn a_line_that_memory_does_not_suffice_for_is_told() {
    let plans = Plans::new();
    let file = File::create(plans.place.home().join("plan.txt")).unwrap();
    file.set_len(1 << 30).unwrap();
    let command = plans.command(&[], "plan.txt");
    let limited = Command::new("sh")
        .args(["-c", "ulimit -v 400000; exec \"$@\"", "sh"])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(plans.place.home())
        .output()
        .unwrap();
    let ended = Ended::of(limited);
    assert_eq!(ended.status, 11, "{ended:?}");
    // In the words of the C library.
    let words = ["Cannot allocate memory", "Out of memory"];
    let told = words.map(|words| format!("plan.txt: {words}\n"));
    assert!(told.contains(&ended.stderr), "{ended:?}");
    assert!(plans.service().requests().is_empty());
}

#[test]
fn comments_blanks_and_the_ends_of_lines_of_windows_are_read_from_standard_input_too() {
    let plans = Plans::new();
    let [first, second, third] = [0, 1, 2].map(|ecs| plans.line('+', 0, ecs));
    let text = format!(
        "# {}\r\n\r\n \t{}\t# here\r\n{} \n#\n{}",
        "long ".repeat(100_000),
        first.trim_end().replace(' ', "\t  "),
        second.trim_end(),
        third.trim_end()
    );
    let mut running = plans
        .command(&[], "-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = running.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let ended = Ended::of(running.wait_with_output().unwrap());
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(plans.service().associations().len(), 3);

    let empty = plans.run(&[], "# nothing");
    assert_eq!(empty.status, 0, "{empty:?}");
    let words = "Plan: 0 to associate, 0 to disassociate, 0 as wanted.\n";
    assert_eq!(empty.stdout, words);
}

#[test]
fn a_pair_that_fails_is_named_and_the_others_are_done() {
    let plans = Plans::new();
    let service = plans.service();
    let unknown = "00000000000000000000000000000000";
    let pair = format!("{unknown} {}", service.ecs_ids()[0]);
    let ended = plans.run(&[], format!("+ {pair}\n{}", plans.line('+', 0, 0)));
    assert_eq!(ended.status, 32, "{ended:?}");
    let done = "\nDone: 1 associated, 0 disassociated, 0 as wanted, 1 failed, 0 open.\n";
    assert!(ended.stdout.ends_with(done), "{ended:?}");
    let told = ended.stderr.lines().find(|line| line.starts_with("  ! "));
    let told = told.expect(&ended.stderr);
    assert!(told.starts_with(&format!("  ! {pair}: ")), "{ended:?}");
    assert!(told.contains("Ecs.0031"), "{ended:?}");
    let status = "\n  status:     FPGA_ASSOC_INCOMPLETE (32)\n";
    assert!(ended.stderr.contains(status), "{ended:?}");
    assert_eq!(service.associations().len(), 1);
}

#[test]
fn where_comparing_is_stopped_nothing_is_changed() {
    let plans = Plans::new();
    let service = plans.service();
    let text: String = (0..3).map(|ecs| plans.line('+', 0, ecs)).collect();
    service.expire_token(service.token());
    for options in [&[][..], &["--dry-run"]] {
        service.clear_requests();
        let ended = plans.run(options, &text);
        assert_eq!(ended.status, 32, "{ended:?}");
        assert!(ended.stdout.contains("\nPlan: 0 to associate"), "{ended:?}");
        assert!(!ended.stdout.contains("Done"), "{ended:?}");
        assert!(ended.stdout.contains("  ! "), "{ended:?}");
        assert!(ended.stderr.contains("APIGW.0307"), "{ended:?}");
        assert_eq!(plans.changes(), 0);
    }
}

#[test]
fn of_many_pairs_that_are_as_wanted_some_are_shown() {
    let plans = Plans::new();
    let text: String = (0..12)
        .flat_map(|fpga| [0, 1].map(|ecs| plans.line('-', fpga, ecs)))
        .collect();
    let ended = plans.run(&[], text);
    assert_eq!(ended.status, 0, "{ended:?}");
    let end = "\n  = and 4 more\nPlan: 0 to associate, 0 to disassociate, 24 as wanted.\n";
    assert!(ended.stdout.ends_with(end), "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), 22, "{ended:?}");
}

#[test]
fn without_a_token_the_keys_of_the_environment_sign() {
    let plans = Plans::new();
    let service = plans.service();
    let keys = [
        ("HUAWEICLOUD_SDK_AK", service.access_key()),
        ("HUAWEICLOUD_SDK_SK", service.secret_key()),
    ];
    let file = plans.place.home().join("plan.txt");
    fs::write(&file, plans.line('+', 0, 0)).unwrap();
    let file = file.to_str().unwrap();
    let arguments = [service.endpoint(), service.project_id(), file];
    let ended = plans.place.run(&plans.program, &keys, &arguments);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(service.requests().iter().all(is_signed));
    assert_eq!(service.associations().len(), 1);
    let none = plans.place.run(&plans.program, &[], &arguments);
    assert_eq!(none.status, 10, "{none:?}");
    assert!(none.stderr.contains("needed:     FPGA_TOKEN"), "{none:?}");
}
