//! A connection over a socket that is given, for the fuzz targets (tests/fuzz): no names, no proxies, no pool.

use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::connection::Connection;
use super::patience::Patience;
use super::stream::Stream;
use super::{Answer, Deadline, Endpoint, Failure, Request, Step};

/// One connection.
#[derive(Debug)]
pub struct Line(Connection);

impl Line {
    /// Over a socket that is connected and does not block.
    pub fn plain(socket: TcpStream) -> Result<Self, Failure> {
        Self::over(Stream::new(socket))
    }

    /// The same, encrypted once the other side has shown who it is, to whom this configuration trusts.
    pub fn encrypted(
        socket: TcpStream,
        config: Arc<ClientConfig>,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        let mut stream = Stream::new(socket);
        let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        let patience = Patience {
            deadline,
            cancel: None,
        };
        stream
            .encrypt(config, name, patience)
            .map_err(|broken| Failure::broken(Step::Tls, &broken))?;
        Self::over(stream)
    }

    fn over(stream: Stream) -> Result<Self, Failure> {
        let endpoint = Endpoint::at((Ipv4Addr::LOCALHOST, 443).into());
        Connection::new(stream, &endpoint, None).map(Self)
    }

    /// Whether nothing is sent on it, because the other side spoke before it was asked.
    pub fn spoke_first(&self) -> bool {
        self.0.spoke_first()
    }

    /// Sends a request and reads its answer.
    pub fn exchange(&mut self, request: Request<'_>) -> Result<Answer, Failure> {
        self.0.exchange(request)
    }

    /// Whether another request may go out on it: it is put into a pool, and taken out again.
    pub fn is_kept(&self) -> bool {
        self.0.is_reusable() && self.0.is_silent()
    }
}
