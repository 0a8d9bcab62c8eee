//! The list call: all pages, one after the other, and again where they moved meanwhile.

use super::course::Subject;
use super::exchange::{Attempt, Session};
use crate::association::{self, Brought, Filter, LAST_PAGE, List, Unusable};
use crate::error::Error;
use crate::log::Level;
use crate::transport::{Answer, Failure};

/// The most of all pages together, in bytes: about 200,000 pairs.
const MAX_LIST: usize = 64 * 1024 * 1024;

/// A list, and whether a page had something that an earlier page had: what is listed moved from one
/// page to the next while they were read, and something may have been missed as well.
struct Reading {
    list: List,
    moved: bool,
}

impl Session<'_> {
    /// Lists what the filter names. A list whose pages moved is read again, as often as a request is
    /// tried, until two readings are the same; where there is but one attempt, that must do.
    pub fn list(&self, filter: Filter<'_>) -> Result<List, Error> {
        let most = self.settings.max_attempts;
        let mut before: Option<List> = None;
        for _ in 0..most {
            let Reading { list, moved } = self.read(filter)?;
            let is_the_same = before
                .as_ref()
                .is_some_and(|before| before.has_the_pairs_of(&list));
            if !moved || is_the_same || most == 1 {
                return Ok(list);
            }
            self.settings.log.line(Level::Warning, || {
                let (call, endpoint) = (self.report.call, self.report.endpoint);
                format!("{call}: {endpoint}: what is listed moved between its pages")
            });
            before = Some(list);
        }
        Err(self.report.moved(most))
    }

    fn read(&self, filter: Filter<'_>) -> Result<Reading, Error> {
        let token = self.report.token.traces();
        let mut list = List::default();
        let mut moved = false;
        let mut size = 0_usize;
        for page in 1..=LAST_PAGE {
            let request = association::list(filter, page);
            let mut brought = Brought::default();
            self.carry_out(Subject::List, &mut |kept, answer_by| {
                let answer = self.exchange(&request, kept, answer_by)?;
                size = size.saturating_add(answer.body.len());
                if size > MAX_LIST || page == LAST_PAGE {
                    return Err(self.too_large(&answer, "more than can be listed"));
                }
                brought = list
                    .add_page(&answer.body, &token, || self.has_time())
                    .map_err(|unusable| self.not_a_list(&answer, &unusable))?;
                Ok(())
            })?;
            moved |= brought.repeated > 0;
            if !filter.goes_on_after(brought.pairs) || brought.new == 0 {
                break;
            }
        }
        Ok(Reading { list, moved })
    }

    /// Whether what has come may still be read.
    pub fn has_time(&self) -> bool {
        !self.deadline.left().is_zero()
    }

    /// An answer that is no list.
    pub fn not_a_list(&self, answer: &Answer, unusable: &Unusable) -> Attempt {
        match unusable {
            Unusable::NotAList(reason) => {
                self.unusable(answer, &format!("a list that can't be read: {reason}"))
            }
            Unusable::Error => self.refused(answer),
            Unusable::NoTime => self.failed(&Failure::out_of_time()),
        }
    }
}
