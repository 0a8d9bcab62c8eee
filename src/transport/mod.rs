//! Bytes: an HTTP/1.1 request goes out over a verified connection, and its answer comes back,
//! before a deadline.
//!
//! The only place that knows the HTTP library (ureq) and the TLS library (rustls), and it knows
//! nothing of FPGA images. The way of a request, from the top:
//!
//! - [`Transport`] asks the `pool` for a turn: a kept connection, or the leave to make one.
//! - `dial` makes one: `routes` names the proxy, if any, `resolve` the addresses, `connect` brings a
//!   socket, `proxy` (with `tunnel` or `socks`) has it led to the endpoint, `tls` says who is
//!   trusted.
//! - A `connection` has ureq write the request and read the answer, at a `desk`. What ureq writes is
//!   held until it waits for the answer, and goes out as one; `head` and `chunks` make an
//!   answer fit for it. The `wire` below knows what has gone out, what has come, and why it broke.
//! - A `stream` owns the socket, and one `session` for each layer of TLS, which turns bytes into
//!   bytes. Every wait is for the socket, with the caller's `patience`: a deadline, and a client
//!   that may be shut down.
//! - A `gate` is for what one thread does for many, `helpers` are threads that do it for one;
//!   `metadata` is the one other place that is asked.
//! - `system` does what differs between operating systems.
//!
//! What fails on the way is told as a [`Failure`].

mod answer;
mod certificates;
mod chunks;
mod connect;
mod connection;
mod deadline;
mod desk;
mod dial;
mod endpoint;
mod failure;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gate;
mod helpers;
mod head;
mod metadata;
mod patience;
mod pool;
mod process;
mod proxy;
mod resolve;
mod routes;
mod session;
mod socks;
mod stream;
mod system;
mod tls;
mod trust;
mod tunnel;
mod wire;
mod words;

pub use answer::Answer;
pub use deadline::Deadline;
pub use dial::DialSettings;
pub use endpoint::Endpoint;
pub use failure::{Failure, Step};
pub use file::read_file;
pub use gate::{Gate, Pass};
pub use helpers::with_helpers;
pub use pool::Kept;
pub use process::{Guarded, LeftBehind, PerProcess, Process, Replaced};
pub use routes::Routes;
pub use system::{
    HOME_VARIABLE, Visitors, clear_registers, is_helper_thread, without_cancellation,
};
pub use trust::{Identity, Trust};

use connection::Connection;
use dial::Dialer;
use patience::{Cancel, Interruption, Patience};
use pool::{Pool, Turn};
use stream::Broken;

use crate::memory;
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
    /// More of them, of which nothing is kept.
    pub credentials: &'a [(&'static str, &'a [u8])],
    /// The body; none where it is empty.
    pub body: &'a [u8],
    /// The most of a successful answer's body that is read, in bytes.
    pub max_answer: usize,
    /// The same of every other answer.
    pub max_refusal: usize,
    /// Until when the answer is waited for; where that has passed when there is a connection, nothing
    /// is sent.
    pub answer_by: Deadline,
}

const SPOKE_FIRST: &str = "it spoke before it was asked, so nothing was sent";
const TOO_LATE: &str = "no time was left to wait for an answer, so nothing was sent";

/// Makes connections, and keeps those that are fit to be used again.
#[derive(Debug)]
pub struct Transport {
    process: Process,
    dialer: Dialer,
    pool: Pool,
    cancel: Option<Cancel>,
}

impl Transport {
    /// Needs two file descriptors where it can be shut down, none otherwise.
    pub fn new(settings: DialSettings, can_shut_down: bool) -> Result<Self, Failure> {
        let cancel = can_shut_down.then(Cancel::new).transpose();
        let cancel = cancel.map_err(|error| Failure::interrupted(Step::Connect, &error.into()))?;
        Ok(Self {
            process: Process::current(),
            dialer: Dialer::new(settings),
            pool: Pool::new(),
            cancel,
        })
    }

