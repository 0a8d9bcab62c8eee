//! A new connection: addresses, TCP, and a verified TLS handshake. Nothing of a request goes out
//! here.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, NextTimeout, RustlsConnector, Transport,
};

use super::connection::Connection;
use super::patience::{Interruption, Patience};
use super::proxy::Routes;
use super::roots::Trust;
use super::socket::{BUFFER_SIZE, Socket};
use super::uri::Base;
use super::{Deadline, Endpoint, Failure, Step, connect, resolve};
use crate::log::{Level, Log};
use crate::status::Status;

/// The largest head of an answer in bytes.
const MAX_RESPONSE_HEADER: usize = 64 * 1024;

/// How connections are made.
#[derive(Clone, Debug)]
pub struct DialSettings {
    /// What a connection may take: addresses, TCP, the proxy, TLS.
    pub connect_timeout: Duration,
    /// Whose certificates count.
    pub trust: Trust,
    /// The proxies.
    pub routes: Routes,
    /// Who wants to read about it.
    pub log: Log,
}

/// Makes connections to any endpoint; remembers TLS sessions, so that a second handshake with the
/// same host is a short one.
pub struct Dialer {
    settings: DialSettings,
    tls: RustlsConnector,
    config: Config,
    tls_config: OnceLock<Config>,
}

/// A transport that is connected, whatever it is made of.
pub(super) type Wired = Box<dyn Transport>;

impl Dialer {
    /// Makes nothing yet.
    pub fn new(settings: DialSettings) -> Self {
        Self {
            settings,
            tls: RustlsConnector::default(),
            config: config(TlsConfig::default()),
            tls_config: OnceLock::new(),
        }
    }

    /// A new connection to the endpoint, ready for a request.
    pub fn dial(&self, endpoint: &Endpoint, patience: Patience<'_>) -> Result<Connection, Failure> {
        let limit = self.settings.connect_timeout;
        let connection = self.make(endpoint, patience.until(patience.deadline.within(limit)));
        connection.map_err(|failure| {
            if failure.status == Status::TIMEOUT && !patience.deadline.left().is_zero() {
                let reason = format!("not done within {} ms", limit.as_millis());
                Failure { reason, ..failure }
            } else {
                failure
            }
        })
    }

    fn make(&self, endpoint: &Endpoint, patience: Patience<'_>) -> Result<Connection, Failure> {
        let begun = std::time::Instant::now();
        let proxy = self.settings.routes.to(endpoint).map_err(|reason| {
            let reason = format!("the proxy that is set {reason}");
            Failure::new(Status::PROXY_FAILED, Step::Proxy, reason)
        })?;
        let base = Base::of(endpoint)
            .map_err(|error| Failure::new(Status::INTERNAL, Step::Connect, error.to_string()))?;
        let uri = base
            .join("/")
            .map_err(|error| Failure::new(Status::INTERNAL, Step::Connect, error.to_string()))?;
        let mut wired = match &proxy {
            None => self.reach(endpoint.host(), endpoint.port(), patience)?,
            Some(proxy) => self.through(proxy, endpoint, patience)?,
        };
        if endpoint.is_tls() {
            wired = self.encrypt(&uri, wired, patience)?;
        }
        self.settings.log.line(Level::Info, || {
            let milliseconds = begun.elapsed().as_millis();
            match &proxy {
                None => format!("connected to {endpoint} in {milliseconds} ms"),
                Some(proxy) => format!(
                    "connected to {endpoint} through {}:{} in {milliseconds} ms",
                    proxy.host(),
                    proxy.port()
                ),
            }
        });
        Ok(Connection::new(wired, base, self.config.clone()))
    }

    /// A TCP connection.
    pub(super) fn reach(
        &self,
        host: &str,
        port: u16,
        patience: Patience<'_>,
    ) -> Result<Wired, Failure> {
        let addresses = addresses(host, port, patience)?;
        let stream = connect::connect(&addresses, patience).map_err(|interruption| {
            Failure::interrupted(Status::CONNECT_FAILED, Step::Connect, &interruption)
        })?;
        Ok(Box::new(Socket::new(stream, patience.cancel.cloned())))
    }

    pub(super) fn encrypt(
        &self,
        uri: &Uri,
        wired: Wired,
        patience: Patience<'_>,
    ) -> Result<Wired, Failure> {
        let config = self
            .tls_config()
            .map_err(|reason| Failure::new(Status::TLS_FAILED, Step::Tls, reason))?;
        let details = details(uri, config, patience.deadline);
        match self.tls.connect(&details, Some(wired)) {
            Ok(Some(encrypted)) => Ok(Box::new(encrypted)),
            Ok(None) => Err(Failure::new(Status::INTERNAL, Step::Tls, "no TLS layer")),
            Err(error) => Err(explain(Status::TLS_FAILED, Step::Tls, error)),
        }
    }

    /// The configuration with the trusted certificates. They are read when the first encrypted
    /// connection is made.
    fn tls_config(&self) -> Result<&Config, String> {
        if let Some(config) = self.tls_config.get() {
            return Ok(config);
        }
        let certificates = self.settings.trust.certificates()?;
        let tls = TlsConfig::builder().root_certs(certificates).build();
        Ok(self.tls_config.get_or_init(|| config(tls)))
    }
}

pub(super) fn addresses(
    host: &str,
    port: u16,
    patience: Patience<'_>,
) -> Result<Vec<SocketAddr>, Failure> {
    let (status, step) = (Status::RESOLVE_FAILED, Step::Resolve);
    resolve::resolve(host, port, patience)
        .map_err(|interruption| Failure::interrupted(status, step, &interruption))?
        .map_err(|reason| Failure::new(status, step, reason))
}

pub(super) fn explain(status: Status, step: Step, error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Other(error) => match error.downcast_ref::<Interruption>() {
            Some(interruption) => Failure::interrupted(status, step, interruption),
            None => Failure::new(status, step, error.to_string()),
        },
        ureq::Error::Timeout(_) => Failure::interrupted(status, step, &Interruption::TimedOut),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Failure::new(
            status,
            step,
            "the connection was closed in the middle of it",
        ),
        ureq::Error::Io(error) => Failure::new(status, step, error.to_string()),
        ureq::Error::Rustls(error) => Failure::new(status, step, error.to_string()),
        error => Failure::new(status, step, error.to_string()),
    }
}

fn details<'a>(uri: &'a Uri, config: &'a Config, deadline: Deadline) -> ConnectionDetails<'a> {
    ConnectionDetails {
        uri,
        addrs: NoResolver.empty(),
        config,
        request_level: false,
        resolver: &NoResolver,
        now: Instant::now(),
        timeout: deadline.into(),
        current_time: Arc::new(Instant::now),
        run_connector: Arc::new(|_| Err(ureq::Error::ConnectionFailed)),
        register_shutdown: Arc::new(|_| Ok(())),
    }
}

/// ureq's habits that this floor has its own of are switched off: proxies, redirects, headers, and
/// statuses as errors.
fn config(tls: TlsConfig) -> Config {
    Config::builder()
        .tls_config(tls)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .input_buffer_size(BUFFER_SIZE)
        .output_buffer_size(BUFFER_SIZE)
        .max_response_header_size(MAX_RESPONSE_HEADER)
        .max_idle_connections(0)
        .build()
}

/// Names are resolved before ureq is asked for anything.
#[derive(Debug)]
pub(super) struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Dialer")
    }
}
