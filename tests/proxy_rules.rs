//! A call goes the way that curl takes: by the variables, their exceptions, and what a URL means.

use fpga_associate::status::Status;
use support::certificates::Authority;
use support::needs;
use support::proxied::{self, MAX_ATTEMPTS, SETTING, one_call};
use support::routes::{
    DIRECT, H, T, T_VIA_A, T6, T6_VIA_A, UNRESOLVED, UNUSABLE, VIA_A, VIA_B, check, curl, row,
};

support::tests! {
    the_variables_name_the_proxy_as_for_curl,
    no_proxy_excepts_names_as_for_curl,
    no_proxy_excepts_addresses_as_for_curl,
    no_proxy_excepts_addresses_of_ipv6_as_for_curl,
    the_url_of_a_proxy_means_what_it_means_to_curl,
    the_url_of_a_proxy_to_ipv6_means_what_it_means_to_curl,
    a_proxy_without_a_port_is_where_curl_looks_for_it,
    #[ignore = "only in a process that another test starts"]
    child_calls,
}

/// Why there is no absolute-form request.
const TOKEN_STAYS: &str = "a tunnel, so that no proxy is handed the token";

#[rustfmt::skip]
fn the_variables_name_the_proxy_as_for_curl() {
    check(&[
        row(&[], T, DIRECT),
        row(&[], H, UNRESOLVED),
        row(&[("https_proxy", "http://{a}")], H, VIA_A),
        row(&[("HTTPS_PROXY", "http://{a}")], H, VIA_A),
        row(&[("https_proxy", "http://{a}"), ("HTTPS_PROXY", "http://{b}")], H, VIA_A),
        row(&[("all_proxy", "http://{a}")], H, VIA_A),
        row(&[("ALL_PROXY", "http://{a}")], H, VIA_A),
        row(&[("all_proxy", "http://{a}"), ("ALL_PROXY", "http://{b}")], H, VIA_A),
        row(&[("all_proxy", "http://{a}"), ("HTTPS_PROXY", "http://{b}")], H, VIA_B),
        row(&[("https_proxy", ""), ("HTTPS_PROXY", "http://{b}")], H, VIA_B),
        row(&[("https_proxy", ""), ("all_proxy", "http://{b}")], H, VIA_B),
        row(&[("https_proxy", ""), ("all_proxy", "")], T, DIRECT),
        row(&[("http_proxy", "http://{a}")], T, DIRECT),
        row(&[("Https_Proxy", "http://{a}")], T, DIRECT),
        row(&[("HTTP_PROXY", "http://{a}")], "http://127.0.0.1:{t}", "direct: POST"),
        row(&[("https_proxy", "http://{a}")], "http://127.0.0.1:{t}", "direct: POST"),
        row(&[("http_proxy", "http://{a}")], "http://127.0.0.1:{t}", T_VIA_A).but_curl("a: POST http://127.0.0.1:{t}", TOKEN_STAYS),
        row(&[("http_proxy", "http://{a}"), ("HTTP_PROXY", "http://{b}")], "http://service.invalid", "a: CONNECT service.invalid:80").but_curl("a: POST http://service.invalid", TOKEN_STAYS),
        row(&[("HTTP_PROXY", "http://{a}"), ("ALL_PROXY", "http://{b}")], "http://service.invalid:81", "b: CONNECT service.invalid:81").but_curl("b: POST http://service.invalid:81", TOKEN_STAYS),
        row(&[("https_proxy", "http://{a}"), (SETTING, "http://{b}")], H, VIA_B),
        row(&[("https_proxy", "http://{a}"), (SETTING, "")], T, DIRECT),
        row(&[("no_proxy", "service.invalid"), (SETTING, "http://{b}")], H, UNRESOLVED),
        row(&[("NO_PROXY", "127.0.0.1"), (SETTING, "http://{b}")], T, DIRECT),
        row(&[("no_proxy", "*"), ("https_proxy", "ftp://{a}")], T, DIRECT),
    ]);
}

macro_rules! except {
    ($no_proxy:literal, $endpoint:expr, $route:expr) => {
        row(
            &[("https_proxy", "http://{a}"), ("no_proxy", $no_proxy)],
            $endpoint,
            $route,
        )
    };
}

