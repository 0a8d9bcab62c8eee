//! The command that a wheel installs does what the C programs do, in the same words, and tells of
//! failures in one line.

use std::fs;
use std::sync::LazyLock;

use support::archives::{Archives, Python, VERSION, kept, own_wheel};
use support::examples::{Ended, is_signed};
use support::needs;
use support::plan_program::Plans;

support::tests! {
    a_pair_is_associated_listed_and_taken_apart,
    the_status_is_the_librarys_and_one_line_says_why,
    credentials_are_those_of_the_c_programs,
    a_plan_is_shown_and_brought_about_as_the_c_program_does,
    a_line_of_a_plan_that_can_not_be_used_is_named_with_its_number,
}

const UNKNOWN: &str = "00000000000000000000000000000000";

static PYTHON: LazyLock<Python> = LazyLock::new(|| {
    let archives = Archives::new().unwrap();
    let wheels = archives.pack("wheel").unwrap();
    let folder = kept("python").unwrap();
    Python::within(folder, own_wheel(&wheels).unwrap()).unwrap()
});

/// The command in place of the C program.
fn command() -> Plans {
    needs::python_environments();
    let mut plans = Plans::new();
    plans.program = PYTHON.program("fpga-associate");
    plans
}

fn run(plans: &Plans, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    plans.place.run(&plans.program, variables, arguments)
}

/// One line with these words, and no other output.
fn failed(ended: &Ended, status: i32, words: &[&str]) {
    assert_eq!((ended.status, &*ended.stdout), (status, ""), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.starts_with("error: "), "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word}: {ended:?}");
    }
}

fn a_pair_is_associated_listed_and_taken_apart() {
    let plans = command();
    let service = plans.service();
    let (fpga_id, ecs_id) = (&*service.fpga_ids()[0], &*service.ecs_ids()[0]);
    let (endpoint, project_id) = (service.endpoint(), service.project_id());
    let token = [("FPGA_TOKEN", service.token())];
    let pair = [endpoint, project_id, fpga_id, ecs_id];
    let with = |name, options: &[&'static str]| {
        let arguments = [&[name], options, &pair].concat();
        run(&plans, &token, &arguments)
    };

    let ended = with("associate", &[]);
    let told = format!("FPGA image {fpga_id} is associated with ECS image {ecs_id}\n");
    assert_eq!((ended.status, ended.stdout, &*ended.stderr), (0, told, ""));
    assert_eq!(service.associations(), [(fpga_id.into(), ecs_id.into())]);
    let twice = with("associate", &[]);
    failed(&twice, 29, &["FPGA_ASSOC_ALREADY_ASSOCIATED, 29"]);
    assert_eq!(with("associate", &["--idempotent"]).status, 0);

    for by in [["--fpga", fpga_id], ["--ecs", ecs_id]] {
        let listed = run(
            &plans,
            &token,
            &[&["list", endpoint, project_id], &by[..]].concat(),
        );
        assert_eq!((listed.status, &*listed.stderr), (0, ""));
        let lines: Vec<_> = listed.stdout.lines().collect();
        assert!(lines[0].starts_with("ECS IMAGE "), "{lines:?}");
        let entry = format!("{ecs_id}  {fpga_id}  active         40 MB  vu9p-kernel-1");
        assert_eq!(lines[1..], [entry]);
    }
    let listed = run(
        &plans,
        &token,
        &["list", endpoint, project_id, "--ecs", ecs_id, "--json"],
    );
    let document: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert!(document.to_string().contains(fpga_id), "{document}");

    let ended = with("disassociate", &[]);
    let told = format!("FPGA image {fpga_id} is not associated with ECS image {ecs_id}\n");
    assert_eq!((ended.status, ended.stdout, &*ended.stderr), (0, told, ""));
    assert!(service.associations().is_empty());
    failed(
        &with("disassociate", &[]),
        30,
        &["FPGA_ASSOC_NOT_ASSOCIATED"],
    );
    assert_eq!(with("disassociate", &["--idempotent"]).status, 0);
}

