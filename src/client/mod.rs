//! One call: attempts under one deadline, and what their answers and failures mean for the caller.
//!
//! - `verdict` decides what comes next, from the facts alone; it is a pure function.
//! - `course` carries that out, and makes facts of what comes of it: for changes and for lists.
//! - `credentials` are what requests prove with who asks.
//! - `exchange` sends one request, which `signed` may sign; `report` puts what became of it into
//!   words, `told` the end of the call.
//! - `question` and `list` are what is asked of the list.
//! - `batch` makes many calls that keep one `pace`; `rate` says what that is.

mod batch;
mod course;
mod credentials;
mod exchange;
mod list;
mod pace;
mod question;
mod rate;
mod report;
mod settings;
mod signed;
mod told;
mod verdict;
mod waits;

use std::sync::atomic::{AtomicBool, Ordering, fence};

use crate::association::{self, Filter, List, Pair, Token};
use crate::error::Error;
use crate::log::Level;
use crate::status::Status;
use crate::transport::{Deadline, Endpoint, Failure, PerProcess, Step, Transport};
use course::Subject;
use credentials::{Caller, Keyring};
use exchange::{Session, Terms};
use report::Report;
use verdict::Aim;

pub use batch::{Batch, Turn};
pub use credentials::{Ask, FromEnvironment, Held, Reason, Source};
pub use settings::{Settings, time};

/// Makes calls, from any number of threads.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    transport: PerProcess<Transport>,
    keyring: Option<Keyring>,
    can_shut_down: bool,
    is_shut_down: AtomicBool,
}

impl Client {
    /// A client with these settings, and those of the environment where they name none.
    pub fn new(settings: Settings, can_shut_down: bool) -> Self {
        let settings = settings.settled();
        Self {
            keyring: settings.credentials().cloned().map(Keyring::new),
            settings,
            transport: PerProcess::new(),
            can_shut_down,
            is_shut_down: AtomicBool::new(false),
        }
    }

    /// Associates the pair's FPGA image with its ECS image.
    pub fn associate(
        &self,
        endpoint: &Endpoint,
        token: Option<Token<'_>>,
        pair: Pair<'_>,
    ) -> Result<(), Error> {
        self.change(endpoint, token, pair, Aim::Associated, self.terms())
    }

    /// Takes the association of the pair away.
    pub fn disassociate(
        &self,
        endpoint: &Endpoint,
        token: Option<Token<'_>>,
        pair: Pair<'_>,
    ) -> Result<(), Error> {
        self.change(endpoint, token, pair, Aim::Apart, self.terms())
    }

    fn change(
        &self,
        endpoint: &Endpoint,
        token: Option<Token<'_>>,
        pair: Pair<'_>,
        aim: Aim,
        terms: Terms<'_>,
    ) -> Result<(), Error> {
        let request = match aim {
            Aim::Apart => association::disassociate(pair),
            _ => association::associate(pair),
        };
        self.call(endpoint, token, request.name, terms, |session| {
            let subject = Subject::Change(pair, aim);
            session.carry_out(subject, &mut |kept, answer_by| {
                session.exchange(&request, kept, answer_by).map(|_| ())
            })
        })
    }

    /// Lists associations.
    pub fn associations(
        &self,
        endpoint: &Endpoint,
        token: Option<Token<'_>>,
        filter: Filter<'_>,
    ) -> Result<List, Error> {
        let terms = self.terms();
        self.call(endpoint, token, "list", terms, |session| {
            session.list(filter)
        })
    }

    /// Ends all calls, those under way and later ones, and closes what is kept.
    pub fn shut_down(&self) {
        self.cancel();
        self.close_idle();
    }

    /// Ends all calls, those under way and later ones. Needs no memory.
    pub fn cancel(&self) {
        // Who sees it may free what this has read until now.
        self.is_shut_down.store(true, Ordering::Release);
        // A call makes the transport and then looks at the flag; here it is the other way round.
        // One of the two sees the other.
        fence(Ordering::SeqCst);
        if let Some(transport) = self.transport.get() {
            transport.cancel();
        }
        if let Some(keyring) = &self.keyring {
            keyring.wake_all();
        }
    }

    /// Closes the connections that no call uses now.
    pub fn close_idle(&self) {
        if let Some(transport) = self.transport.get() {
            transport.close_idle();
        }
    }

    /// Those of a call that stands alone.
    fn terms(&self) -> Terms<'_> {
        Terms {
            time: self.settings.timeout,
            idempotent: self.settings.idempotent,
            paced: None,
            leaves_busy: false,
            is_repeated: false,
        }
    }

    /// Has one call made, and logs how it ended.
    fn call<T>(
        &self,
        endpoint: &Endpoint,
        token: Option<Token<'_>>,
        name: &'static str,
        terms: Terms<'_>,
        call: impl FnOnce(&Session<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let deadline = Deadline::after(terms.time);
        let caller = self.caller(endpoint, token, name)?;
        let report = Report {
            call: name,
            endpoint,
            caller: &caller,
        };
        let result = match self.transport() {
            Ok(transport) => call(&Session {
                settings: &self.settings,
                transport,
                report,
                deadline,
                terms,
            }),
            Err(failure) => Err(report.failure(&failure)),
        };
        let log = &self.settings.log;
        match &result {
            Ok(_) => log.line(Level::LOG_INFO, || format!("{name} at {endpoint}: done")),
            Err(error) => {
                // One of many is not the caller's call.
                let level = match terms.paced {
                    None => Level::LOG_ERROR,
                    Some(_) => Level::LOG_WARNING,
                };
                log.line(level, || error.message.clone());
            }
        }
        result
    }

    fn caller<'a>(
        &'a self,
        endpoint: &Endpoint,
        token: Option<Token<'a>>,
        name: &str,
    ) -> Result<Caller<'a>, Error> {
        Caller::new(token, self.keyring.as_ref()).map_err(|error| {
            if !self.is_shut_down.load(Ordering::Acquire) {
                return error;
            }
            let line = format!("{name}: {endpoint}: the client was shut down");
            Error::new(Status::CANCELLED, &line)
        })
    }

    fn transport(&self) -> Result<&Transport, Failure> {
        let transport = self
            .transport
            .get_or_make(|| Transport::new(self.settings.dial(), self.can_shut_down))?;
        fence(Ordering::SeqCst);
        if self.is_shut_down.load(Ordering::Acquire) {
            return Err(Failure::lasting(
                Status::CANCELLED,
                Step::Connect,
                "the client was shut down",
            ));
        }
        Ok(transport)
    }
}