#[rustfmt::skip]
fn no_proxy_excepts_names_as_for_curl() {
    check(&[
        row(&[("https_proxy", "http://{a}"), ("NO_PROXY", "service.invalid")], H, UNRESOLVED),
        row(&[("https_proxy", "http://{a}"), ("no_proxy", "x.invalid"), ("NO_PROXY", "*")], H, VIA_A),
        row(&[("https_proxy", "http://{a}"), ("no_proxy", ""), ("NO_PROXY", "*")], H, UNRESOLVED),
        except!("*", H, UNRESOLVED),
        except!(" *", H, VIA_A),
        except!("x.invalid,*", H, VIA_A),
        except!("*.invalid", H, VIA_A),
        except!("invalid", H, UNRESOLVED),
        except!(".invalid", H, UNRESOLVED),
        except!("..invalid", H, VIA_A),
        except!("service.invalid", H, UNRESOLVED),
        except!(".service.invalid", H, UNRESOLVED),
        except!("service.invalid", "a.service.invalid", UNRESOLVED),
        except!("service.invalid", "notservice.invalid", "a: CONNECT notservice.invalid:443"),
        except!("a.service.invalid", H, VIA_A),
        except!("service", H, VIA_A),
        except!("service.invalid.", H, UNRESOLVED),
        except!("service.invalid", "service.invalid.", UNRESOLVED),
        except!("service.invalid..", H, VIA_A),
        except!("x.invalid", "service.invalid.", "a: CONNECT service.invalid.:443"),
        except!("SERVICE.Invalid", H, UNRESOLVED),
        except!("service.invalid", "https://SERVICE.INVALID", UNRESOLVED),
        except!("x.invalid", "https://SERVICE.INVALID", VIA_A).but_curl("a: CONNECT SERVICE.INVALID:443", "an endpoint is in lower case from the start"),
        except!("x.invalid,service.invalid", H, UNRESOLVED),
        except!("x.invalid, service.invalid", H, UNRESOLVED),
        except!("x.invalid ,service.invalid", H, UNRESOLVED),
        except!("x.invalid,\tservice.invalid\t", H, UNRESOLVED),
        except!("x.invalid,,,service.invalid", H, UNRESOLVED),
        except!(",service.invalid", H, UNRESOLVED),
        except!("x.invalid service.invalid", H, UNRESOLVED),
        except!("x.invalid;service.invalid", H, VIA_A),
        except!(",", H, VIA_A),
        except!(".", H, VIA_A),
        except!("service.invalid:443", H, VIA_A),
        except!("service.invalid:443", "service.invalid:443", VIA_A),
        except!("https://service.invalid", H, VIA_A),
        except!("127.0.0.0/8", H, VIA_A),
    ]);
}

#[rustfmt::skip]
fn no_proxy_excepts_addresses_as_for_curl() {
    check(&[
        except!("127.0.0.1", T, DIRECT),
        except!("127.0.0.2", T, T_VIA_A),
        except!("0.1", T, T_VIA_A),
        except!("127.0.0.", T, T_VIA_A),
        except!("localhost", T, T_VIA_A),
        except!("127.0.0.1:{t}", T, T_VIA_A),
        except!("10.0.0.0/8, 127.0.0.0/8", T, DIRECT),
        except!("127.255.0.0/8", T, DIRECT),
        except!("126.0.0.0/8", T, T_VIA_A),
        except!("126.0.0.0/7", T, DIRECT),
        except!("127.0.0.0/31", T, DIRECT),
        except!("127.0.0.2/31", T, T_VIA_A),
        except!("127.0.0.1/32", T, DIRECT),
        except!("127.0.0.0/32", T, T_VIA_A),
        except!("127.0.0.0/33", T, T_VIA_A),
        except!("127.0.0.1/33", T, T_VIA_A),
        except!("0.0.0.0/0", T, T_VIA_A),
        except!("127.0.0.1/0", T, DIRECT),
        except!("127.0.0.1/", T, DIRECT),
        except!("127.0.0.0/", T, T_VIA_A),
        except!("127.0.0.1/x", T, DIRECT),
        except!("127.0.0.0/x", T, T_VIA_A),
        except!("127.0.0.0/8x", T, DIRECT),
        except!("127.0.0.0/+8", T, DIRECT),
        except!("127.0.0.0/-8", T, T_VIA_A),
        except!("127.0.0.0/8/9", T, DIRECT),
        except!("127/8", T, T_VIA_A),
        except!("::1", T, T_VIA_A),
        except!("::ffff:127.0.0.1", T, T_VIA_A),
        except!("[127.0.0.1]", T, T_VIA_A),
    ]);
}

/// Why an IPv6 network is one.
const V6_IS_TEXT: &str = "curl 7.88 compares IPv6 addresses as text; its manual promises more";

