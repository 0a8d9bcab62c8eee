//! Configured clients as safe Rust, through the C exports.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ffi::{CStr, CString, c_char, c_void};
use std::ptr;
use std::sync::Mutex;

use fpga_associate::capi;

use super::call::{self, ECS_ID, FPGA_ID, Outcome, PROJECT_ID, TOKEN};

/// `fpga_assoc_config`, freed when dropped.
pub struct Config {
    config: *mut capi::fpga_assoc_config,
    lines: Option<Box<Lines>>,
}

/// `fpga_assoc_client`, freed when dropped.
pub struct Client {
    client: *mut capi::fpga_assoc_client,
    lines: Option<Box<Lines>>,
}

/// What a client logged: the level and the text of each line.
type Lines = Mutex<Vec<(i32, String)>>;

// SAFETY: the header promises that any thread may use them.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

/// A configuration with nothing set but no proxy, so that the machine's environment does not matter.
pub fn config() -> Config {
    let config = Config {
        config: capi::fpga_assoc_config_new(),
        lines: None,
    };
    config.proxy("")
}

/// A configuration with nothing set at all.
pub fn default_config() -> Config {
    Config {
        config: capi::fpga_assoc_config_new(),
        lines: None,
    }
}

impl Config {
    pub fn timeout_ms(self, ms: u32) -> Self {
        // SAFETY: the configuration is alive.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_timeout_ms(config, ms) })
    }

    pub fn connect_timeout_ms(self, ms: u32) -> Self {
        // SAFETY: as above.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_connect_timeout_ms(config, ms) })
    }

    pub fn max_attempts(self, attempts: u32) -> Self {
        // SAFETY: as above.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_max_attempts(config, attempts) })
    }

    pub fn ca_file(self, path: &str) -> Self {
        let path = CString::new(path).unwrap();
        // SAFETY: as above; the text lives for the call.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_ca_file(config, path.as_ptr()) })
    }

    pub fn proxy(self, url: &str) -> Self {
        let url = CString::new(url).unwrap();
        // SAFETY: as above.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_proxy(config, url.as_ptr()) })
    }

    pub fn user_agent(self, product: &str) -> Self {
        let product = CString::new(product).unwrap();
        // SAFETY: as above.
        self.set(|config| unsafe {
            capi::fpga_assoc_config_set_user_agent(config, product.as_ptr())
        })
    }

    pub fn allow_http(self) -> Self {
        // SAFETY: as above.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_allow_http(config, true) })
    }

    /// Keeps all that is logged, for [`Client::lines`].
    pub fn log(mut self) -> Self {
        let lines: Box<Lines> = Box::default();
        let context = ptr::from_ref(&*lines).cast_mut().cast();
        self.lines = Some(lines);
        // SAFETY: as above; the lines live as long as the client.
        self.set(|config| unsafe {
            capi::fpga_assoc_config_set_log(config, Some(keep_line), context)
        })
    }

    /// The raw pointer, for what the wrapper does not do.
    pub fn as_ptr(&self) -> *mut capi::fpga_assoc_config {
        self.config
    }

    pub fn client(self, endpoint: &str) -> Client {
        self.try_client(endpoint).unwrap()
    }

    pub fn try_client(mut self, endpoint: &str) -> Result<Client, Outcome> {
        let endpoint = CString::new(endpoint).unwrap();
        let mut client = ptr::null_mut();
        let mut error = ptr::null_mut();
        // SAFETY: all pointers are good for the call, and the error is freed once.
        unsafe {
            let status = capi::fpga_assoc_client_new(
                endpoint.as_ptr(),
                self.config,
                &raw mut client,
                &raw mut error,
            );
            let outcome = call::outcome_of(status, error);
            capi::fpga_assoc_error_free(error);
            assert_eq!(client.is_null(), status != 0);
            if status != 0 {
                return Err(outcome);
            }
        }
        Ok(Client {
            client,
            lines: self.lines.take(),
        })
    }

    fn set(self, set: impl FnOnce(*mut capi::fpga_assoc_config) -> i32) -> Self {
        let status = set(self.config);
        assert_eq!(status, 0, "{:?}", call::outcome(status));
        self
    }
}

impl Client {
    /// The example of the service's documents.
    pub fn example(&self) -> Outcome {
        self.associate(TOKEN, PROJECT_ID, FPGA_ID, ECS_ID)
    }

    pub fn associate(&self, token: &str, project_id: &str, fpga_id: &str, ecs_id: &str) -> Outcome {
        let [token, project_id, fpga_id, ecs_id] =
            [token, project_id, fpga_id, ecs_id].map(|text| CString::new(text).unwrap());
        let mut error = ptr::null_mut();
        // SAFETY: all pointers are good for the call, and the error is freed once.
        unsafe {
            let status = capi::fpga_assoc_client_associate(
                self.client,
                token.as_ptr(),
                project_id.as_ptr(),
                fpga_id.as_ptr(),
                ecs_id.as_ptr(),
                &raw mut error,
            );
            let outcome = call::outcome_of(status, error);
            capi::fpga_assoc_error_free(error);
            outcome
        }
    }

    pub fn shutdown(&self) {
        // SAFETY: the client is alive.
        unsafe { capi::fpga_assoc_client_shutdown(self.client) };
    }

    /// The raw pointer, for what the wrapper does not do.
    pub fn as_ptr(&self) -> *mut capi::fpga_assoc_client {
        self.client
    }

    /// What was logged so far, where the configuration asked for it.
    pub fn lines(&self) -> Vec<(i32, String)> {
        let lines = self.lines.as_ref().expect("no log");
        lines.lock().unwrap().clone()
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: made by `config_new`, freed once.
        unsafe { capi::fpga_assoc_config_free(self.config) };
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: made by `client_new`, freed once.
        unsafe { capi::fpga_assoc_client_free(self.client) };
    }
}

unsafe extern "C" fn keep_line(context: *mut c_void, level: i32, line: *const c_char) {
    // SAFETY: the context is the client's lines; the line ends in NUL.
    let (lines, line) = unsafe { (&*context.cast::<Lines>(), CStr::from_ptr(line)) };
    let line = line.to_str().expect("not UTF-8").to_owned();
    lines.lock().unwrap().push((level, line));
}
