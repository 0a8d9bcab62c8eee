//! Arguments that must be refused, and a server that must never hear of them.

use fpga_associate::status::Status;

use super::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN, associate_bytes};
use super::raw::{NO_CONTENT, Seen, Server, Then};

pub const NAMES: [&str; 5] = ["endpoint", "token", "project_id", "fpga_id", "ecs_id"];
pub const ENDPOINT: usize = 0;
pub const TOKEN_AT: usize = 1;
pub const IDS: [usize; 3] = [2, 3, 4];

/// A server that must never hear of any of the calls, and good arguments that would reach it.
pub struct Unreached {
    pub server: Server,
    pub endpoint: String,
}

impl Unreached {
    pub fn new() -> Self {
        let server = Server::answering(NO_CONTENT, Then::Keep);
        let endpoint = server.endpoint();
        Self { server, endpoint }
    }

    pub fn good(&self) -> [Option<&[u8]>; 5] {
        [&self.endpoint, TOKEN, PROJECT_ID, FPGA_ID, ECS_ID].map(|text| Some(text.as_bytes()))
    }

    /// Calls with good arguments but one, which must be refused by its name.
    pub fn refuses(&self, at: usize, value: Option<&[u8]>) -> Outcome {
        let mut arguments = self.good();
        arguments[at] = value;
        let outcome = associate_bytes(arguments);
        let shown = value.map(|value| {
            let beginning = &value[..value.len().min(80)];
            String::from_utf8_lossy(beginning).into_owned()
        });
        let case = format!("{}: {shown:?}: {outcome:?}", NAMES[at]);
        assert_refused(&outcome, NAMES[at], &case);
        outcome
    }

    pub fn finish(self) {
        assert_eq!(self.server.finish(), Seen::default());
    }
}

pub fn assert_refused(outcome: &Outcome, argument: &str, case: &str) {
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{case}");
    let reason = outcome.message.strip_prefix(&format!("{argument}: "));
    assert!(reason.is_some_and(|reason| reason.len() > 5), "{case}");
    assert!(!outcome.message.contains(TOKEN), "{case}");
    assert!(!outcome.message.contains(&TOKEN[..16]), "{case}");
    assert_eq!(outcome.attempts, 0, "{case}");
    assert_eq!(outcome.http_status, 0, "{case}");
    assert_eq!((&*outcome.code, &*outcome.request_id), ("", ""), "{case}");
    assert_eq!(outcome.retry_after_ms, 0, "{case}");
    assert!(!outcome.outcome_unknown, "{case}");
}
