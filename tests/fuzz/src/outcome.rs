//! What comes next in a call, from what is known of it: beside a second opinion, which reads the promises of the header
//! one by one and knows nothing of rows.

use std::time::Duration;

// It is no part of the library's interface. (rustfmt would look for its tests here.)
#[path = "../../../src/client/verdict.rs"]
#[rustfmt::skip]
#[allow(dead_code)]
mod verdict;

use verdict::{Aim, Cause, Ending, Facts, Latest, Shown, Verdict};

use crate::input::Input;

const AIMS: [Aim; 3] = [Aim::Associated, Aim::Apart, Aim::List];
const ALL_LATEST: [Latest; 13] = [
    Latest::Success,
    Latest::Unsent,
    Latest::Barred,
    Latest::Busy,
    Latest::GivenUp,
    Latest::Refused,
    Latest::Echo,
    Latest::KeptClosed,
    Latest::Denied,
    Latest::Accepted,
    Latest::Unreadable,
    Latest::InDoubt,
    Latest::InDoubtForGood,
];
const ALL_SHOWN: [Shown; 7] = [
    Shown::Nothing,
    Shown::AsWanted,
    Shown::NotAsWanted,
    Shown::Full,
    Shown::NotFull,
    Shown::Unclear,
    Shown::Refused,
];

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let [aim, latest, shown, looks] = [(); 4].map(|()| usize::from(input.byte()));
    let flags = u16::from_le_bytes([input.byte(), input.byte()]);
    let left = Duration::from_millis(u16::from_le_bytes([input.byte(), input.byte()]).into());
    let left = left * (1 + u32::from(input.byte()));
    let flag = |bit: u16| flags >> bit & 1 == 1;
    let facts = Facts {
        aim: AIMS[aim % AIMS.len()],
        latest: ALL_LATEST[latest % ALL_LATEST.len()],
        shown: ALL_SHOWN[shown % ALL_SHOWN.len()],
        looks: looks as u32,
        is_repeated: flag(0),
        is_in_doubt: flag(1),
        must_ask_first: flag(2),
        must_stop: flag(3),
        confirm: flag(4),
        idempotent: flag(5),
        is_spent: flag(6),
        has_attempt: flag(7) && !left.is_zero(),
        may_replace: flag(8) && !left.is_zero(),
        may_renew: flag(9) && !left.is_zero(),
        left,
    };
    if can_be(&facts) {
        let verdict = verdict::verdict(&facts);
        assert_eq!(verdict, Opinion(facts).verdict(), "{facts:?}");
    }
}

/// Whether a call can come to that.
fn can_be(facts: &Facts) -> bool {
    let is_change = facts.aim != Aim::List;
    let leaves_doubt = is_change && leaves_doubt(facts.latest);
    let was_asked = facts.shown != Shown::Nothing;
    (!leaves_doubt || facts.is_in_doubt)
        && (is_change || (!facts.is_in_doubt && !was_asked && facts.latest != Latest::Echo))
        && (facts.is_in_doubt || !facts.must_ask_first)
        && was_asked == (facts.looks > 0)
        && (!was_asked || facts.confirm)
        && (facts.shown != Shown::NotAsWanted || !facts.must_ask_first)
        && (was_asked
            || !leaves_doubt
            || facts.latest == Latest::KeptClosed
            || facts.must_ask_first)
        && (!facts.may_renew || facts.latest == Latest::Denied)
        && (!facts.is_spent || !facts.may_replace)
        && (is_change || !facts.is_spent || !may_pass(facts.latest))
}

/// "Only two kinds of answer settle a request: success, and a refusal."
fn leaves_doubt(latest: Latest) -> bool {
    match latest {
        Latest::Success => false,
        // Nothing went out.
        Latest::Unsent | Latest::Barred => false,
        Latest::Busy | Latest::GivenUp | Latest::Refused | Latest::Echo | Latest::Denied => false,
        Latest::KeptClosed | Latest::Accepted | Latest::Unreadable => true,
        Latest::InDoubt | Latest::InDoubtForGood => true,
    }
}

/// What may go better another time.
fn may_pass(latest: Latest) -> bool {
    use Latest::{Busy, GivenUp, InDoubt, KeptClosed, Unreadable, Unsent};
    [Unsent, Busy, GivenUp, KeptClosed, Unreadable, InDoubt].contains(&latest)
}

struct Opinion(Facts);

