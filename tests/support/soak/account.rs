//! The account of all calls: what was reported of each, and what the service did.

use std::collections::BTreeMap;
use std::ops::Range;

use fpga_associate::status::Status;

use super::super::plans::{AS_WANTED, CHANGED, FAILED, TO_CHANGE};
use super::book::{Book, Event, now};
use super::line::{Call, Change, Line, List, Plan, Rest};
use super::rules::{Facts, broken, broken_of_result};

/// How many things that are wrong are told.
const TOLD: usize = 20;

/// How long after its time a call may return on a busy machine.
const LONGEST: u64 = 30_000_000_000;

#[derive(Default)]
pub struct Account {
    /// By owner: how many calls were begun, and ended.
    owners: BTreeMap<usize, (u64, u64)>,
    /// By pair: what was reported of it, unless that is in doubt.
    reported: BTreeMap<usize, Option<bool>>,
    /// By pair: what the service did.
    done: BTreeMap<usize, bool>,
    /// How many calls ended with each status, by what they did.
    pub statuses: BTreeMap<(&'static str, i32), u64>,
    pub rests: Vec<Rest>,
    /// Changes whose outcome is unknown.
    pub unknown: u64,
    /// Changes with a request that must have gone out, and that the gateway did not read.
    pub unread: u64,
    /// Requests that the service refused because a token or a key had expired.
    pub expired: u64,
    restarts: Vec<Range<u64>>,
    wrong: Vec<String>,
    wrong_count: u64,
}

impl Account {
    /// Enters a line. Whether a call ended with it.
    pub fn enter(&mut self, line: &str, book: &Book) -> bool {
        let Some(parsed) = Line::parse(line) else {
            self.wrong("a line without a form", &line);
            return false;
        };
        match parsed {
            Line::Begin { owner, number } => {
                let (begun, ended) = self.owners.entry(owner).or_default();
                *begun += 1;
                if *begun != number || *begun != *ended + 1 {
                    self.wrong("a call has no outcome, or was not told", &line);
                }
                return false;
            }
            Line::Change(call, change) => self.change(&call, &change, book),
            Line::List(call, list) => self.list(&call, &list, book),
            Line::Plan(call, plan) => self.plan(&call, &plan, book),
            Line::Rest(rest) => {
                self.rests.push(rest);
                return false;
            }
            Line::Trouble(text) => {
                self.wrong("the host is in trouble", &text);
                return false;
            }
        }
        true
    }

    /// The gateway started anew, from the moment on.
    pub fn note_restart(&mut self, begun: u64) {
        self.restarts.push(begun..now());
    }

    pub fn restarts(&self) -> usize {
        self.restarts.len()
    }

    /// How many calls have ended.
    pub fn calls(&self) -> u64 {
        self.owners.values().map(|(_, ended)| ended).sum()
    }

    /// How many of a thread have.
    pub fn calls_of(&self, owner: usize) -> u64 {
        self.owners.get(&owner).map_or(0, |(_, ended)| *ended)
    }

    /// How many ended with this status.
    pub fn ended_with(&self, status: Status) -> u64 {
        let number = status.number();
        let counts = self.statuses.iter();
        counts
            .filter(|((_, status), _)| *status == number)
            .map(|(_, count)| count)
            .sum()
    }

    /// The calls that were begun and have not ended, by owner.
    pub fn open(&self) -> Vec<(usize, u64)> {
        let open = |(owner, (begun, ended)): (&usize, &(u64, u64))| {
            (begun != ended).then_some((*owner, *begun))
        };
        self.owners.iter().filter_map(open).collect()
    }

    /// What is wrong, once nothing more comes: with the calls, and with what is associated at the end.
    pub fn close(mut self, book: &Book, is_associated: impl Fn(usize) -> bool) -> Vec<String> {
        for (pair, number) in book.pairs.iter().zip(0..) {
            self.note_late(number, &pair.take_until(u64::MAX));
            let is_associated = is_associated(number);
            if self.done(number) != is_associated {
                self.wrong("the gateway's book is not the service's", &pair.fpga_id);
            }
            if self
                .reported(number)
                .is_some_and(|told| told != is_associated)
            {
                self.wrong("what was reported last is not so", &pair.fpga_id);
            }
        }
        for open in self.open() {
            self.wrong("a call has no outcome", &open);
        }
        if self.wrong_count > TOLD as u64 {
            self.wrong.push(format!("{} in all", self.wrong_count));
        }
        self.wrong
    }

    fn change(&mut self, call: &Call, change: &Change, book: &Book) {
        self.end(
            call,
            if change.wanted {
                "associate"
            } else {
                "disassociate"
            },
        );
        let events = self.events(call, change.pair, book);
        let facts = self.facts(call, change, &events);
        let is_echo = facts.is_echo();
        for rule in broken(&facts).collect::<Vec<_>>() {
            self.wrong(rule, &(call, change, &events));
        }
        self.unread += u64::from(is_echo);
        self.note_unknown(call, change, call.status, &events);
        let is_as_wanted = [
            Status::OK,
            Status::ALREADY_ASSOCIATED,
            Status::NOT_ASSOCIATED,
        ]
        .map(Status::number)
        .contains(&call.status);
        self.report(change, is_as_wanted);
    }

