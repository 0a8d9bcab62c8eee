//! What must be true of each call, by what the gateway saw of it.

use std::ops::Range;

use fpga_associate::status::Status;

use super::super::faults::journal::Said;
use super::super::plans::{AS_WANTED, CHANGED, FAILED, OPEN, TO_CHANGE};
use super::book::{Event, Request};
use super::host::CHILDREN;
use super::line::{Call, Change, Planned};

/// The slot of the clients whose credentials expire, as `programs/soak.c` has it.
const GRANTED: usize = 3;

const ATTEMPTS: u32 = 3;

/// In nanoseconds. A change waits longer for an answer before it asks the list.
const LEAST_OF_TIMEOUT: u64 = 2_000_000_000;

/// After which a client with other credentials sends a request again, and a plan a pair.
pub const HTTP_UNAUTHORIZED: u16 = 401;
const HTTP_CONFLICT: u16 = 409;

/// What `fpga_assoc_error_observed` says.
const OBSERVED_ASSOCIATED: i32 = 1;
const OBSERVED_APART: i32 = 2;

/// Nothing that the host or the gateway does leads to these.
const NEVER: [Status; 6] = [
    Status::INVALID_ARGUMENT,
    Status::RESOLVE_FAILED,
    Status::PROXY_FAILED,
    Status::OUT_OF_MEMORY,
    Status::LIMIT_REACHED,
    Status::INTERNAL,
];

/// What is known of one pair in a call.
pub struct Facts<'a> {
    pub call: &'a Call,
    pub change: &'a Change,
    /// Of this pair.
    pub status: i32,
    /// What the service knew when the call had ended.
    pub is_associated: bool,
    /// What came for the pair meanwhile.
    pub events: &'a [Event],
    pub is_of_plan: bool,
    /// When the gateway started anew, with all connections closed.
    pub restarts: &'a [Range<u64>],
}

