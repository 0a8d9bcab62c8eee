//! The product of all that can go wrong.

use std::collections::VecDeque;
use std::time::Duration;

use super::answers::{BUSY, DONE, DOUBTS, FORBIDDEN, REFUSALS, THROTTLED, WORDS, Words};
use super::fault::{Acts, Fault, LATE, MANNERS, PLACES, Step, VERY_LATE, is_read};
use super::listing::{LISTINGS, Listing};

/// Of a call that the service lets wait, and of any other.
const SHORT: Duration = Duration::from_millis(1500);
const LONG: Duration = Duration::from_millis(4000);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Associate,
    Disassociate,
}

pub const CHANGES: [Change; 2] = [Change::Associate, Change::Disassociate];

/// One way in which a call can go.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its place in the product, or the seed of a random one.
    pub number: u64,
    pub change: Change,
    /// What happens to its requests; later ones go well.
    pub steps: Vec<Step>,
    pub listings: Vec<Listing>,
    pub words: Words,
    pub attempts: u32,
    pub confirms: bool,
    /// Whether it begins on a connection that an earlier call left.
    pub is_kept: bool,
    /// Whether the pair is as wanted before.
    pub was_as_wanted: bool,
}

impl Case {
    pub fn wants_associated(&self) -> bool {
        self.change == Change::Associate
    }

    pub fn timeout(&self) -> Duration {
        if self.is_waiting() { SHORT } else { LONG }
    }

    pub fn is_waiting(&self) -> bool {
        self.steps.iter().any(Step::is_waited_for)
    }

    /// Whether connections break that may have been meant for the list.
    pub fn breaks_connections(&self) -> bool {
        self.steps.len() > 1 && self.steps.iter().any(Step::is_before_request)
    }

    /// Whether it is a 202 to the only request.
    pub fn is_accepted(&self) -> bool {
        let is_accepted = |step: &Step| match step.fault {
            Fault::Answer(answer) => answer.http_status == 202 && answer.said.is_doubt(),
            _ => false,
        };
        self.attempts == 1 && self.steps.first().is_some_and(is_accepted)
    }

    pub fn acts_though_busy(&self) -> bool {
        let acts_though_busy = |step: &Step| match step.fault {
            Fault::Answer(answer) => THROTTLED.contains(answer) && step.acts != Acts::Never,
            _ => false,
        };
        self.steps.iter().any(acts_though_busy)
    }
}

/// All of them, numbered.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for step in steps() {
        add_cases_of(step, &mut cases);
    }
    cases
}

/// Whether a case is among those that say most: nothing helps the call but the list.
pub fn is_telling(case: &Case) -> bool {
    let is_plain = case.attempts == 1 && case.confirms && !case.is_kept && !case.was_as_wanted;
    let is_well = case.steps.iter().all(|step| *step == Step::WELL);
    (is_plain && case.listings == [Listing::Truthful]) || case.acts_though_busy() || is_well
}

/// Everything that can happen to one request.
pub fn steps() -> Vec<Step> {
    let mut steps = vec![Step::WELL];
    let mut late = LATE.iter().cycle().copied();
    let mut add = |fault: Fault| {
        let all = [
            Acts::Never,
            Acts::BeforeItAnswers,
            late.next().map_or(Acts::Never, Acts::Late),
            Acts::Late(VERY_LATE),
        ];
        steps.extend(all.map(|acts| Step { fault, acts }));
    };
    for &place in PLACES {
        for &manner in MANNERS {
            add(Fault::Break(place, manner));
        }
    }
    for answer in DOUBTS {
        add(Fault::Answer(answer));
    }
    steps.retain(|step| match step.fault {
        Fault::Break(place, manner) => step.acts == Acts::Never || is_read(place, manner),
        _ => true,
    });
    for (answers, acts) in [
        (DONE, Acts::BeforeItAnswers),
        (REFUSALS, Acts::Never),
        (BUSY, Acts::Never),
        (THROTTLED, Acts::BeforeItAnswers),
    ] {
        let fault = |answer| Step {
            fault: Fault::Answer(answer),
            acts,
        };
        steps.extend(answers.iter().map(fault));
    }
    steps
}

/// Every call that can meet such a step.
fn add_cases_of(step: Step, cases: &mut Vec<Case>) {
    for change in CHANGES {
        for is_kept in [false, true] {
            for (attempts, steps) in tries(step) {
                for (listing, confirms, was_as_wanted) in surroundings(step) {
                    let number = cases.len();
                    let case = Case {
                        number: number as u64,
                        change,
                        steps: steps.clone(),
                        listings: vec![listing],
                        words: words(number),
                        attempts,
                        confirms,
                        is_kept,
                        was_as_wanted,
                    };
                    cases.push(case);
                }
            }
        }
    }
}

/// Alone; with other attempts that go well, or the same way; and with a refusal, which does not take
/// the doubt away.
fn tries(step: Step) -> [(u32, Vec<Step>); 4] {
    let forbidden = Step {
        fault: Fault::Answer(&FORBIDDEN),
        acts: Acts::Never,
    };
    [
        (1, vec![step]),
        (3, vec![step]),
        (3, vec![step; 3]),
        (3, vec![step, forbidden]),
    ]
}

fn words(number: usize) -> Words {
    WORDS
        .get(number % WORDS.len())
        .copied()
        .unwrap_or(Words::Documented)
}

/// How the list is, whether it may be asked, and whether the pair is as wanted before.
fn surroundings(step: Step) -> Vec<(Listing, bool, bool)> {
    let mut surroundings = vec![
        (Listing::Truthful, true, false),
        (Listing::Truthful, true, true),
        (Listing::Truthful, false, false),
        (Listing::Truthful, false, true),
    ];
    let is_settled = match step.fault {
        Fault::Answer(answer) => !answer.said.is_doubt() && step.acts == Acts::Never,
        _ => false,
    };
    if !is_settled {
        let others = LISTINGS
            .iter()
            .filter(|listing| **listing != Listing::Truthful);
        surroundings.extend(others.map(|listing| (*listing, true, false)));
    }
    surroundings
}

impl From<&Case> for super::book::Script {
    fn from(case: &Case) -> Self {
        Self {
            steps: VecDeque::from(case.steps.clone()),
            listings: VecDeque::from(case.listings.clone()),
            words: case.words,
            is_warmed_up: case.is_kept,
        }
    }
}
