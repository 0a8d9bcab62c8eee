//! Configured clients as safe Rust, through the C exports.

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

/// Associate or disassociate.
pub type Change = unsafe extern "C" fn(
    *mut capi::fpga_assoc_client,
    *const c_char,
    *const c_char,
    *const c_char,
    *const c_char,
    *mut *mut capi::fpga_assoc_error,
) -> i32;

/// `fpga_assoc_list`, freed when dropped, as `fpga_assoc_list_free` does.
pub struct List(Box<capi::fpga_assoc_list>);

impl std::fmt::Debug for List {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.json())
    }
}

impl List {
    pub fn len(&self) -> usize {
        capi::fpga_assoc_list_len(Some(&self.0))
    }

    /// The entry at an index; it lives as long as the list.
    pub fn get(&self, index: usize) -> Option<&capi::fpga_assoc_entry> {
        // SAFETY: the list has it, or it is NULL.
        unsafe { capi::fpga_assoc_list_get(Some(&self.0), index).as_ref() }
    }

    pub fn json(&self) -> String {
        text(capi::fpga_assoc_list_json(Some(&self.0)))
    }

    /// The FPGA image and the ECS image of each entry.
    pub fn pairs(&self) -> Vec<(String, String)> {
        (0..self.len())
            .map(|index| self.get(index).unwrap())
            .map(|entry| (text(entry.fpga_id), text(entry.ecs_id)))
            .collect()
    }
}

/// A text of the library, which is never NULL.
pub fn text(text: *const c_char) -> String {
    assert!(!text.is_null());
    // SAFETY: not NULL, and the library's texts end in NUL.
    unsafe { CStr::from_ptr(text) }
        .to_str()
        .expect("not UTF-8")
        .to_owned()
}

/// What a client logged: the level and the text of each line.
type Lines = Mutex<Vec<(i32, String)>>;

// SAFETY: the header promises that any thread may use them.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

/// A configuration with nothing set but no proxy, so that the machine's environment does not
/// matter.
pub fn config() -> Config {
    let config = Config {
        config: Box::into_raw(capi::fpga_assoc_config_new().unwrap()),
        lines: None,
    };
    config.proxy("")
}

/// A configuration with nothing set at all.
pub fn default_config() -> Config {
    Config {
        config: Box::into_raw(capi::fpga_assoc_config_new().unwrap()),
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

    pub fn ca_pem(self, pem: impl AsRef<[u8]>) -> Self {
        let pem = pem.as_ref();
        // SAFETY: as above.
        self.set(|config| unsafe {
            capi::fpga_assoc_config_set_ca_pem(config, pem.as_ptr().cast(), pem.len())
        })
    }

    pub fn client_certificate(self, pem: impl AsRef<[u8]>) -> Self {
        let pem = pem.as_ref();
        // SAFETY: as above.
        self.set(|config| unsafe {
            capi::fpga_assoc_config_set_client_certificate(config, pem.as_ptr().cast(), pem.len())
        })
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

    pub fn no_confirm(self) -> Self {
        // SAFETY: as above.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_confirm(config, false) })
    }

    pub fn idempotent(self) -> Self {
        // SAFETY: as above.
        self.set(|config| unsafe { capi::fpga_assoc_config_set_idempotent(config, true) })
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
                self.config.as_ref(),
                &raw mut client,
                &raw mut error,
            );
            let outcome = call::outcome_of(status, error.as_ref());
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

    pub fn set(self, set: impl FnOnce(*mut capi::fpga_assoc_config) -> i32) -> Self {
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
        let ids = [project_id, fpga_id, ecs_id];
        self.change(capi::fpga_assoc_client_associate, Some(token), ids)
    }

    pub fn disassociate(
        &self,
        token: &str,
        project_id: &str,
        fpga_id: &str,
        ecs_id: &str,
    ) -> Outcome {
        let ids = [project_id, fpga_id, ecs_id];
        self.change(capi::fpga_assoc_client_disassociate, Some(token), ids)
    }

    /// With the client's own credentials where no token is given.
    pub fn change(&self, call: Change, token: Option<&str>, ids: [&str; 3]) -> Outcome {
        let [project_id, fpga_id, ecs_id] = ids.map(|text| CString::new(text).unwrap());
        let token = token.map(|text| CString::new(text).unwrap());
        let mut error = ptr::null_mut();
        // SAFETY: all pointers are good for the call, and the error is freed once.
        unsafe {
            let status = call(
                self.client,
                pointer(token.as_ref()),
                project_id.as_ptr(),
                fpga_id.as_ptr(),
                ecs_id.as_ptr(),
                &raw mut error,
            );
            let outcome = call::outcome_of(status, error.as_ref());
            capi::fpga_assoc_error_free(error);
            outcome
        }
    }

    /// The list, or why there is none.
    pub fn associations(
        &self,
        token: &str,
        project_id: &str,
        fpga_id: Option<&str>,
        ecs_id: Option<&str>,
    ) -> Result<List, Outcome> {
        self.list(Some(token), project_id, fpga_id, ecs_id)
    }

    /// With the client's own credentials where no token is given.
    pub fn list(
        &self,
        token: Option<&str>,
        project_id: &str,
        fpga_id: Option<&str>,
        ecs_id: Option<&str>,
    ) -> Result<List, Outcome> {
        let project_id = CString::new(project_id).unwrap();
        let [token, fpga_id, ecs_id] =
            [token, fpga_id, ecs_id].map(|text| text.map(|text| CString::new(text).unwrap()));
        let mut list = ptr::null_mut();
        let mut error = ptr::null_mut();
        // SAFETY: all pointers are good for the call, and the error is freed once.
        unsafe {
            let status = capi::fpga_assoc_client_associations(
                self.client,
                pointer(token.as_ref()),
                project_id.as_ptr(),
                pointer(fpga_id.as_ref()),
                pointer(ecs_id.as_ref()),
                &raw mut list,
                &raw mut error,
            );
            let outcome = call::outcome_of(status, error.as_ref());
            capi::fpga_assoc_error_free(error);
            assert_eq!(list.is_null(), status != 0);
            if status == 0 {
                Ok(List(Box::from_raw(list)))
            } else {
                Err(outcome)
            }
        }
    }

    pub fn shutdown(&self) {
        // SAFETY: the client is alive.
        unsafe { capi::fpga_assoc_client_shutdown(self.client) };
    }

    pub fn close_idle(&self) {
        // SAFETY: the client is alive.
        unsafe { capi::fpga_assoc_client_close_idle(self.client) };
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

fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(ptr::null(), |text| text.as_ptr())
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: made by `config_new`, freed once.
        capi::fpga_assoc_config_free(Some(unsafe { Box::from_raw(self.config) }));
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: made by `client_new`, freed once.
        capi::fpga_assoc_client_free(Some(unsafe { Box::from_raw(self.client) }));
    }
}

unsafe extern "C" fn keep_line(context: *mut c_void, level: i32, line: *const c_char) {
    // SAFETY: the context is the client's lines; the line ends in NUL.
    let (lines, line) = unsafe { (&*context.cast::<Lines>(), CStr::from_ptr(line)) };
    let line = line.to_str().expect("not UTF-8").to_owned();
    lines.lock().unwrap().push((level, line));
}
