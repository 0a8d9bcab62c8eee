//! Which requests meet which faults: all of them in turn, in an order of chance.

use std::collections::BTreeMap;

use super::super::faults::answers::Answer;
use super::super::faults::cases;
use super::super::faults::fault::{Acts, Fault, Manner, Place, Step};
use super::super::faults::journal::Said;
use super::super::faults::random::Random;

/// One request in so many meets a fault.
const REQUESTS: u64 = 20;

/// A connection is broken before one request in so many.
const REQUESTS_OF_BREAK: u64 = 200;

/// How a connection ends before its next request.
const BREAKS: [Manner; 3] = [Manner::Close, Manner::Reset, Manner::Garbage];

/// All kinds of faults that are told apart.
pub const KINDS: [&str; 15] = [
    "before the request",
    "in the request",
    "after the request",
    "in the answer",
    "close",
    "reset",
    "silence",
    "slow",
    "garbage",
    "an answer that leaves doubt",
    "HTTP 202",
    "HTTP 5xx",
    "a refusal",
    "HTTP 429, 408 or flow control",
    "another form of success",
];

/// Faults, dealt as from a shuffled deck, so that each comes before any comes again.
pub struct Deck {
    random: Random,
    changes: Pile<Step>,
    lists: Pile<Step>,
    breaks: Pile<Manner>,
    requests: Due,
    waits: Due,
    faults: u64,
    by_kind: BTreeMap<&'static str, u64>,
}

struct Pile<T> {
    all: Vec<T>,
    left: Vec<T>,
    taken: usize,
}

/// Exactly one in so many.
struct Due {
    every: u64,
    count: u64,
    /// In the present so many.
    place: u64,
}

impl Deck {
    pub fn new(seed: u64) -> Self {
        let steps = cases::steps();
        let changes = steps.iter().copied().filter(|step| is_for_changes(*step));
        let lists = steps.iter().copied().filter(|step| is_for_lists(*step));
        Self {
            random: Random::new(seed),
            changes: Pile::of(changes.collect()),
            lists: Pile::of(lists.collect()),
            breaks: Pile::of(BREAKS.to_vec()),
            requests: Due::every(REQUESTS),
            waits: Due::every(REQUESTS_OF_BREAK),
            faults: 0,
            by_kind: BTreeMap::new(),
        }
    }

    /// How the connection breaks before its next request, if it does.
    pub fn before_request(&mut self) -> Option<Manner> {
        if !self.waits.is_now(&mut self.random) {
            return None;
        }
        let manner = self.breaks.take(&mut self.random);
        self.faults += 1;
        self.note("before the request");
        self.note(kind_of_manner(manner));
        Some(manner)
    }

    /// What happens to a request.
    pub fn step(&mut self, is_list: bool) -> Step {
        if !self.requests.is_now(&mut self.random) {
            return Step::WELL;
        }
        let pile = if is_list {
            &mut self.lists
        } else {
            &mut self.changes
        };
        let step = pile.take(&mut self.random);
        self.faults += 1;
        match step.fault {
            Fault::None => {}
            Fault::Break(place, manner) => {
                self.note(kind_of_place(place));
                self.note(kind_of_manner(manner));
            }
            Fault::Answer(answer) => self.note(kind_of_answer(answer)),
        }
        step
    }

    pub fn requests(&self) -> u64 {
        self.requests.count
    }

    pub fn faults(&self) -> u64 {
        self.faults
    }

    pub fn by_kind(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_kind
    }

    /// Whether all faults that a change can meet have come.
    pub fn is_through(&self) -> bool {
        self.changes.taken >= self.changes.all.len()
    }

    fn note(&mut self, kind: &'static str) {
        *self.by_kind.entry(kind).or_default() += 1;
    }
}

impl<T: Copy> Pile<T> {
    fn of(all: Vec<T>) -> Self {
        Self {
            all,
            left: Vec::new(),
            taken: 0,
        }
    }

    fn take(&mut self, random: &mut Random) -> T {
        if self.left.is_empty() {
            self.left.clone_from(&self.all);
        }
        self.taken += 1;
        let place = random.below(self.left.len() as u64);
        self.left.swap_remove(place as usize)
    }
}

impl Due {
    fn every(every: u64) -> Self {
        Self {
            every,
            count: 0,
            place: 0,
        }
    }

    fn is_now(&mut self, random: &mut Random) -> bool {
        let at = self.count % self.every;
        if at == 0 {
            self.place = random.below(self.every);
        }
        self.count += 1;
        at == self.place
    }
}

/// The service acts at once or not at all: what it does later is not told from what the next call does.
fn is_for_changes(step: Step) -> bool {
    let is_dealt = match step.fault {
        Fault::None | Fault::Break(Place::BeforeRequest, _) => false,
        Fault::Break(..) => true,
        // A service that says that it did nothing has done nothing.
        Fault::Answer(answer) => step.acts == Acts::Never || answer.said != Said::Busy,
    };
    is_dealt && !matches!(step.acts, Acts::Late(_))
}

/// Nothing that is a list, or could be taken for one.
fn is_for_lists(step: Step) -> bool {
    let is_list = |answer: &Answer| answer.said == Said::Done;
    step.acts == Acts::Never
        && is_for_changes(step)
        && !matches!(step.fault, Fault::Answer(answer) if is_list(answer))
}

fn kind_of_place(place: Place) -> &'static str {
    match place {
        Place::BeforeRequest => "before the request",
        Place::InRequestHead | Place::AfterRequestHead | Place::InRequestBody => "in the request",
        Place::AfterRequest => "after the request",
        _ => "in the answer",
    }
}

fn kind_of_manner(manner: Manner) -> &'static str {
    match manner {
        Manner::Close => "close",
        Manner::Reset => "reset",
        Manner::Silence => "silence",
        Manner::Slow => "slow",
        Manner::Garbage => "garbage",
    }
}

fn kind_of_answer(answer: &Answer) -> &'static str {
    match (answer.said, answer.http_status) {
        (Said::Busy | Said::GaveUp, _) => "HTTP 429, 408 or flow control",
        (Said::Done, _) => "another form of success",
        (Said::Doubt, 202) => "HTTP 202",
        (Said::Doubt, 500..600) => "HTTP 5xx",
        (Said::Doubt, _) => "an answer that leaves doubt",
        _ => "a refusal",
    }
}
