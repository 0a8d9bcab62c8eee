//! One connection, and one request at a time on it.
//!
//! ureq is given the connection for the length of a request and gives it back: each connection has
//! an `Agent` of its own whose connector lends it. So ureq neither dials nor keeps connections, and
//! this floor knows at every moment what has gone out and what has come back.

use std::fmt;
use std::io::{self, Read};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ureq::config::Config;
use ureq::http::{self, Request as HttpRequest};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, Transport as UreqTransport,
};
use ureq::{Agent, Body};

use super::answer::Answer;
use super::dial::NoResolver;
use super::patience::Interruption;
use super::uri::Base;
use super::wire::{Progress, Wire};
use super::{Deadline, Failure, Request, Step};
use crate::status::Status;

/// Room for the request line and all headers but the token.
const HEAD_ROOM: usize = 4 * 1024;

/// An open connection.
pub struct Connection {
    agent: Agent,
    base: Base,
    shelf: Shelf,
    used: bool,
}

impl Connection {
    /// Takes a transport that is connected and, where it must be, encrypted.
    pub fn new(transport: Box<dyn UreqTransport>, base: Base, config: Config) -> Self {
        let shelf = Shelf::default();
        shelf.lock().wire = Some(Wire::new(transport));
        let lender = Lender(shelf.clone());
        Self {
            agent: Agent::with_parts(config, lender, NoResolver),
            base,
            shelf,
            used: false,
        }
    }

    /// Whether another request may go out on it: the last answer was read to its end, and both
    /// sides keep the connection.
    pub fn is_reusable(&self) -> bool {
        self.shelf.lock().wire.is_some()
    }

    /// Whether nothing has come on it since the last answer, not even its end.
    pub fn is_fit(&mut self) -> bool {
        match &mut self.shelf.lock().wire {
            Some(wire) => wire.is_silent(),
            None => false,
        }
    }

    /// Sends the request and reads its answer.
    pub fn exchange(
        &mut self,
        request: Request<'_>,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let head = head(&self.base, request)
            .map_err(|error| Failure::new(Status::INTERNAL, Step::Send, error.to_string()))?;
        let was_used = mem::replace(&mut self.used, true);
        self.shelf.begin(deadline, room_for(request));
        let response = if request.body.is_empty() {
            self.agent.run(head)
        } else {
            self.agent.run(head.map(|()| request.body))
        };
        let result = match response {
            Ok(response) => read(response, request.max_answer),
            Err(error) => Err((error, 0)),
        };
        result.map_err(|(error, http_status)| {
            let Progress { sent, received } = self.shelf.lock().progress;
            let failure = explain(&error, sent);
            Failure {
                was_stale: was_used && !received && failure.status == Status::CONNECTION_LOST,
                http_status,
                ..failure
            }
        })
    }
}

fn head(base: &Base, request: Request<'_>) -> Result<HttpRequest<()>, http::Error> {
    let mut builder = HttpRequest::builder()
        .method(request.method)
        .uri(base.join(request.path)?);
    for &(name, value) in request.headers {
        builder = builder.header(name, value);
    }
    builder.body(())
}

fn room_for(request: Request<'_>) -> usize {
    let headers: usize = request
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    HEAD_ROOM + headers + request.path.len() + request.body.len()
}

/// Reads the body, so that the connection can be used again. Of a failed request even half of an
/// explanation is kept.
fn read(mut response: http::Response<Body>, limit: usize) -> Result<Answer, (ureq::Error, u16)> {
    let http_status = response.status().as_u16();
    let mut body = Vec::new();
    let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let outcome = response
        .body_mut()
        .as_reader()
        .take(one_more)
        .read_to_end(&mut body);
    let is_complete = outcome.is_ok() && body.len() <= limit;
    match outcome.map_err(ureq::Error::from) {
        Err(error) if response.status().is_success() || is_cancelled(&error) => {
            return Err((error, http_status));
        }
        _ => {}
    }
    body.truncate(limit);
    Ok(Answer {
        http_status,
        body,
        is_complete,
        was_sent_before: false,
        headers: mem::take(response.headers_mut()),
    })
}

fn is_cancelled(error: &ureq::Error) -> bool {
    let ureq::Error::Other(error) = error else {
        return false;
    };
    matches!(error.downcast_ref(), Some(Interruption::Cancelled))
}

fn explain(error: &ureq::Error, sent: bool) -> Failure {
    let step = if sent { Step::Receive } else { Step::Send };
    let lost = |reason: &str| Failure::new(Status::CONNECTION_LOST, step, reason);
    let failure = match error {
        ureq::Error::Other(error) => match error.downcast_ref() {
            Some(interruption) => Failure::interrupted(Status::INTERNAL, step, interruption),
            None => Failure::new(Status::INTERNAL, step, error.to_string()),
        },
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            lost("the connection was closed before the end of the answer")
        }
        ureq::Error::Io(error) => lost(&error.to_string()),
        ureq::Error::LargeResponseHeader(..) => Failure::new(
            Status::BAD_RESPONSE,
            step,
            "the head of the answer is over the limit",
        ),
        ureq::Error::Protocol(error) => {
            Failure::new(Status::BAD_RESPONSE, step, format!("not HTTP: {error}"))
        }
        error => Failure::new(Status::INTERNAL, step, error.to_string()),
    };
    Failure { sent, ..failure }
}

/// Where a connection lies while no request is on it, with what is known of the last one.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    wire: Option<Wire>,
    deadline: Option<Deadline>,
    progress: Progress,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, deadline: Deadline, room: usize) {
        let mut contents = self.lock();
        contents.deadline = Some(deadline);
        contents.progress = Progress::default();
        if let Some(wire) = &mut contents.wire {
            wire.make_room(room);
        }
    }
}

/// Hands the connection to ureq.
struct Lender(Shelf);

impl Connector for Lender {
    type Out = Loan;

    fn connect(&self, _: &ConnectionDetails, _: Option<()>) -> Result<Option<Loan>, ureq::Error> {
        let mut contents = self.0.lock();
        let (Some(wire), Some(deadline)) = (contents.wire.take(), contents.deadline) else {
            return Err(ureq::Error::ConnectionFailed);
        };
        Ok(Some(Loan {
            wire,
            deadline,
            is_finished: false,
            shelf: self.0.clone(),
        }))
    }
}

/// The connection while ureq has it.
struct Loan {
    wire: Wire,
    deadline: Deadline,
    is_finished: bool,
    shelf: Shelf,
}

impl UreqTransport for Loan {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.wire
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.wire.hold(amount);
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        self.wire.send_held(self.deadline)?;
        self.wire.receive(self.deadline)
    }

    /// ureq asks when it has read an answer to its end and both sides keep the connection. It is
    /// told no, so that it lets go.
    fn is_open(&mut self) -> bool {
        self.is_finished = true;
        false
    }

    fn is_tls(&self) -> bool {
        self.wire.is_tls()
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut contents = self.shelf.lock();
        contents.progress = self.wire.progress();
        if self.is_finished {
            contents.wire = Some(mem::take(&mut self.wire));
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connection")
    }
}

impl fmt::Debug for Lender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lender")
    }
}

impl fmt::Debug for Loan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Loan")
    }
}
