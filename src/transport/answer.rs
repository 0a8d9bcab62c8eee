//! An HTTP answer, as far as it is needed.

use ureq::http::HeaderMap;

/// The status, the headers and the (bounded) body of an answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub http_status: u16,
    /// The body; where [`Answer::is_complete`] is false, its beginning.
    pub body: Vec<u8>,
    /// Whether all of the body came and fitted the limit.
    pub is_complete: bool,
    /// Whether it came on a kept connection.
    pub was_kept: bool,
    pub(super) headers: HeaderMap,
}

impl Answer {
    /// The value of a header, by its name in any letter case, where it is visible ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
