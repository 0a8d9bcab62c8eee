//! Where the C examples have their credentials from, against the emulator of the service.

use std::fs;
use std::sync::{Arc, Mutex};

use ecs_emulator::{MetadataMode, Recorded, Settings};
use support::examples::{Place, is_signed};
use support::slow::with_metadata_address;

support::tests! {
    without_a_token_the_keys_of_the_environment_sign,
    a_token_comes_before_keys_and_agency,
    where_there_is_nothing_the_programs_say_what_to_set,
    the_agency_is_an_explicit_choice_and_comes_before_the_keys_of_the_environment,
    a_token_comes_out_of_a_file,
    a_file_without_a_token_is_told,
    a_token_that_expires_between_two_calls_is_replaced_by_the_one_in_the_file,
}

fn without_a_token_the_keys_of_the_environment_sign() {
    let place = Place::new();
    let service = &place.service;
    let (access_key, secret_key) = (service.access_key(), service.secret_key());
    let of_the_sdks = [
        ("HUAWEICLOUD_SDK_AK", access_key),
        ("HUAWEICLOUD_SDK_SK", secret_key),
    ];
    let of_terraform = [("HW_ACCESS_KEY", access_key), ("HW_SECRET_KEY", secret_key)];
    let file = place.home().join("keys");
    let text = format!("[basic]\nak = {access_key}\nsk = {secret_key}\n");
    fs::write(&file, text).unwrap();
    let of_a_file = [("HUAWEICLOUD_SDK_CREDENTIALS_FILE", file.to_str().unwrap())];
    for variables in [&of_the_sdks[..], &of_terraform, &of_a_file] {
        service.clear();
        let associated = place.associate(variables, &[]);
        assert_eq!(associated.status, 0, "{associated:?}");
        assert_eq!(associated.stderr, "");
        assert_eq!(service.associations().len(), 1);
        assert!(is_signed(&place.last()), "{:?}", place.last());

        let listed = place.associations(variables, &[]);
        assert_eq!(listed.status, 0, "{listed:?}");
        assert!(listed.stdout.contains(&service.fpga_ids()[0]), "{listed:?}");
        assert!(is_signed(&place.last()), "{:?}", place.last());
    }
    let undone = place.associate(&of_the_sdks, &["--undo", "--idempotent"]);
    assert_eq!(undone.status, 0, "{undone:?}");
    assert!(service.associations().is_empty());
}

fn a_token_comes_before_keys_and_agency() {
    let place = Place::new();
    let variables = [
        ("FPGA_TOKEN", place.service.token()),
        ("HUAWEICLOUD_SDK_AK", "NOSUCHKEY"),
        ("HUAWEICLOUD_SDK_SK", "none"),
    ];
    for run in [Place::associate, Place::associations] {
        let ended = run(&place, &variables, &["--agency"]);
        assert_eq!(ended.status, 0, "{ended:?}");
        let token = Some(place.service.token());
        assert_eq!(place.last().header("x-auth-token"), token);
    }
}

fn where_there_is_nothing_the_programs_say_what_to_set() {
    let place = Place::new();
    let half = [("HUAWEICLOUD_SDK_AK", place.service.access_key())];
    for (variables, words) in [
        (&[][..], "HUAWEICLOUD_SDK_AK, HW_ACCESS_KEY are not set"),
        (&half, "HUAWEICLOUD_SDK_SK is not set"),
    ] {
        for ended in [
            place.associate(variables, &[]),
            place.associations(variables, &["--json"]),
        ] {
            assert_eq!(ended.status, 10, "{ended:?}");
            assert_eq!(ended.stdout, "");
            for told in [
                words,
                "FPGA_ASSOC_CREDENTIALS_FAILED (10)",
                "needed:     FPGA_TOKEN, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK",
                "--agency",
            ] {
                assert!(ended.stderr.contains(told), "{told}: {ended:?}");
            }
        }
    }
    assert!(place.service.requests().is_empty());

    for name in ["associate.c", "associations.c", "credentials.c", "plan.c"] {
        let program = place.compile(name);
        let help = place.run(&program, &[], &["--help"]);
        assert_eq!(help.status, 0, "{help:?}");
        assert!(help.stdout.contains("FPGA_TOKEN"), "{help:?}");
        assert_eq!(help.stderr, "");
        let none = place.run(&program, &[], &[]);
        assert_eq!(none.status, 1, "{none:?}");
        assert!(none.stderr.starts_with("usage: "), "{none:?}");
    }
}

fn the_agency_is_an_explicit_choice_and_comes_before_the_keys_of_the_environment() {
    with_metadata_address(
        "the_agency_is_an_explicit_choice_and_comes_before_the_keys_of_the_environment",
        || agency(&Place::new()),
    );
}

