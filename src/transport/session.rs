//! A TLS session as a machine that turns bytes into bytes, without I/O.

use std::io;
use std::mem;
use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus,
};
use rustls::{ClientConfig, Error, OtherError, ProtocolVersion};

use crate::memory::{self, OutOfMemory};

/// One session: what came is given to it, and what it has to say is fetched.
pub struct Session {
    connection: UnbufferedClientConnection,
    /// What came and is not read yet: a part of a record.
    incoming: Vec<u8>,
    has_ended: bool,
    is_broken: bool,
}

/// What a session is asked for.
enum Task<'a> {
    Open,
    Seal(&'a [u8]),
    Close,
}

impl Session {
    /// Begins a handshake; what [`Session::open`] has to say first is its first flight.
    pub fn new(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, Error> {
        Ok(Self {
            connection: UnbufferedClientConnection::new(config, name)?,
            incoming: Vec::new(),
            has_ended: false,
            is_broken: false,
        })
    }

    /// Whether a part of a record has come, and not all of it.
    pub fn holds_a_part(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Whether the handshake is under way.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether it is TLS 1.3, where a server looks at a client's certificate after the client's
    /// handshake is done.
    pub fn is_1_3(&self) -> bool {
        self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Whether the other side has said that it sends nothing more.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether nothing is there that was not read.
    pub fn is_silent(&self) -> bool {
        self.incoming.is_empty() && !self.has_ended
    }

    /// Reads what came. Plain text is added to `plain`, and what must be answered to `out`, an
    /// alert about an error too.
    pub fn open(
        &mut self,
        mut came: Vec<u8>,
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        memory::append(&mut self.incoming, &mut came).map_err(out_of_memory)?;
        self.run(Task::Open, plain, out)
    }

    /// Encrypts, after the handshake.
    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        self.run(Task::Seal(plain), &mut Vec::new(), out)
    }

    /// Says that nothing more will be sent.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        // Where the session is broken already there is nothing to say.
        self.run(Task::Close, &mut Vec::new(), out).ok();
    }

    fn run(&mut self, task: Task<'_>, plain: &mut Vec<u8>, out: &mut Vec<u8>) -> Result<(), Error> {
        // rustls is not made for being asked again after an error.
        if self.is_broken {
            return Err(Error::HandshakeNotComplete);
        }
        let result = self.process(task, plain, out);
        if result.is_err() {
            self.is_broken = true;
            self.say_why(out);
        }
        result
    }

    fn process(
        &mut self,
        task: Task<'_>,
        plain: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        loop {
            let UnbufferedStatus { discard, state } =
                self.connection.process_tls_records(&mut self.incoming);
            let mut is_done = false;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        memory::extend(plain, record?.payload).map_err(out_of_memory)?;
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    encode(&mut data, out)?;
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.has_ended = true,
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    is_done = true;
                    let insufficient = |error| match error {
                        EncryptError::InsufficientSize(size) => Err(size.required_size),
                        EncryptError::EncryptExhausted => Ok(None),
                    };
                    match task {
                        Task::Open => {}
                        Task::Seal(plain) => append(out, sealed_length(plain), |room| {
                            traffic.encrypt(plain, room).map(Some).or_else(insufficient)
                        })?,
                        Task::Close => append(out, sealed_length(&[]), |room| {
                            let written = traffic.queue_close_notify(room);
                            written.map(Some).or_else(insufficient)
                        })?,
                    }
                }
                Ok(_) => is_done = true,
                Err(error) => return Err(error),
            }
            self.discard(discard);
            if is_done {
                return Ok(());
            }
        }
    }

    fn discard(&mut self, amount: usize) {
        if amount >= self.incoming.len() {
            // A session that waits for its next request holds no memory for it.
            drop(mem::take(&mut self.incoming));
        } else {
            self.incoming.drain(..amount);
        }
    }

    /// The alert with which the session ends: all that rustls has to send now. It is asked once, and
    /// not shown what else came, which it would read.
    fn say_why(&mut self, out: &mut Vec<u8>) {
        if self.connection.wants_write()
            && let Ok(ConnectionState::EncodeTlsData(mut data)) =
                self.connection.process_tls_records(&mut []).state
        {
            encode(&mut data, out).ok();
        }
    }
}

fn encode(
    data: &mut EncodeTlsData<'_, ClientConnectionData>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    append(out, 0, |room| match data.encode(room) {
        Err(EncodeError::InsufficientSize(size)) => Err(size.required_size),
        written => Ok(written.ok()),
    })
}

/// Enough for the records that a text becomes.
fn sealed_length(plain: &[u8]) -> usize {
    const MAX_RECORD: usize = 16 * 1024;
    const OVERHEAD: usize = 64;
    plain.len() + OVERHEAD * (2 + plain.len() / MAX_RECORD)
}

/// Adds what is written into as much room as is guessed, or else as is asked for.
fn append(
    out: &mut Vec<u8>,
    guess: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<Option<usize>, usize>,
) -> Result<(), Error> {
    let start = out.len();
    let mut room = guess;
    loop {
        fill(out, start.saturating_add(room)).map_err(out_of_memory)?;
        match write(out.get_mut(start..).unwrap_or_default()) {
            Ok(Some(written)) => {
                out.truncate(start.saturating_add(written));
                return Ok(());
            }
            Err(needed) if needed > room => room = needed,
            Ok(None) | Err(_) => {
                out.truncate(start);
                return Err(Error::EncryptError);
            }
        }
    }
}

/// Adds zeros up to a length. A few KB in one go would be filled byte by byte: `rep stosb`, which
/// takes thousands of steps where these pieces take some hundred.
pub fn fill(bytes: &mut Vec<u8>, length: usize) -> Result<(), OutOfMemory> {
    const PIECE: [u8; 1024] = [0; 1024];
    bytes.truncate(length);
    memory::reserve_exact(bytes, length.saturating_sub(bytes.len()))?;
    while let Some(missing @ 1..) = length.checked_sub(bytes.len()) {
        let piece = PIECE.get(..missing).unwrap_or(&PIECE);
        bytes.extend_from_slice(piece);
    }
    Ok(())
}

/// Memory that ran out, among rustls's errors; [`super::Failure`] finds it there.
pub fn out_of_memory(refused: OutOfMemory) -> Error {
    Error::Other(OtherError(Arc::new(io::Error::from(refused))))
}
