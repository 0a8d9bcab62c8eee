//! The request on the wire is the documented one, to the byte, and goes where the caller said.

use fpga_associate::status::Status;
use support::call::{self, FPGA_ID, PROJECT_ID, TOKEN, example};
use support::needs;
use support::parts::Parts;
use support::raw::{self, NO_CONTENT, Seen, Server, Then, Visit, succeed};

support::tests! {
    the_request_is_the_documented_one_byte_for_byte,
    each_argument_arrives_in_its_place_as_it_was_given,
    the_host_header_names_the_host_as_given_and_its_port,
    the_host_header_names_an_address_of_ipv6_in_brackets,
    the_host_header_does_not_name_the_schemes_own_port,
    a_redirect_is_never_followed,
    a_redirect_to_another_path_of_the_same_server_is_never_followed,
}

fn the_request_is_the_documented_one_byte_for_byte() {
    let server = Server::answering(NO_CONTENT, Then::Keep);
    let port = server.port();
    let outcome = example(&server.endpoint());
    assert!(outcome.is(Status::OK), "{outcome:?}");

    let seen = server.finish();
    assert_eq!(seen.requests.len(), 1);
    let headers = [
        ("accept", "application/json"),
        ("content-length", "55"),
        ("content-type", "application/json"),
        ("host", &format!("127.0.0.1:{port}")),
        (
            "user-agent",
            concat!("fpga-associate/", env!("CARGO_PKG_VERSION")),
        ),
        ("x-auth-token", TOKEN),
    ];
    assert_eq!(
        Parts::of(&seen.requests[0]),
        Parts {
            line: "POST /v1/9451dc59feef4bcab18d1d0a9bd8fd10/cloudservers/fpga_image/\
                   4010a32b5f231f04015f24259efd0429/association HTTP/1.1"
                .to_owned(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: r#"{"image":{"id":"18efee75-e058-4c52-a49c-9e3ba4d1c8de"}}"#.to_owned(),
        }
    );
}

fn each_argument_arrives_in_its_place_as_it_was_given() {
    let every_id_byte = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-abcdefghijklmnopqrstuvwxyz_0123456789";
    let longest_id = "x".repeat(128);
    let every_token_byte: String = ('!'..='~').collect();
    let longest_token = "0123456789abcdef".repeat(4_096);
    for (case, token, project_id, fpga_id, ecs_id) in [
        ("shortest", "t", "p", "f", "e"),
        (
            "every byte",
            &every_token_byte,
            every_id_byte,
            every_id_byte,
            every_id_byte,
        ),
        (
            "longest",
            &longest_token,
            &longest_id,
            &longest_id,
            &longest_id,
        ),
        ("only dashes", "-", "-", "--", "_"),
        ("numbers", "0", "0", "1", "2"),
    ] {
        let server = Server::answering(NO_CONTENT, Then::Keep);
        let endpoint = server.endpoint();
        let outcome = call::associate(&endpoint, token, project_id, fpga_id, ecs_id);
        assert!(outcome.is(Status::OK), "{case}: {outcome:?}");

        let seen = server.finish();
        assert_eq!(seen.requests.len(), 1, "{case}");
        let parts = Parts::of(&seen.requests[0]);
        let path = format!("/v1/{project_id}/cloudservers/fpga_image/{fpga_id}/association");
        assert_eq!(parts.line, format!("POST {path} HTTP/1.1"), "{case}");
        assert!(parts.header("x-auth-token") == token, "{case}: {parts:?}");
        let body = format!(r#"{{"image":{{"id":"{ecs_id}"}}}}"#);
        assert_eq!(parts.body, body, "{case}");
        let length = body.len().to_string();
        assert_eq!(parts.header("content-length"), length, "{case}");
    }
}

fn the_host_header_names_the_host_as_given_and_its_port() {
    for (endpoint, host) in [
        ("http://127.0.0.1:PORT", "127.0.0.1:PORT"),
        ("http://127.0.0.1:PORT/", "127.0.0.1:PORT"),
        ("HTTP://127.0.0.1:PORT", "127.0.0.1:PORT"),
        ("http://LocalHost:PORT", "localhost:PORT"),
        ("http://localhost:0PORT", "localhost:PORT"),
    ] {
        assert_host("127.0.0.1:0", endpoint, host);
    }
}

fn the_host_header_names_an_address_of_ipv6_in_brackets() {
    needs::ipv6();
    for endpoint in ["http://[::1]:PORT", "http://[::1]:PORT/"] {
        assert_host("[::1]:0", endpoint, "[::1]:PORT");
    }
}

fn the_host_header_does_not_name_the_schemes_own_port() {
    // An address of this machine that nobody else is likely to listen on.
    const LISTENS_ON: &str = "127.83.17.5:80";
    needs::port(LISTENS_ON);
    for endpoint in ["http://127.83.17.5", "http://127.83.17.5:80"] {
        assert_host(LISTENS_ON, endpoint, "127.83.17.5");
    }
}

fn assert_host(listens_on: &str, endpoint: &str, host: &str) {
    let answer = |mut visit: Visit| {
        while visit.read_request().is_some() {
            succeed(&mut visit.stream);
        }
    };
    let server = Server::serve_on(listens_on, answer).unwrap();
    let at_port = |text: &str| text.replace("PORT", &server.port().to_string());
    let (endpoint, host) = (at_port(endpoint), at_port(host));
    let outcome = example(&endpoint);
    assert!(outcome.is(Status::OK), "{endpoint}: {outcome:?}");
    let seen = server.finish();
    assert_eq!(seen.requests.len(), 1, "{endpoint}");
    let parts = Parts::of(&seen.requests[0]);
    assert_eq!(parts.header("host"), host, "{endpoint}");
}

fn a_redirect_is_never_followed() {
    for http_status in [300, 301, 302, 303, 305, 307, 308] {
        let elsewhere = Server::answering(NO_CONTENT, Then::Keep);
        let target = elsewhere.endpoint();
        let location = format!("Location: {target}/v1/{PROJECT_ID}/{FPGA_ID}\r\n");
        let server = Server::answering(raw::answer(http_status, &location, ""), Then::Keep);

        let outcome = example(&server.endpoint());
        let case = format!("{http_status}: {outcome:?}");
        assert!(outcome.is(Status::UNEXPECTED_STATUS), "{case}");
        assert_eq!(outcome.http_status, i32::from(http_status), "{case}");
        assert_goes_nowhere_else(&server.finish(), &case);
        assert_eq!(elsewhere.finish(), Seen::default(), "{case}");
    }
}

fn a_redirect_to_another_path_of_the_same_server_is_never_followed() {
    let answer = raw::answer(307, "Location: /v2/elsewhere\r\n", "");
    let server = Server::answering_first(answer, Then::Keep);
    let outcome = example(&server.endpoint());
    assert!(outcome.is(Status::UNEXPECTED_STATUS), "{outcome:?}");
    assert_goes_nowhere_else(&server.finish(), "307");
}

/// The change once, and else only questions to the list.
fn assert_goes_nowhere_else(seen: &Seen, case: &str) {
    let path = format!("/v1/{PROJECT_ID}/cloudservers/fpga_image/");
    let (changes, questions): (Vec<_>, Vec<_>) = seen
        .requests
        .iter()
        .map(|request| String::from_utf8_lossy(&request.bytes))
        .partition(|request| request.starts_with(&format!("POST {path}{FPGA_ID}/association ")));
    assert_eq!(changes.len(), 1, "{case}");
    let list = format!("GET {path}associations?");
    let are_for_the_list = questions.iter().all(|question| question.starts_with(&list));
    assert!(are_for_the_list, "{case}: {questions:?}");
}
