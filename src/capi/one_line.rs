//! The one-line calls, on one client that the whole process shares.

use std::convert::Infallible;
use std::ffi::c_char;
use std::ptr;

use super::arguments::{text, token_and_filter, token_and_pair};
use super::guard::guard;
use super::last_error;
use super::list::fpga_assoc_list;
use crate::association::{Pair, Token};
use crate::client::{Client, Settings};
use crate::error::Error;
use crate::transport::{Endpoint, PerProcess};

static CLIENT: PerProcess<Client> = PerProcess::new();

/// Associates an FPGA image with an ECS image, so that servers made from the ECS image can load the
/// FPGA image.
///
/// Sends `POST /v1/{project_id}/cloudservers/fpga_image/{fpga_image_id}/association` with the body
/// `{"image":{"id":"<ecs_id>"}}`, as the document "Associating an FPGA Image with an ECS Image" of
/// the Elastic Cloud Server API reference says. The service asks that the ECS image is private and
/// has fewer than 10 FPGA images, and for the IAM action `ecs:cloudServerFpgaImages:relate`.
///
/// All arguments are text that ends in NUL, borrowed for the call:
///
/// - `endpoint`: where the service is: "host", "host:port" or "https://host[:port][/]", an IPv6
///   address in brackets, such as "ecs.cn-north-1.myhuaweicloud.com". The port is 443 unless it is
///   given. "http://" is accepted for this very machine alone (localhost, 127.0.0.0/8, [::1]). User
///   information, a path, a query or a fragment is refused.
/// - `token`: an IAM token of project scope, 1 to 65,536 bytes of visible ASCII. It goes to the
///   endpoint and nowhere else.
/// - `project_id`: the project that the token is for.
/// - `fpga_id`: the id of the FPGA image.
/// - `ecs_id`: the id of the ECS image (not of a server).
///
/// The three ids have 1 to 128 of the characters A-Z a-z 0-9 - _ each. A UUID as `fpga_id` together
/// with 32 hex digits as `ecs_id` is refused as swapped.
///
/// Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; then `fpga_assoc_last_error` and
/// `fpga_assoc_last_error_detail` of the same thread tell more. A NULL or unusable argument is
/// `FPGA_ASSOC_INVALID_ARGUMENT`, and nothing is sent.
///
/// The call ends within 30 seconds, name lookup, connecting, TLS, sending, waiting and all attempts
/// included. It is tried up to three times, but sent again only where the service provably did
/// nothing: no connection, a TLS handshake or a proxy that broke off, HTTP 429 or 503, a
/// flow-control code, or a connection kept from an earlier call that closes without a byte of an
/// answer. A certificate that is not trusted and a proxy that refuses (407, other 4xx) are final.
/// The certificate and the host name are always verified, against the system's trusted certificates
/// (or those that the environment's SSL_CERT_FILE and SSL_CERT_DIR name). Redirects are never
/// followed.
///
/// Where it stays unknown what the service did (the connection broke after the request went out;
/// HTTP 500, 502, 504) the list call is asked for this very pair, within the same 30 seconds: where
/// the two are associated the call succeeds, where they are not the error says so, or the request
/// is sent again. Where the service says that the two are associated already or the ECS image has
/// its limit, one text for both, the list tells which: `FPGA_ASSOC_CONFLICT` or
/// `FPGA_ASSOC_REJECTED`. Without permission to list, or without time,
/// `fpga_assoc_error_outcome_unknown` stays true.
///
/// Proxies are those of the environment, as curl has them. For other settings make a client with
/// `fpga_assoc_client_new`.
///
/// Thread-safe: any number of threads may call at once. Blocks the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_associate(
    endpoint: *const c_char,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
) -> i32 {
    // SAFETY: as the header says, all five are NULL or text that ends in NUL.
    unsafe {
        change(
            endpoint,
            token,
            project_id,
            fpga_id,
            ecs_id,
            Client::associate,
        )
    }
}

