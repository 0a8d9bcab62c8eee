//! Bytes over a socket, through as many layers of TLS as there are: none, one to the endpoint, one
//! to a proxy and another inside it.

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::patience::{Interruption, Patience};
use super::process::Process;
use super::session::{Session, out_of_memory};
use super::system;
use crate::memory::{self, OutOfMemory};

/// The answer to a change, and most refusals, fit one read of this length, which an allocator gives
/// cheaply.
const FIRST_READ: usize = 1000;

/// What a server sends in a handshake.
const HANDSHAKE_READ: usize = 4 * 1024;

/// What is read at once of a long list.
pub const LONGEST_READ: usize = 64 * 1024;

/// What a connection that waits may keep, in bytes: a request with a usual token.
pub const KEPT_ROOM: usize = 4 * 1024;

/// Why nothing more can be sent or read.
#[derive(Debug)]
pub enum Broken {
    /// A wait ended, or the system refused.
    Wait(Interruption),
    /// It belongs to the process that this one was forked from.
    Forked,
    /// TCP ended before TLS had said that it was the end.
    Cut,
    /// TLS found something wrong.
    Tls(rustls::Error),
}

/// What became of what was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// All of it.
    Whole,
    /// Not all, and the other side, which takes no more for now, has said something.
    Answered,
}

/// A connection that does not block: every wait ends with the caller's patience, whatever signals
/// come.
pub struct Stream {
    socket: Arc<TcpStream>,
    process: Process,
    /// From the outermost, which the network sees, inwards.
    layers: Vec<Session>,
    outgoing: Vec<u8>,
    sent: usize,
    next_read: usize,
    /// Plain text that came with the end of the handshake.
    early: Vec<u8>,
    /// What went wrong behind plain text that is still to be read.
    broken: Option<Broken>,
    /// Whether TLS found it in the innermost layer, and in no other.
    is_broken_inside: bool,
}

impl Stream {
    /// Takes a connected socket that does not block.
    pub fn new(socket: TcpStream) -> Self {
        Self {
            socket: Arc::new(socket),
            process: Process::current(),
            layers: Vec::new(),
            outgoing: Vec::new(),
            sent: 0,
            next_read: FIRST_READ,
            early: Vec::new(),
            broken: None,
            is_broken_inside: false,
        }
    }

    /// The socket, to be waited for with others.
    pub fn socket(&self) -> &Arc<TcpStream> {
        &self.socket
    }

    /// Has all that is sent and read from now on encrypted, once the other side has shown who it is.
    ///
    /// The last flight of the handshake goes out with what is sent first.
    pub fn encrypt(
        &mut self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        patience: Patience<'_>,
    ) -> Result<(), Broken> {
        self.layers.push(Session::new(config, name)?);
        self.next_read = HANDSHAKE_READ;
        let mut early = Vec::new();
        self.open(Vec::new(), &mut early)?;
        while self.layers.last().is_some_and(Session::is_handshaking) {
            self.send(&mut early, patience)?;
            let result = self
                .read(patience)
                .and_then(|came| self.open(came, &mut early));
            if let Err(broken) = result {
                // The alert that says why.
                self.write().ok();
                return Err(broken);
            }
        }
        self.early = early;
        self.next_read = FIRST_READ;
        Ok(())
    }

    /// Whether it was the endpoint itself, by TLS 1.3, that broke it; not a proxy.
    pub fn was_broken_by_tls_1_3(&self) -> bool {
        self.is_broken_inside && self.layers.last().is_some_and(Session::is_1_3)
    }

    /// Takes what is to be sent, and encrypts it; then its room is given back.
    pub fn queue(&mut self, plain: Vec<u8>) -> Result<Vec<u8>, Broken> {
        // Of what was sent before, a handshake, nothing counts as this having begun.
        self.outgoing.drain(..self.sent);
        self.sent = 0;
        if self.layers.is_empty() && self.outgoing.is_empty() {
            self.outgoing = plain;
            return Ok(Vec::new());
        }
        // rustls asks nobody.
        if plain.len() > KEPT_ROOM {
            memory::check_spare(2 * plain.len())?;
        }
        seal(&mut self.layers, &plain, &mut self.outgoing)?;
        Ok(plain)
    }

