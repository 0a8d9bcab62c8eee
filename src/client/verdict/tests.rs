//! The rules, one by one, and over every combination of facts.

use super::*;

const AIMS: [Aim; 3] = [Aim::Associated, Aim::Apart, Aim::List];
const CHANGES: [Aim; 2] = [Aim::Associated, Aim::Apart];
const ALL_LATEST: [Latest; 13] = [
    Latest::Success,
    Latest::Unsent,
    Latest::Barred,
    Latest::Busy,
    Latest::GivenUp,
    Latest::Refused,
    Latest::Echo,
    Latest::KeptClosed,
    Latest::Accepted,
    Latest::Unreadable,
    Latest::InDoubt,
    Latest::InDoubtForGood,
    Latest::Denied,
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
const TIMES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(400),
    Duration::from_millis(600),
    Duration::from_secs(20),
];

/// A first request, with time and attempts left.
fn after(aim: Aim, latest: Latest) -> Facts {
    let is_change = aim != Aim::List;
    Facts {
        aim,
        latest,
        is_repeated: false,
        is_in_doubt: is_change && latest.is_in_doubt(),
        must_stop: false,
        must_ask_first: is_change && latest.may_have_acted(),
        shown: Shown::Nothing,
        looks: 0,
        may_renew: false,
        is_spent: false,
        has_attempt: true,
        may_replace: false,
        left: Duration::from_secs(20),
        confirm: true,
        idempotent: false,
    }
}

fn ends(facts: &Facts) -> Ending {
    match verdict(facts) {
        Verdict::GiveUp(ending) => ending,
        other => panic!("{other:?} after {facts:?}"),
    }
}

fn known(cause: Cause) -> Ending {
    Ending {
        cause,
        outcome_unknown: false,
    }
}

fn unknown(cause: Cause) -> Ending {
    Ending {
        cause,
        outcome_unknown: true,
    }
}

