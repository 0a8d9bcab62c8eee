//! A way to an endpoint that leads through a proxy.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport, TransportAdapter};
use ureq::{Proxy, ProxyProtocol};

use super::dial::{Dialer, Wired, addresses, explain};
use super::patience::Patience;
use super::socks::{self, Target};
use super::{Endpoint, Failure, Step, tunnel};
use crate::status::Status;

impl Dialer {
    /// A connection to the endpoint that leads through a proxy.
    pub(super) fn through(
        &self,
        proxy: &Proxy,
        endpoint: &Endpoint,
        patience: Patience<'_>,
    ) -> Result<Wired, Failure> {
        let (host, port) = (endpoint.host(), endpoint.port());
        // Looked up before the proxy is troubled.
        let target = match (endpoint.address(), proxy.protocol()) {
            (Some(address), _) => Target::Address((address, port).into()),
            (None, ProxyProtocol::Socks5) => Target::Address(first_address(host, port, patience)?),
            (None, _) => Target::Name(host, port),
        };
        let of_proxy = |failure: Failure| Failure {
            reason: format!(
                "proxy {}:{}: {}",
                proxy.host(),
                proxy.port(),
                failure.reason
            ),
            status: status_of_proxy(failure.status),
            ..failure
        };
        let wired = self
            .reach(without_brackets(proxy.host()), proxy.port(), patience)
            .map_err(of_proxy)?;
        let tunnel = match proxy.protocol() {
            ProxyProtocol::Http => tunnel_through(proxy, endpoint, wired, patience),
            ProxyProtocol::Https => self
                .encrypt(proxy.uri(), wired, patience)
                .and_then(|wired| tunnel_through(proxy, endpoint, wired, patience)),
            _ => ask(proxy, wired, patience, |stream, credentials| {
                socks::connect(stream, &target, credentials)
            }),
        };
        tunnel.map_err(of_proxy)
    }
}

fn first_address(host: &str, port: u16, patience: Patience<'_>) -> Result<SocketAddr, Failure> {
    addresses(host, port, patience)?
        .first()
        .copied()
        .ok_or_else(|| Failure::new(Status::RESOLVE_FAILED, Step::Resolve, "no address"))
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

fn tunnel_through(
    proxy: &Proxy,
    endpoint: &Endpoint,
    wired: Wired,
    patience: Patience<'_>,
) -> Result<Wired, Failure> {
    let target = endpoint.host_and_port();
    ask(proxy, wired, patience, |stream, credentials| {
        tunnel::connect(stream, &target, credentials)
    })
}

/// What a proxy is asked with: a stream that ends at the deadline, and the user and the password.
fn ask(
    proxy: &Proxy,
    wired: Wired,
    patience: Patience<'_>,
    ask: impl FnOnce(&mut TransportAdapter, Option<(&str, &str)>) -> io::Result<()>,
) -> Result<Wired, Failure> {
    let mut stream = TransportAdapter::new(wired, Arc::new(Instant::now));
    stream.set_timeout(patience.deadline.into());
    let credentials = proxy
        .username()
        .map(|user| (user, proxy.password().unwrap_or_default()));
    match ask(&mut stream, credentials) {
        Ok(()) => Ok(Box::new(Tunnel(stream.into_inner()))),
        Err(error) => Err(explain(Status::PROXY_FAILED, Step::Proxy, error.into())),
    }
}

/// What a proxy leads to: the endpoint, not encrypted yet even where the way to the proxy is.
#[derive(Debug)]
struct Tunnel(Wired);

impl Transport for Tunnel {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }
}

/// What goes wrong before the endpoint is reached is the proxy's, but for the time and the caller's
/// will.
fn status_of_proxy(status: Status) -> Status {
    match status {
        Status::TIMEOUT | Status::CANCELLED | Status::INTERNAL => status,
        _ => Status::PROXY_FAILED,
    }
}
