//! How long to wait, and for whose sake to stop: a deadline, and a client that may be shut down.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Deadline;
use super::system::{self, Giver, Signal, Watched};
use crate::memory::{self, OutOfMemory};

/// Ends all waits of a client, now and later. Clones share it.
#[derive(Clone, Debug)]
pub struct Cancel(Arc<Given>);

#[derive(Debug)]
struct Given {
    is_given: AtomicBool,
    signal: Signal,
    giver: Giver,
}

impl Cancel {
    /// Not cancelled. Needs two file descriptors.
    pub fn new() -> io::Result<Self> {
        let (signal, giver) = system::signal()?;
        Ok(Self(Arc::new(Given {
            is_given: AtomicBool::new(false),
            signal,
            giver,
        })))
    }

    /// Wakes everyone who waits.
    pub fn cancel(&self) {
        // Who sees it may free the client from which this was called.
        self.0.is_given.store(true, Ordering::Release);
        self.0.giver.give();
    }

    /// Whether it was cancelled.
    pub fn is_given(&self) -> bool {
        self.0.is_given.load(Ordering::Acquire)
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

    /// Whether there is no more time, no memory, or nobody to wait for.
    pub fn check(self) -> Result<(), Interruption> {
        self.check_call()?;
        if self.deadline.left().is_zero() {
            return Err(Interruption::TimedOut);
        }
        Ok(())
    }

    /// Waits for one thing, which afterwards tells what came.
    pub fn wait<'a>(self, watched: &mut Watched<'a>) -> Result<(), Interruption>
    where
        Self: 'a,
    {
        let Some(cancel) = self.cancel else {
            return self.poll(std::slice::from_mut(watched));
        };
        let mut both = [watched.clone(), cancel.0.signal.watched()];
        let result = self.poll(&mut both);
        let [polled, _] = both;
        *watched = polled;
        result
    }

    /// Waits for the first of many; afterwards each tells whether it is ready.
    pub fn wait_any<'a>(self, watched: &mut Vec<Watched<'a>>) -> Result<(), Interruption>
    where
        Self: 'a,
    {
        watched.extend(self.cancel.map(|cancel| cancel.0.signal.watched()));
        let result = self.poll(watched);
        if self.cancel.is_some() {
            watched.pop();
        }
        result
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

    /// Whether there is no memory, or nobody to wait for.
    pub fn check_call(self) -> Result<(), Interruption> {
        memory::check()?;
        self.check_cancel()
    }

    fn check_cancel(self) -> Result<(), Interruption> {
        if self.is_cancelled() {
            Err(Interruption::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Signals do not end it: what interrupts the host's threads is not this library's business.
    fn poll(self, watched: &mut [Watched<'_>]) -> Result<(), Interruption> {
        memory::check()?;
        loop {
            let left = self.deadline.left();
            if left.is_zero() {
                return Err(Interruption::TimedOut);
            }
            match system::wait(watched, left) {
                Ok(true) => return self.check_cancel(),
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Interruption::Failed(error)),
            }
        }
    }
}

impl From<io::Error> for Interruption {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<OutOfMemory> for Interruption {
    fn from(refused: OutOfMemory) -> Self {
        Self::Failed(refused.into())
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
