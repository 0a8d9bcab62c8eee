//! Many calls of 32 threads of one host at once, for as long as it is told, with faults of every kind in one of twenty
//! requests: each call is accounted for, what was reported is what the service did, and nothing is left in the
//! host.
//!
//! A few seconds of it are run with the other tests. A minute, and all of it, with the library as it is shipped:
//!
//! ```sh
//! .ci/soak 60s
//! .ci/soak
//! ```
//!
//! These set `SOAK_SECONDS` or `SOAK_CALLS`. `SOAK_SEED` repeats the choices of a run by the number that is printed with
//! it, as far as its threads come to them in the same order.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use ecs_emulator::Emulator;
use fpga_associate::status::Status;
use support::c::Toolchain;
use support::certificates::Authority;
use support::soak::account::Account;
use support::soak::book::now;
use support::soak::deck::{Deck, KINDS};
use support::soak::gateway::Gateway;
use support::soak::host::{CHILDREN, Extent, Host, OWNERS, SHUT_DOWN, Surroundings, book};
use support::soak::line::Rest;
use support::soak::vault::vault;

/// Each begins with new threads and clients; after the first one the host is what it stays.
const PHASES: u64 = 5;

const FEW: Extent = Extent {
    phases: 2,
    calls: 600,
    seconds: 0,
};

/// The gateway starts anew after so many calls.
const CALLS_OF_GATEWAY: u64 = 500;

/// Of the requests.
const LEAST_PERCENT: u64 = 4;

/// By how much more memory the host may have in use after the last phase than after the first: what the allocator
/// keeps for the main thread, and counts as given. And be resident, which depends on how blocks lie.
const MOST_BYTES: i64 = 4 * 1024;
const MOST_KIB: i64 = 4 * 1024;

/// A run of so many calls has some that end with each of these.
const MANY: u64 = 100_000;
const STATUSES: &[Status] = &[
    Status::OK,
    Status::CONNECTION_LOST,
    Status::BAD_RESPONSE,
    Status::CANCELLED,
    Status::CREDENTIALS_FAILED,
    Status::REJECTED,
    Status::UNAUTHORIZED,
    Status::FORBIDDEN,
    Status::NOT_FOUND,
    Status::CONFLICT,
    Status::THROTTLED,
    Status::SERVICE_FAILED,
    Status::UNEXPECTED_STATUS,
    Status::PENDING,
    Status::ALREADY_ASSOCIATED,
    Status::NOT_ASSOCIATED,
    Status::INCOMPLETE,
];

#[test]
fn every_call_is_accounted_for_and_nothing_is_left_behind() {
    let (toolchain, extent) = extent();
    let seed = number_of("SOAK_SEED").unwrap_or_else(|| RandomState::new().hash_one(()) >> 16);
    println!("seed {seed}, {extent:?}");
    let began = Instant::now();

    let emulator = Arc::new(Emulator::start_plain().unwrap());
    let authority = Authority::new();
    let identity = authority.sign(&[Gateway::HOST]);
    let book = book(&emulator);
    let mut gateway = Gateway::start(emulator.address(), identity, book, Deck::new(seed));
    let vault = vault(Arc::clone(&emulator));
    let surroundings = Surroundings {
        gateway: gateway.address().to_string(),
        ca_file: &authority.file(),
        vault: vault.port(),
        emulator: &emulator,
        book: gateway.book(),
    };
    let mut host = Host::start(&toolchain, extent, seed, &surroundings);

    let mut account = Account::default();
    loop {
        let line = host.line().unwrap_or_else(|error| {
            panic!("{error}; begun and not ended: {:?}", account.open());
        });
        let Some(line) = line else { break };
        if account.enter(&line, gateway.book()) && account.calls() % CALLS_OF_GATEWAY == 0 {
            let begun = now();
            gateway.restart();
            account.note_restart(begun);
        }
    }
    host.finish().unwrap();
    gateway.stop();

    println!(
        "{} calls in {} s",
        account.calls(),
        began.elapsed().as_secs()
    );
    print_statuses(&account);
    for rest in &account.rests {
        println!("{rest:?}");
    }
    gateway.deck(|deck| check_faults(deck, &account));
    check_events(&account, vault.finish().connections);
    let mut wrong = wrong_at_rest(&account.rests, extent.phases, account.calls());
    let associated = emulator.associations();
    let is_associated = |number: usize| {
        let pair = &gateway.book().pairs[number];
        associated.contains(&(pair.fpga_id.clone(), pair.ecs_id.clone()))
    };
    wrong.extend(account.close(gateway.book(), is_associated));
    assert!(wrong.is_empty(), "seed {seed}:\n{}", wrong.join("\n"));
}