#[rustfmt::skip]
fn no_proxy_excepts_addresses_of_ipv6_as_for_curl() {
    check(&[
        except!("x.invalid", T6, T6_VIA_A),
        except!("::1", T6, DIRECT),
        except!("0:0:0:0:0:0:0:1", T6, DIRECT).but_curl(T6_VIA_A, V6_IS_TEXT),
        except!("::2", T6, T6_VIA_A),
        except!("[::1]", T6, T6_VIA_A),
        except!("[::1]:{t6}", T6, T6_VIA_A),
        except!("::/8", T6, DIRECT).but_curl(T6_VIA_A, V6_IS_TEXT),
        except!("::/120", T6, DIRECT).but_curl(T6_VIA_A, V6_IS_TEXT),
        except!("::/127", T6, DIRECT).but_curl(T6_VIA_A, V6_IS_TEXT),
        except!("fd00::/8", T6, T6_VIA_A),
        except!("fd00::/7", T6, T6_VIA_A),
        except!("::/0", T6, T6_VIA_A),
        except!("::1/0", T6, DIRECT).but_curl(T6_VIA_A, V6_IS_TEXT),
        except!("::1/128", T6, DIRECT).but_curl(T6_VIA_A, V6_IS_TEXT),
        except!("::1/129", T6, T6_VIA_A),
        except!("0.0.0.0/8", T6, T6_VIA_A),
        except!("*", T6, DIRECT),
    ]);
}

macro_rules! proxy {
    ($url:literal, $endpoint:expr, $route:expr) => {
        row(&[("https_proxy", $url)], $endpoint, $route)
    };
}

#[rustfmt::skip]
fn the_url_of_a_proxy_means_what_it_means_to_curl() {
    check(&[
        proxy!("{a}", H, VIA_A),
        proxy!("localhost:{a_port}", H, VIA_A),
        proxy!("http://localhost:{a_port}", H, VIA_A),
        proxy!("HTTP://{a}", H, VIA_A),
        proxy!("http://{a}/", H, VIA_A),
        proxy!("http://{a}/a/path?and=more#x", H, VIA_A),
        proxy!("{a}/", H, VIA_A),
        proxy!("http://{a}", "service.invalid:8443", "a: CONNECT service.invalid:8443"),
        proxy!("http://{a}", "https://service.invalid/", VIA_A),
        proxy!("http://{a}", T, T_VIA_A),
        proxy!("http://user:password@{a}", H, "a: CONNECT service.invalid:443 Basic dXNlcjpwYXNzd29yZA=="),
        proxy!("user:password@{a}", H, "a: CONNECT service.invalid:443 Basic dXNlcjpwYXNzd29yZA=="),
        proxy!("http://us%40er:p%3Aa%2Fs%25s+w@{a}", H, "a: CONNECT service.invalid:443 Basic dXNAZXI6cDphL3Mlcyt3"),
        proxy!("http://user@{a}", H, "a: CONNECT service.invalid:443 Basic dXNlcjo="),
        proxy!("http://user:@{a}", H, "a: CONNECT service.invalid:443 Basic dXNlcjo="),
        proxy!("http://:password@{a}", H, "a: CONNECT service.invalid:443 Basic OnBhc3N3b3Jk"),
        proxy!("http://@{a}", H, "a: CONNECT service.invalid:443 Basic Og=="),
        proxy!("http://:@{a}", H, "a: CONNECT service.invalid:443 Basic Og=="),
        proxy!("http://us%C3%A9r:p@{a}", H, "a: CONNECT service.invalid:443 Basic dXPDqXI6cA=="),
        proxy!("http://user:p@ss@{a}", H, UNUSABLE),
        proxy!("http://user:p:ss@{a}", H, "a: CONNECT service.invalid:443 Basic dXNlcjpwOnNz"),
        proxy!("http://user:%ff@{a}", H, UNUSABLE).but_curl("a: CONNECT service.invalid:443 Basic dXNlcjr/", "user and password are UTF-8"),
        proxy!("http://user:p%0Aw@{a}", H, "a: CONNECT service.invalid:443 Basic dXNlcjpwCnc=").but_curl(UNRESOLVED, "curl 7.88 forgets such a proxy and goes directly"),
        proxy!("http://user:p%zzw@{a}", H, "a: CONNECT service.invalid:443 Basic dXNlcjpwJXp6dw=="),
        proxy!("http:/{a}", H, VIA_A),
        proxy!("http:{a}", H, UNUSABLE),
        proxy!("http:///{a}", H, VIA_A),
        proxy!("http:////{a}", H, UNUSABLE),
        proxy!("/{a}", H, UNUSABLE),
        proxy!("//{a}", H, UNUSABLE),
        proxy!(":/{a}", H, UNUSABLE),
        proxy!(" http://{a}", H, UNUSABLE),
        proxy!("http://{a} ", H, UNUSABLE),
        proxy!("http://proxy.invalid:3128", H, UNUSABLE),
        proxy!("ftp://{a}", H, UNUSABLE),
        proxy!("tcp://{a}", H, UNUSABLE),
        proxy!("://{a}", H, UNUSABLE),
        proxy!("http://", H, UNUSABLE),
        proxy!("http://127.0.0.1:x", H, UNUSABLE),
        proxy!("http://127.0.0.1:65536", H, UNUSABLE),
        proxy!("http://127.0.0.1:+{a_port}", H, UNUSABLE),
        proxy!("http://127.0.0.1:{a_port}:1", H, UNUSABLE),
        proxy!("http://127.0.0.1:0{a_port}", H, VIA_A),
        proxy!("http://127.1:{a_port}", H, VIA_A),
        proxy!("http://user:p#w@{a}", H, UNUSABLE),
        proxy!("http://user:p/w@{a}", H, UNUSABLE),
        proxy!("http://127.0.0.1:0", H, UNUSABLE),
        proxy!("http://[::1", H, UNUSABLE),
        proxy!("http://[127.0.0.1]:{a_port}", H, UNUSABLE),
        proxy!("https://{s}", H, "s: CONNECT service.invalid:443"),
        proxy!("HTTPS://user:password@{s}/", H, "s: CONNECT service.invalid:443 Basic dXNlcjpwYXNzd29yZA=="),
        proxy!("socks5h://{a}", H, "a: SOCKS5 name service.invalid:443"),
        proxy!("SOCKS5h://{a}/", H, "a: SOCKS5 name service.invalid:443"),
        proxy!("socks5h://user:p%40ss@{a}", H, "a: SOCKS5 name service.invalid:443 user:p@ss"),
        proxy!("socks5h://user@{a}", H, "a: SOCKS5 name service.invalid:443 user:"),
        proxy!("socks5h://{a}", T, "a: SOCKS5 address 127.0.0.1:{t}"),
        proxy!("socks5h://{a}", "service.invalid.", "a: SOCKS5 name service.invalid.:443"),
        proxy!("socks5://{a}", T, "a: SOCKS5 address 127.0.0.1:{t}"),
        proxy!("socks5://user:password@{a}", T, "a: SOCKS5 address 127.0.0.1:{t} user:password"),
        proxy!("socks5://{a}", "localhost:{t}", "a: SOCKS5 address 127.0.0.1:{t}"),
        proxy!("socks5://localhost:{a_port}/socket", T, "a: SOCKS5 address 127.0.0.1:{t}").but_curl(UNUSABLE, "a path is ignored; curl takes it for a Unix socket"),
        proxy!("socks4://{a}", T, UNUSABLE).but_curl("a: SOCKS4", "SOCKS4 is of another age"),
        proxy!("socks4a://{a}", T, UNUSABLE).but_curl("a: SOCKS4", "SOCKS4 is of another age"),
        proxy!("socks://{a}", T, UNUSABLE).but_curl("a: SOCKS4", "SOCKS4 is of another age"),
    ]);
}

