//! What must be true of every call, whatever the service did to it (API.md, "Outcomes" and
//! "Promises").

use std::fmt;
use std::time::{Duration, Instant};

use super::super::call::Outcome;
use super::cases::Case;
use super::journal::{Entry, Kind, Said};
use super::ledger::Ledger;
use super::listing::Listing;

/// `FPGA_ASSOC_PENDING` and those after it.
const PENDING: i32 = 28;
const ALREADY_ASSOCIATED: i32 = 29;
const NOT_ASSOCIATED: i32 = 30;
const LIMIT_REACHED: i32 = 31;

/// Between two looks at the list, less what a clock is off.
const BETWEEN_LOOKS: Duration = Duration::from_millis(495);

/// One call, as the caller and the service saw it.
pub struct Call<'a> {
    pub case: &'a Case,
    pub outcome: &'a Outcome,
    pub elapsed: Duration,
    pub returned: Instant,
    /// Its requests.
    pub journal: &'a [Entry],
    /// Of its pair.
    pub ledger: &'a Ledger,
    /// How long after its deadline it may return.
    pub grace: Duration,
}

/// What a call did not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    OkHasGrounds,
    OkMeansAsWanted,
    KnownMeansUntouched,
    RefusedMeansKnown,
    DeadlineIsKept,
    SentOnlyWhereThatIsSafe,
    AttemptsAreKept,
    ShownIsBelieved,
    DoubtIsAskedAbout,
    DoubtIsAskedAboutTwice,
    StatusFits,
    NextCallIsRight,
}

/// A promise that was not kept, and what was seen instead.
#[derive(Clone, Debug)]
pub struct Exception {
    pub promise: Promise,
    pub seen: String,
}

impl Promise {
    /// Whether a machine that is too busy can make it look broken.
    pub fn is_of_time(self) -> bool {
        matches!(
            self,
            Self::DeadlineIsKept
                | Self::ShownIsBelieved
                | Self::DoubtIsAskedAbout
                | Self::DoubtIsAskedAboutTwice
                | Self::NextCallIsRight
        )
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}: {}", self.promise, self.seen)
    }
}

/// All promises that the call did not keep.
pub fn broken(call: &Call<'_>) -> Vec<Promise> {
    let checks = [
        (Promise::OkHasGrounds, call.ok_has_grounds()),
        (Promise::OkMeansAsWanted, call.ok_means_as_wanted()),
        (Promise::KnownMeansUntouched, call.known_means_untouched()),
        (Promise::RefusedMeansKnown, call.refused_means_known()),
        (Promise::DeadlineIsKept, call.deadline_is_kept()),
        (Promise::SentOnlyWhereThatIsSafe, call.sends_are_safe()),
        (Promise::AttemptsAreKept, call.attempts_are_kept()),
        (Promise::ShownIsBelieved, call.shown_is_believed()),
        (Promise::DoubtIsAskedAbout, call.doubt_is_asked_about()),
        (
            Promise::DoubtIsAskedAboutTwice,
            call.doubt_is_asked_about_twice(),
        ),
        (Promise::StatusFits, call.status_fits()),
    ];
    let broken = checks.into_iter().filter(|(_, is_kept)| !is_kept);
    broken.map(|(promise, _)| promise).collect()
}

impl fmt::Display for Call<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.elapsed.as_millis();
        write!(formatter, "{:?} after {ms} ms;", self.outcome)?;
        for entry in self.journal {
            match entry.kind {
                Kind::List => write!(formatter, " List {:?}", entry.shown)?,
                kind => write!(formatter, " {kind:?} {:?}", entry.said)?,
            }
        }
        Ok(())
    }
}

