//! Associate and disassociate: what became of a request whose outcome is not known is asked of the
//! list.

use super::attempts::Verdict;
use super::exchange::{Attempt, Nature, Session};
use super::report::Report;
use crate::association::{self, Filter, Pair};
use crate::error::{Error, MAX_MESSAGE};
use crate::log::Level;
use crate::status::Status;
use crate::text;

/// What the caller wants of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Its images are associated.
    Associated,
    /// They are not.
    Apart,
}

impl Session<'_> {
    /// Sends the request, again where that is safe, until the pair is as wanted.
    pub fn change(
        &self,
        request: &association::Request,
        pair: Pair<'_>,
        wanted: Wanted,
    ) -> Result<(), Error> {
        // Whether the service may have acted on an earlier attempt after the list was asked.
        let mut was_in_doubt = false;
        let send = || self.exchange(request).map(|_| ());
        self.repeat(send, |attempt| {
            let verdict = self.settle(&attempt, pair, wanted, was_in_doubt);
            was_in_doubt |= attempt.error.outcome_unknown || attempt.was_sent_before;
            verdict
        })
    }

    /// What an attempt that failed means, by the list where only that can tell.
    fn settle(
        &self,
        attempt: &Attempt,
        pair: Pair<'_>,
        wanted: Wanted,
        was_in_doubt: bool,
    ) -> Result<(), Verdict> {
        let error = attempt.error.clone();
        // A refusal can be the echo of this call's own success: "relation already exist", "doesn't
        // exist".
        let may_be_echo = attempt.nature == Nature::Refused && was_in_doubt;
        let is_in_doubt = error.outcome_unknown || attempt.was_sent_before || may_be_echo;
        let has_two_causes = attempt.has_two_causes;
        if !is_in_doubt && !has_two_causes {
            return Err(match attempt.nature {
                Nature::Passing => Verdict::Again(error),
                _ => Verdict::GiveUp(error),
            });
        }
        if error.status == Status::CANCELLED {
            return Err(Verdict::GiveUp(error));
        }
        let is_associated = match self.find(pair) {
            Ok(is_associated) => is_associated,
            Err(cancelled) => return Err(Verdict::GiveUp(cancelled)),
        };
        match (is_associated, wanted) {
            // A kept connection that closed without a byte of an answer counts as one on which
            // nothing was done, where nothing speaks against it.
            (None, _) if attempt.nature == Nature::Passing => Err(Verdict::Again(error)),
            (None, _) => Err(Verdict::GiveUp(Error {
                outcome_unknown: is_in_doubt,
                ..error
            })),
            (Some(true), Wanted::Associated) | (Some(false), Wanted::Apart) if is_in_doubt => {
                Ok(())
            }
            (Some(true), Wanted::Associated) => Err(Verdict::GiveUp(Error {
                status: Status::CONFLICT,
                ..explained(error, "the list shows that the two are associated already")
            })),
            (Some(false), Wanted::Associated) if has_two_causes => {
                let words = "the list shows that the two are not associated, so the ECS image has \
                             its limit of FPGA images";
                Err(Verdict::GiveUp(Error {
                    status: Status::REJECTED,
                    ..explained(error, words)
                }))
            }
            _ => {
                let error = Error {
                    outcome_unknown: false,
                    ..explained(error, "the list shows that it was not done")
                };
                Err(match attempt.nature {
                    Nature::Passing | Nature::Doubtful => Verdict::Again(error),
                    // What can't be read now may be read another time; it was not done.
                    Nature::Final if attempt.error.status == Status::BAD_RESPONSE => {
                        Verdict::Again(error)
                    }
                    Nature::Refused | Nature::Final => Verdict::GiveUp(error),
                })
            }
        }
    }

    /// Whether the list has the pair; nothing where it can't tell, or may not be asked. The error
    /// is that of a client that was shut down meanwhile.
    fn find(&self, pair: Pair<'_>) -> Result<Option<bool>, Error> {
        if !self.settings.confirm || self.deadline.left().is_zero() {
            return Ok(None);
        }
        let asking = Session {
            report: Report {
                call: "list",
                ..self.report
            },
            ..*self
        };
        let log = &self.settings.log;
        log.line(Level::Info, || {
            let (call, endpoint) = (self.report.call, self.report.endpoint);
            format!("{call} at {endpoint}: asking the list what became of it")
        });
        match asking.list(Filter::of(pair)) {
            Ok(list) => Ok(list.tells_of(pair)),
            Err(error) if error.status == Status::CANCELLED => Err(Error {
                outcome_unknown: true,
                ..error
            }),
            Err(error) => {
                log.line(Level::Warning, || {
                    format!("the list can't tell: {}", error.message)
                });
                Ok(None)
            }
        }
    }
}

fn explained(error: Error, words: &str) -> Error {
    let room = MAX_MESSAGE.saturating_sub(words.len() + 2);
    Error {
        message: format!("{}; {words}", text::bounded(&error.message, room)),
        ..error
    }
}
