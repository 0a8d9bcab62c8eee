//! Certificates that a client is given, and how one that can't be used is refused.

use std::ffi::{CString, c_char};
use std::path::Path;

use fpga_associate::capi;
use fpga_associate::status::Status;

use super::call::{self, Outcome};
use super::client::{Config, config};
use super::raw::Server;

pub fn endpoint(server: &Server) -> String {
    format!("https://127.0.0.1:{}", server.port())
}

pub fn outcome_trusting(pem: impl AsRef<[u8]>, server: &Server) -> Outcome {
    let client = config().ca_pem(pem).client(&endpoint(server));
    client.example()
}

/// The outcome of a setter that takes bytes.
fn set(
    setter: unsafe extern "C" fn(*mut capi::fpga_assoc_config, *const c_char, usize) -> i32,
    config: &Config,
    pem: &[u8],
) -> Outcome {
    // SAFETY: both live for the call.
    call::outcome(unsafe { setter(config.as_ptr(), pem.as_ptr().cast(), pem.len()) })
}

pub fn set_ca_pem(pem: impl AsRef<[u8]>) -> Outcome {
    set(capi::fpga_assoc_config_set_ca_pem, &config(), pem.as_ref())
}

pub fn set_client_certificate(pem: impl AsRef<[u8]>) -> Outcome {
    let setter = capi::fpga_assoc_config_set_client_certificate;
    set(setter, &config(), pem.as_ref())
}

pub fn set_ca_file(path: &Path) -> Outcome {
    let config = config();
    let path = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: both live for the call.
    call::outcome(unsafe { capi::fpga_assoc_config_set_ca_file(config.as_ptr(), path.as_ptr()) })
}

pub fn assert_refused(outcome: &Outcome, words: &str, case: &str) {
    assert!(outcome.is(Status::INVALID_ARGUMENT), "{case}: {outcome:?}");
    assert!(outcome.message.contains(words), "{case}: {outcome:?}");
}
