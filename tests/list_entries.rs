//! An entry has the documented fields, and the JSON of a list has the others as they came.

use serde_json::{Value, json};
use support::call::{ECS_ID, FPGA_ID, TOKEN};
use support::client::text;
use support::lists::{json_answer, once};
use support::raw::{Server, Then, answer};

#[test]
fn an_entry_has_all_documented_fields_and_the_json_keeps_the_others() {
    let document = json!({ "associations": [{
        "image_id": ECS_ID,
        "region": "unknown field",
        "fpgaimages": [{
            "id": FPGA_ID, "name": "relate-test", "description": "with \u{0} and 镜像", "status": "active",
            "size": 40, "createdAt": "2017-10-16 07:46:06", "protected": true, "message": null,
            "metadata": { "shell_type": "OCL", "shell_version": "1.0" },
            "log_directory": "obs-fpga:vu9p/log", "new_field": [1, 2],
        }],
    }]});
    let server = Server::answering(json_answer(&document), Then::Keep);
    let found = once(&server).unwrap();
    assert_eq!(found.len(), 1);
    let entry = found.get(0).unwrap();
    for (field, expected) in [
        (entry.ecs_id, ECS_ID),
        (entry.fpga_id, FPGA_ID),
        (entry.name, "relate-test"),
        (entry.description, "with   and 镜像"),
        (entry.status, "active"),
        (entry.created_at, "2017-10-16 07:46:06"),
        (entry.message, ""),
        (
            entry.metadata,
            r#"{"shell_type":"OCL","shell_version":"1.0"}"#,
        ),
        (entry.log_directory, "obs-fpga:vu9p/log"),
    ] {
        assert_eq!(text(field), expected);
    }
    assert_eq!(entry.size_mb, 40);
    assert!(entry.is_protected);
    assert!(found.get(1).is_none() && found.get(usize::MAX).is_none());
    assert_eq!(
        serde_json::from_str::<Value>(&found.json()).unwrap(),
        document
    );
}

#[test]
fn fields_that_are_missing_or_null_are_empty() {
    let document =
        json!({ "associations": [{ "image_id": null, "fpgaimages": [{ "size": null }] }] });
    let server = Server::answering(json_answer(&document), Then::Keep);
    let found = once(&server).unwrap();
    let entry = found.get(0).unwrap();
    for field in [
        entry.ecs_id,
        entry.fpga_id,
        entry.name,
        entry.metadata,
        entry.log_directory,
    ] {
        assert_eq!(text(field), "");
    }
    assert_eq!(entry.size_mb, 0);
    assert!(!entry.is_protected);
}

#[test]
fn fields_of_another_type_are_empty_and_what_is_unknown_stays_as_it_came() {
    let body = format!(
        r#"{{"associations":[{{"image_id":"{ECS_ID}","price":0.10,"fpgaimages":[{{"id":"{FPGA_ID}","size":"40","name":7,"big":123456789012345678901234567890}}]}}],"count":18446744073709551616}}"#
    );
    let found = once(&Server::answering(answer(200, "", &body), Then::Keep)).unwrap();
    let entry = found.get(0).unwrap();
    assert_eq!((text(entry.name), entry.size_mb), (String::new(), 0));
    assert_eq!(found.json(), body);
}

#[test]
fn a_list_that_repeats_the_token_is_told_without_it() {
    let document = json!({ "associations": [{ "image_id": ECS_ID, "note": TOKEN, "fpgaimages": [
        { "id": FPGA_ID, "name": format!("for {}", &TOKEN[8..24]), "description": "fine",
          "metadata": { "key": TOKEN } },
    ]}]});
    let found = once(&Server::answering(json_answer(&document), Then::Keep)).unwrap();
    let entry = found.get(0).unwrap();
    assert_eq!(text(entry.name), "the answer repeats the token");
    assert_eq!(text(entry.description), "fine");
    // It is JSON in every case.
    assert_eq!(text(entry.metadata), r#""the answer repeats the token""#);
    for piece in TOKEN.as_bytes().windows(8) {
        let piece = std::str::from_utf8(piece).unwrap();
        assert!(!found.json().contains(piece), "{}", found.json());
    }
}
