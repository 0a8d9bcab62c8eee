//! A list is bounded in time and in memory, whatever comes.

use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fpga_associate::status::Status;
use serde_json::json;
use support::c::{Toolchain, run};
use support::client::config;
use support::lists::{json_answer, list_from, once, page, service};
use support::raw::{Server, Then, answer};
use support::times::time_of_this_thread;

/// A page that is large and takes long to read, whatever makes it so.
#[test]
fn reading_a_list_ends_at_the_deadline() {
    let many = |one: &str| vec![one; 400_000].join(",");
    let pages = [
        page(0, 100_000).to_string(),
        format!(r#"{{"associations":[{}]}}"#, many("{}")),
        format!(r#"{{"associations":[{}]}}"#, many("1")),
        format!(r#"{{"associations":[{{"fpgaimages":[{}]}}]}}"#, many("{}")),
        format!(r#"{{"associations":[],{}}}"#, many(r#""a":1"#)),
        format!(
            r#"{{"associations":[],"a":"{}"}}"#,
            "\\\\<".repeat(2_000_000)
        ),
    ];
    for (number, page) in pages.iter().enumerate() {
        let server = Server::answering(answer(200, "", page), Then::Keep);
        let timeout = Duration::from_millis(300);
        let client = config().timeout_ms(300).client(&server.endpoint());
        let begun = time_of_this_thread();
        let outcome = list_from(&client).map(|_| ()).err();
        let took = time_of_this_thread() - begun;
        assert!(
            took < timeout + Duration::from_secs(2),
            "{number}: {took:?}"
        );
        if let Some(outcome) = outcome {
            let is_known = outcome.is(Status::TIMEOUT) || outcome.is(Status::BAD_RESPONSE);
            assert!(is_known, "{number}: {outcome:?}");
        }
    }
}

#[test]
fn all_pages_are_under_one_deadline() {
    let pages = Arc::new(AtomicUsize::new(0));
    let server = Server::start({
        let pages = Arc::clone(&pages);
        move |_, stream| {
            let first = pages.fetch_add(1, Ordering::Relaxed) * 100;
            stream.write_all(&json_answer(&page(first, 100))).ok();
            Then::Keep
        }
    });
    let client = config().timeout_ms(500).client(&server.endpoint());
    let outcome = list_from(&client).map(|_| ()).unwrap_err();
    assert!(outcome.is(Status::TIMEOUT), "{outcome:?}");
    assert!(pages.load(Ordering::Relaxed) > 1);
}

/// What takes little room in an answer takes little here.
#[test]
fn what_nobody_means_is_refused_before_it_takes_memory() {
    let long = "x".repeat(100_000);
    let images = vec![r#"{"id":"f"}"#; 1_000].join(",");
    for (case, body) in [
        (
            "a long id",
            format!(r#"{{"associations":[{{"image_id":"{long}","fpgaimages":[{images}]}}]}}"#),
        ),
        (
            "many fields",
            format!(
                r#"{{"associations":[],{}}}"#,
                vec![r#""a":1"#; 1_001].join(",")
            ),
        ),
        (
            "many items",
            format!(r#"{{"associations":[{}]}}"#, vec!["{}"; 500_001].join(",")),
        ),
    ] {
        let outcome = once(&Server::answering(answer(200, "", body), Then::Keep));
        let outcome = outcome.map(|_| ()).unwrap_err();
        assert!(outcome.is(Status::BAD_RESPONSE), "{case}: {outcome:?}");
    }
}

#[test]
fn a_list_without_an_end_ends_before_it_harms_the_host() {
    let pages = Arc::new(AtomicUsize::new(0));
    let padding = "x".repeat(15 * 1024 * 1024);
    let server = Server::start({
        let pages = Arc::clone(&pages);
        move |_, stream| {
            let mut document = page(pages.fetch_add(1, Ordering::Relaxed) * 100, 100);
            document["padding"] = json!(padding);
            stream.write_all(&json_answer(&document)).ok();
            Then::Keep
        }
    });
    let outcome = once(&server).map(|_| ()).unwrap_err();
    assert!(outcome.is(Status::BAD_RESPONSE), "{outcome:?}");
    assert_eq!(pages.load(Ordering::Relaxed), 5);
}

/// Peak memory of the process, beside the size of the answer: twice as many pairs take at most
/// twice as much more.
#[test]
fn ten_thousand_pairs_take_memory_linear_in_the_answer() {
    let toolchain = Toolchain::new().unwrap();
    let program = r#"
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include "fpga_associate.h"
        static long peak_kib(void) {
            char line[256];
            long kib = -1;
            FILE *status = fopen("/proc/self/status", "r");
            while (fgets(line, sizeof line, status) != NULL)
                sscanf(line, "VmHWM: %ld", &kib);
            fclose(status);
            return kib;
        }
        int main(int argc, char **argv) {
            fpga_assoc_config *config = fpga_assoc_config_new();
            fpga_assoc_client *client;
            fpga_assoc_list *list;
            /* As long as a busy machine may take. */
            if (argc != 4 || fpga_assoc_config_set_timeout_ms(config, 600000) != FPGA_ASSOC_OK
                || fpga_assoc_client_new(argv[1], config, &client, NULL) != FPGA_ASSOC_OK
                || fpga_assoc_client_associations(client, getenv("FPGA_TOKEN"), argv[2], NULL, argv[3], &list, NULL)
                       != FPGA_ASSOC_OK)
                return 1;
            fpga_assoc_config_free(config);
            printf("%zu %zu %ld\n", fpga_assoc_list_len(list), strlen(fpga_assoc_list_json(list)), peak_kib());
            fpga_assoc_list_free(list);
            fpga_assoc_client_free(client);
            return 0;
        }"#;
    let program = toolchain.compile_text("memory", program, &[]).unwrap();
    let measure = |pairs: usize| {
        let service = service();
        let ecs_id = &service.ecs_ids()[0];
        for fpga_id in service.add_fpga_images(pairs) {
            service.associate(&fpga_id, ecs_id);
        }
        let printed = run(Command::new(&program)
            .args([service.endpoint(), service.project_id(), ecs_id])
            .env("FPGA_TOKEN", service.token()))
        .unwrap();
        let numbers: Vec<f64> = printed
            .split_whitespace()
            .map(|word| word.parse().unwrap())
            .collect();
        assert_eq!(numbers[0], pairs as f64);
        (numbers[1], numbers[2] * 1024.0)
    };
    let [
        (json_5, memory_5),
        (json_10, memory_10),
        (json_20, memory_20),
    ] = [5_000, 10_000, 20_000].map(measure);
    let first = (memory_10 - memory_5) / (json_10 - json_5);
    let second = (memory_20 - memory_10) / (json_20 - json_10);
    let all = memory_10 / 1e6;
    println!(
        "10,000 pairs: {all:.1} MB in all; {first:.1} bytes for each byte of JSON, then {second:.1}"
    );
    assert!(second < 1.5 * first, "not linear: {first} and {second}");
    assert!(second < 8.0, "{second}");
}