    /// Sends what is queued. What the other side says meanwhile is added to the input; then no more
    /// is sent until this is called again.
    pub fn send(&mut self, input: &mut Vec<u8>, patience: Patience<'_>) -> Result<Sent, Broken> {
        let before = input.len();
        loop {
            match self.write() {
                Ok(true) => return Ok(Sent::Whole),
                Ok(false) => {
                    let mut watched = system::readable_or_writable(&self.socket);
                    patience.wait(&mut watched)?;
                    if system::is_writable(&watched) {
                        continue;
                    }
                }
                // A server that refuses may close without reading everything; what it said before
                // is there.
                Err(error) => {
                    self.receive(input, patience).ok();
                    return if input.len() > before {
                        Ok(Sent::Answered)
                    } else {
                        Err(error)
                    };
                }
            }
            let came = self.read(patience).map_err(|broken| match broken {
                Broken::Cut if self.layers.is_empty() => closed(),
                broken => broken,
            })?;
            let opened = self.open(came, input);
            if input.len() > before {
                self.broken = opened.err();
                return Ok(Sent::Answered);
            }
            opened?;
        }
    }

    /// Waits for plain text and adds it to the input; `false` at the end.
    pub fn receive(&mut self, input: &mut Vec<u8>, patience: Patience<'_>) -> Result<bool, Broken> {
        let before = input.len();
        memory::append(input, &mut self.early)?;
        if input.len() > before {
            return Ok(true);
        }
        loop {
            if let Some(broken) = self.broken.take() {
                return Err(broken);
            }
            if self.layers.last().is_some_and(Session::has_ended) {
                return Ok(false);
            }
            let came = match self.read(patience) {
                Err(Broken::Cut) if self.layers.is_empty() => return Ok(false),
                came => came?,
            };
            let opened = self.open(came, input);
            if input.len() > before {
                self.broken = opened.err();
                return Ok(true);
            }
            opened?;
            // What TLS itself has to say can wait where it must.
            self.write().ok();
        }
    }

    /// Whether something that is queued has still to go out.
    pub fn has_unsent(&self) -> bool {
        self.sent < self.outgoing.len()
    }

    /// Whether a byte of what is queued may have gone out.
    pub fn has_begun(&self) -> bool {
        self.sent > 0
    }

    /// Whether nothing has come that nobody asked for, not even the end. Costs one system call.
    pub fn is_silent(&self) -> bool {
        self.has_nothing_left()
            && matches!(self.socket.peek(&mut [0]), Err(error) if is_for_later(&error))
    }

    /// Whether something has come that can't be an answer, there being no request yet. What TLS says
    /// for itself does not count.
    pub fn spoke_first(&self) -> bool {
        let has_come = || matches!(self.socket.peek(&mut [0]), Ok(1..));
        !self.early.is_empty() || (self.layers.is_empty() && has_come())
    }

    /// Whether a part of something encrypted has come, and not all of it.
    pub fn holds_a_part(&self) -> bool {
        self.layers.iter().any(Session::holds_a_part)
    }

    /// Whether all that was sent went out, and all that came was read.
    pub fn has_nothing_left(&self) -> bool {
        self.broken.is_none()
            && self.early.is_empty()
            && !self.has_unsent()
            && self.layers.iter().all(Session::is_silent)
    }

    /// Gives the memory back that only a request needs. What was encrypted is no secret, and its
    /// room serves the next.
    pub fn rest(&mut self) {
        if self.has_nothing_left() {
            self.outgoing.clear();
            self.sent = 0;
        }
        if self.layers.is_empty() || self.outgoing.capacity() > KEPT_ROOM {
            self.outgoing.shrink_to_fit();
        }
        self.next_read = FIRST_READ;
    }

