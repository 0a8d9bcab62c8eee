//! The settings of a client.

use std::ffi::{CString, c_char, c_void};
use std::path::Path;

use super::arguments::{bytes, text};
use super::guard::{guard, outside};
use super::handle::{borrow, boxed, take_back};
use super::last_error;
use crate::client::Settings;
use crate::error::Error;
use crate::log::{Level, Log};
use crate::memory::OutOfMemory;
use crate::transport::Replaced;

/// Settings for a client. Made with `fpga_assoc_config_new`, which gives each setting its default.
pub struct fpga_assoc_config {
    settings: Replaced<Settings>,
}

/// A function of the host that receives one line of text for each connection, attempt, retry and
/// outcome of a client.
///
/// `context` is what was given to `fpga_assoc_config_set_log`. `level` is an `fpga_assoc_log_level`.
/// `line` is one line of UTF-8 without control
/// characters that ends in NUL, at most 1,023 bytes, never with the token; it is valid during the
/// call alone.
///
/// It is called on the thread that makes the call, or on one of a plan's, from several at once where
/// several call, and may itself call any function of this library but free what is in use, such as its
/// own client. It must return: no exception, no longjmp and no pthread_exit may leave it. It may fork:
/// where the child returns too, the call ends there as `FPGA_ASSOC_CONNECTION_LOST`, because the connection
/// is the parent's. (In a plan it may not return: see `fpga_assoc_client_apply`.)
pub type fpga_assoc_log_fn =
    Option<unsafe extern "C" fn(context: *mut c_void, level: i32, line: *const c_char)>;

/// New settings, each at its default.
///
/// Returns the settings; free them with `fpga_assoc_config_free`. NULL where memory ran out: a setter
/// refuses it, and `fpga_assoc_client_new` takes it for the defaults. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_config_new() -> Option<Box<fpga_assoc_config>> {
    guard(|| {
        let settings = Replaced::new(Settings::default());
        boxed(fpga_assoc_config { settings }).ok()
    })
    .ok()
    .flatten()
}

/// Frees settings. Clients that were made with them keep their own copy. NULL is ignored.
///
/// Thread-safe, as long as nobody else uses the settings any more.
#[unsafe(no_mangle)]
pub extern "C" fn fpga_assoc_config_free(config: Option<Box<fpga_assoc_config>>) {
    take_back(config);
}

/// Sets the time for a whole call in milliseconds, 1 to 2,147,483,647: name lookup, connecting,
/// TLS, sending, waiting, reading, all attempts and the waits between them. The default is 30,000.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number, such as a negative
/// one from another language, and for a `config` that is NULL; sets the thread's last error.
/// Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_timeout_ms(
    config: *mut fpga_assoc_config,
    ms: u32,
) -> i32 {
    // SAFETY: the configuration is alive, as the header says.
    unsafe { change(config, |settings| settings.set_timeout_ms(ms)) }
}

/// Sets the time for the connection of one attempt in milliseconds, 1 to 2,147,483,647: name
/// lookup, TCP, the proxy and TLS. The default is 10,000. The time for the whole call bounds it
/// too.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number, such as a negative
/// one from another language, and for a `config` that is NULL; sets the thread's last error.
/// Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_connect_timeout_ms(
    config: *mut fpga_assoc_config,
    ms: u32,
) -> i32 {
    // SAFETY: the configuration is alive, as the header says.
    unsafe { change(config, |settings| settings.set_connect_timeout_ms(ms)) }
}

/// Sets how many times a request may be tried, 1 to 100. The default is 3; 1 is no second try.
///
/// An associate or disassociate request is sent again, after a wait, only where the service
/// provably did nothing (no connection, a TLS handshake or a proxy that broke off, HTTP 408, 425 or
/// 429, a flow-control code) or a list call has shown since that it was not done. A list request, of
/// which each page has this many attempts, is also sent again after lost connections, time-outs and
/// HTTP 5xx; with 1, a list that moved while it was read is not read again. What the service asks to wait
/// is waited for where the time for the whole call allows.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for another number and for a `config`
/// that is NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_max_attempts(
    config: *mut fpga_assoc_config,
    attempts: u32,
) -> i32 {
    // SAFETY: the configuration is alive, as the header says.
    unsafe { change(config, |settings| settings.set_max_attempts(attempts)) }
}

