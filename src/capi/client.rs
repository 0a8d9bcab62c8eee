//! Clients with settings of their own.

use std::ffi::c_char;
use std::mem;
use std::sync::Arc;

use super::arguments::{filter, optional_token, pair, text};
use super::config::fpga_assoc_config;
use super::error::fpga_assoc_error;
use super::guard::guard;
use super::handle::{borrow, make, take_back};
use super::last_error;
use super::list::fpga_assoc_list;
use crate::association::{Pair, Token};
use crate::client::{Client, Settings};
use crate::error::Error;
use crate::transport::Endpoint;

/// A client of one endpoint, with its settings and the connections that it keeps. Any number of
/// threads may use one at once.
pub struct fpga_assoc_client {
    /// A shutdown that is under way has its own share, so that whoever it sets free may free the
    /// client.
    pub(super) client: Arc<Client>,
    pub(super) endpoint: Endpoint,
}

/// Makes a client. It connects when it is first used.
///
/// - `endpoint`: as for `fpga_associate`; "http://" to any host where the settings allow it.
///   Borrowed for the call.
/// - `config`: the settings, which are copied; NULL for the defaults.
/// - `client`: receives the client, to be freed with `fpga_assoc_client_free`; NULL where the call
///   fails.
/// - `error`: NULL, or receives the error, to be freed with `fpga_assoc_error_free`; NULL where the
///   call succeeds. Where it is NULL the thread's last error is set instead.
///
/// Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`: `FPGA_ASSOC_INVALID_ARGUMENT` for an
/// endpoint that can't be used, such as plain "http://" beyond this very machine where requests are
/// signed, and for an `endpoint` or a `client` that is NULL. The proxies of the
/// environment are read now. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_client_new(
    endpoint: *const c_char,
    config: Option<&fpga_assoc_config>,
    client: *mut *mut fpga_assoc_client,
    error: *mut *mut fpga_assoc_error,
) -> i32 {
    // SAFETY: the text ends in NUL, and the outputs may be written to, as the header says.
    unsafe {
        make("client", client, error, || {
            let endpoint = text("endpoint", endpoint)?;
            let settings = match config {
                Some(config) => config.copy()?,
                None => Settings::default(),
            };
            let endpoint = Endpoint::parse(endpoint, settings.allows_http())?;
            settings.check(&endpoint)?;
            let client = Arc::new(Client::new(settings, true));
            Ok(fpga_assoc_client { client, endpoint })
        })
    }
}

/// Associates an FPGA image with an ECS image, as `fpga_associate` does, with the client's
/// settings.
///
/// The arguments are those of `fpga_associate`. `token` may be NULL where the client has credentials
/// of its own (`fpga_assoc_config_set_token` and those below it); a token that is given is used in their
/// place, for this call. `error` is NULL, or receives the error, to be freed
/// with `fpga_assoc_error_free`; NULL where the call succeeds. Where it is NULL the thread's last
/// error is set instead: runtimes that move work between threads (Go, Java, async) must give one.
///
/// Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; `FPGA_ASSOC_INVALID_ARGUMENT` for a
/// `client` that is NULL.
///
/// Thread-safe: any number of threads may call at once, each on a connection of its own. Blocks the
/// calling thread, until the time for the whole call has passed at the latest.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_client_associate(
    client: *mut fpga_assoc_client,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
    error: *mut *mut fpga_assoc_error,
) -> i32 {
    // SAFETY: the client is alive, the texts end in NUL, and `error` may be written to, as the header
    // says.
    unsafe {
        change(
            client,
            token,
            project_id,
            fpga_id,
            ecs_id,
            error,
            Client::associate,
        )
    }
}

/// Takes an association away, as `fpga_disassociate` does, with the client's settings.
///
/// Arguments, results and errors are those of `fpga_assoc_client_associate`.
///
/// Thread-safe: any number of threads may call at once, each on a connection of its own. Blocks the
/// calling thread, until the time for the whole call has passed at the latest.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_client_disassociate(
    client: *mut fpga_assoc_client,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
    error: *mut *mut fpga_assoc_error,
) -> i32 {
    // SAFETY: the client is alive, the texts end in NUL, and `error` may be written to, as the header
    // says.
    unsafe {
        change(
            client,
            token,
            project_id,
            fpga_id,
            ecs_id,
            error,
            Client::disassociate,
        )
    }
}

