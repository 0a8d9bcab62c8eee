//! The exports as safe Rust, with the promises that hold for every outcome checked on the way.

use std::ffi::{CStr, CString, c_char};

use fpga_associate::capi;
use fpga_associate::status::Status;

pub const TOKEN: &str = "MIIFNgYJKoZIhvcNAQcCoIIFJzCCBSMCAQExDTALBglghkgBZQMEAgEwggM+BgkqhkiG9w0B";
pub const PROJECT_ID: &str = "9451dc59feef4bcab18d1d0a9bd8fd10";
pub const FPGA_ID: &str = "4010a32b5f231f04015f24259efd0429";
pub const ECS_ID: &str = "18efee75-e058-4c52-a49c-9e3ba4d1c8de";

/// The longest message in bytes, without its NUL.
const MAX_MESSAGE: usize = 1023;

/// All that a caller can learn about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub status: i32,
    pub message: String,
    pub http_status: i32,
    pub code: String,
    pub request_id: String,
    pub retry_after_ms: u64,
    pub attempts: u32,
    pub outcome_unknown: bool,
    /// What the list showed last.
    pub observed: i32,
}

impl Outcome {
    pub fn is(&self, status: Status) -> bool {
        self.status == status.number()
    }

    /// Every text in it, for what none of them may say.
    pub fn texts(&self) -> [&str; 3] {
        [&self.message, &self.code, &self.request_id]
    }
}

/// The example of the service's documents.
pub fn example(endpoint: &str) -> Outcome {
    example_with_token(endpoint, TOKEN)
}

pub fn example_with_token(endpoint: &str, token: &str) -> Outcome {
    associate(endpoint, token, PROJECT_ID, FPGA_ID, ECS_ID)
}

pub fn associate(
    endpoint: &str,
    token: &str,
    project_id: &str,
    fpga_id: &str,
    ecs_id: &str,
) -> Outcome {
    associate_bytes(
        [endpoint, token, project_id, fpga_id, ecs_id].map(|text| Some(text.as_bytes())),
    )
}

/// The arguments in their order: bytes without a NUL, or NULL.
pub fn associate_bytes(arguments: [Option<&[u8]>; 5]) -> Outcome {
    let texts = arguments.map(|bytes| bytes.map(|bytes| CString::new(bytes).unwrap()));
    let [endpoint, token, project_id, fpga_id, ecs_id] = texts
        .each_ref()
        .map(|text| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr()));
    // SAFETY: each is NULL or ends in NUL, and `texts` outlives the call.
    let status = unsafe { capi::fpga_associate(endpoint, token, project_id, fpga_id, ecs_id) };
    outcome(status)
}

/// The example of the service's documents with a client, and an error where the caller wants it.
pub fn associate_raw(
    client: *mut capi::fpga_assoc_client,
    error: *mut *mut capi::fpga_assoc_error,
) -> i32 {
    let texts = [TOKEN, PROJECT_ID, FPGA_ID, ECS_ID].map(|text| CString::new(text).unwrap());
    let [token, project_id, fpga_id, ecs_id] = texts.each_ref().map(|text| text.as_ptr());
    // SAFETY: the texts live for the call; the rest is the test's matter.
    unsafe { capi::fpga_assoc_client_associate(client, token, project_id, fpga_id, ecs_id, error) }
}

/// Reads what the calling thread's last call left.
pub fn outcome(status: i32) -> Outcome {
    let line = text(capi::fpga_assoc_last_error());
    let error = capi::fpga_assoc_last_error_detail();
    // SAFETY: the thread's last error or NULL; it lives until the thread's next call.
    let outcome = outcome_of(status, unsafe { error.as_ref() });
    assert_eq!(outcome.message, line, "{outcome:?}");
    outcome
}

/// Reads an error.
pub fn outcome_of(status: i32, error: Option<&capi::fpga_assoc_error>) -> Outcome {
    let outcome = Outcome {
        status,
        message: text(capi::fpga_assoc_error_message(error)),
        http_status: capi::fpga_assoc_error_http_status(error),
        code: text(capi::fpga_assoc_error_code(error)),
        request_id: text(capi::fpga_assoc_error_request_id(error)),
        retry_after_ms: capi::fpga_assoc_error_retry_after_ms(error),
        attempts: capi::fpga_assoc_error_attempts(error),
        outcome_unknown: capi::fpga_assoc_error_outcome_unknown(error),
        observed: capi::fpga_assoc_error_observed(error),
    };
    let status_of_error = capi::fpga_assoc_error_status(error);
    assert_eq!(status_of_error, status, "{outcome:?}");
    assert_eq!(error.is_none(), status == 0, "{outcome:?}");
    assert_eq!(outcome.message.is_empty(), status == 0, "{outcome:?}");
    assert!(outcome.message.len() <= MAX_MESSAGE, "{outcome:?}");
    for text in outcome.texts() {
        assert!(is_clean(text), "{text:?} in {outcome:?}");
    }
    outcome
}

/// The text that an export returned; the export promises that it is UTF-8 and never NULL.
fn text(pointer: *const c_char) -> String {
    assert!(!pointer.is_null());
    // SAFETY: not NULL, and the library's texts end in NUL and live until the thread's next call.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().expect("not UTF-8").to_owned()
}

/// One line, and nothing that a terminal would obey or that turns the reading order.
fn is_clean(text: &str) -> bool {
    let obeys = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    !text.chars().any(obeys)
}
