//! What a call makes of one answer.

use std::time::{Duration, Instant};

use fpga_associate::status::Status;

use super::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN, example};
use super::client::config;
use super::raw::{Server, Then};

/// What an answer that needs no waiting may take on a busy machine; the library's own deadline is
/// 30 s.
const PROMPT: Duration = Duration::from_secs(15);

/// What a call makes of an answer.
pub fn outcome_of(answer: impl Into<Vec<u8>>) -> Outcome {
    let server = Server::answering_first(answer, Then::Keep);
    outcome_at(&server)
}

/// What a call makes of an answer after which the server closes the connection.
pub fn outcome_of_last(answer: impl Into<Vec<u8>>) -> Outcome {
    let server = Server::answering_first(answer, Then::Close);
    outcome_at(&server)
}

/// Whatever came of one call, the next one on the same thread gets the answer that is meant for it.
pub fn outcome_at(server: &Server) -> Outcome {
    let begun = Instant::now();
    let outcome = one_attempt(&server.endpoint(), TOKEN);
    let took = begun.elapsed();
    assert!(took < PROMPT, "{took:?}: {outcome:?}");
    let next = example(&server.endpoint());
    assert!(next.is(Status::OK), "{next:?} after {outcome:?}");
    outcome
}

/// One attempt and no question, so that the answer is seen as it is.
pub fn one_attempt(endpoint: &str, token: &str) -> Outcome {
    let client = config().max_attempts(1).no_confirm().client(endpoint);
    client.associate(token, PROJECT_ID, FPGA_ID, ECS_ID)
}