/// Lists associations, as `fpga_associations` does, with the client's settings.
///
/// The arguments are those of `fpga_associations`; `token` may be NULL as for
/// `fpga_assoc_client_associate`, and one of `fpga_id` and `ecs_id` may be NULL.
/// `list` receives the list, to be freed with `fpga_assoc_list_free`; NULL where the call fails.
/// `error` is as for `fpga_assoc_client_associate`.
///
/// Returns `FPGA_ASSOC_OK`, or another `fpga_assoc_status`; `FPGA_ASSOC_INVALID_ARGUMENT` for a
/// `client` or a `list` that is NULL.
///
/// Thread-safe: any number of threads may call at once, each on a connection of its own. Blocks the
/// calling thread, until the time for the whole call, all pages included, has passed at the latest.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_client_associations(
    client: *mut fpga_assoc_client,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
    list: *mut *mut fpga_assoc_list,
    error: *mut *mut fpga_assoc_error,
) -> i32 {
    // SAFETY: the client is alive, the texts end in NUL, and the outputs may be written to, as the
    // header says.
    unsafe {
        make("list", list, error, || {
            let client = borrow("client", client)?;
            let token = optional_token(token)?;
            let filter = filter(project_id, fpga_id, ecs_id)?;
            let list = client
                .client
                .associations(&client.endpoint, token, filter)?;
            Ok(fpga_assoc_list::new(&list)?)
        })
    }
}

/// Ends the client's calls: those under way in other threads return `FPGA_ASSOC_CANCELLED` at once,
/// and so do all later ones.
///
/// NULL is ignored. The client must still be freed, after the calls have returned; the thread whose
/// call this ended may do so at once, while this function is still returning in another. In a child
/// of fork it ends the child's calls alone. Thread-safe: meant to be called from another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_client_shutdown(client: *mut fpga_assoc_client) {
    // SAFETY: the client is alive when this begins, as the header says; then its share is.
    if let Some(client) = unsafe { client.as_ref() }.map(|client| Arc::clone(&client.client)) {
        // The share may be the last, and closes what the client has: that too must come to its end.
        let mut share = Some(client);
        let done = guard(|| {
            if let Some(client) = share.take() {
                client.shut_down();
            }
        });
        // Who calls is woken also where there is no memory for more.
        if let (Err(_), Some(client)) = (done, share) {
            client.cancel();
            // The share is given back all the same, or nobody could free the client any more.
            mem::forget(Arc::into_inner(client));
        }
    }
}

/// Closes the connections that no call of the client uses now; those that a call uses are kept
/// after it as before.
///
/// A client keeps at most 100 connections, each for at most 55 seconds without use. NULL is ignored.
/// In a child of fork it closes the child's alone. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_client_close_idle(client: *mut fpga_assoc_client) {
    // SAFETY: the client is alive, as the header says.
    if let Some(client) = unsafe { client.as_ref() } {
        guard(|| client.client.close_idle()).ok();
    }
}

/// Frees a client, wipes its credentials and closes its connections. (A child of fork leaves alone, as
/// they are, those that its parent was granted or asked the agency for.) NULL is ignored.
///
/// Thread-safe, as long as nobody else uses the client any more; a call of
/// `fpga_assoc_client_shutdown` that has begun is not use.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_client_free(client: Option<Box<fpga_assoc_client>>) {
    take_back(client);
}

type Change = fn(&Client, &Endpoint, Option<Token<'_>>, Pair<'_>) -> Result<(), Error>;

/// # Safety
/// As the header says of the exports that call it.
unsafe fn change(
    client: *mut fpga_assoc_client,
    token: *const c_char,
    project_id: *const c_char,
    fpga_id: *const c_char,
    ecs_id: *const c_char,
    error: *mut *mut fpga_assoc_error,
    change: Change,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        last_error::deliver(error, || {
            let client = borrow("client", client)?;
            let token = optional_token(token)?;
            let pair = pair(project_id, fpga_id, ecs_id)?;
            change(&client.client, &client.endpoint, token, pair)
        })
    }
}
