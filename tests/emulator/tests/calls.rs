//! Associate and disassociate, and what the gateway refuses before them.
mod support;

use ecs_emulator::Emulator;
use support::{Client, image};

#[test]
fn a_pair_comes_and_goes_with_204_and_no_body() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);

    let answer = client.associate(fpga_id, ecs_id);
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(ecs.associations(), [(fpga_id.clone(), ecs_id.clone())]);

    let answer = client.disassociate(fpga_id, ecs_id);
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    assert_eq!(ecs.associations(), []);
}

#[test]
fn every_rule_has_its_status_code_and_text() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let tenant = ecs.project_id();
    let (fpga_id, ecs_id) = (ecs.fpga_ids()[0].as_str(), ecs.ecs_ids()[0].as_str());
    let (inactive, foreign) = (ecs.inactive_fpga_id(), ecs.foreign_fpga_id());
    let shared = ecs.shared_ecs_id();

    let no_fpga = (404, "Ecs.0031", "fpga image [gone] doesn't exist".into());
    let no_ecs = (400, "Ecs.0031", "image [gone] doesn't exist".into());
    let not_owner = format!("is not the owner of fpga image [{foreign}]");
    let not_owner = (400, "Ecs.0000", not_owner);
    let not_active = format!("fpga image [{inactive}] is not active");
    let not_private = format!("image [{shared}] type [shared] is not private");
    let no_pair = format!("relation of fpga image [{fpga_id}] and image [{ecs_id}] doesn't exist");
    let table = [
        ("POST", "gone", ecs_id, no_fpga.clone()),
        ("POST", fpga_id, "gone", no_ecs.clone()),
        ("POST", inactive, ecs_id, (400, "Ecs.0032", not_active)),
        ("POST", foreign, ecs_id, not_owner.clone()),
        ("POST", fpga_id, shared, (400, "Ecs.0000", not_private)),
        ("DELETE", "gone", ecs_id, no_fpga),
        ("DELETE", fpga_id, "gone", no_ecs),
        ("DELETE", foreign, ecs_id, not_owner),
        ("DELETE", fpga_id, ecs_id, (400, "Ecs.0000", no_pair)),
    ];
    for (method, fpga_id, ecs_id, (status, code, text)) in table {
        let answer = client.send(method, &client.association(fpga_id), &image(ecs_id));
        let expected = (status, code.to_owned(), format!("tenant [{tenant}] {text}"));
        assert_eq!(answer.refusal(), expected, "{method} {fpga_id} {ecs_id}");
    }
    assert_eq!(ecs.associations(), []);
}

#[test]
fn a_duplicate_and_an_eleventh_fpga_image_are_refused_with_one_text() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let ecs_id = &ecs.ecs_ids()[0];
    for fpga_id in &ecs.fpga_ids()[..10] {
        assert_eq!(client.associate(fpga_id, ecs_id).status, 204);
    }
    for fpga_id in [&ecs.fpga_ids()[0], &ecs.fpga_ids()[10]] {
        let text = format!(
            "tenant [{}] relate fpga image [{fpga_id}] and image [{ecs_id}] failed: relation \
             already exist or the related fpga image count of image reach the max limit",
            ecs.project_id()
        );
        let refusal = client.associate(fpga_id, ecs_id).refusal();
        assert_eq!(refusal, (400, "Ecs.0000".to_owned(), text));
    }
    assert_eq!(ecs.associations().len(), 10);

    let eleventh = &ecs.fpga_ids()[10];
    assert_eq!(client.associate(eleventh, &ecs.ecs_ids()[1]).status, 204);
    ecs.set_limit(11);
    assert_eq!(client.associate(eleventh, ecs_id).status, 204);
}

