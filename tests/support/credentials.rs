//! Clients with credentials of their own, through the C exports.

use std::ffi::{CString, c_char, c_void};
use std::ptr;
use std::time::{SystemTime, UNIX_EPOCH};

use fpga_associate::capi;

use super::call::{ECS_ID, FPGA_ID, Outcome, PROJECT_ID};
use super::client::{Client, Config};

pub const ACCESS_KEY: &str = "AKIDEXAMPLE0123456789";
pub const SECRET_KEY: &str = "sKeXaMpLe+0123456789/abcdefghijklmnopqrst";
pub const SECURITY_TOKEN: &str = "gQpjbi1ub3J0aC0xYnVpbHQ+Zm9y/dGVzdHM5a0d7m2LqW8eXz4RtUvB";

/// What a callback answers with.
pub struct Grant(*mut capi::fpga_assoc_grant);

type Ask = dyn Fn(i32, &Grant) + Send + Sync;

impl Config {
    pub fn token(self, token: &str) -> Self {
        let token = CString::new(token).unwrap();
        // SAFETY: the configuration is alive, and the text lives for the call.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_token(config, token.as_ptr()) })
    }

    pub fn access_key(self, access_key: &str, secret_key: &str, token: Option<&str>) -> Self {
        let [access_key, secret_key] =
            [access_key, secret_key].map(|text| CString::new(text).unwrap());
        let token = token.map(|text| CString::new(text).unwrap());
        // SAFETY: as above.
        self.set(|config| unsafe {
            capi::fpga_assoc_config_set_access_key(
                config,
                access_key.as_ptr(),
                secret_key.as_ptr(),
                pointer(token.as_ref()),
            )
        })
    }

    pub fn ecs_agency(self) -> Self {
        // SAFETY: as above.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_ecs_agency(config) })
    }

    /// The function lives for the rest of the process.
    pub fn credentials(self, ask: impl Fn(i32, &Grant) + Send + Sync + 'static) -> Self {
        let ask: Box<Ask> = Box::new(ask);
        let context = ptr::from_ref(Box::leak(Box::new(ask))).cast_mut().cast();
        // SAFETY: as above.
        self.set(|config| unsafe {
            capi::fpga_assoc_config_set_credentials_callback(config, Some(grant), context)
        })
    }
}

unsafe extern "C" fn grant(context: *mut c_void, reason: i32, grant: *mut capi::fpga_assoc_grant) {
    // SAFETY: it is the function above.
    let ask = unsafe { &*context.cast::<Box<Ask>>() };
    ask(reason, &Grant(grant));
}

impl Grant {
    pub fn token(&self, token: &str, expires_at: i64) -> i32 {
        let token = CString::new(token).unwrap();
        // SAFETY: the grant lives as long as the callback, and the text for the call.
        unsafe { capi::fpga_assoc_grant_token(self.0, token.as_ptr(), expires_at) }
    }

    pub fn access_key(
        &self,
        access_key: &str,
        secret_key: &str,
        token: Option<&str>,
        expires_at: i64,
    ) -> i32 {
        let [access_key, secret_key] =
            [access_key, secret_key].map(|text| CString::new(text).unwrap());
        let token = token.map(|text| CString::new(text).unwrap());
        // SAFETY: as above.
        unsafe {
            capi::fpga_assoc_grant_access_key(
                self.0,
                access_key.as_ptr(),
                secret_key.as_ptr(),
                pointer(token.as_ref()),
                expires_at,
            )
        }
    }

    pub fn refuse(&self, message: &str) -> i32 {
        let message = CString::new(message).unwrap();
        // SAFETY: as above.
        unsafe { capi::fpga_assoc_grant_refuse(self.0, message.as_ptr()) }
    }
}

impl Client {
    /// The example of the service's documents, with the client's own credentials.
    pub fn own_example(&self) -> Outcome {
        self.own_associate(PROJECT_ID, FPGA_ID, ECS_ID)
    }

    pub fn own_associate(&self, project_id: &str, fpga_id: &str, ecs_id: &str) -> Outcome {
        let ids = [project_id, fpga_id, ecs_id];
        self.change(capi::fpga_assoc_client_associate, None, ids)
    }

    pub fn own_disassociate(&self, project_id: &str, fpga_id: &str, ecs_id: &str) -> Outcome {
        let ids = [project_id, fpga_id, ecs_id];
        self.change(capi::fpga_assoc_client_disassociate, None, ids)
    }
}

/// The seconds since 1970 that it will be then.
pub fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

/// The value of a header of a request as it came.
pub fn header_of(request: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(request).into_owned();
    let head = text.split("\r\n\r\n").next()?.to_owned();
    head.lines().skip(1).find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}
