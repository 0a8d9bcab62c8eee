//! Bytes: an HTTP/1.1 request goes out over a verified connection, and its answer comes back, before a deadline.
//!
//! The only place that knows the HTTP library (ureq), and it knows nothing of FPGA images. ureq writes requests, reads answers and
//! speaks TLS; names, sockets, time limits and kept connections are this floor's own, because a library in someone else's process
//! must bound and explain each of them.

mod answer;
mod connect;
mod connection;
mod deadline;
mod dial;
mod endpoint;
mod failure;
mod pool;
mod resolve;
mod roots;
mod socket;
mod system;
mod uri;
mod wire;

pub use answer::Answer;
pub use deadline::Deadline;
pub use endpoint::Endpoint;
pub use failure::{Failure, Step};

use connection::Connection;
use dial::Dialer;
use pool::Pool;

/// A request, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `POST` and the like.
    pub method: &'static str,
    /// The path, from its first slash.
    pub path: &'a str,
    /// Names in lower case, and values; `Host` and `Content-Length` are added.
    pub headers: &'a [(&'static str, &'a str)],
    /// The body.
    pub body: &'a [u8],
}

/// Makes connections, and keeps those that are fit to be used again.
#[derive(Debug, Default)]
pub struct Transport {
    dialer: Dialer,
    pool: Pool,
}

impl Transport {
    /// Sends the request once and reads its answer.
    ///
    /// A kept connection that turns out to be closed before a byte of an answer came is replaced by a new one, at once.
    pub fn exchange(
        &self,
        endpoint: &Endpoint,
        request: Request<'_>,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        if let Some(kept) = self.pool.take(endpoint) {
            match self.run(endpoint, kept, request, deadline) {
                Err(failure) if failure.connection_was_stale() => {}
                result => return result,
            }
        }
        let fresh = self.dialer.dial(endpoint, deadline)?;
        self.run(endpoint, fresh, request, deadline)
    }

    fn run(
        &self,
        endpoint: &Endpoint,
        mut connection: Connection,
        request: Request<'_>,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let result = connection.exchange(endpoint, request, deadline);
        if connection.is_reusable() {
            self.pool.put(endpoint, connection);
        }
        result
    }
}
