//! One case from its beginning to its end.

use std::time::{Duration, Instant};

use fpga_associate::status::Status;

use super::super::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN};
use super::super::client::{Client, config};
use super::book::{Book, Knowledge};
use super::cases::{Case, Change};
use super::journal::During;
use super::promises::{Call, Exception, Promise, broken};
use super::service::Service;

const NEXT_FPGA_ID: &str = "4010a32b5f241c33015f24259f0a0ed3";

/// What came of a case.
#[derive(Debug, Default)]
pub struct Run {
    pub exceptions: Vec<Exception>,
    /// How long after its deadline a call returned.
    pub overrun: Duration,
}

impl Run {
    /// There is no kept connection that could be broken: the first call had to work.
    fn not_warm(outcome: &Outcome) -> Self {
        let promise = if outcome.is(Status::TIMEOUT) {
            Promise::NextCallIsRight
        } else {
            Promise::StatusFits
        };
        let exception = Exception {
            promise,
            seen: format!("before the case: {outcome:?}"),
        };
        Self {
            exceptions: vec![exception],
            ..Self::default()
        }
    }
}

/// Makes the call and then another one, with which all is well. Each may return so long after its
/// deadline.
pub fn run(case: &Case, grace: Duration) -> Run {
    let is_associated = case.was_as_wanted == case.wants_associated();
    let pairs = [
        (FPGA_ID, is_associated),
        (NEXT_FPGA_ID, !case.wants_associated()),
    ];
    let service = Service::start(Book::new(case.into(), pairs));
    let client = client(case, &service);
    if case.is_kept {
        let warm_up = client.associations(TOKEN, PROJECT_ID, Some(NEXT_FPGA_ID), Some(ECS_ID));
        if let Err(outcome) = warm_up {
            return Run::not_warm(&outcome);
        }
    }
    let made = make(&client, case.change, FPGA_ID);
    service.heal();
    let next_made = make(&client, case.change, NEXT_FPGA_ID);
    drop(client);
    let knowledge = service.finish();

    let mut exceptions = exceptions(case, &made, &knowledge, During::Call, grace);
    let next_exceptions = self::exceptions(case, &next_made, &knowledge, During::NextCall, grace);
    if !next_exceptions.is_empty() || next_made.outcome.status != 0 {
        exceptions.push(Exception {
            promise: Promise::NextCallIsRight,
            seen: format!("{:?}, {next_exceptions:?}", next_made.outcome),
        });
    }
    let late = made.elapsed.max(next_made.elapsed);
    Run {
        exceptions,
        overrun: late.saturating_sub(case.timeout()),
    }
}

fn client(case: &Case, service: &Service) -> Client {
    let timeout_ms = u32::try_from(case.timeout().as_millis()).unwrap();
    let config = config().timeout_ms(timeout_ms).max_attempts(case.attempts);
    let config = if case.confirms {
        config
    } else {
        config.no_confirm()
    };
    config.client(&service.endpoint())
}

/// A call that has returned.
struct Made {
    fpga_id: &'static str,
    outcome: Outcome,
    elapsed: Duration,
    returned: Instant,
}

fn make(client: &Client, change: Change, fpga_id: &'static str) -> Made {
    let begin = Instant::now();
    let outcome = match change {
        Change::Associate => client.associate(TOKEN, PROJECT_ID, fpga_id, ECS_ID),
        Change::Disassociate => client.disassociate(TOKEN, PROJECT_ID, fpga_id, ECS_ID),
    };
    let returned = Instant::now();
    Made {
        fpga_id,
        outcome,
        elapsed: returned - begin,
        returned,
    }
}

fn exceptions(
    case: &Case,
    made: &Made,
    knowledge: &Knowledge,
    during: During,
    grace: Duration,
) -> Vec<Exception> {
    let journal = knowledge.journal.iter().copied();
    let journal: Vec<_> = journal.filter(|entry| entry.during == during).collect();
    let call = Call {
        case,
        outcome: &made.outcome,
        elapsed: made.elapsed,
        returned: made.returned,
        journal: &journal,
        ledger: knowledge.ledgers.get(made.fpga_id).unwrap(),
        grace,
    };
    let exception = |promise| Exception {
        promise,
        seen: call.to_string(),
    };
    broken(&call).into_iter().map(exception).collect()
}
