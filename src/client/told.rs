//! What the caller of a call that failed is told: the status, and one line of words.

use super::verdict::{Aim, Cause, Ending, Shown};
use crate::error::{Error, Observed};
use crate::status::Status;

/// What is known when a call ends.
pub struct Known<'a> {
    /// What became of the latest request, or of the wait after it.
    pub latest: Option<&'a Error>,
    /// What became of the latest request that is in doubt.
    pub doubt: Option<&'a Error>,
    /// What the list has shown since the latest request.
    pub shown: Shown,
    /// What it showed last.
    pub observed: Observed,
}

/// The error of a call for this aim that ends so.
pub fn told(known: &Known<'_>, ending: Ending, aim: Aim) -> Error {
    let error = match (known.doubt, known.latest) {
        // These statuses say that nothing was sent, which is true of the latest request alone.
        (Some(doubt), Some(latest)) if says_unsent(latest.status) => {
            doubt.clone().explained(&latest.message)
        }
        (_, Some(latest)) => latest.clone(),
        (_, None) => Error::new(Status::INTERNAL, "a call failed without a reason"),
    };
    let words = match (ending.cause, known.shown, known.observed) {
        (Cause::LimitReached, ..) => {
            "the list shows that the ECS image has its limit of other FPGA images"
        }
        (_, Shown::Nothing | Shown::Unclear | Shown::Refused, _) => "",
        (_, _, Observed::OBSERVED_ASSOCIATED) => "the list shows that the two are associated",
        (_, _, Observed::OBSERVED_APART) => "the list shows that the two are not associated",
        (_, _, Observed::OBSERVED_NOTHING) => "",
    };
    Error {
        status: match ending.cause {
            Cause::Latest => error.status,
            Cause::Pending => Status::PENDING,
            Cause::LimitReached => Status::LIMIT_REACHED,
            Cause::AlreadyAsWanted if aim == Aim::Apart => Status::NOT_ASSOCIATED,
            Cause::AlreadyAsWanted => Status::ALREADY_ASSOCIATED,
        },
        outcome_unknown: ending.outcome_unknown,
        observed: known.observed,
        ..error.explained(words)
    }
}

fn says_unsent(status: Status) -> bool {
    matches!(
        status,
        Status::RESOLVE_FAILED
            | Status::CONNECT_FAILED
            | Status::PROXY_FAILED
            | Status::TLS_FAILED
            | Status::CREDENTIALS_FAILED
    )
}
