//! A server that does what no HTTP library would: each answer is written as bytes.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

pub const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

/// What happens to a connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Keep,
    Close,
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which connection it came on, from 0.
    pub connection: usize,
    pub bytes: Vec<u8>,
    /// Whether it came to its end.
    pub is_whole: bool,
}

/// All that the server saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub connections: usize,
    pub requests: Vec<Request>,
}

impl Seen {
    /// The connection of each request.
    pub fn connection_of_each(&self) -> Vec<usize> {
        self.requests
            .iter()
            .map(|request| request.connection)
            .collect()
    }
}

/// A listening socket on a free port of this machine, and a thread for each connection. It ends
/// with all of them when dropped.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    open: Mutex<HashMap<usize, TcpStream>>,
    /// The address from which the server asked itself to stop. Held while it asks, so that nobody
    /// mistakes that for a client.
    farewell: Mutex<Option<SocketAddr>>,
}

/// One connection, for as long as it is open.
pub struct Visit {
    pub stream: TcpStream,
    connection: usize,
    shared: Arc<Shared>,
}

impl Server {
    /// Reads each request to its end; the script then answers the nth (from 0) of them all.
    pub fn start(script: impl Fn(usize, &mut TcpStream) -> Then + Send + Sync + 'static) -> Self {
        Self::serve(move |mut visit| {
            while let Some(nth) = visit.read_request() {
                if script(nth, &mut visit.stream) == Then::Close {
                    break;
                }
            }
        })
    }

    /// Answers each request with these bytes.
    pub fn answering(answer: impl Into<Vec<u8>>, then: Then) -> Self {
        let answer = answer.into();
        Self::start(move |_, stream| {
            stream.write_all(&answer).ok();
            then
        })
    }

    /// Answers the first request with these bytes, and all others as a service that did what was
    /// asked.
    pub fn answering_first(answer: impl Into<Vec<u8>>, then: Then) -> Self {
        let answer = answer.into();
        Self::start(move |nth, stream| match nth {
            0 => {
                stream.write_all(&answer).ok();
                then
            }
            _ => succeed(stream),
        })
    }

    /// Gives each connection to the handler as it is.
    pub fn serve(handler: impl Fn(Visit) + Send + Sync + 'static) -> Self {
        Self::serve_on("127.0.0.1:0", handler).unwrap()
    }

    pub fn serve_on(
        address: &str,
        handler: impl Fn(Visit) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared, &handler)
        });
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Plain HTTP, which is accepted for this machine.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was seen so far.
    pub fn seen(&self) -> Seen {
        lock(&self.shared.seen).clone()
    }

    /// Stops, and tells all that was seen: no connection is on its way any more.
    pub fn finish(mut self) -> Seen {
        self.stop();
        self.seen()
    }

    fn stop(&mut self) {
        let Some(accepting) = self.accepting.take() else {
            return;
        };
        // The last in the queue, so that every connection before it is counted.
        let _farewell = {
            let mut farewell = lock(&self.shared.farewell);
            let stream = TcpStream::connect(self.address).unwrap();
            *farewell = Some(stream.local_addr().unwrap());
            stream
        };
        let result = accepting.join();
        if !thread::panicking() {
            result.expect("the server's thread panicked");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The answer to a request that was done.
pub fn succeed(stream: &mut TcpStream) -> Then {
    stream.write_all(NO_CONTENT).ok();
    Then::Keep
}

/// An answer with a body of known length.
pub fn answer(http_status: u16, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let length = body.len();
    let mut answer =
        format!("HTTP/1.1 {http_status} Reason\r\nContent-Length: {length}\r\n{headers}\r\n")
            .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, handler: &(impl Fn(Visit) + Send + Sync)) {
    thread::scope(|scope| {
        loop {
            let (stream, client) = listener.accept().unwrap();
            if *lock(&shared.farewell) == Some(client) {
                break;
            }
            stream.set_nodelay(true).unwrap();
            let visit = Visit::new(stream, shared);
            scope.spawn(|| handler(visit));
        }
        // Ends the handlers that still read or write.
        for stream in lock(&shared.open).values() {
            stream.shutdown(std::net::Shutdown::Both).ok();
        }
    });
}

impl Visit {
    fn new(stream: TcpStream, shared: &Arc<Shared>) -> Self {
        let connection = {
            let mut seen = lock(&shared.seen);
            seen.connections += 1;
            seen.connections - 1
        };
        let to_end_it = stream.try_clone().unwrap();
        lock(&shared.open).insert(connection, to_end_it);
        Self {
            stream,
            connection,
            shared: Arc::clone(shared),
        }
    }

    /// Which of all requests came, once one has come to its end; nothing when the client ended
    /// first.
    pub fn read_request(&mut self) -> Option<usize> {
        let (bytes, is_whole) = read_request(&mut self.stream);
        let nth = self.record(bytes, is_whole);
        is_whole.then_some(nth)
    }

    /// Notes what came, if anything did.
    pub fn record(&self, bytes: Vec<u8>, is_whole: bool) -> usize {
        let mut seen = lock(&self.shared.seen);
        let nth = seen.requests.len();
        if !bytes.is_empty() {
            seen.requests.push(Request {
                connection: self.connection,
                bytes,
                is_whole,
            });
        }
        nth
    }
}

/// Takes the second handle of the connection away, so that it is closed with the first.
impl Drop for Visit {
    fn drop(&mut self) {
        lock(&self.shared.open).remove(&self.connection);
    }
}

/// The head, and as much body as it announces; whether all of that came.
pub fn read_request(reader: &mut impl Read) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 * 1024];
    loop {
        if length_of(&bytes).is_some_and(|length| bytes.len() >= length) {
            return (bytes, true);
        }
        match reader.read(&mut piece) {
            Ok(0) | Err(_) => return (bytes, false),
            Ok(amount) => bytes.extend(piece.iter().take(amount)),
        }
    }
}

/// Reads byte by byte; whether it came so far.
pub fn read_until(
    reader: &mut impl Read,
    bytes: &mut Vec<u8>,
    is_there: impl Fn(&[u8]) -> bool,
) -> bool {
    let mut byte = [0];
    while !is_there(bytes) {
        match reader.read(&mut byte) {
            Ok(1) => bytes.extend_from_slice(&byte),
            _ => return false,
        }
    }
    true
}

/// The length of the whole request, once its head is there.
fn length_of(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(bytes.get(..end)?).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse().unwrap());
    Some(end + length)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