    /// Sends the request once, on a connection that is there before the deadline, and reads its
    /// answer.
    pub fn exchange(
        &self,
        endpoint: &Endpoint,
        request: Request<'_>,
        kept: Kept,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let mut connection = self.connection(endpoint, self.patience(deadline), kept)?;
        let result = if request.answer_by.left().is_zero() {
            Err(Failure::new(Status::TIMEOUT, Step::Send, TOO_LATE))
        } else if connection.is_new() && connection.spoke_first() {
            Err(Failure::new(Status::BAD_RESPONSE, Step::Send, SPOKE_FIRST))
        } else {
            connection.exchange(request)
        };
        // What lives on must not be in the allocator's reserve.
        if connection.is_reusable() && !self.is_shut_down() && !memory::has_run_out() {
            self.pool.put(connection);
        }
        result
    }

    /// Whether a proxy leads to the endpoint.
    pub fn is_proxied(&self, endpoint: &Endpoint) -> bool {
        self.dialer.is_proxied(endpoint)
    }

    /// Whether it was shut down.
    pub fn is_shut_down(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_given)
    }

    /// Why an answer that came is not read.
    pub fn why_no_time(&self) -> Failure {
        let why = match memory::check() {
            Err(refused) => refused.into(),
            Ok(()) if self.is_shut_down() => Interruption::Cancelled,
            Ok(()) => Interruption::TimedOut,
        };
        Failure {
            sent: true,
            ..Failure::interrupted(Step::Receive, &why)
        }
    }

    /// Waits until the moment; the failure is that of a client that was shut down.
    pub fn sleep_until(&self, moment: Deadline) -> Result<(), Failure> {
        self.patience(moment)
            .sleep()
            .map_err(|interruption| Failure::interrupted(Step::Pause, &interruption))
    }

    /// Waits for the turn to go through a gate.
    pub fn pass<'a, T>(
        &self,
        gate: &'a Gate,
        deadline: Deadline,
        done: &mut dyn FnMut() -> Option<T>,
    ) -> Result<Result<Pass<'a>, T>, Failure> {
        gate.pass(self.patience(deadline), done)
            .map_err(|interruption| Failure::interrupted(Step::Pause, &interruption))
    }

    /// Whether a call goes on: it has time, the client was not shut down, and this is no child of fork
    /// into which the call was copied.
    pub fn check(&self, deadline: Deadline) -> Result<(), Failure> {
        if !self.process.is_current() {
            return Err(Failure::broken(Step::Pause, &Broken::Forked));
        }
        self.patience(deadline)
            .check()
            .map_err(|interruption| Failure::interrupted(Step::Pause, &interruption))
    }

    /// Asks the metadata service of the server that this runs on.
    pub fn ask_metadata(
        &self,
        method: &'static str,
        path: &str,
        headers: &[(&'static str, &[u8])],
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        metadata::ask(method, path, headers, self.patience(deadline))
    }

    /// Ends all exchanges, now and later.
    pub fn cancel(&self) {
        if let Some(cancel) = &self.cancel {
            cancel.cancel();
        }
        self.pool.wake_all();
    }

    /// Closes the connections that no exchange uses now.
    pub fn close_idle(&self) {
        self.pool.close_idle();
    }

    fn patience(&self, deadline: Deadline) -> Patience<'_> {
        Patience {
            deadline,
            cancel: self.cancel.as_ref(),
        }
    }

    /// A connection for one exchange: a kept one, or a new one.
    fn connection(
        &self,
        endpoint: &Endpoint,
        patience: Patience<'_>,
        kept: Kept,
    ) -> Result<Connection, Failure> {
        if !self.process.is_current() {
            return Err(Failure::broken(Step::Connect, &Broken::Forked));
        }
        let turn = patience
            .check()
            .and_then(|()| self.pool.turn(endpoint, patience, kept))
            .map_err(|interruption| Failure::interrupted(Step::Connect, &interruption))?;
        match turn {
            Turn::Kept(connection) => Ok(connection),
            // The permit is held until the connection is made, or is not.
            Turn::Dial(_permit) => self.dial(endpoint, patience),
        }
    }

    /// Where the process has no descriptor left, kept connections are given up for a new one.
    fn dial(&self, endpoint: &Endpoint, patience: Patience<'_>) -> Result<Connection, Failure> {
        loop {
            // The turn to make one may have come at the last moment.
            patience
                .check()
                .map_err(|interruption| Failure::interrupted(Step::Connect, &interruption))?;
            match self.dialer.dial(endpoint, patience) {
                Err(failure) if failure.lacks_descriptors && self.pool.give_up_one() => {}
                result => return result,
            }
        }
    }
}
