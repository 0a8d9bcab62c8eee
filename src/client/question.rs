//! What the list is asked about a pair.

use super::course::Subject;
use super::exchange::{Session, Terms};
use super::list::Read;
use super::report::Report;
use crate::association::{self, Fill, Filter, Pair};
use crate::error::Error;

impl Session<'_> {
    /// Whether the pair is associated; nothing where what is listed can't tell.
    pub fn look(&self, pair: Pair<'_>) -> Result<Option<bool>, Error> {
        let mut shown = None;
        self.ask(Filter::of(pair), &mut |page| {
            shown = page.shows(pair)?;
            Ok(())
        })?;
        Ok(shown)
    }

    /// Who is associated with the pair's ECS image.
    pub fn fill_of(&self, pair: Pair<'_>) -> Result<Fill, Error> {
        let mut fill = Fill::default();
        self.ask(Filter::of_ecs_image(pair), &mut |page| {
            fill = page.fill_of(pair)?;
            Ok(())
        })?;
        Ok(fill)
    }

    /// Has one page of the list read.
    fn ask(&self, filter: Filter<'_>, read: Read<'_>) -> Result<(), Error> {
        let list = Session {
            report: Report {
                call: "list",
                ..self.report
            },
            terms: Terms {
                leaves_busy: false,
                is_repeated: false,
                ..self.terms
            },
            ..*self
        };
        list.page(filter, 1, read)
    }

    /// Has a page of the list read, counted from 1.
    pub fn page(&self, filter: Filter<'_>, page: u32, read: Read<'_>) -> Result<(), Error> {
        let request = association::list(filter, page);
        self.carry_out(Subject::List, &mut |kept, answer_by| {
            let answer = self.exchange(&request, kept, answer_by)?;
            self.read_page(&answer, filter, read)
        })
    }
}
