//! A new connection: addresses, TCP, the proxy, and a verified TLS handshake. Nothing of a request
//! goes out here.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use ureq::{Proxy, ProxyProtocol};

use super::connection::Connection;
use super::endpoint::is_link_local;
use super::patience::Patience;
use super::routes::Routes;
use super::socks::Target;
use super::stream::Stream;
use super::tls::{Peer, Tls};
use super::trust::{Identity, Trust};
use super::{Endpoint, Failure, Step, connect, proxy, resolve, system};
use crate::log::{Level, Log};
use crate::status::Status;

/// How connections are made.
#[derive(Clone, Debug)]
pub struct DialSettings {
    /// What a connection may take: addresses, TCP, the proxy, TLS.
    pub connect_timeout: Duration,
    /// Whose certificates count.
    pub trust: Trust,
    /// The certificate that servers see where they ask for one.
    pub identity: Option<Identity>,
    /// The proxies.
    pub routes: Routes,
    /// Who wants to read about it.
    pub log: Log,
}

/// Makes connections to any endpoint.
#[derive(Debug)]
pub struct Dialer {
    connect_timeout: Duration,
    routes: Routes,
    tls: Tls,
    log: Log,
}

impl Dialer {
    /// Makes nothing yet.
    pub fn new(settings: DialSettings) -> Self {
        Self {
            connect_timeout: settings.connect_timeout,
            routes: settings.routes,
            tls: Tls::new(settings.trust, settings.identity),
            log: settings.log,
        }
    }

    /// Whether a proxy leads there, or would if it could be used.
    pub fn is_proxied(&self, endpoint: &Endpoint) -> bool {
        !matches!(self.routes.to(endpoint), Ok(None))
    }

    /// A new connection to the endpoint, ready for a request.
    pub fn dial(&self, endpoint: &Endpoint, patience: Patience<'_>) -> Result<Connection, Failure> {
        let begun = Instant::now();
        let route = self.routes.to(endpoint).map_err(|reason| {
            let reason = format!("the proxy that is set {reason}");
            Failure::lasting(Status::PROXY_FAILED, Step::Proxy, reason)
        })?;
        let limited = patience.until(patience.deadline.within(self.connect_timeout));
        let stream = self
            .reach(endpoint, route.as_ref(), limited)
            .map_err(|failure| {
                if failure.status != Status::TIMEOUT || patience.deadline.left().is_zero() {
                    return failure;
                }
                let limit = self.connect_timeout.as_millis();
                let reason = format!("not done within {limit} ms");
                Failure { reason, ..failure }
            })?;
        self.log.line(Level::LOG_INFO, || {
            let milliseconds = begun.elapsed().as_millis();
            let through = route.as_ref().map_or(String::new(), |proxy| {
                format!(" through {}:{}", proxy.host(), proxy.port())
            });
            format!("connected to {endpoint}{through} in {milliseconds} ms")
        });
        Connection::new(stream, endpoint, patience.cancel.cloned())
    }

    fn reach(
        &self,
        endpoint: &Endpoint,
        route: Option<&Proxy>,
        patience: Patience<'_>,
    ) -> Result<Stream, Failure> {
        let (host, port) = (endpoint.host(), endpoint.port());
        let mut stream = match route {
            None => {
                let mut addresses = without_link_local(addresses(host, port, patience)?)?;
                if endpoint.is_bound_to_this_machine() {
                    addresses.retain(|address| address.ip().is_loopback());
                    if addresses.is_empty() {
                        let reason = "the host has no address of this machine's own, and plain http goes nowhere else";
                        return Err(Failure::lasting(
                            Status::RESOLVE_FAILED,
                            Step::Resolve,
                            reason,
                        ));
                    }
                }
                open(&addresses, patience)?
            }
            Some(proxy) => self.through(proxy, endpoint, patience)?,
        };
        if endpoint.is_tls() {
            self.encrypt(&mut stream, host, Peer::Endpoint, patience)?;
        }
        Ok(stream)
    }

