//! Which proxy, if any, leads to an endpoint: the rules of curl, from the environment or from one
//! setting.

use std::net::{IpAddr, Ipv6Addr};

use ureq::{Proxy, ProxyProtocol};

use super::{Endpoint, system};
use crate::masked::Masked;
use crate::memory::OutOfMemory;

/// curl's port where a proxy's URL names none.
const DEFAULT_PORT: u16 = 1080;
const DEFAULT_HTTPS_PORT: u16 = 443;

/// The way to any endpoint. A proxy's URL may have a password, and is masked until it is needed.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    setting: Setting,
    exceptions: String,
}

/// Why a proxy is not known.
const LOST: &str = "was lost, because memory ran out";

#[derive(Clone, Debug, Default)]
enum Setting {
    #[default]
    Direct,
    /// Its URL, which can be read.
    Fixed(Masked),
    /// The variables' values for https and for http.
    Environment(
        Option<Result<Masked, OutOfMemory>>,
        Option<Result<Masked, OutOfMemory>>,
    ),
}

impl Routes {
    /// As `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`, `no_proxy` and `NO_PROXY` say
    /// now.
    pub fn from_environment() -> Self {
        let all = || first_of(&["all_proxy", "ALL_PROXY"]);
        Self {
            setting: Setting::Environment(
                masked(first_of(&["https_proxy", "HTTPS_PROXY"]).or_else(all)),
                // Not HTTP_PROXY: a web server sets it from a request's header.
                masked(first_of(&["http_proxy"]).or_else(all)),
            ),
            exceptions: exceptions(),
        }
    }

    /// Through one proxy, but for what `no_proxy` excepts; "" is direct.
    pub fn fixed(url: &str) -> Result<Self, &'static str> {
        Ok(Self {
            setting: if url.is_empty() {
                Setting::Direct
            } else {
                parse(url)?;
                Setting::Fixed(Masked::new(url).map_err(|_| LOST)?)
            },
            exceptions: exceptions(),
        })
    }

    /// The proxy for an endpoint, or none. A proxy that is named and can't be used is an error,
    /// never a direct connection.
    pub fn to(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, &'static str> {
        if is_excepted(endpoint.host(), &self.exceptions) {
            return Ok(None);
        }
        match &self.setting {
            Setting::Direct => Ok(None),
            Setting::Fixed(url) => revealed(url).map(Some),
            Setting::Environment(https, http) => {
                let url = if endpoint.is_tls() { https } else { http };
                match url {
                    None => Ok(None),
                    Some(Ok(url)) => revealed(url).map(Some),
                    Some(Err(OutOfMemory)) => Err(LOST),
                }
            }
        }
    }
}

fn masked(url: Option<String>) -> Option<Result<Masked, OutOfMemory>> {
    url.map(Masked::new)
}

fn revealed(url: &Masked) -> Result<Proxy, &'static str> {
    parse(&url.reveal().map_err(|_| LOST)?)
}

/// The first variable that is set to something.
fn first_of(names: &[&str]) -> Option<String> {
    names
        .iter()
        .filter_map(|name| system::variable(name))
        .find(|value| !value.is_empty())
        .map(|value| value.to_string_lossy().into_owned())
}

fn exceptions() -> String {
    first_of(&["no_proxy", "NO_PROXY"]).unwrap_or_default()
}

