//! Associate and disassociate: what became of a request whose outcome is not known is asked of the
//! list.

use super::attempts::Verdict;
use super::exchange::{Attempt, Nature, Session};
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
        let may_be_echo =
            attempt.nature == Nature::Refused && (was_in_doubt || attempt.was_sent_before);
        let has_two_causes = attempt.has_two_causes;
        if !(error.outcome_unknown || may_be_echo || has_two_causes) {
            return Err(match attempt.nature {
                Nature::Passing => Verdict::Again(error),
                _ => Verdict::GiveUp(error),
            });
        }
        match (self.find(pair), wanted) {
            (None, _) => Err(Verdict::GiveUp(Error {
                outcome_unknown: error.outcome_unknown || may_be_echo,
                ..error
            })),
            (Some(true), Wanted::Associated) | (Some(false), Wanted::Apart)
                if error.outcome_unknown || may_be_echo =>
            {
                Ok(())
            }
            (Some(true), Wanted::Associated) => Err(Verdict::GiveUp(Error {
                status: Status::CONFLICT,
                ..explained(error, "the list shows that the two are associated already")
            })),
            (Some(false), Wanted::Associated) if has_two_causes => Err(Verdict::GiveUp(explained(
                error,
                "the list shows that the two are not associated, so the ECS image has its limit of FPGA images",
            ))),
            _ if error.outcome_unknown => Err(Verdict::Again(Error {
                outcome_unknown: false,
                ..explained(error, "the list shows that it was not done")
            })),
            _ => Err(Verdict::GiveUp(error)),
        }
    }

    /// Whether the list has the pair; nothing where it can't tell, or may not be asked.
    fn find(&self, pair: Pair<'_>) -> Option<bool> {
        if !self.settings.confirm || self.deadline.left().is_zero() {
            return None;
        }
        let log = &self.settings.log;
        log.line(Level::Info, || {
            let (call, endpoint) = (self.report.call, self.report.endpoint);
            format!("{call} at {endpoint}: asking the list what became of it")
        });
        match self.list(Filter::of(pair)) {
            Ok(list) => Some(list.has(pair)),
            Err(error) => {
                log.line(Level::Warning, || {
                    format!("the list can't tell: {}", error.message)
                });
                None
            }
        }
    }
}

fn explained(error: Error, words: &str) -> Error {
    let message = format!("{}; {words}", error.message);
    Error {
        message: text::bounded(&message, MAX_MESSAGE),
        ..error
    }
}
