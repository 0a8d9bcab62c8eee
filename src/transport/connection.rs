//! One connection, and one request at a time on it: where HTTP meets the bytes.
//!
//! ureq writes requests and reads answers. For each it is given a [`Desk`]: buffers to write into
//! and read from, which fetch and send through the [`Wire`] that the connection owns. The wire knows
//! at every moment what has gone out and what has come, and why it broke, so that nothing need be
//! learned from ureq's errors.

use std::fmt;
use std::io::{self, Read};
use std::mem;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ureq::config::Config;
use ureq::http::uri::{Authority, Parts, PathAndQuery, Scheme};
use ureq::http::{self, Request as HttpRequest, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, Transport as UreqTransport,
};
use ureq::{Agent, Body};

use super::answer::Answer;
use super::head::{self, Head};
use super::patience::{Cancel, Patience};
use super::stream::{Broken, LONGEST_READ, Sent, Stream};
use super::{Deadline, Endpoint, Failure, Request, Step, words};
use crate::status::Status;

/// Room for the request line and all headers but the token.
const HEAD_ROOM: usize = 4 * 1024;

/// The most of an answer that is not body, in bytes: its head, interim answers, and what frames the
/// body; more only where the body itself is as long.
const MAX_ASIDE: usize = 256 * 1024;

/// The largest head, and the longest line between the parts of a body, in bytes.
const MAX_UNREAD: usize = 64 * 1024;

/// A body in parts of one byte each has five bytes around each.
const MOST_AROUND_A_BYTE: usize = 6;

/// An open connection.
pub struct Connection {
    endpoint: Endpoint,
    agent: Agent,
    authority: Authority,
    wire: Arc<Mutex<Wire>>,
    socket: Arc<TcpStream>,
    made: Instant,
    was_used: bool,
}

impl Connection {
    /// Takes a stream that leads to the endpoint and, where it must be, is encrypted.
    pub fn new(
        stream: Stream,
        endpoint: &Endpoint,
        cancel: Option<Cancel>,
    ) -> Result<Self, Failure> {
        let authority = Authority::try_from(endpoint.to_string())
            .map_err(|error| defect(Step::Connect, &error))?;
        let socket = Arc::clone(stream.socket());
        let wire = Arc::new(Mutex::new(Wire::new(stream, cancel)));
        let lender = Lender(Arc::clone(&wire));
        Ok(Self {
            endpoint: endpoint.clone(),
            agent: Agent::with_parts(config(), lender, NoResolver),
            authority,
            wire,
            socket,
            made: Instant::now(),
            was_used: false,
        })
    }

    /// Where it leads.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The socket, to be waited for with others.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// When it was made.
    pub fn made(&self) -> Instant {
        self.made
    }

    /// Whether another request may go out on it: the last answer was read to its end, nothing came
    /// behind it, and both sides keep the connection.
    pub fn is_reusable(&self) -> bool {
        let wire = lock(&self.wire);
        wire.is_finished && wire.stream.has_nothing_left()
    }

    /// Whether nothing has come on it since the last answer, not even its end.
    pub fn is_silent(&self) -> bool {
        lock(&self.wire).stream.is_silent()
    }

    /// Sends the request and reads its answer.
    pub fn exchange(
        &mut self,
        request: Request<'_>,
        deadline: Deadline,
    ) -> Result<Answer, Failure> {
        let head = self
            .head(request)
            .map_err(|error| defect(Step::Send, &error))?;
        let was_used = mem::replace(&mut self.was_used, true);
        lock(&self.wire).begin(deadline, room_for(request), was_used);
        let response = if request.body.is_empty() {
            self.agent.run(head)
        } else {
            self.agent.run(head.map(|()| request.body))
        };
        let result = match response {
            Ok(response) => self.read(response, request.max_answer),
            Err(error) => Err((error, 0)),
        };
        let mut wire = lock(&self.wire);
        wire.stream.rest();
        match result {
            // A server that gave the connection up, and says so instead of closing it silently.
            Ok(answer) if was_used && answer.http_status == 408 => Err(Failure {
                sent: true,
                was_stale: true,
                ..Failure::new(
                    Status::CONNECTION_LOST,
                    Step::Receive,
                    "the server had given the kept connection up (408)",
                )
            }),
            Ok(answer) => Ok(answer),
            Err((error, http_status)) => {
                let failure = wire.failure.take().unwrap_or_else(|| explain(&error));
                Err(Failure {
                    sent: failure.sent || (wire.has_sent && !wire.was_not_looked_at),
                    was_stale: was_used
                        && !wire.has_received
                        && failure.status == Status::CONNECTION_LOST,
                    http_status,
                    ..failure
                })
            }
        }
    }

