//! Where a call goes, side by side with curl.

use std::path::Path;
use std::process::{Command, Output};

use fpga_associate::status::Status;

use super::call::{FPGA_ID, PROJECT_ID};
use super::certificates::Authority;
use super::needs;
use super::proxied::{CA_FILE, MAX_ATTEMPTS, RESOLVER, SETTING, Told, Variables, one_call};
use super::proxies::{recorder_on, tls_recorder, told};
use super::raw::Server;

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
pub const UNRESOLVED: &str = "direct, but there is no such host";
/// No connection, because the proxy that is named can't be used.
pub const UNUSABLE: &str = "unusable";

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
    // Both address families may have the same number: that of IPv6 stands behind a bracket.
    let ports = ["]:{t6}", ":{t}"].map(|name| (stage.fill(name), name));
    let route = stage.finish(nowhere);
    ports
        .iter()
        .fold(route, |route, (port, name)| route.replace(port, name))
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

pub fn curl(ca_file: &Path) -> Command {
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
pub struct Row {
    variables: &'static Variables<'static>,
    endpoint: &'static str,
    route: &'static str,
    /// Where curl goes elsewhere: its route, and why ours is another.
    curl: Option<(&'static str, &'static str)>,
}

impl Row {
    pub const fn but_curl(self, route: &'static str, why: &'static str) -> Self {
        let curl = Some((route, why));
        Self { curl, ..self }
    }
}

pub const fn row(
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

/// Runs the library and curl side by side, for each row. All that differs is told at once.
pub fn check(rows: &[Row]) {
    needs::tools(&["curl"]);
    if rows.iter().any(|row| row.endpoint.contains("{t6}")) {
        needs::ipv6();
    }
    let authority = Authority::new();
    let mut wrong = Vec::new();
    for row in rows {
        let Row {
            variables,
            endpoint,
            route,
            curl,
        } = row;
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

pub const H: &str = "service.invalid";
pub const VIA_A: &str = "a: CONNECT service.invalid:443";
pub const VIA_B: &str = "b: CONNECT service.invalid:443";
pub const T: &str = "127.0.0.1:{t}";
pub const T_VIA_A: &str = "a: CONNECT 127.0.0.1:{t}";
pub const T6: &str = "[::1]:{t6}";
pub const T6_VIA_A: &str = "a: CONNECT [::1]:{t6}";
pub const DIRECT: &str = "direct: TLS";
