//! A proxy that can't be used or does not make a tunnel fails the call, and never has the token.

use std::ffi::CString;

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call::{self, TOKEN};
use support::client::default_config;
use support::proxied::{self, TIMEOUT_MS, one_call};
use support::proxies::{SocksAnswers, answering_proxy, dribbling_proxy, recorder_on, socks_proxy};
use support::raw::Server;
use support::routes::H;

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_that_says_why_and_not_the_password() {
    let scheme = "has a scheme that is not http, https, socks5 or socks5h";
    let url = "is not the URL of a proxy";
    let port = "has a port that is not a number from 1 to 65535";
    for (proxy, reason) in [
        ("socks4://user:s3cret@{a}", scheme),
        ("socks4a://user:s3cret@{a}", scheme),
        ("socks://user:s3cret@{a}", scheme),
        ("ftp://user:s3cret@{a}", scheme),
        ("quic://user:s3cret@{a}", scheme),
        ("http+unix://user:s3cret@{a}", scheme),
        ("://user:s3cret@{a}", scheme),
        ("http://user:s3cret@", url),
        ("http://user:s3cret@:3128", "has no host"),
        ("http://user:s3cret@127.0.0.1:0", port),
        ("http://user:s3cret@127.0.0.1:65536", port),
        ("http://user:s3cret@127.0.0.1:port", port),
        ("http://user:s3cret@[::1", url),
        ("http://user:s3cret@[x]:3128", url),
        ("http://user:s3cret @{a}", url),
        ("http://user:s3cret\t@{a}", url),
        ("http://user:s3cret%ff@{a}", url),
        ("http://user:s3cret@x@{a}", url),
        ("http://üser:s3cret@{a}", url),
        (" http://user:s3cret@{a}", scheme),
        (" ", url),
        ("http://", url),
        ("/", url),
    ] {
        let [not_asked, target] = [(); 2].map(|()| recorder_on("127.0.0.1:0").unwrap());
        let proxy = proxy.replace("{a}", &not_asked.address().to_string());
        let endpoint = format!("127.0.0.1:{}", target.port());

        let told = one_call(&endpoint, &[("all_proxy", &proxy)]);
        assert!(told.is(Status::PROXY_FAILED), "{proxy}: {told:?}");
        assert_eq!((told.attempts, told.outcome_unknown), (1, false), "{proxy}");

        let set = set_proxy(&proxy);
        assert!(set.is(Status::INVALID_ARGUMENT), "{proxy}: {set:?}");
        for message in [&told.message, &set.message] {
            assert!(message.ends_with(reason), "{proxy}: {message}");
            assert!(!message.contains("s3cret"), "{proxy}: {message}");
        }
        for server in [not_asked, target] {
            assert_eq!(server.finish().connections, 0, "{proxy}");
        }
    }
}

fn set_proxy(url: &str) -> call::Outcome {
    let config = default_config();
    let url = CString::new(url).unwrap();
    // SAFETY: both live for the call.
    let status = unsafe { capi::fpga_assoc_config_set_proxy(config.as_ptr(), url.as_ptr()) };
    call::outcome(status)
}

/// What a proxy's refusal has in it that will be the same another time. Asking again would be
/// refused again, and lock an account.
const LASTING: [&str; 8] = [
    "407",
    "403",
    "does not allow",
    "can't connect",
    "kind of address",
    "asks for credentials",
    "refused the user",
    "over 255",
];

/// A call through a proxy that fails it: what was said of it, once it is sure that the token went
/// nowhere.
fn failed_call(scheme: &str, proxy: Server, expected: Status, words: &str, case: &str) {
    let target = recorder_on("127.0.0.1:0").unwrap();
    let url = format!("{scheme}{}", proxy.address());
    let told = one_call(
        &format!("127.0.0.1:{}", target.port()),
        &[("https_proxy", &url)],
    );
    assert!(told.is(expected), "{case}: {told:?}");
    assert!(told.message.contains(words), "{case}: {told:?}");
    assert!(
        told.message.contains(&proxy.address().to_string()) || expected != Status::PROXY_FAILED,
        "{case}: {told:?}"
    );
    assert!(!told.message.contains("s3cret"), "{case}: {told:?}");
    let attempts = if LASTING.contains(&words) { 1 } else { 3 };
    assert_eq!(
        (told.attempts, told.outcome_unknown),
        (attempts, false),
        "{case}"
    );
    assert_eq!(target.finish().connections, 0, "{case}");
    let seen = proxy.finish();
    assert_eq!(seen.connections, attempts as usize, "{case}");
    for request in &seen.requests {
        let text = String::from_utf8_lossy(&request.bytes);
        assert!(!text.contains(&TOKEN[..16]), "{case}: {text}");
    }
}

