//! Calls go through Debian's proxies (for tinyproxy see `proxy_tunnels.rs`), and a wrapper that leads a
//! program's connections through one is not passed by.

use std::path::Path;

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::call::Outcome;
use support::client::{Client, config};
use support::examples::Place;
use support::needs;
use support::real::daemon::wait_for;
use support::real::forward::{Dante, Squid};

support::tests! {
    squid_carries_calls_in_one_tunnel_for_who_knows_its_password,
    squid_is_asked_again_where_it_reaches_nobody_and_not_where_it_refuses,
    dante_carries_calls_in_one_connection,
    a_program_under_socksify_comes_through_dante,
}

fn client(service: &Emulator, proxy: &str) -> Client {
    let config = config().ca_file(service.ca_file().to_str().unwrap());
    config.proxy(proxy).client(service.endpoint())
}

/// Associates the pair, or takes it apart.
fn change(client: &Client, service: &Emulator, associate: bool) -> Outcome {
    let (token, project_id) = (service.token(), service.project_id());
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    match associate {
        true => client.associate(token, project_id, fpga_id, ecs_id),
        false => client.disassociate(token, project_id, fpga_id, ecs_id),
    }
}

fn squid_carries_calls_in_one_tunnel_for_who_knows_its_password() {
    needs::tools(&["squid"]);
    let service = Emulator::start().unwrap();
    let squid = Squid::start(&service.address().port().to_string());
    let proxy = format!("http://user:pa55word@127.0.0.1:{}", squid.port());
    let known = client(&service, &proxy);
    for associate in [true, false, true] {
        let outcome = change(&known, &service, associate);
        assert!(outcome.is(Status::OK), "{outcome:?}");
        assert_eq!(service.associations().len(), usize::from(associate));
    }
    drop(known);
    assert_eq!(squid.results(1), ["TCP_TUNNEL/200"]);

    let requests = service.requests_count();
    for (nth, credentials) in ["", "user:guess@"].iter().enumerate() {
        let proxy = format!("http://{credentials}127.0.0.1:{}", squid.port());
        let outcome = change(&client(&service, &proxy), &service, false);
        assert!(outcome.is(Status::PROXY_FAILED), "{outcome:?}");
        assert_eq!((outcome.attempts, outcome.outcome_unknown), (1, false));
        assert!(outcome.message.contains("407"), "{outcome:?}");
        assert_eq!(squid.results(nth + 2)[nth + 1], "TCP_DENIED/407");
    }
    assert_eq!(service.requests_count(), requests);
}

fn squid_is_asked_again_where_it_reaches_nobody_and_not_where_it_refuses() {
    needs::tools(&["squid"]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = nobody.local_addr().unwrap();
    drop(nobody);
    let squid = Squid::start(&closed.port().to_string());
    let proxy = format!("http://user:pa55word@127.0.0.1:{}", squid.port());
    for (endpoint, answer, attempts, results) in [
        (closed.to_string(), "503", 3, vec!["NONE_NONE/503"; 3]),
        ("127.0.0.1:9".to_owned(), "403", 1, vec!["TCP_DENIED/403"]),
    ] {
        let client = config().proxy(&proxy).client(&endpoint);
        let before = squid.results(0).len();
        let outcome = client.example();
        assert!(outcome.is(Status::PROXY_FAILED), "{outcome:?}");
        assert_eq!(
            (outcome.attempts, outcome.outcome_unknown),
            (attempts, false)
        );
        assert!(outcome.message.contains(answer), "{outcome:?}");
        assert_eq!(squid.results(before + results.len())[before..], results);
    }
}

fn dante_carries_calls_in_one_connection() {
    needs::tools(&["danted"]);
    let service = Emulator::start().unwrap();
    let port = service.address().port();
    for scheme in ["socks5", "socks5h"] {
        let dante = Dante::start();
        let client = client(&service, &format!("{scheme}://127.0.0.1:{}", dante.port()));
        for associate in [true, false] {
            let outcome = change(&client, &service, associate);
            assert!(outcome.is(Status::OK), "{outcome:?}");
        }
        wait_for(|| dante.connections_to(port) > 0);
        assert_eq!(dante.connections_to(port), 1);
    }
}

/// The wrapper stands in front of the C library's functions, which the library calls for that reason.
fn a_program_under_socksify_comes_through_dante() {
    needs::tools(&["danted", "socksify"]);
    let place = Place::new();
    let service = &place.service;
    let program = place.compile("associate.c");
    let port = service.address().port();
    let dante = Dante::start();
    let mut command = place.command(Path::new("socksify"), &[("FPGA_TOKEN", service.token())]);
    let output = command
        .arg(program)
        .args([&format!("127.0.0.1:{port}"), service.project_id()])
        .args([&service.fpga_ids()[0], &service.ecs_ids()[0]])
        .env("SOCKS_CONF", dante.client_configuration())
        // Else it leaves connections to this machine as they are.
        .env("SOCKS_AUTOADD_LANROUTES", "no")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(service.associations().len(), 1);
    wait_for(|| dante.connections_to(port) > 0);
    assert_eq!(dante.connections_to(port), 1);
}
