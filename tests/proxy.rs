//! The way to the service through proxies: the way that curl takes, and what proxies may do to a
//! call.

mod support;

use std::env;
use std::ffi::CString;
use std::path::Path;
use std::process::{Command, Output};

use fpga_associate::capi;
use fpga_associate::status::Status;
use support::call::{FPGA_ID, PROJECT_ID, TOKEN};
use support::certificates::{Authority, tls_server};
use support::client::{Client, default_config};
use support::proxies::{
    SocksAnswers, Tinyproxy, answering_proxy, dribbling_proxy, recorder_on, relay, socks_proxy,
    socks_relay, tls_recorder, tls_relay, told,
};
use support::raw::Server;
use support::{call, tool};

/// Stands among the variables for the proxy that the program sets itself.
const SETTING: &str = "set_proxy";

const ENDPOINT: &str = "FPGA_TEST_ENDPOINT";
const PROXY: &str = "FPGA_TEST_PROXY";
const CA_FILE: &str = "FPGA_TEST_CA_FILE";
const CALLS: &str = "FPGA_TEST_CALLS";
const MAX_ATTEMPTS: &str = "FPGA_TEST_MAX_ATTEMPTS";
const TIMEOUT_MS: &str = "FPGA_TEST_TIMEOUT_MS";

/// A name that does not exist costs a second at most, on a machine without DNS too.
const RESOLVER: (&str, &str) = ("RES_OPTIONS", "timeout:1 attempts:1");

type Variables<'a> = [(&'a str, &'a str)];

/// What one call came to, in a process whose environment is known.
#[derive(Debug)]
struct Told {
    status: i32,
    attempts: u32,
    outcome_unknown: bool,
    message: String,
}

impl Told {
    fn is(&self, status: Status) -> bool {
        self.status == status.number()
    }
}

/// Makes calls with one client in a process of their own, and nothing in its environment but these.
fn calls<const COUNT: usize>(endpoint: &str, variables: &Variables) -> [Told; COUNT] {
    let count = COUNT.to_string();
    let variables = [variables, &[(CALLS, count.as_str())]].concat();
    let output = child("calls", endpoint, &variables);
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let told: Vec<Told> = text.lines().filter_map(read_told).collect();
    told.try_into().unwrap_or_else(|_| panic!("{output:?}"))
}

fn one_call(endpoint: &str, variables: &Variables) -> Told {
    let [told] = calls(endpoint, variables);
    told
}

