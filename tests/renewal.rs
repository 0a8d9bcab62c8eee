//! Credentials that a callback grants are renewed by the clock: asked for early, used on where there are
//! no others, and not used at their end.

use std::process::Command;

use support::c::{Toolchain, root, run};
use support::call::{ECS_ID, FPGA_ID, PROJECT_ID};
use support::raw::{NO_CONTENT, Request, Server, Then};

/// Kinds of credentials, and what a request with those of the nth grant has.
const KINDS: [(&str, &str); 2] = [("token", "x-auth-token: token-"), ("key", "Access=KEY")];

/// An hour, in seconds.
const HOUR: u32 = 3600;

/// Takes the steps with credentials of each kind. Each `call` is followed by what comes of it: its
/// status and the reasons for which the callback was asked, and, behind a slash, with which grant's
/// credentials a request arrived, if one did; `warnings` by their number.
fn renews(life: u32, steps: &[&str]) {
    let toolchain = Toolchain::new().unwrap();
    let source = root().join("tests/support/programs/renewal.c");
    let program = toolchain.compile(&source, &["-D_GNU_SOURCE"]).unwrap();
    let told = steps.iter().filter_map(|step| match step.split_once(' ') {
        Some(("call", told)) => Some(told),
        Some(_) => Some(step),
        None => None,
    });
    for (kind, mark) in KINDS {
        let server = Server::answering(NO_CONTENT, Then::Keep);
        let steps = steps.iter().map(|step| step.split(' ').next().unwrap());
        let printed = run(Command::new(&program)
            .args([&server.endpoint(), PROJECT_ID, FPGA_ID, ECS_ID])
            .args([kind, &life.to_string()])
            .args(steps))
        .unwrap();
        let requests = server.finish().requests;
        let mut requests = requests.iter().map(|request| grant_of(request, mark));
        let seen: Vec<_> = printed
            .lines()
            .map(|line| match line.starts_with("0") {
                true => format!("{line} / {}", requests.next().unwrap_or_default()),
                false => line.to_owned(),
            })
            .collect();
        assert_eq!(seen, told.clone().collect::<Vec<_>>(), "{kind}");
        assert_eq!(requests.next(), None, "{kind}");
    }
}

/// The number of the grant that a request proves itself with.
fn grant_of(request: &Request, mark: &str) -> String {
    let text = String::from_utf8_lossy(&request.bytes);
    let (_, behind) = text.split_once(mark).unwrap_or_default();
    behind.chars().take_while(|c| c.is_ascii_digit()).collect()
}

#[test]
fn the_callback_is_asked_at_first_and_when_ten_minutes_are_left() {
    renews(
        HOUR,
        &[
            "call 0 1 / 1",
            "call 0 / 1",
            "left:601",
            "call 0 / 1",
            "left:599",
            "call 0 2 / 2",
            "call 0 / 2",
        ],
    );
}

#[test]
fn what_a_callback_says_early_does_not_show_what_it_granted() {
    renews(
        HOUR,
        &[
            "call 0 1 / 1",
            "left:599",
            "refuse",
            "call 0 2 / 1",
            "warnings 1",
        ],
    );
}

#[test]
fn a_callback_that_refuses_early_is_asked_again_after_30_seconds_and_the_old_ones_serve() {
    renews(
        HOUR,
        &[
            "call 0 1 / 1",
            "left:599",
            "refuse",
            "call 0 2 / 1",
            "call 0 / 1",
            "+25",
            "call 0 / 1",
            "+6",
            "call 0 2 / 1",
            "call 0 / 1",
            "+31",
            "grant",
            "call 0 2 / 2",
            "call 0 / 2",
        ],
    );
}

#[test]
fn with_less_than_a_minute_left_there_are_others_or_no_request() {
    renews(
        HOUR,
        &[
            "call 0 1 / 1",
            "refuse",
            "left:61",
            "call 0 2 / 1",
            "left:60",
            "call 0 / 1",
            "left:59",
            "call 10 2",
            "call 10 2",
            "left:-100",
            "call 10 2",
            "grant",
            "call 0 2 / 2",
            "call 0 / 2",
        ],
    );
}

#[test]
fn credentials_that_live_less_than_a_minute_are_asked_for_once_a_call() {
    renews(
        40,
        &[
            "call 0 1 / 1",
            "call 0 2 / 2",
            "call 0 2 / 3",
            "refuse",
            "call 10 2",
        ],
    );
}

#[test]
fn credentials_of_a_quarter_of_an_hour_are_renewed_in_its_last_quarter() {
    renews(
        900,
        &[
            "call 0 1 / 1",
            "left:226",
            "call 0 / 1",
            "left:224",
            "call 0 2 / 2",
        ],
    );
}
