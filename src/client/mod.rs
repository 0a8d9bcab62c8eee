//! One call: attempts under one deadline, and what their answers and failures mean for the caller.

mod attempts;
mod report;
mod settings;

use std::sync::atomic::{AtomicBool, Ordering, fence};

use crate::association::{self, Method, Pair, Token};
use crate::error::Error;
use crate::log::Level;
use crate::status::Status;
use crate::transport::{Deadline, Endpoint, Failure, PerProcess, Request, Step, Transport};
use attempts::Attempt;
use report::Report;

pub use settings::Settings;

/// Makes calls, from any number of threads.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    transport: PerProcess<Transport>,
    can_shut_down: bool,
    is_shut_down: AtomicBool,
}

impl Client {
    /// A client with these settings, and those of the environment where they name none.
    pub fn new(settings: Settings, can_shut_down: bool) -> Self {
        Self {
            settings: settings.settled(),
            transport: PerProcess::new(),
            can_shut_down,
            is_shut_down: AtomicBool::new(false),
        }
    }

    /// Associates the pair's FPGA image with its ECS image.
    pub fn associate(
        &self,
        endpoint: &Endpoint,
        token: Token<'_>,
        pair: Pair<'_>,
    ) -> Result<(), Error> {
        self.call(endpoint, token, &association::associate(pair))
    }

    /// Ends all calls, those under way and later ones.
    pub fn shut_down(&self) {
        self.is_shut_down.store(true, Ordering::Relaxed);
        // A call makes the transport and then looks at the flag; here it is the other way round. One of the two sees the other.
        fence(Ordering::SeqCst);
        if let Some(transport) = self.transport.get() {
            transport.shut_down();
        }
    }

    fn call(
        &self,
        endpoint: &Endpoint,
        token: Token<'_>,
        call: &association::Request,
    ) -> Result<(), Error> {
        let report = Report {
            call: call.name,
            endpoint,
            token,
        };
        let result = self.attempt_all(&report, call);
        let log = &self.settings.log;
        match &result {
            Ok(()) => log.line(Level::Info, || format!("{} at {endpoint}: done", call.name)),
            Err(error) => log.line(Level::Error, || error.message.clone()),
        }
        result
    }

    fn attempt_all(&self, report: &Report<'_>, call: &association::Request) -> Result<(), Error> {
        let deadline = Deadline::after(self.settings.timeout);
        let most = self.settings.max_attempts;
        let transport = self
            .transport()
            .map_err(|failure| report.failure(&failure))?;
        let mut number = 1;
        loop {
            self.settings.log.line(Level::Debug, || {
                let Report { call, endpoint, .. } = report;
                format!("{call} at {endpoint}: attempt {number} of {most}")
            });
            let failed = match self.attempt(transport, report, call, deadline) {
                Ok(()) => return Ok(()),
                Err(failed) => failed,
            };
            let Some(wait) = attempts::next(&failed, number, most, deadline) else {
                return Err(numbered(failed.error, number));
            };
            self.settings.log.line(Level::Warning, || {
                format!("{}; again in {} ms", failed.error.message, wait.as_millis())
            });
            transport
                .sleep_until(Deadline::after(wait))
                .map_err(|failure| numbered(report.failure(&failure), number))?;
            number += 1;
        }
    }

    fn attempt(
        &self,
        transport: &Transport,
        report: &Report<'_>,
        call: &association::Request,
        deadline: Deadline,
    ) -> Result<(), Attempt> {
        let request = Request {
            method: match call.method {
                Method::Post => "POST",
            },
            path: &call.path,
            headers: &[
                ("user-agent", &self.settings.user_agent),
                ("accept", "application/json"),
                ("content-type", "application/json"),
                ("x-auth-token", report.token.value()),
            ],
            body: call.body.as_bytes(),
        };
        let answer = transport
            .exchange(report.endpoint, request, deadline)
            .map_err(|failure| Attempt {
                may_repeat: may_repeat(&failure),
                error: report.failure(&failure),
            })?;
        if let Err(refusal) = association::outcome(answer.http_status, &answer.body) {
            return Err(Attempt {
                may_repeat: refusal.did_nothing,
                error: report.refusal(&answer, &refusal),
            });
        }
        if !answer.is_complete {
            return Err(Attempt {
                may_repeat: false,
                error: report.endless_success(&answer),
            });
        }
        Ok(())
    }

    fn transport(&self) -> Result<&Transport, Failure> {
        let transport = self
            .transport
            .get_or_make(|| Transport::new(self.settings.dial(), self.can_shut_down))?;
        fence(Ordering::SeqCst);
        if self.is_shut_down.load(Ordering::Relaxed) {
            return Err(Failure::new(
                Status::CANCELLED,
                Step::Connect,
                "the client was shut down",
            ));
        }
        Ok(transport)
    }
}

fn numbered(error: Error, attempts: u32) -> Error {
    Error { attempts, ..error }
}

/// A failure before anything was sent did nothing; it may pass where it is the network's, and stays where it is a certificate's.
fn may_repeat(failure: &Failure) -> bool {
    let is_networks = matches!(failure.step, Step::Resolve | Step::Connect);
    !failure.sent && (is_networks || failure.status == Status::TIMEOUT)
}
