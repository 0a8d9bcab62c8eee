//! Who a client's calls are made by, where they bring no token of their own.

use std::ffi::{c_char, c_void};

use std::sync::{Arc, Mutex, PoisonError};

use super::arguments::{optional_text, text};
use super::config::{Context, fpga_assoc_config, prepare_and_change};
use super::guard::outside;
use super::handle::borrow;
use super::last_error;
use crate::client::{Held, Reason, Settings, Source};
use crate::error::Error;
use crate::status::Status;

/// Sets the IAM token of calls that bring none. It lives 24 hours, so that it is for short programs;
/// `fpga_assoc_config_set_credentials_callback` is for long ones.
///
/// A client has one kind of credentials, the last that was set: this, an access key, the
/// environment's, the ECS agency's, or a callback's.
///
/// `token` is text that ends in NUL, borrowed for the call: 1 to 65,536 bytes of visible ASCII. It is
/// copied and kept masked; the copies are wiped when the settings and their clients are freed.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text and for NULL; sets the
/// thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_token(
    config: *mut fpga_assoc_config,
    token: *const c_char,
) -> i32 {
    // SAFETY: the configuration is alive and the text ends in NUL, as the header says.
    unsafe {
        prepare_and_change(
            config,
            || Settings::token(text("token", token)?),
            Settings::set_credentials,
        )
    }
}

/// Sets the access key (AK/SK) with which calls that bring no token are signed, as the "API Request
/// Signing Guide" has it (`SDK-HMAC-SHA256`). The secret key is sent nowhere.
///
/// Each attempt is signed anew. The service refuses signatures that are more than 15 minutes old, so
/// that this machine's clock must be right; and it locks an access key for five minutes after five
/// failures in a row, for every program that uses it. So a call that is refused with HTTP 401 is not
/// repeated, and after an answer that says that the key is locked the client's calls are
/// `FPGA_ASSOC_CREDENTIALS_FAILED` for 60 seconds, without a request.
///
/// A signed request goes over TLS, or to this very machine: `fpga_assoc_config_set_allow_http` does
/// not change that.
///
/// All are text that ends in NUL, borrowed for the call, copied and kept masked; the copies are wiped
/// when the settings and their clients are freed:
///
/// - `access_key`: 1 to 128 bytes of visible ASCII without a comma.
/// - `secret_key`: 1 to 256 bytes of visible ASCII.
/// - `security_token`: that of a temporary key, 1 to 65,536 bytes of visible ASCII; NULL for a permanent
///   key.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text, such as white space at an
/// end, and for NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_access_key(
    config: *mut fpga_assoc_config,
    access_key: *const c_char,
    secret_key: *const c_char,
    security_token: *const c_char,
) -> i32 {
    // SAFETY: the configuration is alive and the texts end in NUL, as the header says.
    unsafe {
        prepare_and_change(
            config,
            || {
                Settings::access_key(
                    text("access_key", access_key)?,
                    text("secret_key", secret_key)?,
                    optional_text("security_token", security_token)?,
                )
            },
            Settings::set_credentials,
        )
    }
}

/// Sets the access key that the vendor's tools would find in the environment, as
/// `fpga_assoc_config_set_access_key` does. The first of these that is there:
///
/// 1. the variables `HUAWEICLOUD_SDK_AK`, `HUAWEICLOUD_SDK_SK` and, for a temporary key,
///    `HUAWEICLOUD_SDK_SECURITY_TOKEN`;
/// 2. the variables `HW_ACCESS_KEY`, `HW_SECRET_KEY` and `HW_SECURITY_TOKEN`;
/// 3. `ak`, `sk` and `security_token` in the section `[basic]` of the file that
///    `HUAWEICLOUD_SDK_CREDENTIALS_FILE` names, or else of `~/.huaweicloud/credentials` (`HOME`;
///    `USERPROFILE` on Windows). It is a regular file of at most 64 KiB; where everyone may read it,
///    the log gets a warning when a client is made.
///
/// A variable that is empty counts as unset. Variables and file are read now and not again, and the
/// network is never asked. Where a place has a part of a key alone, that is an error: the next place is
/// not asked for another.
///
/// Returns `FPGA_ASSOC_OK`; `FPGA_ASSOC_CREDENTIALS_FAILED` where there is no key or none that can be
/// used, and then the settings are as before; `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL;
/// sets the thread's last error. Thread-safe, as long as no other thread changes the environment.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_environment_credentials(
    config: *mut fpga_assoc_config,
) -> i32 {
    // SAFETY: the configuration is alive, as the header says.
    unsafe {
        prepare_and_change(
            config,
            Settings::read_environment_credentials,
            Settings::set_environment_credentials,
        )
    }
}