/// The library and how much it has to stand.
fn extent() -> (Toolchain, Extent) {
    let calls = number_of("SOAK_CALLS");
    let seconds = number_of("SOAK_SECONDS");
    let extent = match (calls, seconds) {
        (None, None) => return (Toolchain::new().unwrap(), FEW),
        (calls, seconds) => Extent {
            phases: PHASES,
            calls: calls.map_or(u64::from(u32::MAX), |calls| calls.div_ceil(PHASES)),
            seconds: seconds.unwrap_or(0).div_ceil(PHASES),
        },
    };
    (Toolchain::released().unwrap(), extent)
}

fn number_of(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is not a number: {value}")))
}

/// Whether there were as many faults as there should be, and of all kinds.
fn check_faults(deck: &Deck, account: &Account) {
    let (requests, faults) = (deck.requests(), deck.faults());
    println!("{requests} requests, {faults} faults: {:?}", deck.by_kind());
    println!(
        "{} outcomes unknown; {} calls with a request that was not read",
        account.unknown, account.unread
    );
    assert!(faults * 100 >= requests * LEAST_PERCENT);
    let of_kind = |kind: &&str| deck.by_kind().get(kind).copied().unwrap_or(0);
    let most = of_kind(&"before the request") + (account.restarts() * OWNERS) as u64;
    assert!(account.unread <= most, "{most}");
    if deck.is_through() {
        assert_eq!(KINDS.iter().find(|kind| of_kind(kind) == 0), None);
    }
    if account.calls() >= MANY {
        let is_missing = |status: &&Status| account.ended_with(**status) == 0;
        assert_eq!(STATUSES.iter().find(is_missing), None);
    }
}

/// Whether all happened that is to happen beside the faults.
fn check_events(account: &Account, grants: usize) {
    let of_children = account.calls_of(CHILDREN);
    let shut_down = account.calls_of(SHUT_DOWN);
    println!(
        "{} restarts of the gateway, {of_children} calls in children, {shut_down} shutdowns, {grants} grants, {} requests with credentials that had expired",
        account.restarts(),
        account.expired
    );
    assert!(account.restarts() > 0 && of_children > 0 && shut_down > 0 && grants > 1);
    assert!(account.expired > 0 || account.calls() < MANY);
}

/// What has grown, or was not given back.
fn wrong_at_rest(rests: &[Rest], phases: u64, calls: u64) -> Vec<String> {
    let (Some(first), Some(warm), Some(last)) = (rests.first(), rests.get(1), rests.last()) else {
        return vec!["the host had no rest".to_owned()];
    };
    let mut wrong = Vec::new();
    let mut expect = |is_right: bool, what: &str| {
        if !is_right {
            wrong.push(what.to_owned());
        }
    };
    expect(last.phase == phases, "a phase is missing");
    expect(last.calls == calls, "the host has counted other calls");
    for rest in rests {
        expect(
            rest.descriptors == first.descriptors,
            "descriptors are left",
        );
        expect(rest.threads == first.threads, "threads are left");
    }
    expect(last.in_use - warm.in_use <= MOST_BYTES, "memory is left");
    expect(
        last.resident - warm.resident <= MOST_KIB,
        "the host has grown",
    );
    wrong
}

fn print_statuses(account: &Account) {
    for ((what, status), count) in &account.statuses {
        let name = Status::ALL.iter().find(|known| known.number() == *status);
        println!("{count:>8} {what} {:?}", name.unwrap_or(&Status::INTERNAL));
    }
}
