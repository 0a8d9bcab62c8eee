//! Calls go through one tunnel of whatever proxy, and the service is verified at its end.

use fpga_associate::status::Status;
use support::call::{PROJECT_ID, TOKEN};
use support::certificates::{Authority, tls_server};
use support::needs;
use support::proxied::{self, CA_FILE, calls, one_call};
use support::proxies::{Tinyproxy, relay, socks_relay, tls_relay, told};
use support::raw::Server;
use support::routes::H;

support::tests! {
    tinyproxy_carries_calls_in_one_tunnel,
    tinyproxy_refuses_who_does_not_know_its_password,
    a_tunnel_may_begin_with_any_head_of_success,
    an_https_proxy_carries_calls_in_one_tunnel,
    an_https_proxy_without_a_good_certificate_is_not_told_anything,
    the_service_is_verified_through_a_proxy_too,
    a_socks_proxy_carries_calls_in_one_tunnel,
    #[ignore = "only in a process that another test starts"]
    child_calls,
}

/// The service over TLS, under the name that its certificate has and under an address.
fn service(authority: &Authority) -> Server {
    tls_server(authority.sign(&["127.0.0.1", H]))
}

/// Two calls through a proxy: both did what was asked, on one connection.
fn two_good_calls(authority: &Authority, service: Server, endpoint: &str, proxy: &str) {
    let file = authority.file();
    let variables = [("https_proxy", proxy), (CA_FILE, file.to_str().unwrap())];
    for told in calls::<2>(endpoint, &variables) {
        assert!(told.is(Status::OK), "{proxy}: {told:?}");
    }
    let seen = service.finish();
    assert_eq!(seen.connection_of_each(), [0, 0], "{proxy}");
    for request in seen.requests {
        let text = String::from_utf8(request.bytes).unwrap();
        assert!(
            text.starts_with(&format!("POST /v1/{PROJECT_ID}/")),
            "{text}"
        );
        assert!(text.contains(TOKEN), "{text}");
        assert!(
            text.to_lowercase()
                .contains(&format!("host: {endpoint}\r\n")),
            "{text}"
        );
        assert!(!text.to_lowercase().contains("proxy"), "{text}");
    }
}

fn tinyproxy_carries_calls_in_one_tunnel() {
    needs::tools(&["tinyproxy"]);
    let authority = Authority::new();
    for (configuration, credentials) in [("", ""), ("BasicAuth user pa55word", "user:pa55word@")] {
        let service = service(&authority);
        let proxy = Tinyproxy::start(configuration);
        let endpoint = format!("127.0.0.1:{}", service.port());
        let url = format!("http://{credentials}127.0.0.1:{}", proxy.port());
        two_good_calls(&authority, service, &endpoint, &url);
        assert_eq!(proxy.finish(), ["127.0.0.1"]);
    }
}

fn tinyproxy_refuses_who_does_not_know_its_password() {
    needs::tools(&["tinyproxy"]);
    let authority = Authority::new();
    let service = service(&authority);
    let proxy = Tinyproxy::start("BasicAuth user pa55word");
    for credentials in ["", "user:guess@"] {
        let url = format!("http://{credentials}127.0.0.1:{}", proxy.port());
        let endpoint = format!("127.0.0.1:{}", service.port());
        let told = one_call(&endpoint, &[("https_proxy", &url)]);
        assert!(told.is(Status::PROXY_FAILED), "{told:?}");
        assert_eq!((told.attempts, told.outcome_unknown), (1, false));
    }
    assert!(proxy.finish().is_empty());
    assert_eq!(service.finish().connections, 0);
}

fn a_tunnel_may_begin_with_any_head_of_success() {
    let authority = Authority::new();
    let headers: String = (0..200).map(|n| format!("X-{n}: x\r\n")).collect();
    for head in [
        "HTTP/1.1 200 Connection established\r\n\r\n".to_owned(),
        "HTTP/1.0 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 200\r\n\r\n".to_owned(),
        "HTTP/1.1 201 Created\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{headers}\r\n"),
        format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(8_000)),
    ] {
        let service = service(&authority);
        let proxy = relay(head, service.address());
        let url = format!("http://{}", proxy.address());
        two_good_calls(&authority, service, H, &url);
        assert_eq!(
            told(&proxy.finish()).as_deref(),
            Some("CONNECT service.invalid:443")
        );
    }
}

fn an_https_proxy_carries_calls_in_one_tunnel() {
    let authority = Authority::new();
    let service = service(&authority);
    let proxy = tls_relay(authority.sign(&["127.0.0.1"]), service.address());
    let url = format!("https://user:password@{}", proxy.address());
    two_good_calls(&authority, service, H, &url);
    assert_eq!(
        told(&proxy.finish()).as_deref(),
        Some("CONNECT service.invalid:443 Basic dXNlcjpwYXNzd29yZA==")
    );
}

fn an_https_proxy_without_a_good_certificate_is_not_told_anything() {
    let authority = Authority::new();
    let service = service(&authority);
    let stranger = Authority::new();
    for identity in [
        stranger.sign(&["127.0.0.1"]),
        authority.sign(&["another.invalid"]),
    ] {
        let proxy = tls_relay(identity, service.address());
        let url = format!("https://user:password@{}", proxy.address());
        let file = authority.file();
        let told = one_call(
            H,
            &[("https_proxy", &url), (CA_FILE, file.to_str().unwrap())],
        );
        assert!(told.is(Status::PROXY_FAILED), "{told:?}");
        assert_eq!((told.attempts, told.outcome_unknown), (1, false));
        assert!(told.message.contains("certificate"), "{told:?}");
        assert_eq!(proxy.finish().requests, []);
    }
    assert_eq!(service.finish().connections, 0);
}

fn the_service_is_verified_through_a_proxy_too() {
    let authority = Authority::new();
    let service = tls_server(authority.sign(&["another.invalid"]));
    let proxy = relay("HTTP/1.1 200 OK\r\n\r\n", service.address());
    let url = format!("http://{}", proxy.address());
    let file = authority.file();
    let told = one_call(
        H,
        &[("https_proxy", &url), (CA_FILE, file.to_str().unwrap())],
    );
    assert!(told.is(Status::TLS_FAILED), "{told:?}");
    assert_eq!(service.finish().requests, []);
}

fn a_socks_proxy_carries_calls_in_one_tunnel() {
    let authority = Authority::new();
    for (scheme, endpoint, target) in [
        ("socks5h", H, "name service.invalid:443"),
        ("socks5", "127.0.0.1:8443", "address 127.0.0.1:8443"),
        ("socks5h", "127.0.0.1:8443", "address 127.0.0.1:8443"),
    ] {
        let service = service(&authority);
        let proxy = socks_relay("user", "p@ss", service.address());
        let url = format!("{scheme}://user:p%40ss@{}", proxy.address());
        two_good_calls(&authority, service, endpoint, &url);
        let seen = proxy.finish();
        let asked: Vec<_> = seen
            .requests
            .iter()
            .map(|request| &request.bytes[..])
            .collect();
        assert_eq!(asked, [target.as_bytes()], "{url}");
    }
}

/// What [`proxied::calls`] starts.
fn child_calls() {
    proxied::make_calls();
}
