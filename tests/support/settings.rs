//! Setters whose outcome is looked at, and how one refuses.

use std::ffi::{CString, c_char};

use fpga_associate::capi;
use fpga_associate::status::Status;

use super::call::{self, Outcome};
use super::client::Config;
use super::raw::Server;

type RawConfig = *mut capi::fpga_assoc_config;
type SetNumber = unsafe extern "C" fn(RawConfig, u32) -> i32;
type SetText = unsafe extern "C" fn(RawConfig, *const c_char) -> i32;

pub const SET_CA_FILE: SetText = capi::fpga_assoc_config_set_ca_file;
pub const SET_PROXY: SetText = capi::fpga_assoc_config_set_proxy;
pub const SET_USER_AGENT: SetText = capi::fpga_assoc_config_set_user_agent;
pub const SET_TOKEN: SetText = capi::fpga_assoc_config_set_token;
pub const SET_TIMEOUT: SetNumber = capi::fpga_assoc_config_set_timeout_ms;
pub const SET_CONNECT_TIMEOUT: SetNumber = capi::fpga_assoc_config_set_connect_timeout_ms;
pub const SET_MAX_ATTEMPTS: SetNumber = capi::fpga_assoc_config_set_max_attempts;

/// So that -1 of another language is refused.
pub const LONGEST: u32 = i32::MAX as u32;

pub fn set_number(config: &Config, set: SetNumber, number: u32) -> Outcome {
    // SAFETY: the configuration is alive.
    call::outcome(unsafe { set(config.as_ptr(), number) })
}

pub fn set_text(config: &Config, set: SetText, text: impl Into<Vec<u8>>) -> Outcome {
    let text = CString::new(text).unwrap();
    // SAFETY: the configuration is alive, and the text for the call.
    call::outcome(unsafe { set(config.as_ptr(), text.as_ptr()) })
}

pub fn assert_refused(outcome: &Outcome, argument: &str, case: impl std::fmt::Debug) {
    assert!(
        outcome.is(Status::INVALID_ARGUMENT),
        "{case:?}: {outcome:?}"
    );
    let begins = outcome.message.starts_with(&format!("{argument}: "));
    assert!(begins, "{case:?}: {outcome:?}");
    assert!(!outcome.outcome_unknown, "{case:?}: {outcome:?}");
    assert_eq!(outcome.attempts, 0, "{case:?}: {outcome:?}");
}

/// The User-Agent of the first request.
pub fn user_agent(server: &Server) -> String {
    let request = String::from_utf8(server.seen().requests[0].bytes.clone()).unwrap();
    let values: Vec<_> = request
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| name.eq_ignore_ascii_case("user-agent"))
        .map(|(_, value)| value.to_owned())
        .collect();
    assert_eq!(values.len(), 1, "{request}");
    values[0].clone()
}