/// Sets a file of certificates in PEM format to trust in place of the system's. The default is the
/// system's.
///
/// Each certificate is trusted as an authority, and as a server's own: a self-signed one, or one
/// that is pinned. Host name and dates are verified all the same.
///
/// `path` is text that ends in NUL, borrowed for the call: a regular file of at most 16 MiB, which
/// is read now. Text around the certificates is passed over; OpenSSL's "TRUSTED CERTIFICATE" is
/// read too.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a file that can't be read, holds no
/// certificate, or holds a block that is none, and for NULL; sets the thread's last error.
/// Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_ca_file(
    config: *mut fpga_assoc_config,
    path: *const c_char,
) -> i32 {
    // SAFETY: the configuration is alive and the text ends in NUL, as the header says.
    unsafe {
        prepare_and_change(
            config,
            || Settings::read_ca_file(Path::new(text("ca_file", path)?)),
            Settings::set_trust,
        )
    }
}

/// Sets certificates in PEM format to trust in place of the system's, as
/// `fpga_assoc_config_set_ca_file` does, from memory.
///
/// `pem` is `length` bytes, at most 16 MiB, borrowed for the call; it need not end in NUL.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a text that holds no certificate or
/// a block that is none, and for NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_ca_pem(
    config: *mut fpga_assoc_config,
    pem: *const c_char,
    length: usize,
) -> i32 {
    // SAFETY: the configuration is alive and the text so long, as the header says.
    unsafe {
        prepare_and_change(
            config,
            || Settings::read_ca_pem(bytes("ca_pem", pem, length)?),
            Settings::set_trust,
        )
    }
}

/// Sets the certificate that the endpoint sees where it asks for one. The default is none. A proxy
/// never sees it.
///
/// `pem` is `length` bytes, at most 16 MiB, borrowed for the call; it need not end in NUL. It holds,
/// in PEM format, the certificate, those between it and its authority, and the private key, which
/// must not be encrypted: RSA, ECDSA (P-256, P-384) or Ed25519.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a text without a certificate or a
/// key, with a key of another certificate, and for NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_client_certificate(
    config: *mut fpga_assoc_config,
    pem: *const c_char,
    length: usize,
) -> i32 {
    // SAFETY: the configuration is alive and the text so long, as the header says.
    unsafe {
        prepare_and_change(
            config,
            || Settings::read_client_certificate(bytes("client_certificate", pem, length)?),
            Settings::set_identity,
        )
    }
}

/// Sets the proxy, as "[scheme://][user[:password]@]host[:port]" with the scheme http (the
/// default), https, socks5 (the host's address is looked up here) or socks5h (the proxy looks it
/// up), and the port 1080 (443 for https) unless it is given. User and password are
/// percent-encoded. "" is no proxy.
///
/// The default is the environment's, as curl has it, read when the client is made: `https_proxy`,
/// `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY`. In both cases the hosts that `no_proxy` or `NO_PROXY`
/// names are reached directly.
///
/// `url` is text that ends in NUL, borrowed for the call.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a URL that can't be used and for
/// NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_proxy(
    config: *mut fpga_assoc_config,
    url: *const c_char,
) -> i32 {
    // SAFETY: the configuration is alive and the text ends in NUL, as the header says.
    unsafe { change(config, |settings| settings.set_proxy(text("proxy", url)?)) }
}

/// Sets the caller's product, such as "deploy-tool/2.1", which the request's User-Agent names in
/// front of the library's own. The default is none.
///
/// `product` is text that ends in NUL, borrowed for the call: 1 to 256 bytes of visible ASCII and
/// spaces.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text and for NULL; sets the
/// thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_user_agent(
    config: *mut fpga_assoc_config,
    product: *const c_char,
) -> i32 {
    // SAFETY: the configuration is alive and the text ends in NUL, as the header says.
    unsafe {
        change(config, |settings| {
            settings.set_user_agent(text("user_agent", product)?)
        })
    }
}

/// Sets whether an endpoint may be plain "http://" beyond this very machine, where everyone on the
/// way can read the token. The default is false.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
/// thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_allow_http(
    config: *mut fpga_assoc_config,
    allow: bool,
) -> i32 {
    // SAFETY: the configuration is alive, as the header says.
    unsafe { prepare_and_change(config, || Ok(allow), Settings::set_allow_http) }
}

