//! A connected TCP socket as ureq's TLS layer and our own connection use it.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::Duration;

use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

use super::Deadline;
use super::patience::{Cancel, Patience};
use super::system::Event;

/// Room for the largest TLS record, so that one `recv` takes it whole.
pub const BUFFER_SIZE: usize = 17 * 1024;

/// A longer time limit than any caller can set.
const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);

/// A socket that does not block; every wait ends at the caller's time limit, whatever signals come.
pub struct Socket {
    stream: TcpStream,
    buffers: LazyBuffers,
    cancel: Option<Cancel>,
}

impl Socket {
    /// Takes a connected socket that does not block.
    pub fn new(stream: TcpStream, cancel: Option<Cancel>) -> Self {
        Self {
            stream,
            buffers: LazyBuffers::new(BUFFER_SIZE, BUFFER_SIZE),
            cancel,
        }
    }

    fn wait(&self, event: Event, deadline: Deadline) -> Result<(), ureq::Error> {
        let patience = Patience {
            deadline,
            cancel: self.cancel.as_ref(),
        };
        Ok(patience.wait(self.stream.as_fd(), event)?)
    }
}

fn deadline_of(timeout: NextTimeout) -> Deadline {
    Deadline::after(if timeout.after.is_not_happening() {
        FOREVER
    } else {
        *timeout.after
    })
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let deadline = deadline_of(timeout);
        let mut sent = 0;
        while sent < amount {
            let rest = self.buffers.output().get(sent..amount).unwrap_or_default();
            match (&self.stream).write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(written) => sent = sent.saturating_add(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait(Event::Writable, deadline)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let deadline = deadline_of(timeout);
        let amount = loop {
            // Waited for first: the answer is hardly ever there already, and the attempt would cost
            // a system call.
            self.wait(Event::Readable, deadline)?;
            match (&self.stream).read(self.buffers.input_append_buf()) {
                Ok(amount) => break amount,
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                    ) => {}
                Err(error) => return Err(error.into()),
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Whether nothing has come since the last answer: neither the end of the connection nor bytes
    /// that nobody asked for.
    fn is_open(&mut self) -> bool {
        let nothing_came = || match self.stream.peek(&mut [0]) {
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
            Ok(_) => false,
        };
        self.buffers.input().is_empty() && nothing_came()
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Socket").field(&self.stream).finish()
    }
}
