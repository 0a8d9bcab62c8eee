//! What to do next in a call, from what is known of it: the one place that decides whether a request
//! is sent again, whether the list is asked, and what may be said at the end.
//!
//! The rules are those that the header tells of `fpga_associate` and `fpga_assoc_error_outcome_unknown`:
//!
//! 1. Done is what the service answered with success, or what the list shows as wanted after a
//!    request that was in doubt.
//! 2. Only success and a refusal settle a request; everything else leaves it in doubt.
//! 3. Doubt sticks: only success, or the list, takes it away.
//! 4. Before a call in doubt ends with an error the list is asked, twice where it is not as wanted, if
//!    there are credentials to ask it with.
//! 5. Where the outcome is said to be known, no request had an effect, or will have one.
//! 6. A refusal whose text may have two causes is settled by the list; after another request it may
//!    be the echo of the call's own success.
//!
//! That there is time to ask is seen to in `course`; which parts of a list are evidence, in
//! `association::page`.

use std::time::Duration;

/// Between two looks at the list: a gateway may be acting still.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// The longest wait between looks at what was accepted.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The shortest.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// The time that is left for the last look, at most.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// That a pair is associated.
    Associated,
    /// That it is not.
    Apart,
    /// To learn something. It changes nothing, and is never in doubt.
    List,
}

/// What became of the latest request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latest {
    /// Success.
    Success,
    /// Nothing of it went out, and it may go better another time.
    Unsent,
    /// Nothing of it went out, and it will not.
    Barred,
    /// It was not done, and may be sent again: the service is busy.
    Busy,
    /// It was not done, and may be sent again: the service had given the connection up.
    GivenUp,
    /// It was refused.
    Refused,
    /// It was refused with a text that has two causes.
    Echo,
    /// A kept connection closed before a byte of an answer.
    KeptClosed,
    /// It was refused because of who asks.
    Denied,
    /// It was accepted.
    Accepted,
    /// What came is no answer.
    Unreadable,
    /// Whatever else leaves it in doubt.
    InDoubt,
    /// The same, and it would be the same another time.
    InDoubtForGood,
}

impl Latest {
    /// Rule 2.
    pub fn is_in_doubt(self) -> bool {
        self == Self::KeptClosed || self.may_have_acted()
    }

    /// Whether the list must show that it was not done before it is sent again. A kept connection
    /// that closed without an answer counts as one on which it was not done.
    pub fn may_have_acted(self) -> bool {
        matches!(
            self,
            Self::Accepted | Self::Unreadable | Self::InDoubt | Self::InDoubtForGood
        )
    }

    /// Whether the same request may go better another time.
    fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Unsent
                | Self::Busy
                | Self::GivenUp
                | Self::KeptClosed
                | Self::Unreadable
                | Self::InDoubt
        )
    }
}

/// What the list has shown since the latest request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// It was not asked.
    Nothing,
    /// The pair is as wanted.
    AsWanted,
    /// It is not.
    NotAsWanted,
    /// It is not, and the ECS image has no room for another FPGA image.
    Full,
    /// It is not, and the ECS image has room, or that can't be told.
    NotFull,
    /// It could not be had; perhaps later.
    Unclear,
    /// It could not be had, and will not be.
    Refused,
}

/// All that is known of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// What it is for.
    pub aim: Aim,
    /// What became of the latest request.
    pub latest: Latest,
    /// Whether another request of the call went out before that.
    pub is_repeated: bool,
    /// Whether a request of the call is in doubt, the latest among them.
    pub is_in_doubt: bool,
    /// Whether the list must show that nothing was done before the request is sent again.
    pub must_ask_first: bool,
    /// Whether the client was shut down, or memory ran out.
    pub must_stop: bool,
    /// What the list has shown since the latest request.
    pub shown: Shown,
    /// How often it was asked since.
    pub looks: u32,
    /// Whether the latest request was refused because of who asks, and may, once, be sent with other
    /// credentials as a part of the same attempt.
    pub may_renew: bool,
    /// Whether nothing more can, or may, be sent with the credentials.
    pub is_spent: bool,
    /// Whether an attempt is left, and the time for it.
    pub has_attempt: bool,
    /// Whether the latest request went out on a kept connection and may, once, be sent on another
    /// as a part of the same attempt.
    pub may_replace: bool,
    /// How long the call has left.
    pub left: Duration,
    /// Whether the list may be asked at all.
    pub confirm: bool,
    /// Whether what is as wanted already is a success.
    pub idempotent: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The call has succeeded.
    Done,
    /// The request is sent again, as another attempt and after a pause.
    SendAgain,
    /// The request is sent at once on another connection.
    Replace,
    /// Other credentials are asked for, and the request is sent with them at once.
    Renew,
    /// The list is asked whether it has the pair, after a wait.
    Ask(Duration),
    /// The list is asked how many FPGA images the ECS image has.
    Count,
    /// The call has failed.
    GiveUp(Ending),
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    pub cause: Cause,
    /// Whether a request of the call may have had, or may yet have, an effect.
    pub outcome_unknown: bool,
}