    fn head(&self, request: Request<'_>) -> Result<HttpRequest<()>, http::Error> {
        let mut parts = Parts::default();
        // ureq is given a stream that is encrypted already; how is not its business.
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(request.path)?);
        let mut builder = HttpRequest::builder()
            .method(request.method)
            .uri(Uri::from_parts(parts)?)
            .header("host", self.authority.as_str());
        for &(name, value) in request.headers {
            builder = builder.header(name, value);
        }
        builder.body(())
    }

    /// Reads the body, so that the connection can be used again. Of a failed request even half of
    /// an explanation is kept.
    fn read(
        &self,
        mut response: http::Response<Body>,
        limit: usize,
    ) -> Result<Answer, (ureq::Error, u16)> {
        let http_status = response.status().as_u16();
        let mut body = Vec::new();
        let one_more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let counted = Counted {
            body: response.body_mut().as_reader(),
            wire: &self.wire,
        };
        let outcome = counted.take(one_more).read_to_end(&mut body);
        let is_complete = outcome.is_ok() && body.len() <= limit;
        if let Err(error) = outcome {
            let is_refusal = !response.status().is_success();
            if !is_refusal || lock(&self.wire).is_cancelled() {
                return Err((error.into(), http_status));
            }
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
}

fn room_for(request: Request<'_>) -> usize {
    let headers: usize = request
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    HEAD_ROOM + headers + request.path.len() + request.body.len()
}

fn defect(step: Step, error: &dyn fmt::Display) -> Failure {
    Failure::lasting(Status::INTERNAL, step, error.to_string())
}

/// What ureq finds wrong by itself.
fn explain(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Failure::new(
            Status::CONNECTION_LOST,
            Step::Receive,
            "the connection was closed before the end of the answer",
        ),
        ureq::Error::Protocol(error) => not_http(&error.to_string()),
        error => defect(Step::Receive, error),
    }
}

fn not_http(reason: &str) -> Failure {
    let reason = format!("not HTTP: {reason}");
    Failure::lasting(Status::BAD_RESPONSE, Step::Receive, reason)
}

/// A body whose bytes are counted while they are read.
struct Counted<'a, R> {
    body: R,
    wire: &'a Mutex<Wire>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = self.body.read(buffer)?;
        let mut wire = lock(self.wire);
        wire.body = wire.body.saturating_add(amount);
        Ok(amount)
    }
}

/// The stream of a connection, and what is known of the request that is on it.
struct Wire {
    stream: Stream,
    cancel: Option<Cancel>,
    deadline: Deadline,
    room: usize,
    is_first: bool,
    /// A byte of the request may have gone out.
    has_sent: bool,
    /// A byte of an answer has come.
    has_received: bool,
    /// The server, which had yet to look at the client's certificate, refused it: it never looked at
    /// the request.
    was_not_looked_at: bool,
    /// All plain text that came, and the part of it that was body.
    came: usize,
    body: usize,
    /// ureq has read an answer to its end, and both sides keep the connection.
    is_finished: bool,
    failure: Option<Failure>,
}

impl Wire {
    fn new(stream: Stream, cancel: Option<Cancel>) -> Self {
        Self {
            stream,
            cancel,
            deadline: Deadline::after(std::time::Duration::ZERO),
            room: 0,
            is_first: true,
            has_sent: false,
            has_received: false,
            was_not_looked_at: false,
            came: 0,
            body: 0,
            is_finished: false,
            failure: None,
        }
    }

