//! The one-line calls, on one client that the whole process shares.

use std::ffi::c_char;
use std::ptr;

use super::arguments::{filter, pair, text, token};
use super::guard::guard;
use super::handle::make;
use super::last_error;
use super::list::fpga_assoc_list;
use crate::association::{Pair, Token};
use crate::client::{Client, Settings};
use crate::error::Error;
use crate::memory::OutOfMemory;
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
/// included. The certificate and the host name are always verified, against the system's trusted
/// certificates (or those that the environment's SSL_CERT_FILE and SSL_CERT_DIR name). Redirects are
/// never followed.
///
/// A returned status is what happened. `FPGA_ASSOC_OK` means that the service answered with success
/// (HTTP 200, 201 or 204 with no body, or with a JSON object that carries no error), or that the list
/// call shows the two images associated after a request of this call that was in doubt.
///
/// - A refusal settles a request: HTTP 4xx, or one of the service's flow-control codes. Anything else
///   that follows once a byte of the request may have gone out leaves it in doubt.
/// - Doubt stays, whatever later attempts are answered. Before a call in doubt fails the list call is
///   asked for this very pair, within the same 30 seconds, and once more 500 ms later; so that there
///   is time to ask, the service's own answer is waited for until a fifth of the time, at most 5
///   seconds, is left. Where the list does not show the two associated either,
///   `fpga_assoc_error_outcome_unknown` is true.
/// - HTTP 202 is in doubt: the list is asked until the time is over, then it is
///   `FPGA_ASSOC_PENDING`.
/// - The service has one text for "associated already" and "the ECS image has its limit". The list
///   tells which: `FPGA_ASSOC_ALREADY_ASSOCIATED` or `FPGA_ASSOC_LIMIT_REACHED`; where it can't,
///   `FPGA_ASSOC_REJECTED`. After an earlier request of this call it may be the echo of the call's
///   own success: with the two associated it is `FPGA_ASSOC_OK`.
///
/// There are up to three attempts. The request is sent again only where it did not reach the service
/// (no connection, a TLS handshake or a proxy that broke off), where the service said that it did
/// nothing (HTTP 408, 425, 429, a flow-control code), where a connection kept from an earlier call
/// closed without a byte of an answer, or where the list has since shown that nothing was done. A
/// certificate that is not trusted and a proxy that refuses (407, other 4xx) are final.
///
/// Proxies are those of the environment, as curl has them. For other settings make a client with
/// `fpga_assoc_client_new`.
///
/// Thread-safe: any number of threads may call at once. Blocks the calling thread.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_associate(
    endpoint: *const c_char,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
) -> i32 {
    // SAFETY: the texts are NULL or end in NUL, as the header says.
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
/// Arguments, results, errors, time limits, attempts and questions to the list are those of
/// `fpga_associate`, the other way round: a call that was in doubt succeeds where the list does not
/// show the two associated any more. Where the service says that there is nothing to take away, and
/// the list shows that the two are not associated, it is `FPGA_ASSOC_NOT_ASSOCIATED`; where the list
/// can't tell, `FPGA_ASSOC_NOT_FOUND` or `FPGA_ASSOC_REJECTED`.
///
/// Thread-safe: any number of threads may call at once. Blocks the calling thread.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_disassociate(
    endpoint: *const c_char,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
) -> i32 {
    // SAFETY: the texts are NULL or end in NUL, as the header says.
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
/// documented JSON, or over 16 MiB a page, is `FPGA_ASSOC_BAD_RESPONSE`; an answer that carries an
/// error is an error, never an empty list.
///
/// Time limits are those of `fpga_associate`. Each page is tried up to three times, after lost
/// connections and HTTP 5xx too, because a list changes nothing. By FPGA image, pages are read until
/// an empty one. Where a pair comes on two pages, what is listed moved between them: the list has it
/// once, and is read up to three times, until two readings are the same; else the call is
/// `FPGA_ASSOC_BAD_RESPONSE`.
///
/// Thread-safe: any number of threads may call at once. Blocks the calling thread.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_associations(
    endpoint: *const c_char,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
    list: *mut *mut fpga_assoc_list,
) -> i32 {
    // SAFETY: the texts are NULL or end in NUL, and `list` may be written to, as the header says.
    unsafe {
        make("list", list, ptr::null_mut(), || {
            let endpoint = Endpoint::parse(text("endpoint", endpoint)?, false)?;
            let token = self::token(token)?;
            let filter = filter(project_id, fpga_id, ecs_id)?;
            let list = client()?.associations(&endpoint, Some(token), filter)?;
            Ok(fpga_assoc_list::new(&list)?)
        })
    }
}

/// Closes the connections of the one-line calls that no call uses now, as
/// `fpga_assoc_client_close_idle` does for a client. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_close_idle() {
    guard(|| {
        if let Some(client) = CLIENT.get() {
            client.close_idle();
        }
    })
    .ok();
}

type Change = fn(&Client, &Endpoint, Option<Token<'_>>, Pair<'_>) -> Result<(), Error>;

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
    // SAFETY: the caller's promise.
    let arguments = || unsafe {
        let endpoint = Endpoint::parse(text("endpoint", endpoint)?, false)?;
        let token = self::token(token)?;
        let pair = pair(project_id, fpga_id, ecs_id)?;
        Ok::<_, Error>((endpoint, Some(token), pair))
    };
    last_error::keep(|| {
        let (endpoint, token, pair) = arguments()?;
        change(client()?, &endpoint, token, pair)
    })
}

fn client() -> Result<&'static Client, OutOfMemory> {
    CLIENT.get_or_make(|| Ok(Client::new(Settings::default(), false)))
}
