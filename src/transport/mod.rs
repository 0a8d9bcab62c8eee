//! Bytes: an HTTP/1.1 request goes out over a verified connection, and its answer comes back,
//! before a deadline.
//!
//! The only place that knows the HTTP library (ureq), and it knows nothing of FPGA images. ureq
//! writes requests, reads answers and speaks TLS; names, sockets, time limits and kept connections
//! are this floor's own, because a library in someone else's process must bound and explain each of
//! them.

mod answer;
mod connect;
mod connection;
mod deadline;
mod dial;
mod endpoint;
mod failure;
mod patience;
mod pool;
mod process;
mod proxy;
mod resolve;
mod roots;
mod socket;
mod socks;
mod system;
mod through;
mod tunnel;
mod uri;
mod wire;

pub use answer::Answer;
pub use deadline::Deadline;
pub use dial::DialSettings;
pub use endpoint::Endpoint;
pub use failure::{Failure, Step};
pub use process::PerProcess;
pub use proxy::Routes;
pub use resolve::HELPER_THREAD;
pub use roots::Trust;

use connection::Connection;
use dial::Dialer;
use patience::{Cancel, Patience};
use pool::Pool;

use crate::log::{Level, Log};
use crate::status::Status;

/// A request, ready to be written.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `POST` and the like.
    pub method: &'static str,
    /// The path, from its first slash.
    pub path: &'a str,
    /// Names in lower case, and values; `Host` and `Content-Length` are added.
    pub headers: &'a [(&'static str, &'a str)],
    /// The body; none where it is empty.
    pub body: &'a [u8],
    /// The most of the answer's body that is read, in bytes.
    pub max_answer: usize,
}

/// Makes connections, and keeps those that are fit to be used again.
#[derive(Debug)]
pub struct Transport {
    dialer: Dialer,
    pool: Pool,
    cancel: Option<Cancel>,
    log: Log,
}

impl Transport {
    /// Needs two file descriptors where it can be shut down, none otherwise.
    pub fn new(settings: DialSettings, can_shut_down: bool) -> Result<Self, Failure> {
        let cancel = can_shut_down.then(Cancel::new).transpose();
        let cancel = cancel.map_err(|error| {
            Failure::new(Status::CONNECT_FAILED, Step::Connect, error.to_string())
        })?;
        Ok(Self {
            log: settings.log.clone(),
            dialer: Dialer::new(settings),
            pool: Pool::default(),
            cancel,
        })
    }

    /// Sends the request once and reads its answer.
    ///
    /// A kept connection that turns out to be closed before a byte of an answer came is replaced by
    /// a new one, at once.
    pub fn exchange(
        &self,
        endpoint: &Endpoint,
        request: Request<'_>,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let patience = self.patience(deadline);
        patience.check().map_err(|interruption| {
            Failure::interrupted(Status::INTERNAL, Step::Connect, &interruption)
        })?;
        let Some(kept) = self.pool.take(endpoint) else {
            let fresh = self.dialer.dial(endpoint, patience)?;
            return self.run(endpoint, fresh, request, deadline);
        };
        match self.run(endpoint, kept, request, deadline) {
            Err(failure) if failure.was_stale && patience.check().is_ok() => {
                self.log.line(Level::Info, || {
                    format!("{endpoint} had closed a kept connection; once more on a new one")
                });
                self.send_again(endpoint, request, patience)
            }
            result => result,
        }
    }

    /// What was sent on the closed connection is on record: it may have reached the service after
    /// all.
    fn send_again(
        &self,
        endpoint: &Endpoint,
        request: Request<'_>,
        patience: Patience<'_>,
    ) -> Result<Answer, Failure> {
        let fresh = self.dialer.dial(endpoint, patience).map_err(|failure| {
            let reason = format!(
                "the kept connection was closed before an answer came, and there is no new one: {}",
                failure.reason
            );
            Failure {
                status: match failure.status {
                    Status::TIMEOUT | Status::CANCELLED => failure.status,
                    _ => Status::CONNECTION_LOST,
                },
                step: Step::Receive,
                reason,
                sent: true,
                ..failure
            }
        })?;
        let answer = self.run(endpoint, fresh, request, patience.deadline);
        answer
            .map(|answer| Answer {
                was_sent_before: true,
                ..answer
            })
            .map_err(|failure| Failure {
                sent: true,
                ..failure
            })
    }

    /// Waits until the moment; the failure is that of a client that was shut down.
    pub fn sleep_until(&self, moment: Deadline) -> Result<(), Failure> {
        self.patience(moment).sleep().map_err(|interruption| {
            Failure::interrupted(Status::INTERNAL, Step::Pause, &interruption)
        })
    }

    /// Ends all exchanges, now and later, and closes what is kept.
    pub fn shut_down(&self) {
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
        self.pool.clear();
    }

    fn patience(&self, deadline: Deadline) -> Patience<'_> {
        Patience {
            deadline,
            cancel: self.cancel.as_ref(),
        }
    }

    fn run(
        &self,
        endpoint: &Endpoint,
        mut connection: Connection,
        request: Request<'_>,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let result = connection.exchange(request, deadline);
        let is_shut_down = self.patience(deadline).is_cancelled();
        if connection.is_reusable() && !is_shut_down {
            self.pool.put(endpoint, connection);
        }
        result
    }
}