/// Reads `[scheme://][user[:password]@]host[:port][/]`, with user and password percent-encoded. The
/// error never repeats the text, which may hold a password.
fn parse(url: &str) -> Result<Proxy, &'static str> {
    const UNUSABLE: &str = "is not the URL of a proxy";
    let (scheme, rest) = split_scheme(url);
    let (protocol, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (ProxyProtocol::Http, DEFAULT_PORT),
        "https" => (ProxyProtocol::Https, DEFAULT_HTTPS_PORT),
        "socks5" => (ProxyProtocol::Socks5, DEFAULT_PORT),
        "socks5h" => (ProxyProtocol::Socks5h, DEFAULT_PORT),
        _ => return Err("has a scheme that is not http, https, socks5 or socks5h"),
    };
    let given = Proxy::new(&format!("{scheme}://{rest}")).map_err(|_| UNUSABLE)?;
    let authority = given.uri().authority().ok_or(UNUSABLE)?.as_str();
    let place = authority
        .split_once('@')
        .map_or(authority, |(_, place)| place);
    let port = match place.strip_prefix(given.host()) {
        Some("" | ":") => default_port,
        Some(port) => read_port(port.trim_start_matches(':'))
            .ok_or("has a port that is not a number from 1 to 65535")?,
        None => return Err(UNUSABLE),
    };
    if given.host().is_empty() {
        return Err("has no host");
    }
    if let Some(host) = given.host().strip_prefix('[') {
        let host = host.strip_suffix(']').ok_or(UNUSABLE)?;
        host.parse::<Ipv6Addr>().map_err(|_| UNUSABLE)?;
    }
    let mut proxy = Proxy::builder(protocol).host(given.host()).port(port);
    if let Some(user) = given.username() {
        proxy = proxy
            .username(user)
            .password(given.password().unwrap_or_default());
    }
    proxy.build().map_err(|_| UNUSABLE)
}

fn read_port(port: &str) -> Option<u16> {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok()?;
    (is_number && port != 0).then_some(port)
}

/// The scheme, with one to three slashes behind it, and the rest.
fn split_scheme(url: &str) -> (&str, &str) {
    let Some((scheme, rest)) = url.split_once(":/") else {
        return ("http", url);
    };
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    (scheme, rest.strip_prefix('/').unwrap_or(rest))
}

/// Whether `no_proxy` names the host: `*` alone, or a list of hosts, of domains with or without a
/// leading dot, and of addresses with or without a prefix length, divided by commas and spaces.
fn is_excepted(host: &str, exceptions: &str) -> bool {
    if exceptions == "*" {
        return true;
    }
    let mut entries = exceptions
        .split([',', ' ', '\t'])
        .filter(|entry| !entry.is_empty());
    match host.parse::<IpAddr>() {
        Ok(address) => entries.any(|entry| covers(entry, address)),
        Err(_) => {
            let host = host.strip_suffix('.').unwrap_or(host);
            entries.any(|entry| is_in_domain(host, entry))
        }
    }
}

fn is_in_domain(host: &str, entry: &str) -> bool {
    let domain = entry.strip_suffix('.').unwrap_or(entry);
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let Some(start) = host.len().checked_sub(domain.len()) else {
        return false;
    };
    match host.split_at_checked(start) {
        Some((before, end)) => {
            end.eq_ignore_ascii_case(domain) && (before.is_empty() || before.ends_with('.'))
        }
        None => false,
    }
}

fn covers(entry: &str, address: IpAddr) -> bool {
    let (network, length) = entry.split_once('/').unwrap_or((entry, ""));
    let (Ok(network), Some(length)) = (network.parse::<IpAddr>(), prefix_length(length)) else {
        return false;
    };
    let (network, address, bits) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (
            u128::from(network.to_bits()),
            u128::from(address.to_bits()),
            32,
        ),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    // A length of 0 is that of one address, as curl has it.
    let length = if length == 0 { bits } else { length };
    match bits.checked_sub(length) {
        Some(host_bits) => (network ^ address).checked_shr(host_bits).unwrap_or(0) == 0,
        None => false,
    }
}

/// The number at the beginning of the text, as C reads it: 0 where there is none. Below 0 there is
/// no length.
fn prefix_length(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let end = digits.find(|c: char| !c.is_ascii_digit());
    match digits.split_at(end.unwrap_or(digits.len())) {
        ("", rest) if rest.starts_with('-') => None,
        ("", _) => Some(0),
        (digits, _) => digits.parse().ok(),
    }
}
