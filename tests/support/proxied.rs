//! Calls in a process of its own, whose environment, and so whose proxy, is known.

use std::env;
use std::process::Output;

use fpga_associate::status::Status;

use super::call;
use super::client::{Client, default_config};
use super::itself;

/// Stands among the variables for the proxy that the program sets itself.
pub const SETTING: &str = "set_proxy";

pub const ENDPOINT: &str = "FPGA_TEST_ENDPOINT";
pub const PROXY: &str = "FPGA_TEST_PROXY";
pub const CA_FILE: &str = "FPGA_TEST_CA_FILE";
pub const CALLS: &str = "FPGA_TEST_CALLS";
pub const MAX_ATTEMPTS: &str = "FPGA_TEST_MAX_ATTEMPTS";
pub const TIMEOUT_MS: &str = "FPGA_TEST_TIMEOUT_MS";

/// A name that does not exist costs a second at most, on a machine without DNS too.
pub const RESOLVER: (&str, &str) = ("RES_OPTIONS", "timeout:1 attempts:1");

pub type Variables<'a> = [(&'a str, &'a str)];

/// What one call came to, in a process whose environment is known.
#[derive(Debug)]
pub struct Told {
    pub status: i32,
    pub attempts: u32,
    pub outcome_unknown: bool,
    pub message: String,
}

impl Told {
    pub fn is(&self, status: Status) -> bool {
        self.status == status.number()
    }
}

/// Makes calls with one client in a process of their own, and nothing in its environment but these.
pub fn calls<const COUNT: usize>(endpoint: &str, variables: &Variables) -> [Told; COUNT] {
    let count = COUNT.to_string();
    let variables = [variables, &[(CALLS, count.as_str())]].concat();
    let output = child("calls", endpoint, &variables);
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let told: Vec<Told> = text.lines().filter_map(read_told).collect();
    told.try_into().unwrap_or_else(|_| panic!("{output:?}"))
}

pub fn one_call(endpoint: &str, variables: &Variables) -> Told {
    let [told] = calls(endpoint, variables);
    told
}

/// Runs one of the tests of this program that only have a meaning in a process of their own.
pub fn child(test: &str, endpoint: &str, variables: &Variables) -> Output {
    let output = itself::command()
        .args([
            &format!("child_{test}"),
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env_clear()
        .env(ENDPOINT, endpoint)
        .envs([RESOLVER])
        .envs(variables.iter().map(|&(name, value)| match name {
            SETTING => (PROXY, value),
            _ => (name, value),
        }))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

pub fn read_told(line: &str) -> Option<Told> {
    let mut fields = line.strip_prefix("told\t")?.splitn(4, '\t');
    let mut next = || fields.next().unwrap();
    Some(Told {
        status: next().parse().unwrap(),
        attempts: next().parse().unwrap(),
        outcome_unknown: next().parse().unwrap(),
        message: next().to_owned(),
    })
}

pub fn tell(outcome: &call::Outcome) {
    let call::Outcome {
        status,
        attempts,
        outcome_unknown,
        message,
        ..
    } = outcome;
    eprintln!("told\t{status}\t{attempts}\t{outcome_unknown}\t{message}");
}

pub fn child_client(endpoint: &str) -> Client {
    let mut config = default_config().allow_http().timeout_ms(5_000);
    if let Ok(url) = env::var(PROXY) {
        config = config.proxy(&url);
    }
    if let Ok(file) = env::var(CA_FILE) {
        config = config.ca_file(&file);
    }
    if let Ok(attempts) = env::var(MAX_ATTEMPTS) {
        config = config.max_attempts(attempts.parse().unwrap());
    }
    if let Ok(ms) = env::var(TIMEOUT_MS) {
        config = config.timeout_ms(ms.parse().unwrap());
    }
    config.client(endpoint)
}

/// What the test `child_calls` of each program does that runs itself for its calls.
pub fn make_calls() {
    let Ok(endpoint) = env::var(ENDPOINT) else {
        return;
    };
    let client = child_client(&endpoint);
    let count: usize = env::var(CALLS).unwrap().parse().unwrap();
    for _ in 0..count {
        tell(&client.example());
    }
}
