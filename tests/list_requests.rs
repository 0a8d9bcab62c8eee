//! The requests of the list and of disassociate are as documented, to the byte.

use fpga_associate::status::Status;
use support::call::{ECS_ID, FPGA_ID, PROJECT_ID, TOKEN};
use support::client::config;
use support::lists::{first_line, json_answer, page};
use support::raw::{Server, Then};

#[test]
fn both_ids_are_asked_for_without_paging_and_without_a_body() {
    let server = Server::answering(json_answer(&page(0, 0)), Then::Keep);
    let client = config().client(&server.endpoint());
    let found = client
        .associations(TOKEN, PROJECT_ID, Some(FPGA_ID), Some(ECS_ID))
        .unwrap();
    assert_eq!(found.len(), 0);
    assert!(found.get(0).is_none());
    let seen = server.finish();
    let request = String::from_utf8(seen.requests[0].bytes.clone()).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let path = format!("/v1/{PROJECT_ID}/cloudservers/fpga_image/associations");
    let query = format!("image_id={ECS_ID}&fpga_image_id={FPGA_ID}");
    assert_eq!(
        first_line(head.as_bytes()),
        format!("GET {path}?{query} HTTP/1.1")
    );
    assert!(body.is_empty());
    let mut names: Vec<_> = head
        .lines()
        .skip(1)
        .map(|line| line.split(':').next().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "user-agent", "x-auth-token"]);
}

#[test]
fn disassociate_is_a_delete_with_the_same_json_body() {
    let server = Server::answering(&b"HTTP/1.1 204 No Content\r\n\r\n"[..], Then::Keep);
    let client = config().client(&server.endpoint());
    let outcome = client.disassociate(TOKEN, PROJECT_ID, FPGA_ID, ECS_ID);
    assert!(outcome.is(Status::OK), "{outcome:?}");
    let seen = server.finish();
    let request = String::from_utf8(seen.requests[0].bytes.clone()).unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let path = format!("/v1/{PROJECT_ID}/cloudservers/fpga_image/{FPGA_ID}/association");
    assert_eq!(
        first_line(head.as_bytes()),
        format!("DELETE {path} HTTP/1.1")
    );
    assert_eq!(body, format!(r#"{{"image":{{"id":"{ECS_ID}"}}}}"#));
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{head}"
    );
}

#[test]
fn one_of_the_two_images_must_be_named() {
    let server = Server::answering(json_answer(&page(0, 1)), Then::Keep);
    let client = config().client(&server.endpoint());
    let outcome = client
        .associations(TOKEN, PROJECT_ID, None, None)
        .map(|_| ())
        .unwrap_err();
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
    for (fpga_id, ecs_id) in [
        (Some(""), None),
        (None, Some("a/b")),
        (Some(ECS_ID), Some(FPGA_ID)),
    ] {
        let outcome = client
            .associations(TOKEN, PROJECT_ID, fpga_id, ecs_id)
            .map(|_| ())
            .unwrap_err();
        assert!(outcome.is(Status::INVALID_ARGUMENT), "{outcome:?}");
    }
    assert_eq!(server.finish().connections, 0);
}