    fn list(&mut self, call: &Call, list: &List, book: &Book) {
        self.end(call, "list");
        for at in 0..list.count {
            let pair = list.first + at;
            let events = self.events(call, pair, book);
            let is_shown = list.shown >> at & 1 == 1;
            let told = self.reported(pair);
            let answered = events.iter().filter_map(Event::shown).next_back();
            if call.status != Status::OK.number() {
                continue;
            }
            if answered != Some(is_shown) {
                self.wrong("a list is not what was answered", &(call, list, &events));
            }
            if told.is_some_and(|told| told != is_shown) {
                self.wrong("a list is not what was reported", &(call, list, &events));
            }
        }
    }

    fn plan(&mut self, call: &Call, plan: &Plan, book: &Book) {
        self.end(call, if plan.is_applied { "apply" } else { "compare" });
        for planned in &plan.results {
            let change = &planned.change;
            let events = self.events(call, change.pair, book);
            let facts = Facts {
                status: planned.status,
                is_of_plan: true,
                ..self.facts(call, change, &events)
            };
            for rule in broken_of_result(&facts, planned, plan.is_applied) {
                self.wrong(rule, &(call, planned, &events));
            }
            self.note_unknown(call, change, planned.status, &events);
            match planned.result {
                TO_CHANGE => {
                    self.reported.insert(change.pair, Some(!change.wanted));
                }
                result => self.report(change, [AS_WANTED, CHANGED].contains(&result)),
            }
        }
        let of_function = if plan.is_applied { CHANGED } else { TO_CHANGE };
        let is_complete = |result| [AS_WANTED, of_function].contains(&result);
        let is_whole = plan
            .results
            .iter()
            .all(|planned| is_complete(planned.result));
        let is_unknown = plan.results.iter().any(|planned| planned.change.is_unknown);
        let fits = match call.status {
            status if status == Status::OK.number() => is_whole,
            status if status == Status::INCOMPLETE.number() => !is_whole,
            status if status == Status::CANCELLED.number() => call.shut > 0 && !is_unknown,
            _ => false,
        };
        let has_failed = plan.results.iter().any(|planned| planned.result == FAILED);
        let is_cancelled = call.status == Status::CANCELLED.number();
        if !fits || is_unknown != plan.is_unknown || (is_cancelled && has_failed) {
            self.wrong("a plan's status is not that of its pairs", &(call, plan));
        }
    }

    fn end(&mut self, call: &Call, what: &'static str) {
        let (begun, ended) = self.owners.entry(call.owner).or_default();
        *ended += 1;
        if *begun != *ended || *ended != call.number {
            self.wrong("a call has two outcomes, or was not begun", call);
        }
        if call.ended - call.begun > LONGEST {
            self.wrong("a call was late", call);
        }
        *self.statuses.entry((what, call.status)).or_default() += 1;
    }

    /// What came for a pair in a call. What was listed of it is what had been done.
    fn events(&mut self, call: &Call, pair: usize, book: &Book) -> Vec<Event> {
        let mut late = book.pairs[pair].take_until(call.ended);
        let events = late.split_off(late.partition_point(|event| event.at < call.begun));
        self.note_late(pair, &late);
        for event in &events {
            if let Some(is_associated) = event.acted() {
                self.done.insert(pair, is_associated);
            }
            if event.shown().is_some_and(|shown| shown != self.done(pair)) {
                self.wrong("the gateway's book is not the service's", &(pair, event));
            }
            self.expired += u64::from(event.is_unauthorized());
        }
        events
    }

    /// What came for a pair between its calls: of one that ended in doubt.
    fn note_late(&mut self, pair: usize, events: &[Event]) {
        for event in events {
            if let Some(is_associated) = event.acted() {
                self.done.insert(pair, is_associated);
                if self.reported(pair).is_some() {
                    self.wrong("the service acted after a known outcome", &(pair, event));
                }
            }
        }
    }

    /// Of a call for one pair.
    fn facts<'a>(&'a self, call: &'a Call, change: &'a Change, events: &'a [Event]) -> Facts<'a> {
        Facts {
            call,
            change,
            status: call.status,
            is_associated: self.done(change.pair),
            events,
            is_of_plan: false,
            restarts: &self.restarts,
        }
    }

    fn report(&mut self, change: &Change, is_as_wanted: bool) {
        if is_as_wanted {
            self.reported.insert(change.pair, Some(change.wanted));
        } else if change.is_unknown {
            self.reported.insert(change.pair, None);
        }
    }

    fn note_unknown(&mut self, call: &Call, change: &Change, status: i32, events: &[Event]) {
        let had_time = status != Status::TIMEOUT.number();
        self.unknown += u64::from(change.is_unknown);
        if change.is_unknown && events.is_empty() && call.shut == 0 && had_time {
            self.unread += 1;
        }
    }

    /// At first nothing is associated.
    fn reported(&self, pair: usize) -> Option<bool> {
        self.reported.get(&pair).copied().unwrap_or(Some(false))
    }

    fn done(&self, pair: usize) -> bool {
        self.done.get(&pair).copied().unwrap_or(false)
    }

    fn wrong(&mut self, rule: &str, what: &dyn std::fmt::Debug) {
        self.wrong_count += 1;
        if self.wrong.len() < TOLD {
            self.wrong.push(format!("{rule}: {what:?}"));
        }
    }
}
