//! The list call: all pages, one after the other, and again where they moved meanwhile.

use super::course::Subject;
use super::exchange::{Attempt, Session};
use crate::association::{self, Brought, Filter, LAST_PAGE, List, Page, Unusable};
use crate::error::Error;
use crate::log::Level;
use crate::memory;
use crate::transport::Answer;

/// The most of all pages together, in bytes: about 200,000 pairs.
const MAX_LIST: usize = 64 * 1024 * 1024;

/// A list, and whether a page had something that an earlier page had: what is listed moved from one
/// page to the next while they were read, and something may have been missed as well.
struct Reading {
    list: List,
    moved: bool,
}

/// Takes from a page what is needed of it.
pub type Read<'a> = &'a mut dyn FnMut(&Page<'_>) -> Result<(), Unusable>;

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
            if !moved || is_the_same {
                return Ok(list);
            }
            self.settings.log.line(Level::LOG_WARNING, || {
                let (call, endpoint) = (self.report.call, self.report.endpoint);
                format!("{call}: {endpoint}: what is listed moved between its pages")
            });
            if most == 1 {
                return Ok(list);
            }
            before = Some(list);
        }
        Err(self.report.moved(most))
    }

    fn read(&self, filter: Filter<'_>) -> Result<Reading, Error> {
        let mut list = List::default();
        let mut moved = false;
        let mut size = 0_usize;
        let mut pages_of_old = 0;
        for page in 1..=LAST_PAGE {
            let request = association::list(filter, page);
            let mut brought = Brought::default();
            self.carry_out(Subject::List, &mut |kept, answer_by| {
                let answer = self.exchange(&request, kept, answer_by)?;
                size = size.saturating_add(answer.body.len());
                if size > MAX_LIST || page == LAST_PAGE {
                    return Err(self.too_large(&answer, "more than can be listed"));
                }
                // Each request may prove who asks in another way.
                let secrets = self.report.caller.traces();
                self.read_page(&answer, filter, &mut |page| {
                    brought = list.add(page, &secrets, &|| self.has_time())?;
                    Ok(())
                })
            })?;
            moved |= brought.repeated > 0;
            // One page may have moved as a whole; a service that does not know paging has no other.
            pages_of_old = if brought.new > 0 { 0 } else { pages_of_old + 1 };
            if pages_of_old == 2 || !filter.goes_on_after(brought) {
                break;
            }
        }
        Ok(Reading { list, moved })
    }

    /// Reads what was answered to a list of these.
    pub fn read_page(
        &self,
        answer: &Answer,
        filter: Filter<'_>,
        read: Read<'_>,
    ) -> Result<(), Attempt> {
        // In another encoding the ids can still be read.
        let has_time = || self.has_time();
        let stopped = || self.failed(&self.transport.why_no_time());
        let json = memory::lossy(&answer.body).map_err(|_| stopped())?;
        let page = Page::read(&json, &has_time).and_then(|page| {
            if answer.was_kept && !page.can_be_of(filter) {
                return Err(Unusable::NotAList("it is of other images".to_owned()));
            }
            read(&page)
        });
        page.map_err(|unusable| match unusable {
            // It may be the reason for any other.
            _ if memory::has_run_out() => stopped(),
            Unusable::NotAList(reason) => {
                self.unusable(answer, &format!("a list that can't be read: {reason}"))
            }
            Unusable::Error => self.refused(answer),
            Unusable::NoTime => stopped(),
        })
    }

    /// Whether what has come may still be read.
    fn has_time(&self) -> bool {
        !self.deadline.left().is_zero() && !self.transport.is_shut_down() && !memory::has_run_out()
    }
}
