//! What a credentials callback grants: a letter for each thing that it does, and lines for what that takes. Nothing
//! leaves the process.

use std::ffi::{c_char, c_void};
use std::ptr;

use fpga_associate::capi;
use fpga_associate::status::Status;

use crate::environment;
use crate::input::{Input, Text};
use crate::told::{check, check_last, is_token, marked};

const OK: i32 = Status::OK as i32;
const REFUSED: i32 = Status::INVALID_ARGUMENT as i32;

/// What the callback is to do, and what came of it.
struct Host<'a> {
    input: Input<'a>,
    client: *mut capi::fpga_assoc_client,
    calls: u32,
    said: Said,
    secrets: Vec<Vec<u8>>,
}

/// What stands at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    Failed,
    Granted,
    Refused,
}

pub fn run(data: &[u8]) {
    environment::leads_nowhere();
    let mut host = Host {
        input: Input::new(data),
        client: ptr::null_mut(),
        calls: 0,
        said: Said::Nothing,
        secrets: Vec::new(),
    };
    let pointer = &raw mut host;
    let config = Box::into_raw(capi::fpga_assoc_config_new().unwrap());
    let (mut client, mut error) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the configuration is alive until it is freed, the host and the client until the end.
    let status = unsafe {
        let set =
            capi::fpga_assoc_config_set_credentials_callback(config, Some(grant), pointer.cast());
        assert_eq!(set, OK);
        let endpoint = c"ecs.example.com".as_ptr();
        let made = capi::fpga_assoc_client_new(endpoint, config.as_ref(), &mut client, &mut error);
        assert_eq!(made, OK);
        capi::fpga_assoc_config_free(Some(Box::from_raw(config)));
        (*pointer).client = client;
        call(client, &mut error)
    };
    // SAFETY: as above, and nobody else is at it.
    let host = unsafe { &*pointer };
    assert_eq!(host.calls, 1);
    let expected = match host.said {
        Said::Granted => Status::PROXY_FAILED,
        _ => Status::CREDENTIALS_FAILED,
    };
    assert_eq!(status, expected as i32, "{:?}", host.said);
    let secrets: Vec<_> = match host.said {
        // In the host's own words there may be anything.
        Said::Refused => Vec::new(),
        _ => host.secrets.iter().map(Vec::as_slice).collect(),
    };
    // SAFETY: what was made above is freed once.
    unsafe {
        check(status, error.as_ref(), &secrets);
        capi::fpga_assoc_error_free(error);
        capi::fpga_assoc_client_free(Some(Box::from_raw(client)));
    }
}

/// # Safety
/// The client is alive, and `error` may be written to.
unsafe fn call(
    client: *mut capi::fpga_assoc_client,
    error: *mut *mut capi::fpga_assoc_error,
) -> i32 {
    let id = c"id".as_ptr();
    // SAFETY: the caller's promise; the texts end in NUL.
    unsafe { capi::fpga_assoc_client_associate(client, ptr::null(), id, id, id, error) }
}

unsafe extern "C" fn grant(context: *mut c_void, reason: i32, grant: *mut capi::fpga_assoc_grant) {
    // SAFETY: it is what was set, and nobody else is at it now.
    let host = unsafe { &mut *context.cast::<Host>() };
    host.calls += 1;
    assert_eq!(reason, 1);
    while !host.input.is_empty() {
        let grant = match host.input.byte() {
            b't' => host.token(grant),
            b'k' => host.access_key(grant),
            b'r' => host.refuse(grant),
            // SAFETY: the client is alive.
            b'c' => unsafe { call(host.client, ptr::null_mut()) },
            b'n' => host.token(ptr::null_mut()),
            _ => continue,
        };
        assert!(grant == OK || grant == REFUSED, "{grant}");
        let secrets: Vec<_> = host.secrets.iter().map(Vec::as_slice).collect();
        check_last(grant, &secrets);
    }
}

impl Host<'_> {
    fn token(&mut self, grant: *mut capi::fpga_assoc_grant) -> i32 {
        let expires_at = self.input.number();
        let token = self.secret();
        // SAFETY: the grant is NULL or alive, and the text NULL or ends in NUL.
        let status = unsafe { capi::fpga_assoc_grant_token(grant, token.pointer(), expires_at) };
        let is_fine = expires_at >= 0 && token.bytes().is_some_and(is_token);
        self.note(grant.is_null(), is_fine, status);
        status
    }

    fn access_key(&mut self, grant: *mut capi::fpga_assoc_grant) -> i32 {
        let expires_at = self.input.number();
        let access_key = self.input.text();
        let [secret_key, token] = [self.secret(), self.secret()];
        let [key, secret, security_token]: [*const c_char; 3] =
            [access_key.pointer(), secret_key.pointer(), token.pointer()];
        // SAFETY: as above.
        let status = unsafe {
            capi::fpga_assoc_grant_access_key(grant, key, secret, security_token, expires_at)
        };
        let is_visible = |text: &Text, most: usize| {
            text.bytes()
                .is_some_and(|bytes| is_token(bytes) && bytes.len() <= most)
        };
        let is_fine = expires_at >= 0
            && is_visible(&access_key, 128)
            && access_key
                .bytes()
                .is_some_and(|bytes| !bytes.contains(&b','))
            && is_visible(&secret_key, 256)
            && token.bytes().is_none_or(is_token);
        self.note(grant.is_null(), is_fine, status);
        status
    }

    fn refuse(&mut self, grant: *mut capi::fpga_assoc_grant) -> i32 {
        let message = self.input.text();
        // SAFETY: as above.
        let status = unsafe { capi::fpga_assoc_grant_refuse(grant, message.pointer()) };
        let is_text = message
            .bytes()
            .is_none_or(|bytes| std::str::from_utf8(bytes).is_ok());
        assert_eq!(status == OK, is_text);
        if is_text {
            self.said = Said::Refused;
        }
        status
    }

    /// A line that can be known again; NULL where it has a NUL byte.
    fn secret(&mut self) -> Text {
        let secret = marked(self.input.line());
        self.secrets.push(secret.clone());
        Text::of(&secret)
    }

    /// The last thing that was granted or refused counts; what failed only where there is nothing else.
    fn note(&mut self, is_null: bool, is_fine: bool, status: i32) {
        assert_eq!(status == OK, is_fine && !is_null);
        self.said = match (status, self.said) {
            (OK, _) => Said::Granted,
            (_, Said::Nothing) if !is_null => Said::Failed,
            (_, said) => said,
        };
    }
}