/// Takes the association of an FPGA image with an ECS image away. Only the owner of the FPGA image
/// may.
///
/// Sends `DELETE` to the same URI and with the same body as `fpga_associate`. The IAM action is
/// `ecs:cloudServerFpgaImages:unrelate`.
///
/// Arguments, results, errors, time limits, attempts and the question to the list are those of
/// `fpga_associate`: where it stays unknown what the service did, the call succeeds if the two are
/// not associated any more. Where they were not associated before, the service refuses, and so does
/// this call.
///
/// Thread-safe: any number of threads may call at once. Blocks the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_disassociate(
    endpoint: *const c_char,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
) -> i32 {
    // SAFETY: as the header says, all five are NULL or text that ends in NUL.
    unsafe {
        change(
            endpoint,
            token,
            project_id,
            fpga_id,
            ecs_id,
            Client::disassociate,
        )
    }
}

/// Lists associations: those of an FPGA image, of an ECS image, or that of both.
///
/// Sends `GET /v1/{project_id}/cloudservers/fpga_image/associations`, page after page of 100 pairs
/// over one connection. The IAM action is `ecs:cloudServerFpgaImages:getRelations`.
///
/// - `endpoint`, `token`, `project_id`: as for `fpga_associate`.
/// - `fpga_id`, `ecs_id`: the images; one of the two may be NULL.
/// - `list`: receives the list, to be freed with `fpga_assoc_list_free`; NULL where the call fails.
///
/// Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; then `fpga_assoc_last_error` and
/// `fpga_assoc_last_error_detail` of the same thread tell more. An answer that is not the
/// documented JSON, or over 16 MiB a page, is `FPGA_ASSOC_BAD_RESPONSE`.
///
/// Time limits are those of `fpga_associate`. Each page is tried up to three times, after lost
/// connections and HTTP 5xx too, because a list changes nothing.
///
/// Thread-safe: any number of threads may call at once. Blocks the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_associations(
    endpoint: *const c_char,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
    list: *mut *mut fpga_assoc_list,
) -> i32 {
    let mut listed = ptr::null_mut();
    let status = last_error::keep(|| {
        if list.is_null() {
            return Err(Error::invalid_argument("list", "is NULL"));
        }
        // SAFETY: as the header says, all five are NULL or text that ends in NUL.
        let (endpoint, (token, filter)) = unsafe {
            (
                Endpoint::parse(text("endpoint", endpoint)?, false)?,
                token_and_filter(token, project_id, fpga_id, ecs_id)?,
            )
        };
        let associations = client().associations(&endpoint, token, filter)?;
        listed = fpga_assoc_list::owned(associations);
        Ok(())
    });
    if !list.is_null() {
        // SAFETY: as the header says.
        unsafe { list.write(listed) };
    }
    status
}

/// Closes the connections of the one-line calls that no call uses now, as
/// `fpga_assoc_client_close_idle` does for a client. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_close_idle() {
    guard(|| {
        if let Some(client) = CLIENT.get() {
            client.close_idle();
        }
    });
}

type Change = fn(&Client, &Endpoint, Token<'_>, Pair<'_>) -> Result<(), Error>;

/// # Safety
/// All five are NULL or text that ends in NUL.
unsafe fn change(
    endpoint: *const c_char,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
    change: Change,
) -> i32 {
    last_error::keep(|| {
        // SAFETY: the caller's promise.
        let (endpoint, (token, pair)) = unsafe {
            (
                Endpoint::parse(text("endpoint", endpoint)?, false)?,
                token_and_pair(token, project_id, fpga_id, ecs_id)?,
            )
        };
        change(client(), &endpoint, token, pair)
    })
}

fn client() -> &'static Client {
    let Ok(client) =
        CLIENT.get_or_make(|| Ok::<_, Infallible>(Client::new(Settings::default(), false)));
    client
}