    /// Sends as much as there is room for; whether that is all.
    fn write(&mut self) -> Result<bool, Broken> {
        self.check_process()?;
        while let Some(rest @ [_, ..]) = self.outgoing.get(self.sent..) {
            match (&*self.socket).write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(written) => self.sent = self.sent.saturating_add(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_for_later(&error) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// What has come on the socket; its end is [`Broken::Cut`].
    fn read(&mut self, patience: Patience<'_>) -> Result<Vec<u8>, Broken> {
        self.check_process()?;
        let mut came = Vec::new();
        // Of a long list the next part is there already; an answer hardly ever is, and the attempt
        // would cost a system call.
        let mut is_there = self.next_read == LONGEST_READ;
        loop {
            if is_there {
                // Who sends without a pause must not switch the deadline off.
                patience.check()?;
            } else {
                patience.wait(&mut system::readable(&self.socket))?;
            }
            is_there = false;
            match system::receive(&self.socket, self.next_read, &mut came) {
                Ok(0) => return Err(Broken::Cut),
                Ok(amount) => {
                    if amount >= self.next_read {
                        self.next_read = LONGEST_READ;
                    }
                    return Ok(came);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => is_there = true,
                Err(error) if is_for_later(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Decrypts what came, layer by layer; what a layer answers is encrypted by those around it.
    fn open(&mut self, mut came: Vec<u8>, input: &mut Vec<u8>) -> Result<(), Broken> {
        let mut result = Ok(());
        for at in 0..self.layers.len() {
            let (around, inside) = self.layers.split_at_mut(at);
            let Some(layer) = inside.first_mut() else {
                break;
            };
            let (mut plain, mut reply) = (Vec::new(), Vec::new());
            let opened = layer.open(came, &mut plain, &mut reply);
            if !reply.is_empty() {
                seal(around, &reply, &mut self.outgoing)?;
            }
            came = plain;
            if opened.is_err() {
                self.is_broken_inside = result.is_ok() && at + 1 == self.layers.len();
            }
            result = result.and(opened);
        }
        memory::append(input, &mut came)?;
        Ok(result?)
    }

    fn check_process(&self) -> Result<(), Broken> {
        if self.process.is_current() {
            Ok(())
        } else {
            Err(Broken::Forked)
        }
    }
}

/// Encrypts, from the innermost layer outwards.
fn seal(layers: &mut [Session], plain: &[u8], out: &mut Vec<u8>) -> Result<(), rustls::Error> {
    let Some((outermost, inside)) = layers.split_first_mut() else {
        return memory::extend(out, plain).map_err(out_of_memory);
    };
    if inside.is_empty() {
        return outermost.seal(plain, out);
    }
    let mut sealed = Vec::new();
    seal(inside, plain, &mut sealed)?;
    outermost.seal(&sealed, out)
}

/// The end of a connection in the middle of something.
pub fn closed() -> Broken {
    io::Error::from(io::ErrorKind::UnexpectedEof).into()
}

fn is_for_later(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Says goodbye, so that the other side does not take the end for a cut, as long as that needs no
/// waiting. A child of fork leaves the connection to its parent.
impl Drop for Stream {
    fn drop(&mut self) {
        let is_halfway = self.has_unsent() || std::thread::panicking();
        if is_halfway || !self.process.is_current() {
            return;
        }
        for at in (0..self.layers.len()).rev() {
            let (around, inside) = self.layers.split_at_mut(at);
            if let Some(layer) = inside.first_mut() {
                let mut goodbye = Vec::new();
                layer.close(&mut goodbye);
                if seal(around, &goodbye, &mut self.outgoing).is_err() {
                    return;
                }
            }
        }
        self.write().ok();
    }
}

impl From<Interruption> for Broken {
    fn from(interruption: Interruption) -> Self {
        Self::Wait(interruption)
    }
}

impl From<OutOfMemory> for Broken {
    fn from(refused: OutOfMemory) -> Self {
        Self::Wait(refused.into())
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Wait(error.into())
    }
}

impl From<rustls::Error> for Broken {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(error)
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Stream")
    }
}
