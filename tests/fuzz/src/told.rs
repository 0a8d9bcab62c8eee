//! What holds of whatever a caller is told.

use std::ffi::CStr;

use fpga_associate::capi::{self, fpga_assoc_error};
use fpga_associate::status::Status;

/// So many bytes of a secret in a row are never told.
const TELLING: usize = 8;

/// No word of the library has it, so that a text with it comes from elsewhere.
pub const MARK: u8 = b'~';

/// A secret that can be known again: every eight bytes of it have the mark.
pub fn marked(text: &[u8]) -> Vec<u8> {
    text.chunks(TELLING - 2).collect::<Vec<_>>().join(&MARK)
}

/// Whether a text has a telling part of a secret, with the mark in it.
pub fn repeats(text: &str, secret: &[u8]) -> bool {
    let is_in = |part: &[u8]| text.as_bytes().windows(TELLING).any(|other| other == part);
    // Most texts have no mark, and need not be looked through for each part of the secret.
    text.as_bytes().contains(&MARK)
        && secret
            .windows(TELLING)
            .any(|part| part.contains(&MARK) && is_in(part))
}

/// One clean line of text, no longer than that.
pub fn check_line(text: &str, most: usize) {
    assert!(text.len() <= most, "{} bytes: {text}", text.len());
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

pub fn check_status(status: i32) {
    let is_known = matches!(status, 0..=11 | 20..=32);
    assert!(is_known, "{status}");
}

/// What the last call told, which set the thread's last error.
pub fn check_last(status: i32, secrets: &[&[u8]]) {
    let error = capi::fpga_assoc_last_error_detail();
    // SAFETY: it belongs to this thread, which makes no call meanwhile.
    check(status, unsafe { error.as_ref() }, secrets);
}

/// What a call told.
pub fn check(status: i32, error: Option<&fpga_assoc_error>, secrets: &[&[u8]]) {
    check_status(status);
    assert_eq!(error.is_none(), status == Status::OK as i32, "{status}");
    if error.is_some() {
        assert_eq!(capi::fpga_assoc_error_status(error), status);
    }
    let texts = [
        (capi::fpga_assoc_error_message(error), 1023),
        (capi::fpga_assoc_error_code(error), 64),
        (capi::fpga_assoc_error_request_id(error), 128),
    ];
    for (text, most) in texts {
        // SAFETY: a text ends in NUL and lives as long as the error.
        let text = unsafe { CStr::from_ptr(text) }.to_str().unwrap();
        check_line(text, most);
        assert!(
            !secrets.iter().any(|secret| repeats(text, secret)),
            "{text}"
        );
    }
    let message = capi::fpga_assoc_error_message(error);
    // SAFETY: as above.
    assert_eq!(unsafe { message.read() } == 0, error.is_none());
    assert!(capi::fpga_assoc_error_retry_after_ms(error) <= 86_400_000);
    assert!((0..=2).contains(&capi::fpga_assoc_error_observed(error)));
}

/// 1 to 65,536 bytes of visible ASCII.
pub fn is_token(text: &[u8]) -> bool {
    (1..=65_536).contains(&text.len()) && text.iter().all(|byte| (0x21..=0x7e).contains(byte))
}
