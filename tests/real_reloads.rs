//! Calls go on while the software in front of the service is reloaded and started again. The table, with
//! libcurl's calls beside:
//!
//!     cargo test --test real_reloads -- --nocapture

use std::sync::Once;
use std::time::Duration;

use support::needs;
use support::real::front::{APACHE, Front, HAPROXY, HAPROXY_ALONE, NGINX, STUNNEL, Software};
use support::real::load::{Programs, Tally};

support::tests! {
    calls_go_on_while_nginx_is_reloaded_and_started_again,
    calls_go_on_while_haproxy_is_reloaded_and_started_again,
    calls_go_on_while_haproxy_gives_way_to_another_haproxy,
    calls_go_on_while_apache_is_reloaded_and_started_again,
    calls_go_on_while_stunnel_is_reloaded_and_started_again,
}

/// What the service takes for a request, so that some are under way whenever something happens.
const SERVICE_TIME: Duration = Duration::from_millis(5);

/// How often it is reloaded, and how often stopped and started.
const TIMES: usize = 3;

/// How many requests there are between two events.
const BETWEEN: u64 = 400;

fn calls_go_on_while_nginx_is_reloaded_and_started_again() {
    under_load(&NGINX);
}

fn calls_go_on_while_haproxy_is_reloaded_and_started_again() {
    under_load(&HAPROXY);
}

fn calls_go_on_while_haproxy_gives_way_to_another_haproxy() {
    under_load(&HAPROXY_ALONE);
}

fn calls_go_on_while_apache_is_reloaded_and_started_again() {
    under_load(&APACHE);
}

fn calls_go_on_while_stunnel_is_reloaded_and_started_again() {
    under_load(&STUNNEL);
}

fn under_load(software: &'static Software) {
    needs::tools(&[software.program, "curl-config"]);
    let programs = Programs::new();
    let mut front = Front::start(software, 60);
    front.service.set_service_time(SERVICE_TIME);

    let load = programs.start(&front);
    for _ in 0..TIMES {
        front.wait_for_requests(BETWEEN);
        front.reload();
    }
    front.wait_for_requests(BETWEEN);
    let reloaded = load.finish(&front);

    let load = programs.start(&front);
    for _ in 0..TIMES {
        front.wait_for_requests(BETWEEN);
        front.daemon.stop();
        front.daemon.start_again();
    }
    front.wait_for_requests(BETWEEN);
    let started_again = load.finish(&front);

    print(
        software,
        &[
            ("reloaded", &reloaded),
            ("stopped and started", &started_again),
        ],
    );
    let [ours, _] = &reloaded[..] else { panic!() };
    assert_eq!((ours.failures(), ours.wrong), (0, 0), "{ours:?}");
    let [ours, _] = &started_again[..] else {
        panic!()
    };
    assert_eq!(ours.wrong, 0, "{ours:?}");
}

/// The rows of one software, in one piece: others print theirs at the same time.
fn print(software: &Software, events: &[(&str, &Vec<Tally>)]) {
    static HEAD: Once = Once::new();
    HEAD.call_once(|| {
        print!(
            "| software | three times | calls | failed | told wrongly | calls by libcurl | failed | told wrongly |\n\
             | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        );
    });
    let rows = events.iter().map(|(event, tallies)| {
        let cells: Vec<_> = tallies.iter().map(Tally::cells).collect();
        format!("| {} | {event} | {} |\n", software.name, cells.join(" | "))
    });
    print!("{}", rows.collect::<String>());
}