/// Has calls that bring no token signed with the temporary keys of the agency that is bound to the ECS
/// server on which this runs (trusted: the service ECS).
///
/// The server's metadata service is asked for them at the client's first call, and again before they
/// expire or when the service refuses them: at `http://169.254.169.254`, never through a proxy, and never
/// anywhere else. A question to it takes 3 seconds at most.
///
/// Other keys are asked for when a quarter of the life of those that are there is left, or 10 minutes,
/// whichever is less: one thread does so, and where it fails those that are there are used on; it is
/// tried again after 30 seconds. When a minute is left, others are needed: one thread asks, and calls
/// wait for it until their own deadline or `fpga_assoc_client_shutdown`. Where there are none, the call
/// is `FPGA_ASSOC_CREDENTIALS_FAILED`. Where the service answers HTTP 401, others are asked for, and where
/// they are others, the request is sent once more.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
/// thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_ecs_agency(config: *mut fpga_assoc_config) -> i32 {
    // SAFETY: the configuration is alive, as the header says.
    unsafe {
        prepare_and_change(
            config,
            || Ok(Some(Source::EcsAgency)),
            Settings::set_credentials,
        )
    }
}

/// What a credentials callback grants with. It lives during the callback alone.
pub struct fpga_assoc_grant {
    /// The last that the host said: credentials, or why it has none.
    said: Mutex<Option<Result<Held, Error>>>,
}

/// A function of the host that gives a client credentials.
///
/// `context` is what was given to `fpga_assoc_config_set_credentials_callback`. `reason` is an
/// `fpga_assoc_reason`. `grant` is what to answer with, during the call alone: the function calls
/// `fpga_assoc_grant_token`, `fpga_assoc_grant_access_key` or `fpga_assoc_grant_refuse`; the last that
/// succeeds counts. Where it calls none, and the client has none that still do, the call is
/// `FPGA_ASSOC_CREDENTIALS_FAILED`.
///
/// It is called on the thread of a call that needs credentials, by one thread at a time for each
/// client; calls that need them too wait until their own deadline or `fpga_assoc_client_shutdown`. No
/// deadline ends the function itself. It may call any function of this library but calls of the same
/// client: they are `FPGA_ASSOC_INVALID_ARGUMENT`. (Two clients whose functions call each other wait until
/// a deadline.) What it does to the thread's last error is undone. It must return: no exception, no
/// longjmp and no pthread_exit may leave it. It may fork: where the child returns too, the call ends there
/// as `FPGA_ASSOC_CONNECTION_LOST`, because the client's connections are the parent's. (In a plan it may not
/// return: see `fpga_assoc_client_apply`.)
pub type fpga_assoc_credentials_fn =
    Option<unsafe extern "C" fn(context: *mut c_void, reason: i32, grant: *mut fpga_assoc_grant)>;

/// Sets a function of the host that gives credentials to calls that bring no token: from a vault, from
/// IAM, or from wherever the host has them.
///
/// It is called at the client's first call, before credentials expire (by the rule of
/// `fpga_assoc_config_set_ecs_agency`), and when the service answers HTTP 401: then the request is sent
/// once more where what is granted is not the same. NULL takes the client's credentials away.
///
/// `context` is handed to the function as it is; it may be NULL. Both must stay usable until every
/// client that was made with these settings is freed.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for a `config` that is NULL; sets the
/// thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_config_set_credentials_callback(
    config: *mut fpga_assoc_config,
    credentials: fpga_assoc_credentials_fn,
    context: *mut c_void,
) -> i32 {
    let host = Context::new(context);
    let source = || {
        Ok(credentials.map(|credentials| {
            Source::Callback(Arc::new(move |reason| host.ask(credentials, reason)))
        }))
    };
    // SAFETY: the configuration is alive, as the header says.
    unsafe { prepare_and_change(config, source, Settings::set_credentials) }
}