type Rule = (&'static str, fn(&Facts) -> bool);
/// With whether the plan was applied.
type RuleOfResults = (&'static str, fn(&Facts, &Planned, bool) -> bool);

/// What is broken where it is true.
const RULES: &[Rule] = &[
    ("done, and it is not as wanted", |facts| {
        facts.is(Status::OK) && !facts.is_as_wanted()
    }),
    ("as wanted already, and it is not", |facts| {
        facts.says_already() && (!facts.is_as_wanted() || facts.change.is_unknown)
    }),
    (
        "as wanted already, which is for the other change",
        |facts| {
            let other = if facts.change.wanted {
                Status::NOT_ASSOCIATED
            } else {
                Status::ALREADY_ASSOCIATED
            };
            facts.is(other)
        },
    ),
    (
        "failed with a known outcome, and the service acted",
        |facts| {
            let is_known = !facts.is(Status::OK) && !facts.change.is_unknown;
            is_known && facts.events.iter().any(|event| event.acted().is_some())
        },
    ),
    ("seen as wanted, and in doubt", |facts| {
        let as_wanted = if facts.change.wanted {
            OBSERVED_ASSOCIATED
        } else {
            OBSERVED_APART
        };
        facts.change.is_unknown && facts.change.observed == as_wanted
    }),
    ("sent again without leave", |facts| facts.is_sent_again()),
    ("more attempts than it has", |facts| {
        facts.change.attempts > ATTEMPTS
            // A kept connection that is replaced, and credentials that are, are not counted.
            || !facts.is_of_plan && facts.changes().count() > ATTEMPTS as usize + 2
    }),
    ("cancelled without a shutdown", |facts| {
        facts.is(Status::CANCELLED) && facts.call.shut == 0
    }),
    ("not cancelled though it was shut down before", |facts| {
        facts.was_shut() && (facts.change.is_unknown || !facts.is(Status::CANCELLED))
    }),
    ("sent though it was shut down before", |facts| {
        facts.was_shut() && !facts.events.is_empty()
    }),
    ("timed out early", |facts| {
        facts.is(Status::TIMEOUT) && facts.call.ended - facts.call.begun < LEAST_OF_TIMEOUT
    }),
    ("a status to which nothing leads", |facts| {
        NEVER.iter().any(|status| facts.is(*status))
    }),
    ("failed though nothing went wrong", |facts| {
        !facts.is_echo() && facts.must_be().is_some_and(|expected| !facts.is(expected))
    }),
];

/// What a plan's result for a pair must fit beside.
const RULES_OF_RESULTS: &[RuleOfResults] = &[
    ("open, and it may have been done", |facts, planned, _| {
        planned.result == OPEN && !facts.changes().all(is_refused)
    }),
    ("compared, and it was sent", |facts, _, is_applied| {
        !is_applied && facts.changes().next().is_some()
    }),
    ("as wanted, and it is not", |facts, planned, _| {
        [AS_WANTED, CHANGED].contains(&planned.result) && !facts.is_as_wanted()
    }),
    ("to be changed, and it is as wanted", |facts, planned, _| {
        planned.result == TO_CHANGE && facts.is_as_wanted()
    }),
    (
        "a result of the other function",
        |_, planned, is_applied| planned.result == if is_applied { TO_CHANGE } else { CHANGED },
    ),
    (
        "failed without an error, or an error without",
        |_, planned, _| (planned.result == FAILED) != (planned.status != 0),
    ),
];

/// The rules that a change breaks.
pub fn broken(facts: &Facts<'_>) -> impl Iterator<Item = &'static str> {
    let is_broken = |(_, is_broken): &&Rule| is_broken(facts);
    RULES.iter().filter(is_broken).map(|(name, _)| *name)
}

/// The rules that the result for a pair breaks.
pub fn broken_of_result(
    facts: &Facts<'_>,
    planned: &Planned,
    is_applied: bool,
) -> Vec<&'static str> {
    let of_results = RULES_OF_RESULTS
        .iter()
        .filter(|(_, is_broken)| is_broken(facts, planned, is_applied))
        .map(|(name, _)| *name);
    // Those of changes are for errors.
    let of_changes = broken(facts).filter(|_| planned.result == FAILED);
    of_results.chain(of_changes).collect()
}

impl Facts<'_> {
    fn is(&self, status: Status) -> bool {
        self.status == status.number()
    }

    fn says_already(&self) -> bool {
        self.is(Status::ALREADY_ASSOCIATED) || self.is(Status::NOT_ASSOCIATED)
    }

    fn is_as_wanted(&self) -> bool {
        self.is_associated == self.change.wanted
    }

    /// A child of fork has its parent's client as it was.
    fn was_shut(&self) -> bool {
        self.call.shut == 2 && self.call.owner != CHILDREN
    }

    fn changes(&self) -> impl Iterator<Item = &Event> {
        let is_change = |event: &&Event| matches!(event.request, Request::Change { .. });
        self.events.iter().filter(is_change)
    }

    /// Whether a change that may have been done was sent again before the list had shown that it was not.
    fn is_sent_again(&self) -> bool {
        let mut may_send = true;
        for event in self.events {
            match event.request {
                Request::List { shown } => may_send |= shown == Some(!self.change.wanted),
                Request::Change { .. } if !may_send => return true,
                Request::Change {
                    said,
                    http_status,
                    is_unanswered_on_kept,
                    is_closed,
                    ..
                } => {
                    let is_closed = is_closed || self.was_restarted_after(event.at);
                    may_send =
                        is_unanswered_on_kept && is_closed || self.may_follow(said, http_status);
                }
            }
        }
        false
    }

    fn was_restarted_after(&self, at: u64) -> bool {
        let overlaps = |restart: &Range<u64>| restart.start < self.call.ended && at < restart.end;
        self.restarts.iter().any(overlaps)
    }

    fn may_follow(&self, said: Said, http_status: u16) -> bool {
        match said {
            Said::Busy | Said::GaveUp => true,
            Said::Refused => {
                http_status == HTTP_UNAUTHORIZED && self.call.slot == GRANTED
                    || http_status == HTTP_CONFLICT && self.is_of_plan
            }
            _ => false,
        }
    }

    /// Whether it found its own success: a request that the gateway did not read broke on a kept connection, and the
    /// refusal of the next may be the echo of it.
    pub fn is_echo(&self) -> bool {
        self.is(Status::OK)
            && self
                .must_be()
                .is_some_and(|expected| expected != Status::OK)
    }

    /// The status that it must have where each request of it went well.
    fn must_be(&self) -> Option<Status> {
        let is_well = self.events.iter().all(|event| event.is_clean);
        let first = self.events.first()?;
        let is_change = matches!(first.request, Request::Change { .. });
        let is_timeout =
            self.is(Status::TIMEOUT) && self.call.ended - self.call.begun >= LEAST_OF_TIMEOUT;
        if !is_well || !is_change || self.call.shut != 0 || is_timeout {
            return None;
        }
        let last = self.changes().last()?;
        let Request::Change { said, .. } = last.request else {
            return None;
        };
        let is_shown = |event: &Event| matches!(event.request, Request::List { shown } if shown == Some(self.change.wanted));
        match said {
            Said::Done => Some(Status::OK),
            Said::Already if self.changes().count() == 1 && self.events.iter().any(is_shown) => {
                Some(if self.change.wanted {
                    Status::ALREADY_ASSOCIATED
                } else {
                    Status::NOT_ASSOCIATED
                })
            }
            _ => None,
        }
    }
}

/// Whether a change was not done, and will not be.
fn is_refused(event: &Event) -> bool {
    matches!(
        event.request,
        Request::Change {
            acted: false,
            said: Said::Busy | Said::GaveUp | Said::Refused,
            ..
        }
    )
}