/// Why a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// What became of the latest request says it.
    Latest,
    /// It was accepted, and the list did not show it in time.
    Pending,
    /// The pair was as wanted before the call.
    AlreadyAsWanted,
    /// The ECS image has no room.
    LimitReached,
}

/// What the list can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// Nothing that matters.
    None,
    /// Whether a request of this call had its effect.
    Fate,
    /// Which of its two causes a refusal has.
    Cause,
}

impl Facts {
    /// Rules 4 and 6.
    fn question(&self) -> Question {
        match self.latest {
            _ if self.is_in_doubt => Question::Fate,
            Latest::Echo if self.is_repeated => Question::Fate,
            Latest::Echo => Question::Cause,
            _ => Question::None,
        }
    }

    fn may_send(&self) -> bool {
        self.has_attempt && self.latest.may_pass() && !self.must_ask_first && !self.is_spent
    }

    fn may_ask(&self) -> bool {
        self.confirm && !self.left.is_zero()
    }

    /// Each wait is twice the one before; the last leaves the time for one more look.
    fn wait_for_the_accepted(&self) -> Option<Duration> {
        let doubled = 1_u32.checked_shl(self.looks.saturating_sub(1));
        let wait = SECOND_LOOK
            .saturating_mul(doubled.unwrap_or(u32::MAX))
            .min(LONGEST_WAIT);
        let last = self.left.saturating_sub(LAST_LOOK.min(self.left / 4));
        (last >= SHORTEST_WAIT).then_some(wait.min(last))
    }

    fn give_up(&self, cause: Cause) -> Verdict {
        let may_be_an_echo = self.question() == Question::Fate
            && matches!(self.shown, Shown::Nothing | Shown::Unclear | Shown::Refused);
        Verdict::GiveUp(Ending {
            cause,
            outcome_unknown: self.is_in_doubt || may_be_an_echo,
        })
    }
}

/// What to do next, row by row; the first that fits.
pub fn verdict(facts: &Facts) -> Verdict {
    let &Facts { aim, latest, .. } = facts;
    match latest {
        Latest::Success => return Verdict::Done,
        _ if facts.must_stop => return facts.give_up(Cause::Latest),
        Latest::Denied if facts.may_renew => return Verdict::Renew,
        Latest::KeptClosed | Latest::GivenUp | Latest::Unsent if facts.may_replace => {
            return Verdict::Replace;
        }
        // What came may have been the rest of an earlier answer.
        Latest::Unreadable | Latest::Refused | Latest::InDoubt
            if facts.may_replace && aim == Aim::List =>
        {
            return Verdict::Replace;
        }
        _ => {}
    }
    if aim == Aim::List {
        return match latest {
            Latest::Unreadable => facts.give_up(Cause::Latest),
            _ if facts.has_attempt && latest.may_pass() => Verdict::SendAgain,
            _ => facts.give_up(Cause::Latest),
        };
    }
    match (facts.question(), facts.shown) {
        // Rules 1, 4 and 6: the list shows it.
        (Question::Fate, Shown::AsWanted) => Verdict::Done,
        (Question::Cause, Shown::AsWanted) if facts.idempotent => Verdict::Done,
        (Question::Cause, Shown::AsWanted) => facts.give_up(Cause::AlreadyAsWanted),

        // Nothing was done, or nothing since the list was asked.
        _ if facts.may_send() => Verdict::SendAgain,

        // Nobody would be told anything, and asking might lock the access key.
        _ if facts.is_spent && facts.shown != Shown::Full => facts.give_up(match latest {
            Latest::Accepted => Cause::Pending,
            _ => Cause::Latest,
        }),

        // Rules 4 and 6: what only the list can tell.
        (Question::Fate | Question::Cause, Shown::Nothing) if facts.may_ask() => {
            Verdict::Ask(Duration::ZERO)
        }
        (Question::Fate, Shown::NotAsWanted | Shown::Unclear) if latest == Latest::Accepted => {
            match facts.wait_for_the_accepted() {
                Some(wait) => Verdict::Ask(wait),
                None => facts.give_up(Cause::Pending),
            }
        }
        (Question::Fate, Shown::NotAsWanted) if facts.looks < 2 && facts.left > SECOND_LOOK => {
            Verdict::Ask(SECOND_LOOK)
        }

        // Rule 6: where it is not associated, the ECS image may be full.
        (_, Shown::NotAsWanted | Shown::Unclear)
            if latest == Latest::Echo
                && aim == Aim::Associated
                && !facts.is_in_doubt
                && facts.may_ask() =>
        {
            Verdict::Count
        }
        (_, Shown::Full) if !facts.is_in_doubt => facts.give_up(Cause::LimitReached),

        // Rules 3 and 5.
        _ if latest == Latest::Accepted => facts.give_up(Cause::Pending),
        _ => facts.give_up(Cause::Latest),
    }
}

#[cfg(test)]
mod tests;
