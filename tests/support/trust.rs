//! Calls in a process of its own, whose trusted certificates are known: they are read once a process.

use std::env;
use std::path::Path;

use fpga_associate::status::Status;
use serde_json::{Value, json};

use super::call::{Outcome, TOKEN, example};
use super::itself;
use super::raw::Seen;

const ENDPOINTS: &str = "ASSOCIATE_AT";
const MARK: &str = "outcome: ";

/// What the test `one_call` of each program does that runs itself for its calls.
pub fn make_calls() {
    for endpoint in env::var(ENDPOINTS).unwrap_or_default().split_whitespace() {
        let outcome = example(endpoint);
        let fields = json!([
            outcome.status,
            outcome.http_status,
            outcome.attempts,
            outcome.outcome_unknown,
            outcome.message,
        ]);
        // On a line of its own: the test harness has begun one.
        println!("\n{MARK}{fields}");
    }
}

/// The outcomes of calls in a process that trusts what these variables say.
pub fn outcomes_of(endpoints: &[&str], trust: &[(&str, &Path)]) -> Vec<Outcome> {
    let output = itself::command()
        .args(["--exact", "one_call", "--ignored", "--nocapture"])
        .env_remove("SSL_CERT_FILE")
        .env_remove("SSL_CERT_DIR")
        .envs(trust.iter().copied())
        .env(ENDPOINTS, endpoints.join(" "))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let outcomes: Vec<_> = printed
        .lines()
        .filter_map(|line| line.strip_prefix(MARK))
        .map(read_outcome)
        .collect();
    assert_eq!(outcomes.len(), endpoints.len(), "{printed}");
    outcomes
}

fn read_outcome(line: &str) -> Outcome {
    let fields: Value = serde_json::from_str(line).unwrap();
    let number = |at: usize| fields[at].as_i64().unwrap();
    Outcome {
        status: number(0).try_into().unwrap(),
        http_status: number(1).try_into().unwrap(),
        attempts: number(2).try_into().unwrap(),
        outcome_unknown: fields[3].as_bool().unwrap(),
        observed: 0,
        message: fields[4].as_str().unwrap().to_owned(),
        code: String::new(),
        request_id: String::new(),
        retry_after_ms: 0,
    }
}

pub fn outcome_of(endpoint: &str, trust: &[(&str, &Path)]) -> Outcome {
    outcomes_of(&[endpoint], trust).remove(0)
}

pub fn outcome_trusting(file: &Path, endpoint: &str) -> Outcome {
    outcome_of(endpoint, &[("SSL_CERT_FILE", file)])
}

pub fn assert_tls_failed(outcome: &Outcome, case: &str) {
    assert!(outcome.is(Status::TLS_FAILED), "{case}: {outcome:?}");
    assert!(!outcome.outcome_unknown, "{case}: {outcome:?}");
    assert_eq!(outcome.http_status, 0, "{case}: {outcome:?}");
}

pub fn assert_was_asked(seen: &Seen, times: usize, case: &str) {
    assert_eq!(seen.requests.len(), times, "{case}");
    for request in &seen.requests {
        let text = String::from_utf8_lossy(&request.bytes);
        assert!(text.starts_with("POST /v1/"), "{case}: {text}");
        assert!(text.contains(TOKEN), "{case}: {text}");
    }
}