#[test]
fn a_proxy_that_does_not_make_a_tunnel_fails_the_call_and_never_has_the_token() {
    let proxy_failed = Status::PROXY_FAILED;
    for (case, answer, status, words) in [
        (
            "credentials are asked for",
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 5\r\n\r\nlogin".to_owned(),
            proxy_failed,
            "407",
        ),
        ("forbidden", "HTTP/1.1 403 Forbidden\r\n\r\nno".to_owned(), proxy_failed, "403"),
        ("bad gateway", "HTTP/1.1 502 Bad Gateway\r\n\r\n".to_owned(), proxy_failed, "502"),
        ("moved", "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n".to_owned(), proxy_failed, "302"),
        ("garbage", "\u{1}\u{2}garbage\r\n\r\n".to_owned(), proxy_failed, ""),
        ("another protocol", "SSH-2.0-x\r\n".to_owned(), proxy_failed, ""),
        ("closed at once", String::new(), proxy_failed, ""),
        ("closed early", "HTTP/1.1 200 Connection".to_owned(), proxy_failed, ""),
        ("no end of the head", "HTTP/1.1 200 OK\r\n".to_owned(), proxy_failed, ""),
        (
            "a longer head than is read",
            format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000)),
            proxy_failed,
            "",
        ),
        (
            "closed after the tunnel was made",
            "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
            Status::TLS_FAILED,
            "",
        ),
        (
            "a tunnel to something else",
            "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n".to_owned(),
            proxy_failed,
            "more than it was asked",
        ),
    ] {
        failed_call("http://user:s3cret@", answering_proxy(answer), status, words, case);
    }
}

#[test]
fn a_socks_proxy_that_does_not_connect_fails_the_call_and_never_has_the_token() {
    const OPEN: &str = "socks5://";
    const LOGIN: &str = "socks5h://user:s3cret@";
    let refusals: [(SocksAnswers, &str); 10] = [
        ([b"\x05\0", b"", b"\x05\x01\0\x01\0\0\0\0\0\0"], "failed"),
        (
            [b"\x05\0", b"", b"\x05\x02\0\x01\0\0\0\0\0\0"],
            "does not allow",
        ),
        (
            [b"\x05\0", b"", b"\x05\x03\0\x01\0\0\0\0\0\0"],
            "the network",
        ),
        ([b"\x05\0", b"", b"\x05\x04\0\x01\0\0\0\0\0\0"], "the host"),
        (
            [b"\x05\0", b"", b"\x05\x05\0\x01\0\0\0\0\0\0"],
            "was refused",
        ),
        ([b"\x05\0", b"", b"\x05\x06\0\x01\0\0\0\0\0\0"], "timed out"),
        (
            [b"\x05\0", b"", b"\x05\x07\0\x01\0\0\0\0\0\0"],
            "can't connect",
        ),
        (
            [b"\x05\0", b"", b"\x05\x08\0\x01\0\0\0\0\0\0"],
            "kind of address",
        ),
        ([b"\x05\0", b"", b"\x05\x09\0\x01\0\0\0\0\0\0"], "not known"),
        ([b"\x05\0", b"", b"\x05\xff"], "closed"),
    ];
    let others: [(&str, SocksAnswers, &str); 14] = [
        (OPEN, [b"\x04\0", b"", b""], "not SOCKS5"),
        (
            OPEN,
            [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b""],
            "not SOCKS5",
        ),
        (OPEN, [b"\x05\x02", b"", b""], "asks for credentials"),
        (OPEN, [b"\x05\xff", b"", b""], "asks for credentials"),
        (LOGIN, [b"\x05\x01", b"", b""], "asks for credentials"),
        (LOGIN, [b"\x05\xff", b"", b""], "asks for credentials"),
        (LOGIN, [b"\x05\x02", b"\x01\x01", b""], "refused the user"),
        (OPEN, [b"", b"", b""], "closed"),
        (OPEN, [b"\x05", b"", b""], "closed"),
        (LOGIN, [b"\x05\x02", b"\x01", b""], "closed"),
        (OPEN, [b"\x05\0", b"", b"\x05\0\0"], "closed"),
        (OPEN, [b"\x05\0", b"", b"\x05\0\0\x01\0\0"], "closed"),
        (
            OPEN,
            [b"\x05\0", b"", b"\x04\0\0\x01\0\0\0\0\0\0"],
            "not SOCKS5",
        ),
        (
            OPEN,
            [b"\x05\0", b"", b"\x05\0\0\x02\0\0\0\0\0\0"],
            "not SOCKS5",
        ),
    ];
    let refusals = refusals.map(|(answers, words)| (OPEN, answers, words));
    for (scheme, answers, words) in refusals.into_iter().chain(others) {
        let case = format!("{scheme} {answers:?}");
        failed_call(
            scheme,
            socks_proxy(answers),
            Status::PROXY_FAILED,
            words,
            &case,
        );
    }
    let tunnel: SocksAnswers = [b"\x05\0", b"", b"\x05\0\0\x01\0\0\0\0\0\0"];
    failed_call(
        OPEN,
        socks_proxy(tunnel),
        Status::TLS_FAILED,
        "",
        "closed after it connected",
    );
}

#[test]
fn credentials_that_socks_cannot_carry_are_an_error() {
    let user = "u".repeat(256);
    let proxy = socks_proxy([b"\x05\x02", b"\x01\0", b""]);
    failed_call(
        &format!("socks5h://{user}:s3cret@"),
        proxy,
        Status::PROXY_FAILED,
        "over 255",
        "",
    );
}

#[test]
fn a_proxy_that_dribbles_does_not_outlast_the_deadline() {
    let proxy = dribbling_proxy();
    let url = format!("http://{}", proxy.address());
    let told = one_call(H, &[("https_proxy", &url), (TIMEOUT_MS, "300")]);
    assert!(told.is(Status::TIMEOUT), "{told:?}");
    assert!(!told.outcome_unknown);
}

/// What [`proxied::calls`] starts.
#[test]
#[ignore = "only in a process that another test starts"]
fn child_calls() {
    proxied::make_calls();
}