/// Every combination of facts that can be.
fn for_all(mut check: impl FnMut(&Facts)) -> usize {
    let flags = [false, true];
    let mut count = 0;
    for aim in AIMS {
        for latest in ALL_LATEST {
            for shown in ALL_SHOWN {
                for looks in 0..4 {
                    for left in TIMES {
                        for bits in 0..1024_u32 {
                            let flag = |bit: u32| flags[usize::from(bits >> bit & 1 == 1)];
                            let facts = Facts {
                                aim,
                                latest,
                                is_repeated: flag(0),
                                is_in_doubt: flag(1),
                                must_ask_first: flag(2),
                                shown,
                                looks,
                                has_attempt: flag(3) && !left.is_zero(),
                                may_replace: flag(4) && !left.is_zero(),
                                left,
                                confirm: flag(5),
                                idempotent: flag(6),
                                must_stop: flag(7),
                                may_renew: flag(8) && !left.is_zero(),
                                is_spent: flag(9),
                            };
                            if can_be(&facts) {
                                check(&facts);
                                count += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    count
}

fn can_be(facts: &Facts) -> bool {
    let Facts { aim, latest, .. } = *facts;
    let was_asked = facts.shown != Shown::Nothing;
    let needs_doubt = latest.is_in_doubt() && aim != Aim::List;
    let asks = facts.confirm && aim != Aim::List;
    [
        // What must hold wherever the first does.
        (needs_doubt, facts.is_in_doubt),
        (facts.is_in_doubt, aim != Aim::List),
        (facts.must_ask_first, facts.is_in_doubt),
        (was_asked, asks && facts.looks > 0),
        (facts.looks > 0, was_asked),
        (latest == Latest::Echo, aim != Aim::List),
        (
            needs_doubt && latest.may_have_acted() && !was_asked,
            facts.must_ask_first,
        ),
        (facts.shown == Shown::NotAsWanted, !facts.must_ask_first),
        (facts.may_renew, latest == Latest::Denied),
        (facts.is_spent, !facts.may_replace),
        (facts.is_spent && aim == Aim::List, !latest.may_pass()),
    ]
    .iter()
    .all(|&(first, then)| !first || then)
}

#[test]
fn rule_1_done_is_an_answer_of_success_or_what_the_list_shows_after_a_doubt() {
    for aim in AIMS {
        assert_eq!(verdict(&after(aim, Latest::Success)), Verdict::Done);
    }
    for aim in CHANGES {
        let facts = Facts {
            shown: Shown::AsWanted,
            looks: 1,
            ..after(aim, Latest::InDoubt)
        };
        assert_eq!(verdict(&facts), Verdict::Done);
    }
    for_all(|facts| {
        if verdict(facts) == Verdict::Done && facts.latest != Latest::Success {
            let is_echo = facts.latest == Latest::Echo && (facts.is_repeated || facts.idempotent);
            assert!(facts.shown == Shown::AsWanted, "{facts:?}");
            assert!(facts.is_in_doubt || is_echo, "{facts:?}");
        }
    });
}

#[test]
fn rule_2_only_success_and_a_refusal_settle_a_request() {
    for (latest, is_in_doubt) in [
        (Latest::Success, false),
        (Latest::Unsent, false),
        (Latest::Barred, false),
        (Latest::Busy, false),
        (Latest::GivenUp, false),
        (Latest::Refused, false),
        (Latest::Echo, false),
        (Latest::KeptClosed, true),
        (Latest::Accepted, true),
        (Latest::Unreadable, true),
        (Latest::InDoubt, true),
        (Latest::InDoubtForGood, true),
    ] {
        assert_eq!(latest.is_in_doubt(), is_in_doubt, "{latest:?}");
    }
}

#[test]
fn rule_3_doubt_sticks_whatever_comes_next() {
    let count = for_all(|facts| {
        if let Verdict::GiveUp(ending) = verdict(facts)
            && facts.is_in_doubt
        {
            assert!(ending.outcome_unknown, "{facts:?}");
            let cause = ending.cause;
            assert!(matches!(cause, Cause::Latest | Cause::Pending), "{facts:?}");
        }
    });
    println!("{count} combinations of facts");
}

#[test]
fn rule_4_a_call_in_doubt_asks_the_list_before_it_fails_and_once_more() {
    for aim in CHANGES {
        for latest in [Latest::Refused, Latest::InDoubtForGood, Latest::Echo] {
            let first = Facts {
                is_in_doubt: true,
                must_ask_first: true,
                ..after(aim, latest)
            };
            assert_eq!(verdict(&first), Verdict::Ask(Duration::ZERO));
            let second = Facts {
                must_ask_first: false,
                shown: Shown::NotAsWanted,
                looks: 1,
                ..first
            };
            assert_eq!(verdict(&second), Verdict::Ask(SECOND_LOOK));
            let last = Facts { looks: 2, ..second };
            assert_eq!(ends(&last), unknown(Cause::Latest));
        }
    }
    for_all(|facts| {
        let may_ask = facts.confirm && !facts.left.is_zero() && !facts.must_stop && !facts.is_spent;
        if facts.is_in_doubt && may_ask && matches!(verdict(facts), Verdict::GiveUp(_)) {
            assert_ne!(facts.shown, Shown::Nothing, "{facts:?}");
            let was_seen_once = facts.shown == Shown::NotAsWanted && facts.looks < 2;
            assert!(!was_seen_once || facts.left <= SECOND_LOOK, "{facts:?}");
        }
    });
}

#[test]
fn rule_5_a_known_outcome_means_that_every_request_was_refused_or_did_not_go_out() {
    for_all(|facts| {
        if let Verdict::GiveUp(ending) = verdict(facts)
            && !ending.outcome_unknown
            && facts.aim != Aim::List
        {
            assert!(!facts.is_in_doubt, "{facts:?}");
            let echo = facts.latest == Latest::Echo && facts.is_repeated;
            let was_told = !matches!(
                facts.shown,
                Shown::Nothing | Shown::Unclear | Shown::Refused
            );
            assert!(!echo || was_told, "{facts:?}");
        }
    });
}

#[test]
fn rule_6_a_refusal_with_two_causes_is_settled_by_the_list() {
    for aim in CHANGES {
        let told = after(aim, Latest::Echo);
        assert_eq!(verdict(&told), Verdict::Ask(Duration::ZERO));
        let as_wanted = Facts {
            shown: Shown::AsWanted,
            looks: 1,
            ..told
        };
        assert_eq!(ends(&as_wanted), known(Cause::AlreadyAsWanted));
        let idempotent = Facts {
            idempotent: true,
            ..as_wanted
        };
        assert_eq!(verdict(&idempotent), Verdict::Done);
        let echo = Facts {
            is_repeated: true,
            ..as_wanted
        };
        assert_eq!(verdict(&echo), Verdict::Done);
        let untold = Facts {
            shown: Shown::Refused,
            ..as_wanted
        };
        assert_eq!(ends(&untold), known(Cause::Latest));
        let echo = Facts {
            is_repeated: true,
            ..untold
        };
        assert_eq!(ends(&echo), unknown(Cause::Latest));
    }
    let apart = Facts {
        shown: Shown::NotAsWanted,
        looks: 1,
        ..after(Aim::Associated, Latest::Echo)
    };
    assert_eq!(verdict(&apart), Verdict::Count);
    let untold = Facts {
        shown: Shown::Unclear,
        ..apart
    };
    assert_eq!(verdict(&untold), Verdict::Count);
    let full = Facts {
        shown: Shown::Full,
        ..apart
    };
    assert_eq!(ends(&full), known(Cause::LimitReached));
    let not_full = Facts {
        shown: Shown::NotFull,
        ..apart
    };
    assert_eq!(ends(&not_full), known(Cause::Latest));
    let still_associated = Facts {
        aim: Aim::Apart,
        ..apart
    };
    assert_eq!(ends(&still_associated), known(Cause::Latest));
}

#[test]
fn a_shutdown_ends_a_call_and_settles_nothing() {
    for (latest, is_repeated, outcome_unknown) in [
        (Latest::Busy, false, false),
        (Latest::InDoubt, false, true),
        (Latest::Echo, false, false),
        (Latest::Echo, true, true),
    ] {
        let facts = Facts {
            must_stop: true,
            is_repeated,
            ..after(Aim::Associated, latest)
        };
        let expected = Ending {
            cause: Cause::Latest,
            outcome_unknown,
        };
        assert_eq!(ends(&facts), expected, "{latest:?}");
    }
}

#[test]
fn a_request_is_sent_again_only_where_it_did_nothing_or_the_list_has_shown_so() {
    for aim in CHANGES {
        for latest in [Latest::Unsent, Latest::Busy, Latest::GivenUp] {
            assert_eq!(verdict(&after(aim, latest)), Verdict::SendAgain);
        }
        for latest in [Latest::Unreadable, Latest::InDoubt] {
            let lost = after(aim, latest);
            assert_eq!(verdict(&lost), Verdict::Ask(Duration::ZERO));
            let not_done = Facts {
                must_ask_first: false,
                shown: Shown::NotAsWanted,
                looks: 1,
                ..lost
            };
            assert_eq!(verdict(&not_done), Verdict::SendAgain);
        }
        for latest in [Latest::KeptClosed, Latest::GivenUp, Latest::Unsent] {
            let closed = Facts {
                may_replace: true,
                has_attempt: false,
                ..after(aim, latest)
            };
            assert_eq!(verdict(&closed), Verdict::Replace);
        }
    }
    for_all(|facts| {
        if verdict(facts) == Verdict::SendAgain {
            assert!(facts.has_attempt && facts.latest.may_pass(), "{facts:?}");
            assert!(!facts.must_ask_first, "{facts:?}");
        }
        if verdict(facts) == Verdict::Replace {
            let is_closed = matches!(
                facts.latest,
                Latest::KeptClosed | Latest::GivenUp | Latest::Unsent
            );
            assert!(facts.may_replace, "{facts:?}");
            assert!(is_closed || facts.aim == Aim::List, "{facts:?}");
        }
    });
}

#[test]
fn what_was_accepted_is_asked_about_with_growing_waits_and_never_sent_again() {
    let mut facts = after(Aim::Associated, Latest::Accepted);
    let mut waits = Vec::new();
    while let Verdict::Ask(wait) = verdict(&facts) {
        waits.push(wait);
        facts.left -= wait;
        facts.looks += 1;
        facts.shown = Shown::NotAsWanted;
        facts.must_ask_first = false;
    }
    let most = [0, 500, 1_000, 2_000, 4_000, 5_000].map(Duration::from_millis);
    assert!(waits.starts_with(&most), "{waits:?}");
    assert!(facts.left <= LAST_LOOK, "{waits:?}");
    assert_eq!(ends(&facts), unknown(Cause::Pending));

    let unasked = Facts {
        confirm: false,
        ..after(Aim::Apart, Latest::Accepted)
    };
    assert_eq!(ends(&unasked), unknown(Cause::Pending));
}

#[test]
fn nothing_is_asked_or_sent_without_the_leave_and_the_time() {
    for_all(|facts| match verdict(facts) {
        Verdict::Ask(wait) => {
            assert!(facts.confirm && facts.aim != Aim::List, "{facts:?}");
            assert!(!facts.is_spent, "{facts:?}");
            assert!(!facts.left.is_zero() && wait < facts.left, "{facts:?}");
        }
        Verdict::Count => {
            assert!(facts.confirm && facts.aim == Aim::Associated, "{facts:?}");
            assert!(!facts.is_spent, "{facts:?}");
        }
        Verdict::SendAgain | Verdict::Replace => {
            assert!(!facts.left.is_zero() && !facts.is_spent, "{facts:?}");
        }
        Verdict::Renew => {
            assert!(!facts.left.is_zero() && facts.may_renew, "{facts:?}");
        }
        Verdict::Done | Verdict::GiveUp(_) => {}
    });
}

#[test]
fn other_credentials_are_asked_for_once_and_a_denial_leaves_the_doubt() {
    for aim in AIMS {
        let denied = Facts {
            has_attempt: false,
            may_renew: true,
            is_spent: true,
            ..after(aim, Latest::Denied)
        };
        assert_eq!(verdict(&denied), Verdict::Renew);
        let stopped = Facts {
            must_stop: true,
            ..denied
        };
        assert_eq!(ends(&stopped), known(Cause::Latest));
        let once_more = Facts {
            may_renew: false,
            ..denied
        };
        assert_eq!(ends(&once_more), known(Cause::Latest));
    }
    for aim in CHANGES {
        let denied_in_doubt = Facts {
            is_in_doubt: true,
            is_repeated: true,
            ..after(aim, Latest::Denied)
        };
        assert_eq!(verdict(&denied_in_doubt), Verdict::Ask(Duration::ZERO));
        let spent = Facts {
            is_spent: true,
            ..denied_in_doubt
        };
        assert_eq!(ends(&spent), unknown(Cause::Latest));
    }
}

#[test]
fn a_list_is_asked_again_after_everything_that_may_pass() {
    for (latest, may_pass) in [
        (Latest::Unsent, true),
        (Latest::Busy, true),
        (Latest::GivenUp, true),
        (Latest::KeptClosed, true),
        (Latest::InDoubt, true),
        (Latest::Unreadable, false),
        (Latest::Barred, false),
        (Latest::Refused, false),
        (Latest::InDoubtForGood, false),
    ] {
        let expected = if may_pass {
            Verdict::SendAgain
        } else {
            Verdict::GiveUp(known(Cause::Latest))
        };
        assert_eq!(verdict(&after(Aim::List, latest)), expected, "{latest:?}");
    }
    for (latest, may_be_left_over) in [
        (Latest::Unreadable, true),
        (Latest::Refused, true),
        (Latest::InDoubt, true),
        (Latest::Denied, false),
        (Latest::Busy, false),
    ] {
        let on_a_kept_connection = Facts {
            may_replace: true,
            ..after(Aim::List, latest)
        };
        let is_replaced = verdict(&on_a_kept_connection) == Verdict::Replace;
        assert_eq!(is_replaced, may_be_left_over, "{latest:?}");
    }
}
