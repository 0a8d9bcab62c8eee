//! How long to wait, and for whose sake to stop: a deadline, and a client that may be shut down.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Deadline;
use super::system::{self, Event, Watched};

/// Ends all waits of a client, now and later. Clones share it.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<Signal>);

#[derive(Debug)]
struct Signal {
    is_given: AtomicBool,
    seen: UnixStream,
    given: UnixStream,
}

impl Cancel {
    /// Not cancelled. Needs two file descriptors.
    pub fn new() -> io::Result<Self> {
        let (seen, given) = system::signal_pair()?;
        Ok(Self(Arc::new(Signal {
            is_given: AtomicBool::new(false),
            seen,
            given,
        })))
    }

    /// Wakes everyone who waits.
    pub fn cancel(&self) {
        self.0.is_given.store(true, Ordering::Relaxed);
        // The end of the stream is seen for ever after by any number of threads. Fails only where
        // it was given before.
        self.0.given.shutdown(Shutdown::Write).ok();
    }

    fn is_given(&self) -> bool {
        self.0.is_given.load(Ordering::Relaxed)
    }

    fn watched(&self) -> Watched {
        Watched::new(self.0.seen.as_fd(), Event::Readable)
    }
}

/// The limits of a wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'a> {
    /// Until when.
    pub deadline: Deadline,
    /// What else ends it; nothing where nobody can shut the client down.
    pub cancel: Option<&'a Cancel>,
}

/// Why a wait ended without what was waited for.
#[derive(Debug)]
pub enum Interruption {
    /// The deadline passed.
    TimedOut,
    /// The client was shut down.
    Cancelled,
    /// The system refused.
    Failed(io::Error),
}

impl Patience<'_> {
    /// The same until an earlier moment.
    pub fn until(self, deadline: Deadline) -> Self {
        Self { deadline, ..self }
    }

    /// Whether there is no more time, or nobody to wait for.
    pub fn check(self) -> Result<(), Interruption> {
        if self.is_cancelled() {
            Err(Interruption::Cancelled)
        } else if self.deadline.left().is_zero() {
            Err(Interruption::TimedOut)
        } else {
            Ok(())
        }
    }

    /// Waits for one event.
    pub fn wait(self, descriptor: BorrowedFd<'_>, event: Event) -> Result<(), Interruption> {
        let watched = Watched::new(descriptor, event);
        match self.cancel {
            None => settle(system::poll(&mut [watched], self.deadline)),
            Some(cancel) => {
                settle(system::poll(
                    &mut [watched, cancel.watched()],
                    self.deadline,
                ))?;
                self.check_cancel()
            }
        }
    }

    /// Waits for the first of many; afterwards each tells whether it is ready.
    pub fn wait_any(self, watched: &mut Vec<Watched>) -> Result<(), Interruption> {
        watched.extend(self.cancel.map(Cancel::watched));
        let result = system::poll(watched, self.deadline);
        if self.cancel.is_some() {
            watched.pop();
        }
        settle(result)?;
        self.check_cancel()
    }

    /// Waits until the deadline.
    pub fn sleep(self) -> Result<(), Interruption> {
        match self.wait_any(&mut Vec::new()) {
            Err(Interruption::TimedOut) => Ok(()),
            result => result,
        }
    }

    /// Whether the client was shut down.
    pub fn is_cancelled(self) -> bool {
        self.cancel.is_some_and(Cancel::is_given)
    }

    fn check_cancel(self) -> Result<(), Interruption> {
        if self.is_cancelled() {
            Err(Interruption::Cancelled)
        } else {
            Ok(())
        }
    }
}

fn settle(polled: io::Result<bool>) -> Result<(), Interruption> {
    match polled {
        Ok(true) => Ok(()),
        Ok(false) => Err(Interruption::TimedOut),
        Err(error) => Err(Interruption::Failed(error)),
    }
}

impl From<io::Error> for Interruption {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl fmt::Display for Interruption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => formatter.write_str("the deadline passed"),
            Self::Cancelled => formatter.write_str("the client was shut down"),
            Self::Failed(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for Interruption {}

/// Carried through ureq's layers, and found again in their errors.
impl From<Interruption> for ureq::Error {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::Failed(error) => error.into(),
            interruption => Self::Other(Box::new(interruption)),
        }
    }
}
