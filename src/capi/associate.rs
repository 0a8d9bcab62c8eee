//! The one-line calls, on one client that the whole process shares.

use std::convert::Infallible;
use std::ffi::c_char;

use super::arguments::text;
use super::last_error;
use crate::association::{Pair, Token};
use crate::client::{Client, Settings};
use crate::transport::{Endpoint, PerProcess};

static CLIENT: PerProcess<Client> = PerProcess::new();

/// Associates an FPGA image with an ECS image, so that servers made from the ECS image can load the FPGA image.
///
/// Sends `POST /v1/{project_id}/cloudservers/fpga_image/{fpga_image_id}/association` with the body `{"image":{"id":"<ecs_id>"}}`,
/// as the document "Associating an FPGA Image with an ECS Image" of the Elastic Cloud Server API reference says. The service asks
/// that the ECS image is private and has fewer than 10 FPGA images, and for the IAM action `ecs:cloudServerFpgaImages:relate`.
///
/// All arguments are text that ends in NUL, borrowed for the call:
///
/// - `endpoint`: where the service is: "host", "host:port" or "https://host[:port][/]", an IPv6 address in brackets, such as
///   "ecs.cn-north-1.myhuaweicloud.com". The port is 443 unless it is given. "http://" is accepted for this very machine alone
///   (localhost, 127.0.0.0/8, [::1]). User information, a path, a query or a fragment is refused.
/// - `token`: an IAM token of project scope, 1 to 65,536 bytes of visible ASCII. It goes to the endpoint and nowhere else.
/// - `project_id`: the project that the token is for.
/// - `fpga_id`: the id of the FPGA image.
/// - `ecs_id`: the id of the ECS image (not of a server).
///
/// The three ids have 1 to 128 of the characters A-Z a-z 0-9 - _ each. A UUID as `fpga_id` together with 32 hex digits as `ecs_id`
/// is refused as swapped.
///
/// Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; then `fpga_assoc_last_error` and `fpga_assoc_last_error_detail` of the
/// same thread tell more. A NULL or unusable argument is `FPGA_ASSOC_INVALID_ARGUMENT`, and nothing is sent.
///
/// The call ends within 30 seconds, name lookup, connecting, TLS, sending, waiting and all attempts included. It is tried up to
/// three times, but sent again only where the service provably did nothing: no connection, HTTP 429 or 503, a flow-control code, or
/// a connection kept from an earlier call that closes without a byte of an answer. The certificate and the host name are always
/// verified, against the system's trusted certificates (or those that the environment's SSL_CERT_FILE and SSL_CERT_DIR name).
/// Redirects are never followed. Proxies are those of the environment, as curl has them. For other settings make a client with
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
    last_error::keep(|| {
        // SAFETY: as the header says, all five are NULL or text that ends in NUL.
        let (endpoint, token, project_id, fpga_id, ecs_id) = unsafe {
            (
                text("endpoint", endpoint)?,
                text("token", token)?,
                text("project_id", project_id)?,
                text("fpga_id", fpga_id)?,
                text("ecs_id", ecs_id)?,
            )
        };
        let endpoint = Endpoint::parse(endpoint, false)?;
        let token = Token::new(token)?;
        let pair = Pair::new(project_id, fpga_id, ecs_id)?;
        let Ok(client) =
            CLIENT.get_or_make(|| Ok::<_, Infallible>(Client::new(Settings::default(), false)));
        client.associate(&endpoint, token, pair)
    })
}
