//! Where ureq writes requests and reads answers. It neither dials nor keeps connections: each
//! connection has an agent of its own, which is lent that connection for the length of a request.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex};

use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::chunks::Chunks;
use super::head::{self, Head, Unreadable};
use super::stream::{LONGEST_READ, closed};
use super::wire::{Wire, lock, not_http, over_the_limit};
use super::{Failure, Step};
use crate::memory::{self, OutOfMemory};

/// The largest head, and the longest line between the parts of a body, in bytes.
const MAX_UNREAD: usize = 64 * 1024;

/// An agent whose requests go out on this wire.
pub fn agent(wire: Arc<Mutex<Wire>>) -> Agent {
    Agent::with_parts(config(), Lender(wire), NoResolver)
}

/// Hands ureq a desk for the next request.
struct Lender(Arc<Mutex<Wire>>);

impl Connector for Lender {
    type Out = Desk;

    fn connect(&self, _: &ConnectionDetails, _: Option<()>) -> Result<Option<Desk>, ureq::Error> {
        let mut wire = lock(&self.0);
        let output = wire.take_room().map_err(|refused| {
            wire.fail(Failure::interrupted(Step::Send, &refused.into()));
            ureq::Error::ConnectionFailed
        })?;
        Ok(Some(Desk {
            output,
            held: 0,
            came: Vec::new(),
            chunks: None,
            input: Vec::new(),
            consumed: 0,
            has_head: false,
            was_useful: false,
            wire: Arc::clone(&self.0),
        }))
    }
}

/// Where ureq writes one request and reads its answer.
///
/// It writes in two parts, head and body; they are held until it waits for the answer, and go out
/// as one.
struct Desk {
    output: Vec<u8>,
    held: usize,
    /// What came and is not fit to be seen: a part of a head, or of a line between parts of a body.
    came: Vec<u8>,
    chunks: Option<Chunks>,
    /// What ureq may see.
    input: Vec<u8>,
    consumed: usize,
    has_head: bool,
    /// Whether ureq made use of the input that it saw last; where not, it needs more.
    was_useful: bool,
    wire: Arc<Mutex<Wire>>,
}

impl Desk {
    fn fetch(&mut self) -> Result<bool, Failure> {
        self.input.drain(..self.consumed);
        self.consumed = 0;
        let wire = Arc::clone(&self.wire);
        let mut wire = lock(&wire);
        loop {
            let seen = self.input.len();
            // What came with the head first; what is wrong with it is told when the head is known.
            if self.has_head && !self.came.is_empty() {
                self.take_body()?;
                if self.input.len() > seen {
                    return Ok(true);
                }
            }
            self.output.truncate(self.held);
            self.held = 0;
            let request = mem::take(&mut self.output);
            let goes_on = wire.fetch(request, self.has_head, &mut self.came)?;
            if self.has_head {
                self.take_body()?;
            } else {
                self.take_head()?;
            }
            // ureq asks for more of a body in chunks until it has seen its end.
            if !goes_on && self.chunks.is_some() && self.input.len() == seen {
                return Err(Failure::broken(Step::Receive, &closed()));
            }
            if self.input.len() > seen || !goes_on {
                return Ok(goes_on);
            }
        }
    }

    fn take_head(&mut self) -> Result<(), Failure> {
        loop {
            match head::read(&self.came).map_err(unreadable)? {
                Head::Partial => return check(self.came.len(), MAX_UNREAD),
                Head::Interim(length) => {
                    self.came.drain(..length);
                }
                Head::Final(length, head, is_chunked) => {
                    check(length, MAX_UNREAD)?;
                    self.came.drain(..length);
                    self.input = head;
                    self.chunks = is_chunked.then_some(Chunks::Size);
                    self.has_head = true;
                    return Ok(());
                }
            }
        }
    }

    fn take_body(&mut self) -> Result<(), Failure> {
        match &mut self.chunks {
            None => memory::append(&mut self.input, &mut self.came).map_err(refused)?,
            Some(chunks) => {
                memory::reserve(&mut self.input, self.came.len()).map_err(refused)?;
                chunks
                    .pass(&mut self.came, &mut self.input)
                    .map_err(not_http)?;
            }
        }
        // What ureq could make no use of is a trailer.
        check(self.came.len(), MAX_UNREAD)?;
        check(self.input.len(), MAX_UNREAD + LONGEST_READ)
    }
}

fn unreadable(unreadable: Unreadable) -> Failure {
    match unreadable {
        Unreadable::NotHttp(error) => not_http(&error.to_string()),
        Unreadable::TooLong => over_the_limit("its head"),
        Unreadable::Memory(out_of_memory) => refused(out_of_memory),
    }
}

fn refused(refused: OutOfMemory) -> Failure {
    Failure::interrupted(Step::Receive, &refused.into())
}

fn check(length: usize, limit: usize) -> Result<(), Failure> {
    if length <= limit {
        return Ok(());
    }
    Err(over_the_limit(
        "its head, or a line between parts of its body",
    ))
}

impl Transport for Desk {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.held = self.held.saturating_add(amount);
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        self.fetch().map_err(|failure| {
            lock(&self.wire).fail(failure);
            // Not an error of I/O: ureq takes some of those for the end of a body.
            ureq::Error::ConnectionFailed
        })
    }

    /// ureq asks when it has read an answer to its end and both sides keep the connection. It is
    /// told no, so that it lets go.
    fn is_open(&mut self) -> bool {
        if self.came.is_empty() {
            lock(&self.wire).finish();
        }
        false
    }
}

impl Buffers for Desk {
    fn output(&mut self) -> &mut [u8] {
        self.output.get_mut(self.held..).unwrap_or_default()
    }

    fn input(&self) -> &[u8] {
        self.input.get(self.consumed..).unwrap_or_default()
    }

    /// Input is appended by [`Desk::fetch`] alone.
    fn input_append_buf(&mut self) -> &mut [u8] {
        &mut []
    }

    fn input_appended(&mut self, _: usize) {}

    fn input_consume(&mut self, amount: usize) {
        self.was_useful = amount > 0;
        self.consumed = self.consumed.saturating_add(amount).min(self.input.len());
    }

    /// Only requests of unknown length need a second buffer.
    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        (&mut [], self.output())
    }

    fn can_use_input(&self) -> bool {
        self.was_useful && !self.input().is_empty()
    }
}

/// ureq's habits that this floor has its own of are switched off: proxies, redirects, headers, and
/// statuses as errors.
fn config() -> Config {
    Config::builder()
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent("")
        .accept("")
        .accept_encoding("")
        .max_response_header_size(MAX_UNREAD)
        .max_idle_connections(0)
        .build()
}

/// Names are resolved before ureq is asked for anything.
#[derive(Debug)]
struct NoResolver;

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

impl fmt::Debug for Lender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lender")
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Desk")
    }
}
