//! Calls without questions to the list, so that what is seen is attempts alone.

use std::time::Duration;

use super::call::Outcome;
use super::client::{self, Client, Config};

/// What a busy machine may take where nothing is waited for.
pub const AT_ONCE: Duration = Duration::from_secs(1);

/// A configuration that does not ask the list.
pub fn config() -> Config {
    client::config().no_confirm()
}

pub fn attempt_once(client: &Client) -> Outcome {
    let outcome = client.example();
    assert_eq!(outcome.attempts, 1, "{outcome:?}");
    outcome
}
