//! Calls without questions to the list, so that what is seen is attempts alone.

use super::call::Outcome;
use super::client::{self, Client, Config};

/// A configuration that does not ask the list.
pub fn config() -> Config {
    client::config().no_confirm()
}

pub fn attempt_once(client: &Client) -> Outcome {
    let outcome = client.example();
    assert_eq!(outcome.attempts, 1, "{outcome:?}");
    outcome
}
