//! What the list is asked about a pair.

use super::course::Subject;
use super::exchange::Session;
use super::report::Report;
use crate::association::{self, Filter, Page, Pair};
use crate::error::Error;

/// The most FPGA images that an ECS image may have.
const LIMIT: usize = 10;

/// What an ECS image has.
pub struct Fill {
    /// The very FPGA image that it is asked about.
    pub has_the_pair: bool,
    /// As many others as the service allows.
    pub is_full: bool,
}

impl Session<'_> {
    /// Whether the pair is associated; nothing where what is listed can't tell.
    pub fn look(&self, pair: Pair<'_>) -> Result<Option<bool>, Error> {
        let list = self.asking();
        let request = association::list(Filter::of(pair), 1);
        let mut shown = None;
        list.carry_out(Subject::List, &mut |kept, answer_by| {
            let answer = list.exchange(&request, kept, answer_by)?;
            let page = Page::read(&answer.body);
            let told = page.and_then(|page| page.shows(pair, || list.has_time()));
            shown = told.map_err(|unusable| list.not_a_list(&answer, &unusable))?;
            Ok(())
        })?;
        Ok(shown)
    }

    /// What the pair's ECS image has.
    pub fn fill_of(&self, pair: Pair<'_>) -> Result<Fill, Error> {
        let list = self.asking().list(Filter::of_ecs_image(pair))?;
        let (own, others): (Vec<_>, Vec<_>) = list
            .associations()
            .iter()
            .filter(|one| one.ecs_id.eq_ignore_ascii_case(pair.ecs_id()))
            .partition(|one| one.fpga_id.eq_ignore_ascii_case(pair.fpga_id()));
        Ok(Fill {
            has_the_pair: !own.is_empty(),
            is_full: others.len() >= LIMIT,
        })
    }

    fn asking(&self) -> Self {
        Session {
            report: Report {
                call: "list",
                ..self.report
            },
            ..*self
        }
    }
}
