//! The emulator itself: its certificate, its memory, its end, and the program.
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;

use ecs_emulator::{Emulator, Settings};
use support::{Client, agent, image, trusting};
use ureq::tls::RootCerts;

#[test]
fn an_emulator_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Emulator>();
}

#[test]
fn ids_and_tokens_look_like_the_services() {
    let ecs = Emulator::start().unwrap();
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let fpga_ids = ecs.fpga_ids().iter().map(String::as_str);
    let others = [
        ecs.project_id(),
        ecs.inactive_fpga_id(),
        ecs.foreign_fpga_id(),
    ];
    for id in fpga_ids.chain(others) {
        assert!(id.len() == 32 && hex(id), "{id}");
    }
    for id in ecs.ecs_ids().iter().map(String::as_str) {
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
    }
    assert!(ecs.fpga_ids().len() >= 12 && ecs.ecs_ids().len() >= 3);
    assert_eq!(ecs.token().len(), 2048);
    assert_ne!(ecs.token(), ecs.expired_token());
}

#[test]
fn the_certificate_is_good_for_name_and_address() {
    let ecs = Emulator::start().unwrap();
    let port = ecs.address().port();
    for host in ["localhost", "127.0.0.1"] {
        let uri = format!("https://{host}:{port}/");
        assert_eq!(agent(&ecs).get(uri).call().unwrap().status(), 404);
    }
}

#[test]
fn who_does_not_trust_the_authority_gets_no_answer() {
    let (ecs, other) = (Emulator::start().unwrap(), Emulator::start().unwrap());
    let nobody = trusting(RootCerts::Specific(Arc::default()));
    for agent in [nobody, agent(&other)] {
        assert!(agent.get(ecs.endpoint()).call().is_err());
    }
    assert_eq!(ecs.requests(), []);
}

#[test]
fn one_connection_carries_many_requests() {
    let ecs = Emulator::start_plain().unwrap();
    let mut stream = BufReader::new(TcpStream::connect(ecs.address()).unwrap());
    for _ in 0..3 {
        let request = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.get_mut().write_all(request).unwrap();
        let mut lines = stream.by_ref().lines().map(Result::unwrap);
        assert_eq!(lines.next().unwrap(), "HTTP/1.1 404 Not Found");
        let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        assert!(
            headers
                .iter()
                .any(|line| line.starts_with("X-Request-Id: "))
        );
        let length = headers
            .iter()
            .find_map(|h| h.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
    }
    assert_eq!(ecs.requests().len(), 3);
}

#[test]
fn requests_are_remembered_as_they_came() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    client.associate(fpga_id, ecs_id);
    client.list("?image_id=a%20b");
    client.disassociate(fpga_id, "gone");

    let [post, get, delete] = ecs.requests().try_into().unwrap();
    assert_eq!((post.method.as_str(), post.status), ("POST", 204));
    assert_eq!(post.path, client.association(fpga_id));
    assert_eq!(post.body, image(ecs_id));
    assert_eq!(post.header("X-Auth-Token"), Some(ecs.token()));
    assert!(post.headers.iter().any(|(name, _)| name == "host"));
    assert_eq!((get.method.as_str(), get.status), ("GET", 200));
    assert!(get.path.ends_with("/associations?image_id=a%20b"));
    assert_eq!((delete.method.as_str(), delete.status), ("DELETE", 400));
    assert_eq!(delete.body, image("gone"));

    ecs.clear_requests();
    assert_eq!(ecs.requests(), []);
}

#[test]
fn only_the_last_thousand_requests_are_kept_and_all_are_counted() {
    let ecs = Emulator::start_plain().unwrap();
    let client = Client::new(&ecs);
    for number in 0..1_003 {
        client.send("GET", &format!("/{number}"), "");
    }
    let requests = ecs.requests();
    assert_eq!(requests.len(), 1_000);
    assert_eq!(requests[0].path, "/3");
    assert_eq!(ecs.requests_count(), 1_003);
}

#[test]
fn a_request_that_breaks_off_is_none() {
    let ecs = Emulator::start_plain().unwrap();
    let mut stream = TcpStream::connect(ecs.address()).unwrap();
    stream
        .write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        .unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    // The server closes without an answer, so its decision is made when this returns.
    let _ = stream.read_to_end(&mut Vec::new());
    assert_eq!(ecs.requests(), []);
}

#[test]
fn pairs_can_be_put_in_behind_the_clients_backs() {
    let ecs = Emulator::start().unwrap();
    let client = Client::new(&ecs);
    let (fpga_id, ecs_id) = (&ecs.fpga_ids()[0], &ecs.ecs_ids()[0]);
    assert!(ecs.associate(fpga_id, ecs_id));
    assert!(!ecs.associate(fpga_id, ecs_id));
    assert!(!ecs.associate("gone", ecs_id));
    assert!(!ecs.associate(fpga_id, "gone"));
    assert!(ecs.associate(ecs.foreign_fpga_id(), ecs.shared_ecs_id()));
    assert_eq!(client.associate(fpga_id, ecs_id).status, 400);

    ecs.clear();
    assert_eq!(ecs.associations(), []);
    assert_eq!(client.associate(fpga_id, ecs_id).status, 204);
}