#[rustfmt::skip]
fn the_url_of_a_proxy_to_ipv6_means_what_it_means_to_curl() {
    check(&[
        proxy!("http://{a}", T6, T6_VIA_A),
        proxy!("socks5h://{a}", T6, "a: SOCKS5 address [::1]:{t6}"),
        proxy!("socks5://{a}", T6, "a: SOCKS5 address [::1]:{t6}"),
    ]);
}

fn a_proxy_without_a_port_is_where_curl_looks_for_it() {
    needs::tools(&["curl"]);
    let authority = Authority::new();
    // Nobody listens there.
    for (url, port) in [
        ("127.98.7.6", 1080),
        ("http://127.98.7.6", 1080),
        ("http://user:password@127.98.7.6:/", 1080),
        ("https://127.98.7.6", 443),
        ("socks5://127.98.7.6", 1080),
        ("socks5h://127.98.7.6", 1080),
    ] {
        let proxy = format!("127.98.7.6:{port}");
        // An address, because socks5 looks a name up before it goes to the proxy.
        let told = one_call(
            "https://127.98.7.5",
            &[("https_proxy", url), (MAX_ATTEMPTS, "1")],
        );
        assert!(told.is(Status::PROXY_FAILED), "{url}: {told:?}");
        assert!(told.message.contains(&proxy), "{url}: {told:?}");
        let output = curl(&authority.file())
            .env("https_proxy", url)
            .arg("https://service.invalid")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            said.contains(&format!("Trying {proxy}...")),
            "{url}: {said}"
        );
    }
}

/// What [`proxied::calls`] starts.
fn child_calls() {
    proxied::make_calls();
}