    /// What goes wrong with the proxy is told as the proxy's.
    fn through(
        &self,
        proxy: &Proxy,
        endpoint: &Endpoint,
        patience: Patience<'_>,
    ) -> Result<Stream, Failure> {
        // Looked up before the proxy is troubled.
        let target = target(proxy, endpoint, patience)?;
        let host = without_brackets(proxy.host());
        let lead = || {
            let mut stream = open(&addresses(host, proxy.port(), patience)?, patience)?;
            if proxy.protocol() == ProxyProtocol::Https {
                self.encrypt(&mut stream, host, Peer::Proxy, patience)?;
            }
            proxy::lead(&mut stream, proxy, &target, endpoint, patience)?;
            Ok(stream)
        };
        lead().map_err(|failure: Failure| Failure {
            reason: format!(
                "proxy {}:{}: {}",
                proxy.host(),
                proxy.port(),
                failure.reason
            ),
            status: match failure.status {
                Status::TIMEOUT | Status::CANCELLED | Status::OUT_OF_MEMORY | Status::INTERNAL => {
                    failure.status
                }
                _ if failure.lacks_descriptors => failure.status,
                _ => Status::PROXY_FAILED,
            },
            ..failure
        })
    }

    fn encrypt(
        &self,
        stream: &mut Stream,
        host: &str,
        peer: Peer,
        patience: Patience<'_>,
    ) -> Result<(), Failure> {
        let config = self.tls.config(peer).map_err(|error| Failure {
            is_final: !system::is_out_of_descriptors(&error),
            ..Failure::interrupted(Step::Tls, &error.into())
        })?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            let reason = "no certificate can be for a host of this name";
            Failure::lasting(Status::TLS_FAILED, Step::Tls, reason)
        })?;
        stream
            .encrypt(config, name, patience)
            .map_err(|broken| Failure::broken(Step::Tls, &broken))
    }
}

/// A TCP connection.
fn open(addresses: &[SocketAddr], patience: Patience<'_>) -> Result<Stream, Failure> {
    let socket = connect::connect(addresses, patience)
        .map_err(|interruption| Failure::interrupted(Step::Connect, &interruption))?;
    Ok(Stream::new(socket))
}

fn addresses(host: &str, port: u16, patience: Patience<'_>) -> Result<Vec<SocketAddr>, Failure> {
    resolve::resolve(host, port, patience)
        .map_err(|interruption| Failure::interrupted(Step::Resolve, &interruption))?
        .map_err(|reason| Failure::new(Status::RESOLVE_FAILED, Step::Resolve, reason))
}

/// The addresses to which credentials may go, whatever a name is made to lead to.
fn without_link_local(mut addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Failure> {
    addresses.retain(|address| !is_link_local(address.ip()));
    if addresses.is_empty() {
        let reason =
            "the host has link-local addresses alone, such as that of the metadata service";
        return Err(Failure::lasting(
            Status::RESOLVE_FAILED,
            Step::Resolve,
            reason,
        ));
    }
    Ok(addresses)
}

/// What a proxy is asked to connect to.
fn target<'a>(
    proxy: &Proxy,
    endpoint: &'a Endpoint,
    patience: Patience<'_>,
) -> Result<Target<'a>, Failure> {
    let (host, port) = (endpoint.host(), endpoint.port());
    if let Some(address) = endpoint.address() {
        return Ok(Target::Address((address, port).into()));
    }
    if proxy.protocol() != ProxyProtocol::Socks5 {
        return Ok(Target::Name(host, port));
    }
    let addresses = without_link_local(addresses(host, port, patience)?)?;
    let none = || Failure::new(Status::RESOLVE_FAILED, Step::Resolve, "no address");
    addresses
        .first()
        .map(|address| Target::Address(*address))
        .ok_or_else(none)
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}