impl Opinion {
    fn verdict(&self) -> Verdict {
        let facts = &self.0;
        if self.is_done() {
            Verdict::Done
        } else if facts.must_stop {
            self.fails(Cause::Latest)
        } else if facts.latest == Latest::Denied && facts.may_renew {
            Verdict::Renew
        } else if facts.may_replace && self.is_for_another_connection() {
            Verdict::Replace
        } else if self.is_known_to_be_as_wanted() {
            self.fails(Cause::AlreadyAsWanted)
        } else if self.may_send() {
            Verdict::SendAgain
        } else if let Some(wait) = self.wait_before_a_look() {
            Verdict::Ask(wait)
        } else if self.counts() {
            Verdict::Count
        } else if self.is_change() && facts.latest == Latest::Accepted {
            self.fails(Cause::Pending)
        } else if facts.shown == Shown::Full && !facts.is_in_doubt {
            self.fails(Cause::LimitReached)
        } else {
            self.fails(Cause::Latest)
        }
    }

    fn is_change(&self) -> bool {
        self.0.aim != Aim::List
    }

    /// "Once more than one request has gone out, such a refusal may be the echo of the call's own success."
    fn may_have_succeeded(&self) -> bool {
        self.0.is_in_doubt || (self.0.latest == Latest::Echo && self.0.is_repeated)
    }

    /// "OK only where the service answered with success, or the list showed the pair as wanted after a request that was
    /// in doubt."
    fn is_done(&self) -> bool {
        let facts = &self.0;
        let is_shown =
            facts.shown == Shown::AsWanted && !facts.must_stop && !self.is_settled_elsewhere();
        let is_enough =
            self.may_have_succeeded() || (facts.latest == Latest::Echo && facts.idempotent);
        facts.latest == Latest::Success || (is_shown && is_enough)
    }

    /// What is decided before the list counts.
    fn is_settled_elsewhere(&self) -> bool {
        let facts = &self.0;
        (facts.latest == Latest::Denied && facts.may_renew)
            || (facts.may_replace && self.is_for_another_connection())
    }

    /// A connection that was kept may have been given up, or may bring the rest of an earlier answer; only of a list
    /// does that do no harm.
    fn is_for_another_connection(&self) -> bool {
        match self.0.latest {
            Latest::KeptClosed | Latest::GivenUp | Latest::Unsent => true,
            Latest::Unreadable | Latest::Refused | Latest::InDoubt => !self.is_change(),
            _ => false,
        }
    }

    fn is_known_to_be_as_wanted(&self) -> bool {
        self.is_change() && self.0.latest == Latest::Echo && self.0.shown == Shown::AsWanted
    }

    fn may_send(&self) -> bool {
        let facts = &self.0;
        let is_safe = match self.is_change() {
            true => !facts.must_ask_first && !facts.is_spent,
            // What was no list will be none.
            false => facts.latest != Latest::Unreadable,
        };
        facts.has_attempt && may_pass(facts.latest) && is_safe
    }

    /// "Before a call that is in doubt ends with an error, the list is asked; where it is not as wanted, once more, 500
    /// ms later"; and about what was accepted as long as there is time.
    fn wait_before_a_look(&self) -> Option<Duration> {
        let facts = &self.0;
        let matters = self.may_have_succeeded() || facts.latest == Latest::Echo;
        if !self.is_change() || !matters || facts.is_spent {
            return None;
        }
        let half_a_second = Duration::from_millis(500);
        match facts.shown {
            Shown::Nothing => (facts.confirm && !facts.left.is_zero()).then_some(Duration::ZERO),
            Shown::NotAsWanted | Shown::Unclear if facts.latest == Latest::Accepted => {
                // Twice as long each time, 5 s at most, and 100 ms or a quarter before the end.
                let mut wait = half_a_second;
                for _ in 1..facts.looks.min(10) {
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                let end = facts.left - Duration::from_millis(100).min(facts.left / 4);
                (end >= Duration::from_millis(50)).then_some(wait.min(end))
            }
            Shown::NotAsWanted if self.may_have_succeeded() => {
                (facts.looks == 1 && facts.left > half_a_second).then_some(half_a_second)
            }
            _ => None,
        }
    }

    /// "After the ECS image's associations were counted, LIMIT_REACHED."
    fn counts(&self) -> bool {
        let facts = &self.0;
        facts.aim == Aim::Associated
            && facts.latest == Latest::Echo
            && !facts.is_in_doubt
            && !facts.is_spent
            && matches!(facts.shown, Shown::NotAsWanted | Shown::Unclear)
            && facts.confirm
            && !facts.left.is_zero()
    }

    /// "outcome_unknown false means: no request of this call had an effect, or will have one."
    fn fails(&self, cause: Cause) -> Verdict {
        let is_told = matches!(
            self.0.shown,
            Shown::AsWanted | Shown::NotAsWanted | Shown::Full | Shown::NotFull
        );
        let may_be_an_echo = self.0.latest == Latest::Echo && self.0.is_repeated && !is_told;
        Verdict::GiveUp(Ending {
            cause,
            outcome_unknown: self.0.is_in_doubt || may_be_an_echo,
        })
    }
}