/// Sets whether the list call is asked where only that can tell: what became of a request whose
/// outcome is not known, and which of its two causes a refusal has. The default is true. It needs the
/// IAM action `ecs:cloudServerFpgaImages:getRelations`.
///
/// Where it is false nothing is asked: what would have been asked about ends with
/// `fpga_assoc_error_outcome_unknown` true, HTTP 202 as `FPGA_ASSOC_PENDING`, and a refusal with two
/// causes as `FPGA_ASSOC_REJECTED` or `FPGA_ASSOC_NOT_FOUND`.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
/// thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_confirm(
    config: *mut fpga_assoc_config,
    confirm: bool,
) -> i32 {
    // SAFETY: the configuration is alive, as the header says.
    unsafe { prepare_and_change(config, || Ok(confirm), Settings::set_confirm) }
}

/// Sets whether a change that finds nothing to do is a success: `FPGA_ASSOC_OK` in place of
/// `FPGA_ASSOC_ALREADY_ASSOCIATED` and `FPGA_ASSOC_NOT_ASSOCIATED`, for tools that are run again. The
/// default is false. It needs the list call (`fpga_assoc_config_set_confirm`).
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
/// thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_idempotent(
    config: *mut fpga_assoc_config,
    idempotent: bool,
) -> i32 {
    // SAFETY: the configuration is alive, as the header says.
    unsafe { prepare_and_change(config, || Ok(idempotent), Settings::set_idempotent) }
}

/// Sets a function that receives lines of text about what the client does. The default, and NULL,
/// is none.
///
/// `context` is handed to the function as it is; it may be NULL. Both must stay usable until every
/// client that was made with these settings is freed.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
/// thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_log(
    config: *mut fpga_assoc_config,
    log: fpga_assoc_log_fn,
    context: *mut c_void,
) -> i32 {
    let host = Context(context);
    let log = || {
        Ok(match log {
            None => Log::default(),
            Some(log) => Log::to(move |level, line| host.write(log, level, line)),
        })
    };
    // SAFETY: the configuration is alive, as the header says.
    unsafe { prepare_and_change(config, log, Settings::set_log) }
}

/// What the host wants back with each call of its function.
pub struct Context(*mut c_void);

// SAFETY: the library never looks behind the pointer; the header tells the host that its function
// is called on many threads.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Context {
    /// What the host gave.
    pub fn new(pointer: *mut c_void) -> Self {
        Self(pointer)
    }

    /// To be handed to its function.
    pub fn pointer(&self) -> *mut c_void {
        self.0
    }

    fn write(
        &self,
        log: unsafe extern "C" fn(*mut c_void, i32, *const c_char),
        level: Level,
        line: &str,
    ) {
        let line = CString::new(line).unwrap_or_default();
        // SAFETY: the host promised that both stay usable; the line lives until the call returns.
        outside(|| unsafe { log(self.0, level as i32, line.as_ptr()) });
    }
}

/// # Safety
/// `config` is NULL or alive.
unsafe fn change(
    config: *mut fpga_assoc_config,
    change: impl FnOnce(&mut Settings) -> Result<(), Error>,
) -> i32 {
    last_error::keep(|| {
        // SAFETY: the caller's promise.
        let config = unsafe { borrow("config", config)? };
        config.change(change)
    })
}

/// As [`change`], with a value that is made before anyone else is kept waiting.
///
/// # Safety
/// `config` is NULL or alive.
pub unsafe fn prepare_and_change<T>(
    config: *mut fpga_assoc_config,
    prepare: impl FnOnce() -> Result<T, Error>,
    set: impl FnOnce(&mut Settings, T),
) -> i32 {
    last_error::keep(|| {
        // SAFETY: the caller's promise.
        let config = unsafe { borrow("config", config)? };
        let value = prepare()?;
        config.change(|settings| {
            set(settings, value);
            Ok(())
        })
    })
}

impl fpga_assoc_config {
    fn change(&self, change: impl FnOnce(&mut Settings) -> Result<(), Error>) -> Result<(), Error> {
        let mut change = Some(change);
        self.change_so(&mut |settings| change.take().map_or(Ok(()), |change| change(settings)))
    }

    /// Copying settings is the same for every change of one.
    fn change_so(
        &self,
        change: &mut dyn FnMut(&mut Settings) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.settings.change(change)
    }

    /// The settings as they are now.
    pub fn copy(&self) -> Result<Settings, OutOfMemory> {
        self.settings.copy()
    }
}