    fn begin(&mut self, deadline: Deadline, room: usize, was_used: bool) {
        self.deadline = deadline;
        self.room = room;
        self.is_first = !was_used;
        self.has_sent = false;
        self.has_received = false;
        self.came = 0;
        self.body = 0;
        self.is_finished = false;
        self.failure = None;
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_given)
    }

    /// Sends the request, if there is one to send, and waits for more of its answer; `false` at the
    /// end of the connection.
    fn fetch(&mut self, request: &[u8], input: &mut Vec<u8>) -> Result<bool, Failure> {
        let patience = Patience {
            deadline: self.deadline,
            cancel: self.cancel.as_ref(),
        };
        let before = input.len();
        let mut is_answered = false;
        if !request.is_empty() {
            // Where the client was shut down meanwhile, nothing goes out.
            let sent = patience.check().map_err(Broken::from).and_then(|()| {
                self.stream.queue(request)?;
                self.stream.send(input, patience)
            });
            self.has_sent = sent.is_ok() || self.stream.has_begun();
            is_answered = match sent {
                Ok(sent) => sent == Sent::Answered,
                Err(broken) if self.has_sent => return Err(self.lost(&broken)),
                Err(broken) => return Err(Failure::broken(Step::Send, &broken)),
            };
        }
        let goes_on = is_answered || {
            let received = self.stream.receive(input, patience);
            received.map_err(|broken| self.lost(&broken))?
        };
        let came = input.len().saturating_sub(before);
        self.has_received |= came > 0;
        self.came = self.came.saturating_add(came);
        let aside = self
            .came
            .saturating_sub(self.body)
            .saturating_sub(input.len());
        let allowed = self
            .body
            .saturating_mul(MOST_AROUND_A_BYTE)
            .saturating_add(MAX_ASIDE);
        if aside > allowed {
            return Err(over_the_limit("what is around its body"));
        }
        Ok(goes_on)
    }

    fn lost(&mut self, broken: &Broken) -> Failure {
        if let Broken::Tls(rustls::Error::AlertReceived(alert)) = broken
            && self.is_first
            && !self.has_received
            && self.stream.is_tls_1_3()
            && words::is_about_client(*alert)
        {
            self.was_not_looked_at = true;
            return Failure::broken(Step::Tls, broken);
        }
        Failure::broken(Step::Receive, broken)
    }
}

/// Hands ureq a desk for the next request.
struct Lender(Arc<Mutex<Wire>>);

impl Connector for Lender {
    type Out = Desk;

    fn connect(&self, _: &ConnectionDetails, _: Option<()>) -> Result<Option<Desk>, ureq::Error> {
        Ok(Some(Desk {
            output: vec![0; lock(&self.0).room],
            held: 0,
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
    input: Vec<u8>,
    consumed: usize,
    /// The head has come, and ureq may see it and what follows.
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
            let request = self.output.get(..self.held).unwrap_or_default();
            let goes_on = wire.fetch(request, &mut self.input)?;
            self.held = 0;
            if self.has_head {
                // What ureq could make no use of is a line between parts of the body.
                check(self.input.len(), MAX_UNREAD + LONGEST_READ)?;
                return Ok(goes_on);
            }
            self.take_head()?;
            if self.has_head || !goes_on {
                return Ok(goes_on);
            }
        }
    }

    fn take_head(&mut self) -> Result<(), Failure> {
        loop {
            match head::read(&self.input).map_err(|reason| not_http(&reason))? {
                Head::Partial => return check(self.input.len(), MAX_UNREAD),
                Head::Interim(length) => {
                    self.input.drain(..length);
                }
                Head::Final(length, head) => {
                    check(length, MAX_UNREAD)?;
                    self.input.splice(..length, head);
                    self.has_head = true;
                    return Ok(());
                }
            }
        }
    }
}

fn check(length: usize, limit: usize) -> Result<(), Failure> {
    if length <= limit {
        return Ok(());
    }
    Err(over_the_limit(
        "its head, or a line between parts of its body",
    ))
}

fn over_the_limit(what: &str) -> Failure {
    let reason = format!("the answer is over the limit: {what}");
    Failure::lasting(Status::BAD_RESPONSE, Step::Receive, reason)
}

impl UreqTransport for Desk {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self
    }

    fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), ureq::Error> {
        self.held = self.held.saturating_add(amount);
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
        self.fetch().map_err(|failure| {
            lock(&self.wire).failure = Some(failure);
            // Not an error of I/O: ureq takes some of those for the end of a body.
            ureq::Error::ConnectionFailed
        })
    }

    /// ureq asks when it has read an answer to its end and both sides keep the connection. It is
    /// told no, so that it lets go.
    fn is_open(&mut self) -> bool {
        lock(&self.wire).is_finished = true;
        false
    }
}

impl Buffers for Desk {
    fn output(&mut self) -> &mut [u8] {
        self.output.get_mut(self.held..).unwrap_or_default()
    }

    fn input(&self) -> &[u8] {
        if self.has_head {
            self.input.get(self.consumed..).unwrap_or_default()
        } else {
            &[]
        }
    }

    /// Input is appended by [`Wire::fetch`] alone.
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

fn lock(wire: &Mutex<Wire>) -> MutexGuard<'_, Wire> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
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

impl fmt::Debug for Desk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Desk")
    }
}
