//! The list call: all pages, one after the other.

use super::attempts::Verdict;
use super::exchange::{Attempt, Nature, Session};
use crate::association::{self, Brought, Filter, LAST_PAGE, List, PAGE_SIZE};
use crate::error::Error;

impl Session<'_> {
    /// Fetches pages until one brings fewer pairs than asked, or none that is new.
    pub fn list(&self, filter: Filter<'_>) -> Result<List, Error> {
        let mut list = List::default();
        for page in 1..=LAST_PAGE {
            let request = association::list(filter, page);
            let fetch = || {
                let answer = self.exchange(&request)?;
                list.add_page(&answer.body).map_err(|reason| {
                    self.unusable(
                        &answer,
                        &format!("with a list that can't be read: {reason}"),
                    )
                })
            };
            let Brought { pairs, new } = self.repeat(fetch, |attempt| Err(judge(attempt)))?;
            if !filter.is_paged() || pairs < PAGE_SIZE || new == 0 {
                break;
            }
        }
        Ok(list)
    }
}

/// Nothing is changed by a list, so that it is never unknown what was, and almost everything may be
/// tried again.
fn judge(attempt: Attempt) -> Verdict {
    let error = Error {
        outcome_unknown: false,
        ..attempt.error
    };
    match attempt.nature {
        Nature::Passing | Nature::Doubtful => Verdict::Again(error),
        Nature::Refused | Nature::Final => Verdict::GiveUp(error),
    }
}
