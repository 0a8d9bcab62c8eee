//! Where the service is: the endpoint as the caller writes it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::error::Error;

const MAX_HOST: usize = 253;
const MAX_LABEL: usize = 63;

const LOCALHOST: &str = "localhost";

/// A scheme, a host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
    tls: bool,
    authority: String,
}

impl Endpoint {
    /// Reads `host`, `host:port`, `https://host[:port][/]`, and `http://…` for this very machine,
    /// or for any where that is allowed.
    ///
    /// The error never repeats the text, which may hold a password.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, Error> {
        Self::read(text, allow_http).map_err(|reason| Error::invalid_argument("endpoint", reason))
    }

    fn read(text: &str, allow_http: bool) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("has white space, a control character, or a character that is not ASCII");
        }
        let (tls, rest) = match text.split_once("://") {
            None => (true, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some(_) => return Err("has a scheme that is not https"),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return Err("has user information; give the token as an argument of its own");
        }
        if authority.contains(['/', '?', '#', '\\']) {
            return Err("has more than a host and a port; give no path, query or fragment");
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            Some(port) => read_port(port)?,
            None => port_of_scheme(tls),
        };
        let endpoint = Self::new(host.to_ascii_lowercase(), port, tls);
        if endpoint.address().is_some_and(is_link_local) {
            return Err("is a link-local address, such as that of the metadata service");
        }
        if !tls && !allow_http && !endpoint.is_this_machine() {
            return Err("is plain http, which would show the token on the network; use https");
        }
        Ok(endpoint)
    }

    /// The endpoint without TLS at an address.
    pub(super) fn at(address: SocketAddr) -> Self {
        Self::new(address.ip().to_string(), address.port(), false)
    }

    fn new(host: String, port: u16, tls: bool) -> Self {
        let mut authority = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        if port != port_of_scheme(tls) {
            authority.push_str(&format!(":{port}"));
        }
        Self {
            host,
            port,
            tls,
            authority,
        }
    }

    /// `host`, or `host:port` where the port is not the scheme's own: as it stands in a URL, and in the
    /// header `Host`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Whether a signed request may go there: who reads one can send it again.
    pub fn check_for_signed(&self) -> Result<(), Error> {
        if self.is_private() {
            return Ok(());
        }
        let reason = "is plain http, where a signed request can be read and sent again; use https";
        Err(Error::invalid_argument("endpoint", reason))
    }

    /// The host without brackets, in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the connection is encrypted and verified.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host as an address, where it is written as one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Host and port as a proxy is told them: always with the port, an IPv6 address in brackets.
    pub fn host_and_port(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether nobody on the way there can read anything.
    pub fn is_private(&self) -> bool {
        self.tls || self.is_this_machine()
    }

    /// Whether it may lead to this machine's own addresses alone: without TLS nothing else proves that
    /// the name does.
    pub fn is_bound_to_this_machine(&self) -> bool {
        !self.tls && self.host == LOCALHOST
    }

    fn is_this_machine(&self) -> bool {
        self.host == LOCALHOST || self.address().is_some_and(|address| address.is_loopback())
    }
}

/// Whether an address is that of a neighbour, such as the metadata service: no credentials go there.
pub fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            let [first, ..] = address.segments();
            first & 0xffc0 == 0xfe80 || embedded(address).any(|inner| inner.is_link_local())
        }
    }
}

/// The IPv4 addresses to which an IPv6 address may lead.
fn embedded(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let bits = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    let middle = bits(d, (e & 0xff) << 8 | f >> 8);
    [
        // Mapped, compatible, translated (RFC 6052, whose shorter prefixes leave a byte out), 6to4,
        // ISATAP, Teredo.
        ((a, b, c, d, e) == (0, 0, 0, 0, 0)).then(|| bits(g, h)),
        ((a, b) == (0x64, 0xff9b)).then(|| bits(g, h)),
        ((a, b, c) == (0x64, 0xff9b, 1)).then_some(middle),
        (a == 0x2002).then(|| bits(b, c)),
        (f == 0x5efe).then(|| bits(g, h)),
        ((a, b) == (0x2001, 0)).then(|| bits(!g, !h)),
    ]
    .into_iter()
    .flatten()
}

/// As it stands in a URL.
impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.authority)
    }
}

fn port_of_scheme(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

/// The host without brackets, and the port's text.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), &'static str> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or("has a [ without its ]")?;
        host.parse::<Ipv6Addr>()
            .map_err(|_| "has no IPv6 address in its brackets")?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err("has more than a port after its IPv6 address"),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            return Err("has more than one colon; write an IPv6 address in brackets");
        }
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    check_host(host)?;
    Ok((host, port))
}

fn check_host(host: &str) -> Result<(), &'static str> {
    if host.is_empty() {
        return Err("has no host");
    }
    if host.len() > MAX_HOST {
        return Err("has a host of more than 253 bytes");
    }
    let labels = host.strip_suffix('.').unwrap_or(host);
    let mut last = "";
    for label in labels.split('.') {
        if label.is_empty() || label.len() > MAX_LABEL {
            return Err("has a host with a label that is empty or longer than 63 bytes");
        }
        if !label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        {
            return Err("has a host with a character that is not one of A-Z a-z 0-9 - _ .");
        }
        last = label;
    }
    // The system would read 127.1 or 0x7f.1 as an address; a certificate would not.
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || last
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    if is_number && host.parse::<IpAddr>().is_err() {
        return Err("has a host that ends in a number and is not an IPv4 address");
    }
    Ok(())
}

fn read_port(port: &str) -> Result<u16, &'static str> {
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err("has a port that is not a number from 1 to 65535"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_names_its_host_port_and_scheme() {
        for (text, host, port, tls, shown) in [
            (
                "ecs.cn-north-1.myhuaweicloud.com",
                "ecs.cn-north-1.myhuaweicloud.com",
                443,
                true,
                "ecs.cn-north-1.myhuaweicloud.com",
            ),
            (
                "ECS.Example.COM",
                "ecs.example.com",
                443,
                true,
                "ecs.example.com",
            ),
            (
                "ecs.example.com:8443",
                "ecs.example.com",
                8443,
                true,
                "ecs.example.com:8443",
            ),
            (
                "https://ecs.example.com",
                "ecs.example.com",
                443,
                true,
                "ecs.example.com",
            ),
            (
                "HTTPS://ecs.example.com:443/",
                "ecs.example.com",
                443,
                true,
                "ecs.example.com",
            ),
            (
                "https://ecs.example.com./",
                "ecs.example.com.",
                443,
                true,
                "ecs.example.com.",
            ),
            ("10.0.0.7", "10.0.0.7", 443, true, "10.0.0.7"),
            (
                "[2001:db8::1]:8443",
                "2001:db8::1",
                8443,
                true,
                "[2001:db8::1]:8443",
            ),
            ("https://[::1]", "::1", 443, true, "[::1]"),
            (
                "http://localhost:8080",
                "localhost",
                8080,
                false,
                "localhost:8080",
            ),
            ("http://127.0.0.9", "127.0.0.9", 80, false, "127.0.0.9"),
            ("http://[::1]:65535/", "::1", 65535, false, "[::1]:65535"),
            ("under_score", "under_score", 443, true, "under_score"),
        ] {
            let endpoint =
                Endpoint::parse(text, false).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(
                (
                    endpoint.host(),
                    endpoint.port(),
                    endpoint.is_tls(),
                    endpoint.to_string().as_str()
                ),
                (host, port, tls, shown),
                "{text}"
            );
        }
    }
}