fn agency(place: &Place) {
    let service = &place.service;
    let metadata = service.start_metadata(([169, 254, 169, 254], 80)).unwrap();
    let wrong = [
        ("HUAWEICLOUD_SDK_AK", "NOSUCHKEY"),
        ("HUAWEICLOUD_SDK_SK", "none"),
    ];
    for run in [Place::associate, Place::associations] {
        let ended = run(place, &wrong, &["--agency"]);
        assert_eq!(ended.status, 0, "{ended:?}");
        assert!(is_signed(&place.last()), "{:?}", place.last());
        assert!(place.last().header("x-security-token").is_some());
    }
    assert_eq!(service.associations().len(), 1);

    service.clear_requests();
    metadata.set_mode(MetadataMode::NoAgency);
    let none = place.associate(&[], &["--agency"]);
    assert_eq!(none.status, 10, "{none:?}");
    assert!(none.stderr.contains("has no agency"), "{none:?}");
    drop(metadata);
    let nowhere = place.associations(&[], &["--agency"]);
    assert_eq!(nowhere.status, 10, "{nowhere:?}");
    let words = "is this an ECS server?";
    assert!(nowhere.stderr.contains(words), "{nowhere:?}");
    assert!(service.requests().is_empty());
}

fn a_token_comes_out_of_a_file() {
    let place = Place::new();
    let service = &place.service;
    let file = place.home().join("token");
    let variables = [("FPGA_TOKEN_FILE", file.to_str().unwrap())];
    for end in ["", "\n", "\r\n", "\nanother line\n"] {
        service.clear();
        service.clear_requests();
        fs::write(&file, format!("{}{end}", service.token())).unwrap();
        let ended = place.credentials(&variables, 2);
        assert_eq!(ended.status, 0, "{ended:?}");
        assert_eq!(ended.stdout.lines().count(), 2, "{ended:?}");
        assert_eq!(ended.stderr, "");
        assert_eq!(service.associations().len(), 2);
        assert_eq!(service.requests().len(), 2);
    }
}

fn a_file_without_a_token_is_told() {
    let place = Place::new();
    let file = place.home().join("token");
    let folder = place.home().to_str().unwrap();
    let path = file.to_str().unwrap();
    let long = "t".repeat(65_537);
    for (path, text, words) in [
        (path, None, "No such file or directory"),
        (path, Some(""), "it is empty"),
        (path, Some("\n"), "token"),
        (path, Some("to ken"), "token"),
        (path, Some(long.as_str()), "token"),
        (folder, None, "it can't be read"),
    ] {
        if let Some(text) = text {
            fs::write(&file, text).unwrap();
        }
        let ended = place.credentials(&[("FPGA_TOKEN_FILE", path)], 1);
        assert_eq!(ended.status, 10, "{ended:?}");
        assert_eq!(ended.stdout, "");
        let said = format!("the credentials callback refused: {path}: ");
        let (_, reason) = ended.stderr.split_once(&said).expect(&ended.stderr);
        assert!(reason.contains(words), "{words}: {ended:?}");
        assert!(!ended.stderr.contains("to ken"), "{ended:?}");
    }
    let unset = place.credentials(&[], 1);
    assert_eq!(unset.status, 10, "{unset:?}");
    assert!(
        unset.stderr.contains("FPGA_TOKEN_FILE is not set"),
        "{unset:?}"
    );
    assert!(place.service.requests().is_empty());
}

/// What happens once a request has its answer, before the answer goes out.
static AFTER_A_REQUEST: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

fn after_a_request(_: &Recorded) {
    let work = AFTER_A_REQUEST.lock().unwrap().take();
    if let Some(work) = work {
        work();
    }
}

fn a_token_that_expires_between_two_calls_is_replaced_by_the_one_in_the_file() {
    let place = Place::with(Settings {
        on_request: Some(after_a_request),
        ..Settings::default()
    });
    let service = &place.service;
    let file = place.home().join("token");
    let variables = [("FPGA_TOKEN_FILE", file.to_str().unwrap())];
    let [first, second] = [3600, 3600].map(|seconds| service.issue_token(seconds));
    let next = place.home().join("next");
    fs::write(&next, &second).unwrap();

    fs::write(&file, &first).unwrap();
    let (expires, replaced) = (Arc::clone(service), file.clone());
    *AFTER_A_REQUEST.lock().unwrap() = Some(Box::new(move || {
        expires.expire_token(&first);
        fs::rename(next, replaced).unwrap();
    }));
    let ended = place.credentials(&variables, 3);
    assert_eq!(ended.status, 0, "{ended:?}");
    assert_eq!(ended.stderr, "");
    assert_eq!(service.associations().len(), 3);
    let statuses: Vec<_> = service
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [204, 401, 204, 204]);

    // Where the file has nothing else, the refusal stands, and the same is not sent once more.
    service.clear();
    service.clear_requests();
    let expires = Arc::clone(service);
    *AFTER_A_REQUEST.lock().unwrap() = Some(Box::new(move || expires.expire_token(&second)));
    let ended = place.credentials(&variables, 3);
    assert_eq!(ended.status, 21, "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("APIGW.0307"), "{ended:?}");
    assert_eq!(service.associations().len(), 1);
    assert_eq!(service.requests().len(), 2);
}
