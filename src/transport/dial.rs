//! A new connection: the host's addresses, TCP, and a verified TLS handshake. Nothing of a request goes out here.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, NextTimeout, RustlsConnector, Transport,
};

use super::connection::Connection;
use super::socket::{BUFFER_SIZE, Socket};
use super::{Deadline, Endpoint, Failure, Step, connect, resolve, roots, uri};
use crate::status::Status;

/// The largest head of an answer in bytes.
const MAX_RESPONSE_HEADER: usize = 64 * 1024;

/// Makes connections to any endpoint; remembers TLS sessions, so that a second handshake with the same host is a short one.
pub struct Dialer {
    tls: RustlsConnector,
    config: Config,
    tls_config: OnceLock<Config>,
}

impl Default for Dialer {
    fn default() -> Self {
        Self {
            tls: RustlsConnector::default(),
            config: config(TlsConfig::default()),
            tls_config: OnceLock::new(),
        }
    }
}

impl Dialer {
    /// A new connection to the endpoint, ready for a request.
    pub fn dial(&self, endpoint: &Endpoint, deadline: Deadline) -> Result<Connection, Failure> {
        let addresses = resolve::resolve(endpoint, deadline)?;
        let socket = Socket::new(connect::connect(&addresses, deadline)?);
        let transport: Box<dyn Transport> = if endpoint.is_tls() {
            self.handshake(endpoint, socket, deadline)?
        } else {
            Box::new(socket)
        };
        Ok(Connection::new(transport, self.config.clone()))
    }

    fn handshake(
        &self,
        endpoint: &Endpoint,
        socket: Socket,
        deadline: Deadline,
    ) -> Result<Box<dyn Transport>, Failure> {
        let failed =
            |reason: String| Failure::before_sending(Status::TLS_FAILED, Step::Tls, reason);
        let config = self.tls_config().map_err(failed)?;
        let uri = uri::of(endpoint, "/").map_err(|error| failed(error.to_string()))?;
        let details = ConnectionDetails {
            uri: &uri,
            addrs: NoResolver.empty(),
            config,
            request_level: false,
            resolver: &NoResolver,
            now: Instant::now(),
            timeout: deadline.into(),
            current_time: Arc::new(Instant::now),
            run_connector: Arc::new(|_| Err(ureq::Error::ConnectionFailed)),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        match self.tls.connect(&details, Some(socket)) {
            Ok(Some(transport)) => Ok(Box::new(transport)),
            Ok(None) => Err(failed("no TLS layer".to_owned())),
            Err(ureq::Error::Timeout(_)) => Err(Failure::timeout(Step::Tls)),
            Err(ureq::Error::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(
                failed("the connection was closed in the middle of it".to_owned()),
            ),
            Err(ureq::Error::Io(error)) => Err(failed(error.to_string())),
            Err(ureq::Error::Rustls(error)) => Err(failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// The configuration with the trusted certificates. They are read when the first encrypted connection is made.
    fn tls_config(&self) -> Result<&Config, String> {
        if let Some(config) = self.tls_config.get() {
            return Ok(config);
        }
        let tls = TlsConfig::builder().root_certs(roots::trusted()?).build();
        Ok(self.tls_config.get_or_init(|| config(tls)))
    }
}

/// ureq's habits that this floor has its own of are switched off: proxies, redirects, headers, and statuses as errors.
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
