//! Many calls of one client for one purpose: they keep one pace, and end by one moment.

use std::time::Duration;

use super::exchange::Terms;
use super::pace::{Leave, NoLeave, Pace};
use super::report::Report;
use super::verdict::Aim;
use super::{Client, Deadline, Endpoint, Error, Filter, Pair, Token};
use crate::association::{Page, Unusable};
use crate::log::Level;
use crate::status::Status;
use crate::transport::{Failure, Step};

const TOO_BUSY: &str = "the service is busy for longer than is left";

/// As good as for ever.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The calls. Any number of threads may make them at once.
#[derive(Debug)]
pub struct Batch<'a> {
    client: &'a Client,
    endpoint: &'a Endpoint,
    token: Option<Token<'a>>,
    pace: Pace,
    deadline: Deadline,
}

/// The turn of one call.
#[derive(Debug)]
pub struct Turn {
    leave: Leave,
    is_repeated: bool,
}

impl<'a> Batch<'a> {
    /// None is made yet.
    pub fn new(
        client: &'a Client,
        endpoint: &'a Endpoint,
        token: Option<Token<'a>>,
        time: Option<Duration>,
    ) -> Self {
        Self {
            client,
            endpoint,
            token,
            pace: Pace::new(),
            deadline: Deadline::after(time.unwrap_or(FOREVER)),
        }
    }

    /// Whether no call can be made any more: the time is over, or the client was shut down.
    pub fn check(&self, name: &'static str) -> Result<(), Error> {
        self.with_report(name, |report| {
            let transport = self.client.transport();
            let checked = transport.and_then(|transport| transport.check(self.deadline));
            checked.map_err(|failure| report.failure(&at_its_turn(failure)))
        })
    }

    /// What is left, where that is less than a call may take.
    pub fn left_for_a_call(&self) -> Option<Duration> {
        let left = self.deadline.left();
        (left < self.client.settings.timeout).then_some(left)
    }

    /// Waits until a call may be made; the time for the call itself begins afterwards. It is repeated where a
    /// request for the same has gone out already.
    pub fn turn(&self, name: &'static str, is_repeated: bool) -> Result<Turn, Error> {
        self.with_report(name, |report| {
            let transport = self.client.transport();
            let transport = transport.map_err(|failure| report.failure(&at_its_turn(failure)))?;
            let leave = self.pace.leave(transport, self.deadline);
            let turn = leave.map(|leave| Turn { leave, is_repeated });
            turn.map_err(|no_leave| match no_leave {
                NoLeave::Failed(failure) => report.failure(&at_its_turn(failure)),
                NoLeave::Busy(time) => Error {
                    retry_after_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
                    ..report.failure(&Failure::new(Status::THROTTLED, Step::Turn, TOO_BUSY))
                },
            })
        })
    }

    /// Tells the client's log.
    pub fn log(&self, level: Level, line: impl FnOnce() -> String) {
        self.client.settings.log.line(level, line);
    }

    /// Waits for a while; not longer than a call may be made.
    pub fn pause(&self, time: Duration, name: &'static str) -> Result<(), Error> {
        self.with_report(name, |report| {
            let transport = self.client.transport();
            let slept =
                transport.and_then(|transport| transport.sleep_until(self.deadline.within(time)));
            slept.map_err(|failure| report.failure(&at_its_turn(failure)))
        })
    }

    /// Associates the pair. That it was associated before is an error.
    pub fn associate(&self, turn: Turn, pair: Pair<'_>) -> Result<(), Error> {
        self.change(turn, pair, Aim::Associated)
    }

    /// Takes the association of the pair away. That it was not associated before is an error.
    pub fn disassociate(&self, turn: Turn, pair: Pair<'_>) -> Result<(), Error> {
        self.change(turn, pair, Aim::Apart)
    }

    fn change(&self, turn: Turn, pair: Pair<'_>, aim: Aim) -> Result<(), Error> {
        let terms = self.terms(&turn);
        let (client, endpoint) = (self.client, self.endpoint);
        client.change(endpoint, self.token, pair, aim, terms)
    }

    /// Has one page of a list read, counted from 1; again where it was not one.
    pub fn page(
        &self,
        turn: Turn,
        filter: Filter<'_>,
        page: u32,
        read: &mut dyn FnMut(&Page<'_>) -> Result<(), Unusable>,
    ) -> Result<(), Error> {
        let terms = self.terms(&turn);
        let client = self.client;
        client.call(self.endpoint, self.token, "list", terms, |session| {
            session.page(filter, page, read)
        })
    }

    fn terms<'b>(&'b self, turn: &'b Turn) -> Terms<'b> {
        Terms {
            time: self.client.settings.timeout.min(self.deadline.left()),
            idempotent: false,
            paced: Some((&self.pace, &turn.leave)),
            leaves_busy: true,
            is_repeated: turn.is_repeated,
        }
    }

    fn with_report<T>(
        &self,
        call: &'static str,
        work: impl FnOnce(Report<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (client, endpoint) = (self.client, self.endpoint);
        let caller = client.caller(endpoint, self.token, call)?;
        work(Report {
            call,
            endpoint,
            caller: &caller,
        })
    }
}

fn at_its_turn(mut failure: Failure) -> Failure {
    failure.step = Step::Turn;
    failure
}