/// Grants an IAM token, which is copied.
///
/// - `grant`: what the callback was given.
/// - `token`: text that ends in NUL, borrowed for the call: 1 to 65,536 bytes of visible ASCII.
/// - `expires_at`: when it expires, in seconds since 1970; 0 where that is not known, and then it is used
///   until the service refuses it.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text, a negative time, and for
/// NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_grant_token(
    grant: *mut fpga_assoc_grant,
    token: *const c_char,
    expires_at: i64,
) -> i32 {
    // SAFETY: the grant is alive and the text ends in NUL, as the header says.
    unsafe {
        say(grant, || {
            Held::of_token(text("token", token)?, end(expires_at)?)
        })
    }
}

/// Grants an access key, which is copied.
///
/// - `grant`: what the callback was given.
/// - `access_key`, `secret_key`, `security_token`: as for `fpga_assoc_config_set_access_key`.
/// - `expires_at`: as for `fpga_assoc_grant_token`.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for other text, a negative time, and for
/// NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn fpga_assoc_grant_access_key(
    grant: *mut fpga_assoc_grant,
    access_key: *const c_char,
    secret_key: *const c_char,
    security_token: *const c_char,
    expires_at: i64,
) -> i32 {
    // SAFETY: the grant is alive and the texts end in NUL, as the header says.
    unsafe {
        say(grant, || {
            Held::of_access_key(
                text("access_key", access_key)?,
                text("secret_key", secret_key)?,
                optional_text("security_token", security_token)?,
                end(expires_at)?,
            )
        })
    }
}

/// Refuses to grant anything: where the client has no credentials that still do, the call is
/// `FPGA_ASSOC_CREDENTIALS_FAILED` with this message in its own; withheld where it repeats the client's
/// credentials.
///
/// - `grant`: what the callback was given.
/// - `message`: text that ends in NUL, borrowed for the call; NULL is none.
///
/// Returns `FPGA_ASSOC_OK`, or `FPGA_ASSOC_INVALID_ARGUMENT` for text that is not UTF-8 and for a `grant`
/// that is NULL; sets the thread's last error. Thread-safe.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fpga_assoc_grant_refuse(
    grant: *mut fpga_assoc_grant,
    message: *const c_char,
) -> i32 {
    last_error::keep(|| {
        // SAFETY: the grant is alive and the text ends in NUL, as the header says.
        let (grant, message) =
            unsafe { (borrow("grant", grant)?, optional_text("message", message)?) };
        let words = match message {
            None | Some("") => "refused".to_owned(),
            Some(message) => format!("refused: {message}"),
        };
        grant.say(Err(failed(&words)));
        Ok(())
    })
}

/// When credentials expire, where the host knows.
fn end(expires_at: i64) -> Result<Option<i64>, Error> {
    match expires_at {
        0 => Ok(None),
        1.. => Ok(Some(expires_at)),
        _ => Err(Error::invalid_argument("expires_at", "is negative")),
    }
}

/// # Safety
/// `grant` is NULL or alive.
unsafe fn say(grant: *mut fpga_assoc_grant, held: impl FnOnce() -> Result<Held, Error>) -> i32 {
    last_error::keep(|| {
        // SAFETY: the caller's promise.
        let grant = unsafe { borrow("grant", grant)? };
        match held() {
            Ok(held) => grant.say(Ok(held)),
            Err(error) => {
                grant.fail(&error);
                return Err(error);
            }
        }
        Ok(())
    })
}

impl fpga_assoc_grant {
    fn say(&self, said: Result<Held, Error>) {
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = Some(said);
    }

    /// What could not be granted, where nothing else is said.
    fn fail(&self, error: &Error) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.get_or_insert_with(|| {
            Err(match error.status {
                Status::OUT_OF_MEMORY => error.clone(),
                _ => failed(&format!("granted what can't be used: {}", error.message)),
            })
        });
    }
}

fn failed(what: &str) -> Error {
    let words = format!("the credentials callback {what}");
    Error::new(Status::CREDENTIALS_FAILED, &words)
}

impl Context {
    /// Has the host give credentials.
    fn ask(
        &self,
        credentials: unsafe extern "C" fn(*mut c_void, i32, *mut fpga_assoc_grant),
        reason: Reason,
    ) -> Result<Held, Error> {
        let mut grant = fpga_assoc_grant {
            said: Mutex::default(),
        };
        let pointer = &raw mut grant;
        last_error::aside(|| {
            // SAFETY: the host promised that both stay usable; the grant lives until the call returns.
            outside(|| unsafe { credentials(self.pointer(), reason as i32, pointer) });
        });
        let said = grant
            .said
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        said.unwrap_or_else(|| Err(failed("granted nothing")))
    }
}
