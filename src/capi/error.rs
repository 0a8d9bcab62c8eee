//! Errors by value: what C can ask about one.

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char};
use std::ptr;

use super::handle::boxed;
use crate::error::{Error, Observed};
use crate::memory::{self, OutOfMemory};
use crate::status::Status;

/// Why a call failed. Only the library makes one; its fields are read with the functions whose
/// names begin with `fpga_assoc_error_`.
///
/// Nothing in it changes once it was handed out, so any number of threads may read it at once while
/// it is valid.
pub struct fpga_assoc_error {
    status: Status,
    http_status: u16,
    message: Text,
    code: Text,
    request_id: Text,
    retry_after_ms: u64,
    attempts: u32,
    outcome_unknown: bool,
    observed: Observed,
}

type Text = Cow<'static, CStr>;

/// Those of calls for which memory ran out, which are there without any: where the outcome is known
/// and where it is not, for each thing that the list may have shown.
static OUT_OF_MEMORY: [[fpga_assoc_error; 3]; 2] = [each(false), each(true)];

const fn each(outcome_unknown: bool) -> [fpga_assoc_error; 3] {
    [
        out_of_memory(outcome_unknown, Observed::OBSERVED_NOTHING),
        out_of_memory(outcome_unknown, Observed::OBSERVED_ASSOCIATED),
        out_of_memory(outcome_unknown, Observed::OBSERVED_APART),
    ]
}

const fn out_of_memory(outcome_unknown: bool, observed: Observed) -> fpga_assoc_error {
    fpga_assoc_error {
        status: Status::OUT_OF_MEMORY,
        http_status: 0,
        message: Cow::Borrowed(Error::RAN_OUT),
        code: Cow::Borrowed(c""),
        request_id: Cow::Borrowed(c""),
        retry_after_ms: 0,
        attempts: 0,
        outcome_unknown,
        observed,
    }
}

impl TryFrom<&Error> for fpga_assoc_error {
    type Error = OutOfMemory;

    fn try_from(error: &Error) -> Result<Self, OutOfMemory> {
        Ok(Self {
            status: error.status,
            http_status: error.http_status,
            message: text(&error.message)?,
            code: text(&error.code)?,
            request_id: text(&error.request_id)?,
            retry_after_ms: error.retry_after_ms,
            attempts: error.attempts,
            outcome_unknown: error.outcome_unknown,
            observed: error.observed,
        })
    }
}

/// A copy, which the caller may keep: memory for it is asked for.
fn text(text: &str) -> Result<Text, OutOfMemory> {
    let mut bytes = Vec::new();
    memory::reserve_exact(&mut bytes, text.len() + 1)?;
    bytes.extend_from_slice(text.as_bytes());
    // Cleaned text has no NUL byte, so that nothing is lost here.
    Ok(Cow::Owned(CString::new(bytes).unwrap_or_default()))
}

impl fpga_assoc_error {
    /// An error for C, which gives it back with [`fpga_assoc_error_free`], and its status: another
    /// where there is no memory to tell it.
    pub fn given(error: &Error) -> (Status, *mut Self) {
        // What was refused before is in the error already.
        let new = memory::from_now_on(|| boxed(Self::try_from(error)?));
        match new {
            Ok(new) if error.status != Status::OUT_OF_MEMORY => (error.status, Box::into_raw(new)),
            _ => (
                Status::OUT_OF_MEMORY,
                Self::of_no_memory(error.outcome_unknown, error.observed),
            ),
        }
    }

    /// The error of a call for which memory ran out.
    pub fn of_no_memory(outcome_unknown: bool, observed: Observed) -> *mut Self {
        let [known, unknown] = &OUT_OF_MEMORY;
        let [nothing, associated, apart] = if outcome_unknown { unknown } else { known };
        ptr::from_ref(match observed {
            Observed::OBSERVED_NOTHING => nothing,
            Observed::OBSERVED_ASSOCIATED => associated,
            Observed::OBSERVED_APART => apart,
        })
        .cast_mut()
    }