impl Call<'_> {
    fn is_ok(&self) -> bool {
        self.outcome.status == 0
    }

    fn changes(&self) -> impl Iterator<Item = &Entry> {
        self.journal.iter().filter(|entry| entry.is_change())
    }

    fn shows_as_wanted(&self, entry: &Entry) -> bool {
        entry.shown == Some(self.case.wants_associated())
    }

    /// Where in the journal the last request is about which only the list can tell.
    fn last_question(&self) -> Option<usize> {
        let is_question = |at: usize, entry: &Entry| {
            let is_repeated = self.journal.iter().take(at).any(Entry::is_change);
            let may_be_echo = entry.said == Said::Already && is_repeated;
            entry.is_change() && (entry.said.is_doubt() || may_be_echo)
        };
        let mut entries = self.journal.iter().enumerate().rev();
        entries
            .find(|(at, entry)| is_question(*at, entry))
            .map(|(at, _)| at)
    }

    /// The list calls after a request.
    fn lists_after(&self, at: usize) -> impl Iterator<Item = &Entry> {
        let later = self.journal.iter().skip(at + 1);
        later.filter(|entry| entry.kind == Kind::List)
    }

    /// Rule 1: success, or a list that showed it after a doubt.
    fn ok_has_grounds(&self) -> bool {
        let is_done = self.changes().any(|entry| entry.said == Said::Done);
        let first_doubt = self.journal.iter().position(|entry| {
            entry.kind == Kind::Unread || (entry.is_change() && entry.said.is_doubt())
        });
        let first_question = first_doubt.or(self.last_question());
        let is_shown = first_question.is_some_and(|at| {
            self.lists_after(at)
                .any(|entry| self.shows_as_wanted(entry))
        });
        !self.is_ok() || is_done || is_shown
    }

    /// But for a list that hides what is there.
    fn ok_means_as_wanted(&self) -> bool {
        let was_deceived = !self.case.wants_associated()
            && self.case.listings.contains(&Listing::Hiding)
            && !self.changes().any(|entry| entry.said == Said::Done);
        let is_associated = self.ledger.is_associated_at(self.returned);
        !self.is_ok() || was_deceived || is_associated == self.case.wants_associated()
    }

    /// Rule 5. A 429 from a service that acted is its lie; only the echo of it is settled (rule 6),
    /// by a list that does not lie as well.
    fn known_means_untouched(&self) -> bool {
        let has_echo = self.changes().any(|entry| entry.said == Said::Already);
        let is_list_true = self.case.listings.iter().all(|listing| listing.is_true());
        let was_deceived = self.case.acts_though_busy() && !(has_echo && is_list_true);
        self.is_ok() || self.outcome.outcome_unknown || was_deceived || !self.ledger.is_touched()
    }

    /// Rules 2 and 6: nothing is left open by refusals.
    fn refused_means_known(&self) -> bool {
        let is_settled = |entry: &Entry| match entry.kind {
            Kind::Unread => false,
            Kind::List => true,
            Kind::Change => matches!(entry.said, Said::Refused | Said::Busy),
        };
        !self.outcome.outcome_unknown || !self.journal.iter().all(is_settled)
    }

    fn deadline_is_kept(&self) -> bool {
        self.elapsed <= self.case.timeout() + self.grace
    }

    /// Every request before another one was certainly not done.
    fn sends_are_safe(&self) -> bool {
        let changes: Vec<_> = self
            .journal
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.is_change())
            .collect();
        changes.iter().enumerate().all(|(number, (later, _))| {
            changes.iter().take(number).all(|(at, entry)| {
                let between = self.journal.iter().take(*later).skip(at + 1);
                let is_shown_undone = between
                    .filter(|entry| entry.kind == Kind::List)
                    .any(|entry| entry.shown == Some(!self.case.wants_associated()));
                let is_busy = matches!(entry.said, Said::Busy | Said::GaveUp);
                is_busy || entry.is_stale() || is_shown_undone
            })
        })
    }

    fn attempts_are_kept(&self) -> bool {
        let attempts = self.case.attempts as usize;
        let replaced = self.changes().filter(|entry| entry.is_stale()).count();
        self.changes().count() <= attempts + replaced.min(attempts)
            && self.outcome.attempts <= self.case.attempts
    }

    /// Rules 1, 4 and 6.
    fn shown_is_believed(&self) -> bool {
        let is_shown = self.last_question().is_some_and(|at| {
            self.lists_after(at)
                .any(|entry| self.shows_as_wanted(entry))
        });
        self.is_ok() || !is_shown
    }

    /// Rules 4, 6 and 7. A connection that breaks before its request may be the one for the
    /// question.
    fn doubt_is_asked_about(&self) -> bool {
        let can_ask = self.case.confirms && !self.case.breaks_connections();
        let is_asked = self
            .last_question()
            .is_none_or(|at| self.lists_after(at).next().is_some());
        self.is_ok() || !can_ask || is_asked
    }

    /// Rule 4, where one request leaves the time for it.
    fn doubt_is_asked_about_twice(&self) -> bool {
        let Some(at) = self.last_question() else {
            return true;
        };
        let has_time = self.case.attempts == 1 && !self.case.is_waiting();
        let lists: Vec<_> = self.lists_after(at).collect();
        let is_undone = |entry: &&Entry| entry.shown == Some(!self.case.wants_associated());
        let first = lists.first().filter(|first| is_undone(first));
        let (Some(first), Some(last)) = (first, lists.last()) else {
            return true;
        };
        self.is_ok() || !has_time || last.at.duration_since(first.at) >= BETWEEN_LOOKS
    }

    fn status_fits(&self) -> bool {
        let is_as_wanted =
            self.ledger.is_associated_at(self.returned) == self.case.wants_associated();
        let already = if self.case.wants_associated() {
            ALREADY_ASSOCIATED
        } else {
            NOT_ASSOCIATED
        };
        let (status, is_unknown) = (self.outcome.status, self.outcome.outcome_unknown);
        let fits = match status {
            PENDING => is_unknown,
            ALREADY_ASSOCIATED | NOT_ASSOCIATED => status == already && !is_unknown && is_as_wanted,
            LIMIT_REACHED => false,
            _ => !self.was_already(),
        };
        fits && (self.is_ok() || status == PENDING || !self.case.is_accepted())
    }

    /// Whether its only request was refused since the pair was as wanted, which the list confirmed.
    fn was_already(&self) -> bool {
        let mut requests = self.journal.iter().filter(|entry| entry.kind != Kind::List);
        let first = requests.next();
        let is_alone = requests.next().is_none();
        let is_shown = self.lists_after(0).any(|entry| self.shows_as_wanted(entry));
        is_alone && is_shown && first.is_some_and(|entry| entry.said == Said::Already)
    }
}
