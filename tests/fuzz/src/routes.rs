//! Which proxy leads to an endpoint: lines for the endpoint, NO_PROXY, and the proxy's URL.

use std::net::IpAddr;

use fpga_associate::transport::{Endpoint, Routes};

use crate::environment::{leads_nowhere, set};
use crate::input::Input;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let [endpoint, exceptions, url] = [input.line(), input.line(), input.line()];
    let text = std::str::from_utf8(endpoint).unwrap_or_default();
    let Ok(endpoint) = Endpoint::parse(text, true) else {
        return;
    };
    check_endpoint(&endpoint);
    let (exceptions, url) = (until_nul(exceptions), until_nul(url));
    leads_nowhere();
    set("all_proxy", b"");
    set("no_proxy", exceptions);
    set("https_proxy", url);
    set("http_proxy", url);
    let is_excepted = is_excepted(endpoint.host(), &String::from_utf8_lossy(exceptions));

    let of_environment = Routes::from_environment();
    let url = String::from_utf8_lossy(url);
    check(&of_environment, &endpoint, is_excepted, &url);
    match Routes::fixed(&url) {
        Ok(routes) => {
            assert!(routes.to(&endpoint).is_ok());
            check(&routes, &endpoint, is_excepted, &url);
        }
        Err(_) => assert!(of_environment.to(&endpoint).is_err() || is_excepted),
    }
    leads_nowhere();
}

/// A proxy that is named, and excepts nothing here, is never passed by.
fn check(routes: &Routes, endpoint: &Endpoint, is_excepted: bool, url: &str) {
    let Ok(route) = routes.to(endpoint) else {
        assert!(!is_excepted && !url.is_empty());
        return;
    };
    assert_eq!(route.is_none(), is_excepted || url.is_empty(), "{url}");
    let Some(proxy) = route else {
        return;
    };
    assert!(!proxy.host().is_empty() && proxy.port() != 0, "{url}");
    if let Some((host, port)) = plain(url) {
        assert_eq!((proxy.host(), proxy.port()), (host, port));
        assert_eq!(proxy.username(), None);
    }
}

/// Host and port of what is as plain as can be.
fn plain(url: &str) -> Option<(&str, u16)> {
    let (host, port) = url.strip_prefix("http://")?.split_once(':')?;
    let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_port = port.len() <= 4 && port.bytes().all(|byte| matches!(byte, b'1'..=b'9'));
    (is_host && is_port).then(|| Some((host, port.parse().ok()?)))?
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// What is shown of it leads to the same place.
fn check_endpoint(endpoint: &Endpoint) {
    let scheme = if endpoint.is_tls() { "https" } else { "http" };
    let again = Endpoint::parse(&format!("{scheme}://{endpoint}/"), true).unwrap();
    assert_eq!(again, *endpoint);
    assert!(endpoint.port() != 0 && !endpoint.host().is_empty());
    assert!(
        endpoint
            .host_and_port()
            .ends_with(&format!(":{}", endpoint.port()))
    );
    if let Some(IpAddr::V4(address)) = endpoint.address() {
        assert!(!address.is_link_local());
    }
}

/// Entry by entry, label by label, bit by bit.
fn is_excepted(host: &str, exceptions: &str) -> bool {
    if exceptions == "*" {
        return true;
    }
    let entries = exceptions
        .split(&[',', ' ', '\t'][..])
        .filter(|entry| !entry.is_empty());
    match host.parse::<IpAddr>() {
        Ok(address) => entries.into_iter().any(|entry| covers(entry, address)),
        Err(_) => entries.into_iter().any(|entry| is_in(host, entry)),
    }
}

fn is_in(host: &str, entry: &str) -> bool {
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    let entry = entry.strip_prefix('.').unwrap_or(entry);
    let labels = |name: &str| -> Vec<String> {
        name.split('.').rev().map(str::to_ascii_lowercase).collect()
    };
    let host = labels(host.strip_suffix('.').unwrap_or(host));
    !entry.is_empty() && host.starts_with(&labels(entry))
}

fn covers(entry: &str, address: IpAddr) -> bool {
    let (network, length) = match entry.split_once('/') {
        Some((network, length)) => (network, as_c_reads_it(length)),
        None => (entry, Some(0)),
    };
    let (Ok(network), Some(length)) = (network.parse::<IpAddr>(), length) else {
        return false;
    };
    let (one, other) = (bits(network), bits(address));
    let length = if length == 0 { one.len() } else { length };
    one.len() == other.len() && length <= one.len() && one[..length] == other[..length]
}

fn bits(address: IpAddr) -> Vec<bool> {
    let octets = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    octets
        .iter()
        .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1))
        .collect()
}

/// Nothing for what is below 0, or beyond all numbers.
fn as_c_reads_it(text: &str) -> Option<usize> {
    let text = text.strip_prefix('+').unwrap_or(text);
    if text.starts_with('-') {
        return None;
    }
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return Some(0);
    }
    digits.parse::<u32>().ok().map(|number| number as usize)
}
