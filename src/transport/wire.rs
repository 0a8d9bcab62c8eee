//! The stream of a connection, and what is known of the request that is on it.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::patience::{Cancel, Patience};
use super::session::fill;
use super::stream::{Broken, KEPT_ROOM, Sent, Stream};
use super::{Deadline, Failure, Step, words};
use crate::memory::OutOfMemory;
use crate::status::Status;

/// The most of an answer that is not body, in bytes: its head, interim answers, and what frames the
/// body; more only where the body itself is as long.
const MAX_ASIDE: usize = 256 * 1024;

/// A body in parts of one byte each has five bytes around each.
const MOST_AROUND_A_BYTE: usize = 6;

/// A stream, and how far the request on it has come.
pub struct Wire {
    stream: Stream,
    cancel: Option<Cancel>,
    deadline: Deadline,
    room: usize,
    /// The room of an earlier request, wiped.
    spare: Vec<u8>,
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
    /// A wire with nothing on it.
    pub fn new(stream: Stream, cancel: Option<Cancel>) -> Self {
        Self {
            stream,
            cancel,
            deadline: Deadline::after(Duration::ZERO),
            room: 0,
            spare: Vec::new(),
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

    /// Begins a request of at most this many bytes.
    pub fn begin(&mut self, deadline: Deadline, room: usize, was_used: bool) {
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

    /// Whether the client was shut down.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_given)
    }

    /// Sends the request, if there is one to send, and waits for more of its answer; `false` at the
    /// end of the connection.
    ///
    /// Where the server speaks before it has the whole request, the rest is sent while only interim
    /// answers have come: they may be what it waits for to read on.
    pub fn fetch(
        &mut self,
        request: Vec<u8>,
        has_head: bool,
        input: &mut Vec<u8>,
    ) -> Result<bool, Failure> {
        let patience = Patience {
            deadline: self.deadline,
            cancel: self.cancel.as_ref(),
        };
        let before = input.len();
        let mut is_answered = false;
        if !request.is_empty() {
            // Where the client was shut down meanwhile, or memory ran out, nothing goes out.
            let queued = patience.check_call().map_err(Broken::from);
            queued
                .and_then(|()| self.stream.queue(request))
                .and_then(|used| {
                    self.spare = wiped(used);
                    Ok(patience.check_call()?)
                })
                .map_err(|broken| Failure::broken(Step::Send, &broken))?;
        }
        if !has_head && self.stream.has_unsent() {
            let sent = self.stream.send(input, patience);
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

    /// Room for the request, filled with zeros.
    pub fn take_room(&mut self) -> Result<Vec<u8>, OutOfMemory> {
        let mut room = mem::take(&mut self.spare);
        fill(&mut room, self.room)?;
        Ok(room)
    }

    /// Whether a byte of the request may have reached somebody who looked at it.
    pub fn has_sent(&self) -> bool {
        self.has_sent && !self.was_not_looked_at
    }

    /// Whether a byte of an answer has come, encrypted or not.
    pub fn has_received(&self) -> bool {
        self.has_received || self.stream.holds_a_part()
    }

    /// Whether the other side said something before it was asked.
    pub fn spoke_first(&self) -> bool {
        self.stream.spoke_first()
    }

    /// Notes that so much of what came was body.
    pub fn count_body(&mut self, amount: usize) {
        self.body = self.body.saturating_add(amount);
    }

    /// Notes that an answer was read to its end, and both sides keep the connection.
    pub fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Notes why it broke.
    pub fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
    }

    /// Why it broke, once.
    pub fn take_failure(&mut self) -> Option<Failure> {
        self.failure.take()
    }

    /// Gives back what only a request needs.
    pub fn rest(&mut self) {
        self.stream.rest();
    }

    /// Whether another request may go out: the last answer was read to its end, and nothing came
    /// behind it.
    pub fn is_reusable(&self) -> bool {
        self.is_finished && self.stream.has_nothing_left()
    }

    /// Whether nothing has come since, not even the end.
    pub fn is_silent(&self) -> bool {
        self.stream.is_silent()
    }

    fn lost(&mut self, broken: &Broken) -> Failure {
        if let Broken::Tls(rustls::Error::AlertReceived(alert)) = broken
            && self.is_first
            && !self.has_received
            && self.stream.was_broken_by_tls_1_3()
            && words::is_about_client(*alert)
        {
            self.was_not_looked_at = true;
            return Failure::broken(Step::Tls, broken);
        }
        Failure::broken(Step::Receive, broken)
    }
}

/// What was in a request is kept by nobody.
fn wiped(mut used: Vec<u8>) -> Vec<u8> {
    if used.capacity() > KEPT_ROOM {
        return Vec::new();
    }
    // In pieces, as in `session::fill`.
    for piece in used.chunks_mut(1024) {
        piece.fill(0);
    }
    used
}

/// The wire; what a panic left half done is thrown away with the connection.
pub fn lock(wire: &Mutex<Wire>) -> MutexGuard<'_, Wire> {
    wire.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer that is longer than anybody means it.
pub fn over_the_limit(what: &str) -> Failure {
    let reason = format!("the answer is over the limit: {what}");
    Failure::lasting(Status::BAD_RESPONSE, Step::Receive, reason)
}

/// An answer that is none.
pub fn not_http(reason: &str) -> Failure {
    let reason = format!("not HTTP: {reason}");
    Failure::lasting(Status::BAD_RESPONSE, Step::Receive, reason)
}