#[test]
fn only_the_documented_body_is_taken() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let illegal = ("Ecs.0005", "request body is illegal.");
    let table = [
        ("", ("Common.0002", "The request body is empty.")),
        ("{", illegal),
        ("null", illegal),
        ("{}", illegal),
        (r#"{"image":"x"}"#, illegal),
        (r#"{"image":{}}"#, illegal),
        (r#"{"image":{"id":7}}"#, illegal),
        (r#"{"image":{"id":""}}"#, illegal),
        (r#"{"image":{"id":"x","name":"y"}}"#, illegal),
        (r#"{"image":{"id":"x"},"more":1}"#, illegal),
        (r#"{"image":{"id":"x"}} x"#, illegal),
    ];
    for method in ["POST", "DELETE"] {
        for (body, (code, text)) in table {
            let answer = client.send(method, &client.association(&ecs.fpga_ids()[0]), body);
            let expected = (400, code.to_owned(), text.to_owned());
            assert_eq!(answer.refusal(), expected, "{method} {body}");
        }
    }
}

#[test]
fn a_body_without_end_is_refused_and_not_kept() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let body = " ".repeat((1 << 20) + 1);
    let answer = client.send("POST", &client.association(&ecs.fpga_ids()[0]), &body);
    assert_eq!(answer.refusal().1, "APIGW.0201");
    assert_eq!(answer.status, 413);
    assert_eq!(ecs.requests()[0].body, "");
}

#[test]
fn a_token_is_asked_for_first() {
    let ecs = Emulator::start().unwrap();
    let wrong = "Incorrect IAM authentication information";
    let table = [
        (None, "APIGW.0301", wrong),
        (Some(""), "APIGW.0301", wrong),
        (Some("other"), "APIGW.0301", wrong),
        (
            Some(ecs.expired_token()),
            "APIGW.0307",
            "The token must be updated",
        ),
    ];
    for (token, code, text) in table {
        let mut client = Client::new(&ecs);
        client.token = token.map(str::to_owned);
        // Even before the project and the body.
        let path = "/v1/other/cloudservers/fpga_image/gone/association";
        let expected = (401, code.to_owned(), text.to_owned());
        assert_eq!(client.send("POST", path, "").refusal(), expected);
        assert_eq!(client.list("").refusal(), expected);
    }
}

#[test]
fn the_url_names_the_tokens_project() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    for (method, rest) in [
        ("POST", "gone/association"),
        ("DELETE", "gone/association"),
        ("GET", "associations"),
    ] {
        let path = format!("/v1/other/cloudservers/fpga_image/{rest}");
        let (status, code, _) = client.send(method, &path, "").refusal();
        assert_eq!((status, code.as_str()), (400, "Ecs.0023"), "{method}");
    }
}

#[test]
fn unknown_paths_are_404_whoever_asks() {
    let ecs = Emulator::start().unwrap();
    let mut client = Client::new(&ecs);
    client.token = None;
    let known = client.association("x");
    for path in [
        "/".to_owned(),
        "/v1".to_owned(),
        known.replace("/v1/", "/v2/"),
        known.replace("/v1/", "//v1/"),
        format!("{known}/"),
        format!("{known}s"),
    ] {
        let (status, code, _) = client.send("POST", &path, "").refusal();
        assert_eq!((status, code.as_str()), (404, "APIGW.0101"), "{path}");
    }
}

#[test]
fn other_methods_are_405_and_told_the_right_ones() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let association = client.association(&ecs.fpga_ids()[0]);
    let list = association.replace(
        &format!("{}/association", ecs.fpga_ids()[0]),
        "associations",
    );
    for (method, path, allow) in [
        ("GET", &association, "POST, DELETE"),
        ("PUT", &association, "POST, DELETE"),
        ("POST", &list, "GET"),
        ("DELETE", &list, "GET"),
    ] {
        let answer = client.send(method, path, "");
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.allow.as_deref(), Some(allow));
        assert_eq!(answer.refusal().1, "APIGW.0103");
    }
}

#[test]
fn ids_in_the_path_may_be_percent_encoded() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let encoded: String = ecs.fpga_ids()[0]
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    assert_eq!(client.associate(&encoded, &ecs.ecs_ids()[0]).status, 204);
    assert_eq!(ecs.associations()[0].0, ecs.fpga_ids()[0]);
}

#[test]
fn every_answer_has_a_request_id_of_its_own() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    let mut ids = vec![
        client.associate(fpga_id, ecs_id).request_id,
        client.associate(fpga_id, ecs_id).request_id,
        client.list("").request_id,
        client.send("GET", "/", "").request_id,
        client.send("PUT", &client.association("x"), "").request_id,
    ];
    assert!(ids.iter().all(|id| id.len() == 32));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}