#[test]
fn dropping_it_ends_its_connections_and_closes_the_port() {
    let refused = |ecs: Emulator| {
        let address = ecs.address();
        let mut open = TcpStream::connect(address).unwrap();
        open.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .unwrap();
        open.read_exact(&mut [0; 12]).unwrap();
        drop(ecs);
        open.read_to_end(&mut Vec::new()).unwrap();
        TcpStream::connect(address).is_err()
    };
    // A port that is free again may go to another test at once; not five times.
    assert!((0..5).any(|_| refused(Emulator::start_plain().unwrap())));
}

#[test]
fn the_ca_file_is_where_it_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        ca_dir: Some(directory.path().to_owned()),
        ..Settings::default()
    };
    let ecs = Emulator::start_with(settings).unwrap();
    assert_eq!(ecs.ca_file(), directory.path().join("ca.pem"));
    assert_eq!(
        agent(&ecs).get(ecs.endpoint()).call().unwrap().status(),
        404
    );
    drop(ecs);

    let ecs = Emulator::start().unwrap();
    let ca_file = ecs.ca_file().to_owned();
    assert!(ca_file.exists());
    drop(ecs);
    assert!(!ca_file.exists());
}

#[test]
fn a_taken_port_is_an_error() {
    let ecs = Emulator::start_plain().unwrap();
    let settings = Settings {
        port: ecs.address().port(),
        ..Settings::default()
    };
    assert!(Emulator::start_with(settings).is_err());
}

#[test]
fn the_program_prints_what_a_shell_needs_and_logs_without_secrets() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_ecs-emulator"))
        .args(["--http", "--metadata", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let mut head = Vec::new();
    while head.last().is_none_or(|line| line != "# requests:") {
        head.push(lines.next().unwrap().unwrap());
    }
    let value = |name: &str| {
        let export = format!("export {name}=");
        let found = head.iter().find_map(|line| line.strip_prefix(&export));
        found.unwrap().trim_matches('\'').to_owned()
    };
    let (endpoint, token) = (value("FPGA_ENDPOINT"), value("FPGA_TOKEN"));
    assert_eq!(value("HUAWEICLOUD_SDK_AK").len(), 20);
    assert_eq!(value("HUAWEICLOUD_SDK_SK").len(), 40);
    assert!(std::fs::exists(value("SSL_CERT_FILE")).unwrap());
    let (project_id, fpga_id) = (value("FPGA_PROJECT_ID"), value("FPGA_ID"));
    let path = format!("/v1/{project_id}/cloudservers/fpga_image/{fpga_id}/association");
    let answer = trusting(RootCerts::WebPki)
        .post(format!("{endpoint}{path}"))
        .header("X-Auth-Token", &token)
        .send(image(&value("ECS_ID")))
        .unwrap();
    assert_eq!(answer.status(), 204);

    assert_eq!(lines.next().unwrap().unwrap(), format!("POST {path} 204"));
    let metadata = head
        .iter()
        .find_map(|line| line.strip_prefix("# metadata service at "));
    let path = "/openstack/latest/securitykey";
    let answer = trusting(RootCerts::WebPki)
        .get(format!("{}{path}", metadata.unwrap()))
        .call()
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(lines.next().unwrap().unwrap(), format!("GET {path} 200"));
    // The shell's own, because kill is no program everywhere.
    let kill = format!("kill {}", program.id());
    let kill = Command::new("sh").args(["-c", &kill]).status();
    assert!(kill.unwrap().success());
    assert!(program.wait().unwrap().success());
    assert!(lines.next().is_none());
    assert!(!std::fs::exists(value("SSL_CERT_FILE")).unwrap());
}

#[test]
fn the_program_explains_itself() {
    let run = |arguments: &[&str]| {
        let program = env!("CARGO_BIN_EXE_ecs-emulator");
        Command::new(program).args(arguments).output().unwrap()
    };
    let help = run(&["--help"]);
    assert!(help.status.success());
    assert!(help.stdout.starts_with(b"The FPGA image calls"));
    for wrong in [
        &["--port"][..],
        &["--port", "65536"],
        &["--prot", "1"],
        &["--rate"],
        &["--rate", "many"],
        &["--rate", "0"],
        &["--rate", "-1"],
        &["--rate", "inf"],
        &["--metadata"],
        &["--metadata", "localhost:80"],
    ] {
        let output = run(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}
