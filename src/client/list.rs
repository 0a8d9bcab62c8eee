//! The list call: all pages, one after the other.

use super::attempts::Verdict;
use super::exchange::{Attempt, Nature, Session};
use crate::association::{self, Brought, Filter, LAST_PAGE, List, PAGE_SIZE};
use crate::error::Error;
use crate::transport::Answer;

/// The most of all pages together, in bytes: about 200,000 pairs.
const MAX_LIST: usize = 64 * 1024 * 1024;

impl Session<'_> {
    /// Fetches pages until one brings fewer pairs than asked, or none that is new.
    pub fn list(&self, filter: Filter<'_>) -> Result<List, Error> {
        let mut list = List::default();
        let mut size = 0_usize;
        for page in 1..=LAST_PAGE {
            let request = association::list(filter, page);
            let fetch = || {
                let answer = self.exchange(&request)?;
                size = size.saturating_add(answer.body.len());
                if size > MAX_LIST || page == LAST_PAGE {
                    return Err(self.unusable(&answer, "with more than can be listed"));
                }
                list.add_page(&answer.body)
                    .map_err(|reason| self.not_a_list(&answer, &reason))
            };
            let Brought { pairs, new } = self.repeat(fetch, |attempt| Err(judge(attempt)))?;
            if !filter.is_paged() || pairs < PAGE_SIZE || new == 0 {
                break;
            }
        }
        Ok(list)
    }

    /// A 2xx answer that is no list: an error object, or something that can't be read.
    fn not_a_list(&self, answer: &Answer, reason: &str) -> Attempt {
        match association::outcome(answer.http_status, &answer.body) {
            Err(refusal) => self.refused(answer, &refusal),
            Ok(()) => self.unusable(answer, &format!("with a list that can't be read: {reason}")),
        }
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
