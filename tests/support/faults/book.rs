//! What the service is to do, what it has done, and what it knows.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::super::raw::{self, NO_CONTENT};
use super::answers::{Words, already};
use super::fault::{Acts, Fault, Manner, Place, Step};
use super::journal::{During, Entry, Kind, Said};
use super::ledger::Ledger;
use super::listing::Listing;

/// What is to happen.
pub struct Script {
    /// What happens to each request for a change; later ones go well.
    pub steps: VecDeque<Step>,
    /// How each list call is answered; later ones as the last.
    pub listings: VecDeque<Listing>,
    pub words: Words,
    /// Whether a list call goes well before all that, and leaves its connection.
    pub is_warmed_up: bool,
}

/// All that the service knows.
#[derive(Default)]
pub struct Knowledge {
    pub journal: Vec<Entry>,
    /// By FPGA image.
    pub ledgers: HashMap<String, Ledger>,
}

/// What all connections share.
pub struct Book {
    state: Mutex<State>,
    /// The FPGA image that the call is about.
    of_the_call: String,
}

struct State {
    script: Script,
    during: During,
    knowledge: Knowledge,
}

impl Book {
    /// With FPGA images that are associated at first, or not; the call is about the first of them.
    pub fn new(script: Script, pairs: [(&str, bool); 2]) -> Self {
        let ledgers =
            pairs.map(|(id, was_associated)| (id.to_owned(), Ledger::new(was_associated)));
        let [(of_the_call, _), _] = pairs;
        let during = if script.is_warmed_up {
            During::WarmUp
        } else {
            During::Call
        };
        Self {
            state: Mutex::new(State {
                script,
                during,
                knowledge: Knowledge {
                    journal: Vec::new(),
                    ledgers: HashMap::from(ledgers),
                },
            }),
            of_the_call: of_the_call.to_owned(),
        }
    }

    /// From now on all goes well.
    pub fn heal(&self) {
        let mut state = self.state();
        state.during = During::NextCall;
        state.script.steps.clear();
        state.script.listings.clear();
    }

    pub fn take_knowledge(&self) -> Knowledge {
        mem::take(&mut self.state().knowledge)
    }

    /// Takes the next step if it is one that does not wait for a request. (Nobody can tell when a
    /// silence begins; and what comes on an idle connection may come too late for the call.)
    pub fn step_before_request(&self, was_used: bool) -> Option<Step> {
        let mut state = self.state();
        let is_idle = was_used && !state.knowledge.journal.iter().all(Entry::is_of_warm_up);
        if state.during != During::Call {
            return None;
        }
        let is_due = |step: &&Step| match step.fault {
            Fault::Break(Place::BeforeRequest, Manner::Close | Manner::Reset) => true,
            Fault::Break(Place::BeforeRequest, Manner::Garbage) => !is_idle,
            _ => false,
        };
        state.script.steps.front().filter(is_due)?;
        state.script.steps.pop_front()
    }

    /// Takes the next step.
    pub fn step(&self) -> Step {
        self.state().script.steps.pop_front().unwrap_or(Step::WELL)
    }

    /// Notes a request; where it is noted.
    pub fn note(&self, kind: Kind, is_reused: bool) -> usize {
        let mut state = self.state();
        let number = state.knowledge.journal.len();
        let during = state.during;
        state.knowledge.journal.push(Entry {
            during,
            kind,
            at: Instant::now(),
            is_reused,
            said: Said::Nothing,
            is_closed: false,
            shown: None,
        });
        number
    }

    pub fn amend(&self, number: usize, amend: impl FnOnce(&mut Entry)) {
        self.state().amend(number, amend);
    }

    /// Notes which FPGA image a request is about. It may be of a call that has given up already.
    pub fn note_fpga_image(&self, number: usize, fpga_id: &str) {
        if fpga_id == self.of_the_call {
            self.amend(number, |entry| entry.during = During::Call);
        }
    }

    /// Notes what a request for a change is answered.
    pub fn say(&self, number: usize, said: Said) {
        self.amend(number, |entry| entry.said = said);
    }

    /// Does what a request asks for.
    pub fn act(&self, fpga_id: &str, associates: bool, acts: Acts) {
        let delay = match acts {
            Acts::Never => return,
            Acts::BeforeItAnswers => Duration::ZERO,
            Acts::Late(delay) => delay,
        };
        let mut state = self.state();
        let ledger = state.knowledge.ledgers.get_mut(fpga_id).unwrap();
        ledger.set(Instant::now() + delay, associates);
    }

    /// Does what a request asks for if there is anything to do: the answer, and what it says.
    pub fn act_as_known(&self, fpga_id: &str, associates: bool) -> (Vec<u8>, Said) {
        let mut state = self.state();
        let words = state.script.words;
        let ledger = state.knowledge.ledgers.get_mut(fpga_id).unwrap();
        let now = Instant::now();
        if ledger.is_associated_at(now) == associates {
            let (http_status, body) = already(words, associates);
            (raw::answer(http_status, "", body), Said::Already)
        } else {
            ledger.set(now, associates);
            (NO_CONTENT.to_vec(), Said::Done)
        }
    }

    /// The answer to a list call for one FPGA image or for all, past its end or not, and how
    /// it came to be.
    pub fn list(&self, fpga_id: Option<&str>, is_past: bool, number: usize) -> (Listing, Vec<u8>) {
        let mut state = self.state();
        let listing = state.listing();
        let moment = Instant::now() - listing.lag();
        let ledgers = state.knowledge.ledgers.iter();
        let listed: Vec<_> = ledgers
            .filter(|_| !is_past)
            .filter(|(id, _)| fpga_id.is_none_or(|fpga_id| *id == fpga_id))
            .filter(|(_, ledger)| ledger.is_associated_at(moment))
            .map(|(id, _)| id.clone())
            .collect();
        let shown = listing.shown(listed.contains(&self.of_the_call));
        state.amend(number, |entry| entry.shown = shown);
        let (http_status, body) = listing.answer(&listed);
        (listing, raw::answer(http_status, "", body))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How the next list call is answered. With the first one, the warm-up is over.
    fn listing(&mut self) -> Listing {
        if self.during == During::WarmUp {
            self.during = During::Call;
            return Listing::Truthful;
        }
        let next = self.script.listings.pop_front();
        if let Some(listing) = next
            && self.script.listings.is_empty()
        {
            self.script.listings.push_back(listing);
        }
        next.unwrap_or(Listing::Truthful)
    }

    fn amend(&mut self, number: usize, amend: impl FnOnce(&mut Entry)) {
        amend(self.knowledge.journal.get_mut(number).unwrap());
    }
}