    /// Whether it is there for ever.
    fn is_constant(error: *const Self) -> bool {
        OUT_OF_MEMORY.as_flattened().as_ptr_range().contains(&error)
    }
}

/// The status of the call, the same number that the call returned; `FPGA_ASSOC_OK` for NULL.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_error_status(error: Option<&fpga_assoc_error>) -> i32 {
    error.map_or(Status::OK, |error| error.status).number()
}

/// The HTTP status of the answer; 0 where no answer came, and for NULL.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_error_http_status(error: Option<&fpga_assoc_error>) -> i32 {
    error.map_or(0, |error| error.http_status.into())
}

/// One line of text for people, as `fpga_assoc_last_error` describes it; "" for NULL.
///
/// Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_error_message(error: Option<&fpga_assoc_error>) -> *const c_char {
    error.map_or(c"", |error| &error.message).as_ptr()
}

/// The service's own code, such as "Ecs.0005"; "" where it gave none, and for NULL.
///
/// Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_error_code(error: Option<&fpga_assoc_error>) -> *const c_char {
    error.map_or(c"", |error| &error.code).as_ptr()
}

/// The service's name for this request, which its support asks for; "" where none came, and for
/// NULL.
///
/// Returns text that ends in NUL, never NULL; it belongs to the error and lives as long as it.
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_error_request_id(error: Option<&fpga_assoc_error>) -> *const c_char {
    error.map_or(c"", |error| &error.request_id).as_ptr()
}

/// How long the service asked to wait before the next call, in milliseconds, at most 86,400,000 (a
/// day); 0 where it did not ask, and for NULL. Of a plan whose time ended because the service was
/// too busy, how long it would have waited.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_error_retry_after_ms(error: Option<&fpga_assoc_error>) -> u64 {
    error.map_or(0, |error| error.retry_after_ms)
}

/// How many times the request was tried, for a list the page that failed; 0 where an argument was
/// refused before that, where memory ran out, and for NULL. That a kept connection was closed, and the
/// request sent once more on a new one at once, is not counted.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_error_attempts(error: Option<&fpga_assoc_error>) -> u32 {
    error.map_or(0, |error| error.attempts)
}

/// Whether a request of the call may have had, or may yet have, an effect although the call failed;
/// false for NULL.
///
/// False means that no request of the call had an effect, or will have one: nothing went out, or
/// each request was refused (HTTP 4xx, a flow-control code). It is true after anything else that
/// followed a byte of a request: a lost connection, the deadline, a shutdown, an answer that can't
/// be read, HTTP 202, 2xx of another form than success has, 1xx, 3xx, 5xx, 600 and over; and after a
/// refusal that may be the echo of an earlier request of the call, where the list can't tell. It stays
/// true whatever later requests of the call are answered, until one succeeds or the list shows the
/// two images as wanted; then the call succeeds. Where it is true, `fpga_assoc_error_observed` says
/// what the list showed; ask the list before the call is repeated. Never true for a list.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_error_outcome_unknown(error: Option<&fpga_assoc_error>) -> bool {
    error.is_some_and(|error| error.outcome_unknown)
}

/// What the list showed of the two images when the call asked it last, an `fpga_assoc_observed`;
/// `FPGA_ASSOC_OBSERVED_NOTHING` for NULL.
///
/// Where the outcome is unknown it is what was seen, not what will be: a gateway may hand a request
/// on later still, and a list may lag behind.
///
/// Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_error_observed(error: Option<&fpga_assoc_error>) -> i32 {
    error.map_or(Observed::OBSERVED_NOTHING, |error| error.observed) as i32
}

/// Frees an error that an error pointer received. NULL is ignored.
///
/// Do not free what `fpga_assoc_last_error_detail` returned: that belongs to the library.
///
/// Thread-safe, as long as nobody else uses the error any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_error_free(error: *mut fpga_assoc_error) {
    if !error.is_null() && !fpga_assoc_error::is_constant(error) {
        // SAFETY: `fpga_assoc_error::given` boxed it, and the caller gives it back.
        drop(unsafe { Box::from_raw(error) });
    }
}
