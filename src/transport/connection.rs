//! One connection, and one request at a time on it: where HTTP meets the bytes.
//!
//! ureq writes requests and reads answers. For each it is given a desk to do so, which fetches and
//! sends through the [`Wire`] that the connection owns. What went wrong is on the wire, so that
//! nothing need be learned from ureq's errors.

use std::fmt;
use std::io::{self, Read};
use std::mem;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ureq::http::uri::{Authority, Parts, PathAndQuery, Scheme};
use ureq::http::{self, HeaderMap, HeaderName, HeaderValue, Request as HttpRequest, Uri, header};
use ureq::{Agent, Body};

use super::answer::Answer;
use super::desk;
use super::patience::Cancel;
use super::stream::Stream;
use super::wire::{Wire, lock, not_http};
use super::{Endpoint, Failure, Request, Step};
use crate::memory::{self, OutOfMemory};
use crate::status::Status;

/// An open connection.
pub struct Connection {
    endpoint: Endpoint,
    agent: Agent,
    authority: Authority,
    wire: Arc<Mutex<Wire>>,
    socket: Arc<TcpStream>,
    made: Instant,
    was_used: bool,
    usual: Option<Box<UsualHeaders>>,
}

impl Connection {
    /// Takes a stream that leads to the endpoint and, where it must be, is encrypted.
    pub fn new(
        stream: Stream,
        endpoint: &Endpoint,
        cancel: Option<Cancel>,
    ) -> Result<Self, Failure> {
        let authority = Authority::try_from(endpoint.authority())
            .map_err(|error| defect(Step::Connect, &error))?;
        let socket = Arc::clone(stream.socket());
        let wire = Arc::new(Mutex::new(Wire::new(stream, cancel)));
        Ok(Self {
            endpoint: endpoint.clone(),
            agent: desk::agent(Arc::clone(&wire)),
            authority,
            wire,
            socket,
            made: Instant::now(),
            was_used: false,
            usual: None,
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

    /// Whether no request has gone out on it yet.
    pub fn is_new(&self) -> bool {
        !self.was_used
    }

    /// Whether the other side said something before it was asked, which can be no answer.
    pub fn spoke_first(&self) -> bool {
        lock(&self.wire).spoke_first()
    }

    /// Whether another request may go out on it: the last answer was read to its end, nothing came
    /// behind it, and both sides keep the connection.
    pub fn is_reusable(&self) -> bool {
        lock(&self.wire).is_reusable()
    }

    /// Whether nothing has come on it since the last answer, not even its end.
    pub fn is_silent(&self) -> bool {
        lock(&self.wire).is_silent()
    }

    /// Sends the request and reads its answer.
    pub fn exchange(&mut self, request: Request<'_>) -> Result<Answer, Failure> {
        let head = self.head(request)?;
        let was_used = mem::replace(&mut self.was_used, true);
        lock(&self.wire).begin(
            request.answer_by,
            length_of(request, self.authority.as_str()),
            was_used,
        );
        let response = if request.body.is_empty() {
            self.agent.run(head)
        } else {
            self.agent.run(head.map(|()| request.body))
        };
        let result = match response {
            Ok(response) => self.read(response, request, was_used),
            Err(error) => Err((error, 0)),
        };
        let mut wire = lock(&self.wire);
        wire.rest();
        match result {
            Ok(answer) => Ok(answer),
            Err((error, http_status)) => {
                let failure = wire.take_failure().unwrap_or_else(|| explain(&error));
                Err(Failure {
                    sent: failure.sent || wire.has_sent(),
                    was_kept: was_used,
                    was_stale: was_used
                        && !wire.has_received()
                        && failure.status == Status::CONNECTION_LOST,
                    http_status,
                    ..failure
                })
            }
        }
    }

    fn head(&mut self, request: Request<'_>) -> Result<HttpRequest<()>, Failure> {
        let usual = match self.usual.take() {
            Some(usual) if usual.are_those_of(request) => usual,
            _ => Box::new(UsualHeaders::of(request, &self.authority).map_err(unfit)?),
        };
        let mut headers = usual.headers.clone();
        self.usual = Some(usual);
        for &(name, value) in request.credentials {
            headers.insert(HeaderName::from_static(name), secret(value)?);
        }
        let uri = || -> Result<Uri, http::Error> {
            let mut parts = Parts::default();
            // ureq is given a stream that is encrypted already; how is not its business.
            parts.scheme = Some(Scheme::HTTP);
            parts.authority = Some(self.authority.clone());
            parts.path_and_query = Some(PathAndQuery::try_from(request.path)?);
            Ok(Uri::from_parts(parts)?)
        };
        let mut head = HttpRequest::new(());
        *head.method_mut() = request.method.parse().map_err(unfit)?;
        *head.uri_mut() = uri().map_err(unfit)?;
        *head.headers_mut() = headers;
        Ok(head)
    }

    /// Reads the body, so that the connection can be used again. Of a failed request even half of
    /// an explanation is kept.
    fn read(
        &self,
        mut response: http::Response<Body>,
        request: Request<'_>,
        was_kept: bool,
    ) -> Result<Answer, (ureq::Error, u16)> {
        let http_status = response.status().as_u16();
        let limit = if response.status().is_success() {
            request.max_answer
        } else {
            request.max_refusal
        };
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
            was_kept,
            headers: mem::take(response.headers_mut()),
        })
    }
}

/// The headers that one request after the other has alike, checked once. Nothing secret is among them.
struct UsualHeaders {
    given: Vec<(&'static str, String)>,
    credentials: Vec<&'static str>,
    /// Those that were given, the host, and a place for each of the credentials.
    headers: HeaderMap,
}

impl UsualHeaders {
    fn of(request: Request<'_>, host: &Authority) -> Result<Self, http::Error> {
        let credentials: Vec<_> = request.credentials.iter().map(|&(name, _)| name).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host.as_str())?);
        for &(name, value) in request.headers {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
        }
        for &name in &credentials {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(""));
        }
        let given = request.headers.iter();
        Ok(Self {
            given: given
                .map(|&(name, value)| (name, value.to_owned()))
                .collect(),
            credentials,
            headers,
        })
    }

    fn are_those_of(&self, request: Request<'_>) -> bool {
        let given = self
            .given
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let credentials = request.credentials.iter().map(|&(name, _)| name);
        given.eq(request.headers.iter().copied())
            && self.credentials.iter().copied().eq(credentials)
    }
}