fn the_status_is_the_librarys_and_one_line_says_why() {
    let plans = command();
    let service = plans.service();
    let (endpoint, project_id) = (service.endpoint(), service.project_id());
    let ecs_id = &*service.ecs_ids()[0];
    let token = [("FPGA_TOKEN", service.token())];

    let pair = ["associate", endpoint, project_id, UNKNOWN, ecs_id];
    let unknown = run(&plans, &token, &pair);
    let words = [
        "Ecs.0031",
        "FPGA_ASSOC_NOT_FOUND, 23",
        "request id",
        "Check the ids",
    ];
    failed(&unknown, 23, &words);
    failed(
        &run(&plans, &[], &pair),
        10,
        &["FPGA_TOKEN", "HUAWEICLOUD_SDK_AK", "--agency"],
    );
    failed(
        &run(&plans, &token, &["list", endpoint, project_id]),
        1,
        &["fpga_id", "ecs_id"],
    );
    let requests = service.requests().len();
    for wrong in [
        &[][..],
        &["unite"],
        &pair[..4],
        &["list", endpoint, project_id, "--all"],
        &["list", endpoint, project_id, "--ecs"],
    ] {
        failed(&run(&plans, &token, wrong), 1, &["--help"]);
    }
    assert_eq!(service.requests().len(), requests);

    let told = run(&plans, &[], &["--version"]);
    assert_eq!(
        (told.status, &*told.stdout),
        (0, &*format!("fpga-associate {VERSION}\n"))
    );
    for help in [&["--help"][..], &["list", "-h"], &["plan", "--help"]] {
        let told = run(&plans, &[], help);
        assert_eq!((told.status, &*told.stderr), (0, ""));
        assert!(told.stdout.contains("FPGA_TOKEN"), "{told:?}");
    }
}

fn credentials_are_those_of_the_c_programs() {
    let plans = command();
    let service = plans.service();
    let keys = [
        ("HUAWEICLOUD_SDK_AK", service.access_key()),
        ("HUAWEICLOUD_SDK_SK", service.secret_key()),
    ];
    let list = [
        "list",
        service.endpoint(),
        service.project_id(),
        "--ecs",
        &service.ecs_ids()[0],
    ];
    assert_eq!(run(&plans, &keys, &list).status, 0);
    assert!(is_signed(&plans.place.last()));
    let both = [&keys[..], &[("FPGA_TOKEN", service.token())]].concat();
    assert_eq!(run(&plans, &both, &list).status, 0);
    assert!(!is_signed(&plans.place.last()));
}

fn a_plan_is_shown_and_brought_about_as_the_c_program_does() {
    let plans = command();
    let (text, shown) = plans.of_each_kind();
    let dry = plans.run(&["plan", "--dry-run"], &text);
    assert_eq!((dry.status, &dry.stdout), (0, &shown), "{dry:?}");
    assert!(dry.stderr.ends_with("Comparing 4/4\n"), "{dry:?}");
    assert_eq!(plans.changes(), 0);

    let ended = plans.run(&["plan"], &text);
    let done = "Done: 2 associated, 1 disassociated, 1 as wanted, 0 failed, 0 open.\n";
    assert_eq!((ended.status, ended.stdout), (0, shown + done));
    assert!(ended.stderr.ends_with("Applying 4/4\n"), "{}", ended.stderr);
    let changes = plans.changes();

    let with_unknown = format!("{text}+ {UNKNOWN} {}\n", plans.service().ecs_ids()[0]);
    let ended = plans.run(&["plan"], with_unknown);
    assert_eq!(ended.status, 32, "{ended:?}");
    assert!(
        ended.stdout.ends_with(" 4 as wanted, 1 failed, 0 open.\n"),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains(&format!("  ! {UNKNOWN} ")),
        "{ended:?}"
    );
    let last = ended.stderr.lines().last().unwrap();
    assert!(
        last.starts_with("error: ") && last.contains("FPGA_ASSOC_INCOMPLETE, 32"),
        "{last}"
    );
    assert_eq!(plans.changes(), changes + 1);
}

fn a_line_of_a_plan_that_can_not_be_used_is_named_with_its_number() {
    let plans = command();
    let good = plans.line('+', 0, 0);
    for (line, reason) in [
        ("= a b", "neither \"+ FPGA_IMAGE_ID ECS_IMAGE_ID\" nor \"- "),
        ("+ a b # \0", "neither "),
        ("+ a ö", "ecs_id: "),
    ] {
        let ended = plans.run(&["plan"], format!("{good}\n# the next:\n{line}\n{good}?\n"));
        assert_eq!((ended.status, &*ended.stdout), (1, ""), "{ended:?}");
        let told = format!("plan.txt:4: {reason}");
        assert!(ended.stderr.starts_with(&told), "{ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
    let _ = fs::remove_file(plans.place.home().join("plan.txt"));
    let missing = Ended::of(plans.command(&["plan"], "plan.txt").output().unwrap());
    assert_eq!(
        (missing.status, &*missing.stderr),
        (1, "plan.txt: No such file or directory\n")
    );
    assert_eq!(plans.changes(), 0);
}
