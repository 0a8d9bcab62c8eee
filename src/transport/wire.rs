//! The two directions of a connection, with room for what is on its way.

use ureq::unversioned::transport::{Buffers, Transport};

use super::Deadline;

/// A transport, what is to go out on it, and what has come in.
///
/// ureq writes a request in two parts; they are held until an answer is waited for, and go out as
/// one.
#[derive(Default)]
pub struct Wire {
    /// Nothing only where the wire was taken away.
    transport: Option<Box<dyn Transport>>,
    output: Vec<u8>,
    held: usize,
    input: Vec<u8>,
    consumed: usize,
    /// Whether the reader made use of the input that it saw last; where not, it needs more.
    was_useful: bool,
    progress: Progress,
}

/// How far the current request has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// A byte of the request may have gone out.
    pub sent: bool,
    /// A byte of an answer has come.
    pub received: bool,
}

impl Wire {
    /// A wire with nothing on it.
    pub fn new(transport: Box<dyn Transport>) -> Self {
        Self {
            transport: Some(transport),
            ..Self::default()
        }
    }

    /// Begins a request of at most this many bytes.
    pub fn make_room(&mut self, room: usize) {
        self.progress = Progress::default();
        self.held = 0;
        if self.output.len() < room {
            self.output.resize(room, 0);
        }
    }

    /// How far the current request has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Whether it is encrypted.
    pub fn is_tls(&self) -> bool {
        self.transport
            .as_ref()
            .is_some_and(|transport| transport.is_tls())
    }

    /// Whether nothing has come on it that nobody asked for, not even its end.
    pub fn is_silent(&mut self) -> bool {
        let transport = self.transport.as_mut();
        self.input.is_empty() && transport.is_some_and(|transport| transport.is_open())
    }

    /// Keeps the first bytes of the output for later.
    pub fn hold(&mut self, amount: usize) {
        self.held = self.held.saturating_add(amount);
    }

    /// Sends what is held.
    pub fn send_held(&mut self, deadline: Deadline) -> Result<(), ureq::Error> {
        let transport = reach(&mut self.transport)?;
        let mut rest = self.output.get(..self.held).unwrap_or_default();
        while !rest.is_empty() {
            self.progress.sent = true;
            let output = transport.buffers().output();
            let (now, later) = rest.split_at(rest.len().min(output.len()));
            if let Some(output) = output.get_mut(..now.len()) {
                output.copy_from_slice(now);
            }
            transport.transmit_output(now.len(), deadline.into())?;
            rest = later;
        }
        self.held = 0;
        Ok(())
    }

    /// Waits for input; whether any came.
    pub fn receive(&mut self, deadline: Deadline) -> Result<bool, ureq::Error> {
        let transport = reach(&mut self.transport)?;
        if !transport.maybe_await_input(deadline.into())? {
            return Ok(false);
        }
        let came = transport.buffers().input();
        let amount = came.len();
        self.input.extend_from_slice(came);
        transport.buffers().input_consume(amount);
        self.progress.received |= amount > 0;
        Ok(amount > 0)
    }
}

fn reach(
    transport: &mut Option<Box<dyn Transport>>,
) -> Result<&mut Box<dyn Transport>, ureq::Error> {
    transport.as_mut().ok_or(ureq::Error::ConnectionFailed)
}

impl Buffers for Wire {
    fn output(&mut self) -> &mut [u8] {
        self.output.get_mut(self.held..).unwrap_or_default()
    }

    fn input(&self) -> &[u8] {
        self.input.get(self.consumed..).unwrap_or_default()
    }

    /// Input is appended by [`Wire::receive`] alone.
    fn input_append_buf(&mut self) -> &mut [u8] {
        &mut []
    }

    fn input_appended(&mut self, _: usize) {}

    fn input_consume(&mut self, amount: usize) {
        self.was_useful = amount > 0;
        self.consumed = self.consumed.saturating_add(amount);
        if self.consumed >= self.input.len() {
            self.input.clear();
            self.consumed = 0;
        }
    }

    /// Only requests of unknown length need a second buffer.
    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        (&mut [], self.output())
    }

    fn can_use_input(&self) -> bool {
        self.was_useful && !self.input().is_empty()
    }
}