/// A header that nobody may see. It can be long, so that memory is asked for.
fn secret(value: &[u8]) -> Result<HeaderValue, Failure> {
    let mut bytes = Vec::new();
    memory::reserve_exact(&mut bytes, value.len())
        .map_err(|refused| Failure::interrupted(Step::Send, &refused.into()))?;
    bytes.extend_from_slice(value);
    let mut value = HeaderValue::try_from(bytes).map_err(unfit)?;
    value.set_sensitive(true);
    Ok(value)
}

fn unfit(error: impl fmt::Display) -> Failure {
    defect(Step::Send, &error)
}

/// The length of a request as ureq writes it: `POST /path HTTP/1.1`, a line for each header, `Host`
/// and `Content-Length` among them, and the body.
fn length_of(request: Request<'_>, host: &str) -> usize {
    const LINES_OF_UREQ: usize = 64;
    let line = |name: &str, length: usize| name.len() + length + ": \r\n".len();
    let first = request.method.len() + request.path.len() + "  HTTP/1.1\r\n\r\n".len();
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| line(name, value.len()));
    let credentials = request.credentials.iter();
    let credentials = credentials.map(|(name, value)| line(name, value.len()));
    let headers: usize = headers.chain(credentials).sum();
    first + headers + LINES_OF_UREQ + host.len() + request.body.len()
}

fn defect(step: Step, error: &dyn fmt::Display) -> Failure {
    Failure::lasting(Status::INTERNAL, step, error.to_string())
}

/// What ureq finds wrong by itself.
fn explain(error: &ureq::Error) -> Failure {
    let lost = || {
        let reason = "the connection was closed before the end of the answer";
        Failure::new(Status::CONNECTION_LOST, Step::Receive, reason)
    };
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => lost(),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::OutOfMemory => {
            Failure::interrupted(Step::Receive, &OutOfMemory.into())
        }
        // The end came in the middle of what frames the body.
        ureq::Error::BodyStalled => lost(),
        ureq::Error::Protocol(error) => not_http(&error.to_string()),
        error => defect(Step::Receive, error),
    }
}

/// A body whose bytes are counted while they are read.
struct Counted<'a, R> {
    body: R,
    wire: &'a Mutex<Wire>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = self.body.read(buffer)?;
        lock(self.wire).count_body(amount);
        Ok(amount)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connection")
    }
}