/// Runs one of the tests of this program that only have a meaning in a process of their own.
fn child(test: &str, endpoint: &str, variables: &Variables) -> Output {
    let output = Command::new(env::current_exe().unwrap())
        .args([
            &format!("child_{test}"),
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env_clear()
        .env(ENDPOINT, endpoint)
        .envs([RESOLVER])
        .envs(variables.iter().map(|&(name, value)| match name {
            SETTING => (PROXY, value),
            _ => (name, value),
        }))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

fn read_told(line: &str) -> Option<Told> {
    let mut fields = line.strip_prefix("told\t")?.splitn(4, '\t');
    let mut next = || fields.next().unwrap();
    Some(Told {
        status: next().parse().unwrap(),
        attempts: next().parse().unwrap(),
        outcome_unknown: next().parse().unwrap(),
        message: next().to_owned(),
    })
}

fn tell(outcome: &call::Outcome) {
    let call::Outcome {
        status,
        attempts,
        outcome_unknown,
        message,
        ..
    } = outcome;
    eprintln!("told\t{status}\t{attempts}\t{outcome_unknown}\t{message}");
}

fn child_client(endpoint: &str) -> Client {
    let mut config = default_config().allow_http().timeout_ms(5_000);
    if let Ok(url) = env::var(PROXY) {
        config = config.proxy(&url);
    }
    if let Ok(file) = env::var(CA_FILE) {
        config = config.ca_file(&file);
    }
    if let Ok(attempts) = env::var(MAX_ATTEMPTS) {
        config = config.max_attempts(attempts.parse().unwrap());
    }
    if let Ok(ms) = env::var(TIMEOUT_MS) {
        config = config.timeout_ms(ms.parse().unwrap());
    }
    config.client(endpoint)
}

#[test]
#[ignore = "only in a process that another test starts"]
fn child_calls() {
    let Ok(endpoint) = env::var(ENDPOINT) else {
        return;
    };
    let client = child_client(&endpoint);
    let count: usize = env::var(CALLS).unwrap().parse().unwrap();
    for _ in 0..count {
        tell(&client.example());
    }
}

/// Changes the environment between its calls.
#[test]
#[ignore = "only in a process that another test starts"]
fn child_changes() {
    let Ok(endpoint) = env::var(ENDPOINT) else {
        return;
    };
    let set = |value: &str| {
        // SAFETY: nothing else in this process reads or changes the environment now.
        unsafe { env::set_var("https_proxy", value) };
    };
    let [first, second] = ["FIRST", "SECOND"].map(|name| env::var(name).unwrap());
    set(&first);
    let client = child_client(&endpoint);
    set(&second);
    tell(&client.example());
    tell(&child_client(&endpoint).example());
    tell(&call::example(&endpoint));
    set(&first);
    tell(&call::example(&endpoint));
}

/// Where the first bytes of one program's call arrive.
struct Stage {
    a: Server,
    b: Server,
    /// An https proxy.
    s: Server,
    /// What is asked for when an endpoint is reached directly.
    target: Server,
    /// The same with an IPv6 address, where the machine has one.
    target6: Option<Server>,
}

impl Stage {
    fn new(authority: &Authority) -> Self {
        let recorder = || recorder_on("127.0.0.1:0").unwrap();
        Self {
            a: recorder(),
            b: recorder(),
            s: tls_recorder(authority.sign(&["127.0.0.1"])),
            target: recorder(),
            target6: recorder_on("[::1]:0").ok(),
        }
    }

    /// Puts addresses and ports where a text names them.
    fn fill(&self, text: &str) -> String {
        let port6 = self.target6.as_ref().map_or(0, Server::port);
        [
            ("{a}", self.a.address().to_string()),
            ("{b}", self.b.address().to_string()),
            ("{s}", self.s.address().to_string()),
            ("{a_port}", self.a.port().to_string()),
            ("{t}", self.target.port().to_string()),
            ("{t6}", port6.to_string()),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, value)
        })
    }

    /// Where bytes arrived, and which; the word for how the call ended where none did.
    fn finish(self, nowhere: &str) -> String {
        let servers = [
            ("a", Some(self.a)),
            ("b", Some(self.b)),
            ("s", Some(self.s)),
            ("direct", Some(self.target)),
            ("direct", self.target6),
        ];
        let told: Vec<String> = servers
            .into_iter()
            .filter_map(|(name, server)| Some((name, told(&server?.finish())?)))
            .map(|(name, told)| format!("{name}: {told}"))
            .collect();
        if told.is_empty() {
            return nowhere.to_owned();
        }
        told.join(", ")
    }
}

/// A direct connection that does not come about, because the endpoint has no address.
const UNRESOLVED: &str = "direct, but there is no such host";
/// No connection, because the proxy that is named can't be used.
const UNUSABLE: &str = "unusable";

fn route_of_library(
    authority: &Authority,
    endpoint: &str,
    variables: &Variables,
) -> (String, Told) {
    let stage = Stage::new(authority);
    let variables: Vec<_> = filled(&stage, variables);
    let mut variables: Vec<_> = borrowed(&variables);
    let file = authority.file();
    variables.extend([(CA_FILE, file.to_str().unwrap()), (MAX_ATTEMPTS, "1")]);
    let told = one_call(&stage.fill(endpoint), &variables);
    let nowhere = if told.is(Status::RESOLVE_FAILED) {
        UNRESOLVED
    } else if told.is(Status::PROXY_FAILED) {
        UNUSABLE
    } else {
        "lost"
    };
    (replaced_ports(stage, nowhere), told)
}

fn route_of_curl(authority: &Authority, endpoint: &str, variables: &Variables) -> (String, Output) {
    let stage = Stage::new(authority);
    let variables: Vec<_> = filled(&stage, variables);
    let file = authority.file();
    let endpoint = stage.fill(endpoint);
    let path = format!("/v1/{PROJECT_ID}/cloudservers/fpga_image/{FPGA_ID}/association");
    let scheme = if endpoint.contains("://") {
        ""
    } else {
        "https://"
    };
    let mut curl = curl(&file);
    for (name, value) in &variables {
        match name.as_str() {
            SETTING => curl.args(["--proxy", value]),
            _ => curl.env(name, value),
        };
    }
    let output = curl
        .args(["-X", "POST", "-d", "{}"])
        .arg(format!("{scheme}{endpoint}{path}"))
        .output()
        .unwrap();
    let nowhere = match output.status.code() {
        Some(6) => UNRESOLVED,
        // The name of the proxy does not resolve, its scheme or its URL is refused.
        Some(3 | 5 | 7 | 97) => UNUSABLE,
        _ => "lost",
    };
    (replaced_ports(stage, nowhere), output)
}

/// The route with the names of the ports, which are others each time.
fn replaced_ports(stage: Stage, nowhere: &str) -> String {
    let ports = ["{t}", "{t6}"].map(|name| (stage.fill(name), name));
    let route = stage.finish(nowhere);
    ports.iter().fold(route, |route, (port, name)| {
        route.replace(&format!(":{port}"), &format!(":{name}"))
    })
}

fn filled(stage: &Stage, variables: &Variables) -> Vec<(String, String)> {
    variables
        .iter()
        .map(|&(name, value)| (name.to_owned(), stage.fill(value)))
        .collect()
}

fn borrowed(variables: &[(String, String)]) -> Vec<(&str, &str)> {
    variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn curl(ca_file: &Path) -> Command {
    let mut curl = Command::new("curl");
    curl.env_clear()
        .envs([RESOLVER])
        .args(["-q", "-s", "-v", "-o", "/dev/null", "--max-time", "5"])
        .arg("--cacert")
        .arg(ca_file)
        .arg("--proxy-cacert")
        .arg(ca_file);
    curl
}

/// Variables, an endpoint, and where its call goes.
struct Row {
    variables: &'static Variables<'static>,
    endpoint: &'static str,
    route: &'static str,
    /// Where curl goes elsewhere: its route, and why ours is another.
    curl: Option<(&'static str, &'static str)>,
}

const fn row(
    variables: &'static Variables<'static>,
    endpoint: &'static str,
    route: &'static str,
) -> Row {
    Row {
        variables,
        endpoint,
        route,
        curl: None,
    }
}

impl Row {
    const fn but_curl(self, route: &'static str, why: &'static str) -> Self {
        let curl = Some((route, why));
        Self { curl, ..self }
    }
}

/// Runs the library and curl side by side, for each row. All that differs is told at once.
fn check(rows: &[Row]) {
    if !tool("curl") {
        return;
    }
    let authority = Authority::new();
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    let mut wrong = Vec::new();
    for row in rows {
        let Row {
            variables,
            endpoint,
            route,
            curl,
        } = row;
        if endpoint.contains("{t6}") && !has_ipv6 {
            println!("skipped: no IPv6 for {variables:?}");
            continue;
        }
        // Either address of this machine may be the first.
        let settled = |route: String| match endpoint.starts_with("localhost") {
            true => route.replace("[::1]", "127.0.0.1"),
            false => route,
        };
        let (of_library, told) = route_of_library(&authority, endpoint, variables);
        let of_library = settled(of_library);
        if of_library != *route {
            wrong.push(format!(
                "{variables:?} {endpoint}: {of_library}, not {route}: {told:?}"
            ));
        }
        let expected = curl.map_or(*route, |(route, _)| route);
        let (of_curl, output) = route_of_curl(&authority, endpoint, variables);
        let of_curl = settled(of_curl);
        if of_curl != expected {
            wrong.push(format!(
                "{variables:?} {endpoint}: curl: {of_curl}, not {expected}: {}",
                output.status
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const H: &str = "service.invalid";
const VIA_A: &str = "a: CONNECT service.invalid:443";
const VIA_B: &str = "b: CONNECT service.invalid:443";
const T: &str = "127.0.0.1:{t}";
const T_VIA_A: &str = "a: CONNECT 127.0.0.1:{t}";
const T6: &str = "[::1]:{t6}";
const T6_VIA_A: &str = "a: CONNECT [::1]:{t6}";
const DIRECT: &str = "direct: TLS";

#[test]
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

/// Why there is no absolute-form request.
const TOKEN_STAYS: &str = "a tunnel, so that no proxy is handed the token";

macro_rules! except {
    ($no_proxy:literal, $endpoint:expr, $route:expr) => {
        row(
            &[("https_proxy", "http://{a}"), ("no_proxy", $no_proxy)],
            $endpoint,
            $route,
        )
    };
}

#[test]
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

/// Why an IPv6 network is one.
const V6_IS_TEXT: &str = "curl 7.88 compares IPv6 addresses as text; its manual promises more";

#[test]
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

#[test]
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
        proxy!("http://{a}", T6, T6_VIA_A),
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
        proxy!("socks5h://{a}", T6, "a: SOCKS5 address [::1]:{t6}"),
        proxy!("socks5h://{a}", "service.invalid.", "a: SOCKS5 name service.invalid.:443"),
        proxy!("socks5://{a}", T, "a: SOCKS5 address 127.0.0.1:{t}"),
        proxy!("socks5://{a}", T6, "a: SOCKS5 address [::1]:{t6}"),
        proxy!("socks5://user:password@{a}", T, "a: SOCKS5 address 127.0.0.1:{t} user:password"),
        proxy!("socks5://{a}", "localhost:{t}", "a: SOCKS5 address 127.0.0.1:{t}"),
        proxy!("socks5://localhost:{a_port}/socket", T, "a: SOCKS5 address 127.0.0.1:{t}").but_curl(UNUSABLE, "a path is ignored; curl takes it for a Unix socket"),
        proxy!("socks4://{a}", T, UNUSABLE).but_curl("a: SOCKS4", "SOCKS4 is of another age"),
        proxy!("socks4a://{a}", T, UNUSABLE).but_curl("a: SOCKS4", "SOCKS4 is of another age"),
        proxy!("socks://{a}", T, UNUSABLE).but_curl("a: SOCKS4", "SOCKS4 is of another age"),
    ]);
}

#[test]
fn a_proxy_without_a_port_is_where_curl_looks_for_it() {
    if !tool("curl") {
        return;
    }
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

#[test]
fn the_environment_is_read_once_a_client_and_once_a_process() {
    // The proxies close each connection, which may pass.
    const ATTEMPTS: usize = 3;
    let [first, second] = [(); 2].map(|()| recorder_on("127.0.0.1:0").unwrap());
    let [first_url, second_url] =
        [&first, &second].map(|proxy| format!("http://{}", proxy.address()));
    child(
        "changes",
        H,
        &[("FIRST", &first_url), ("SECOND", &second_url)],
    );
    assert_eq!(
        told(&first.finish()).as_deref(),
        Some(
            ["CONNECT service.invalid:443"; ATTEMPTS]
                .join(" + ")
                .as_str()
        )
    );
    assert_eq!(second.finish().connections, 3 * ATTEMPTS);
}

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

#[test]
fn tinyproxy_carries_calls_in_one_tunnel() {
    if !tool("tinyproxy") {
        return;
    }
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

#[test]
fn tinyproxy_refuses_who_does_not_know_its_password() {
    if !tool("tinyproxy") {
        return;
    }
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

#[test]
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

#[test]
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

#[test]
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

#[test]
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

#[test]
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
