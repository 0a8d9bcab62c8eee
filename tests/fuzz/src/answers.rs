//! Answers to whole calls, over a socket: a letter for the call, lines for the HTTP status, Retry-After, the request id
//! and the content type, and the body.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::SystemTime;

use fpga_associate::capi;
use fpga_associate::status::Status;

use crate::environment;
use crate::input::Input;
use crate::retry_after;
use crate::told::{check, repeats};

const OK: i32 = Status::OK as i32;

/// An answer must not repeat it.
const TOKEN: &CStr = c"MIIF~NgYJK~oZIh~vcNAQ~cCoII~FJzCC~BSMC";

/// More connections than a call has, each of which a thread serves.
const THREADS: u32 = 8;

pub fn run(data: &[u8]) {
    thread_local!(static SERVICE: RefCell<Option<Service>> = const { RefCell::new(None) });
    environment::leads_nowhere();
    SERVICE.with_borrow_mut(|service| service.get_or_insert_with(Service::start).run(data));
}

/// A client, and a service that answers as it is told.
struct Service {
    client: *mut capi::fpga_assoc_client,
    answer: Arc<Mutex<Vec<u8>>>,
    /// How many connections there were.
    accepted: Arc<AtomicU32>,
    /// Whether none is kept.
    is_clear: Cell<bool>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let endpoint = CString::new(endpoint).unwrap();
        let answer = Arc::new(Mutex::new(Vec::new()));
        let accepted = Arc::new(AtomicU32::new(0));
        for _ in 0..THREADS {
            let listener = listener.try_clone().unwrap();
            let (answer, accepted) = (Arc::clone(&answer), Arc::clone(&accepted));
            thread::spawn(move || {
                while let Ok((stream, _)) = listener.accept() {
                    accepted.fetch_add(1, Ordering::Relaxed);
                    serve(stream, &answer);
                }
            });
        }
        let config = Box::into_raw(capi::fpga_assoc_config_new().unwrap());
        let mut client = ptr::null_mut();
        // SAFETY: the configuration is alive until it is freed; texts end in NUL; the client may be written to.
        unsafe {
            assert_eq!(capi::fpga_assoc_config_set_proxy(config, c"".as_ptr()), OK);
            assert_eq!(capi::fpga_assoc_config_set_max_attempts(config, 1), OK);
            assert_eq!(capi::fpga_assoc_config_set_confirm(config, false), OK);
            let made = capi::fpga_assoc_client_new(
                endpoint.as_ptr(),
                config.as_ref(),
                &mut client,
                ptr::null_mut(),
            );
            assert_eq!(made, OK);
            capi::fpga_assoc_config_free(Some(Box::from_raw(config)));
        }
        Self {
            client,
            answer,
            accepted,
            is_clear: Cell::new(true),
        }
    }

    fn run(&self, data: &[u8]) {
        let mut input = Input::new(data);
        let which = input.byte();
        let http_status = match input.number() {
            number @ (101 | 200..=999) => number as u16,
            _ => 200,
        };
        let [pause, request_id, kind] = [input.line(), input.line(), input.line()].map(value);
        let has_body = http_status != 204 && http_status != 304 && http_status != 101;
        let body = input.rest();
        let body = if has_body { body } else { b"" };
        let mut answer = format!(
            "HTTP/1.1 {http_status} X\r\nContent-Length: {}\r\n",
            body.len()
        )
        .into_bytes();
        for (name, value) in [
            ("Retry-After", &pause),
            ("X-Request-Id", &request_id),
            ("Content-Type", &kind),
        ] {
            answer.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        answer.extend_from_slice(b"\r\n");
        answer.extend_from_slice(body);
        *self.answer.lock().unwrap() = answer;

        let begun = SystemTime::now();
        let accepted = self.accepted.load(Ordering::Relaxed);
        let (status, error) = self.call(which);
        let new = self.accepted.load(Ordering::Relaxed) - accepted;
        // Where one was given up for another, it would wait for the next answer in vain.
        let is_clear = new > u32::from(self.is_clear.get());
        if is_clear {
            // SAFETY: the client is alive.
            unsafe { capi::fpga_assoc_client_close_idle(self.client) };
        }
        self.is_clear.set(is_clear);
        // SAFETY: the error is NULL, or this program's own until it is freed.
        let told = unsafe { error.as_ref() };
        check(status, told, &[TOKEN.to_bytes()]);
        if status != OK {
            assert_eq!(
                capi::fpga_assoc_error_http_status(told),
                i32::from(http_status)
            );
            assert_eq!(capi::fpga_assoc_error_attempts(told), 1);
            let told = capi::fpga_assoc_error_retry_after_ms(told);
            retry_after::check(&pause, told, begun);
        }
        // SAFETY: as above.
        unsafe { capi::fpga_assoc_error_free(error) };
    }

    fn call(&self, which: u8) -> (i32, *mut capi::fpga_assoc_error) {
        let mut error = ptr::null_mut();
        let (token, id) = (TOKEN.as_ptr(), c"e1".as_ptr());
        let mut list = ptr::null_mut();
        // SAFETY: the client is alive, texts end in NUL or are NULL, and the outputs may be written to.
        let status = unsafe {
            match which {
                b'a' => {
                    capi::fpga_assoc_client_associate(self.client, token, id, id, id, &mut error)
                }
                b'd' => {
                    capi::fpga_assoc_client_disassociate(self.client, token, id, id, id, &mut error)
                }
                b'l' => capi::fpga_assoc_client_associations(
                    self.client,
                    token,
                    id,
                    ptr::null(),
                    id,
                    &mut list,
                    &mut error,
                ),
                _ => capi::fpga_assoc_client_associations(
                    self.client,
                    token,
                    id,
                    id,
                    id,
                    &mut list,
                    &mut error,
                ),
            }
        };
        if !list.is_null() {
            // SAFETY: it was made above, and is freed once.
            unsafe { check_list(&*list) };
            // SAFETY: as above.
            capi::fpga_assoc_list_free(Some(unsafe { Box::from_raw(list) }));
        }
        (status, error)
    }
}

/// What can stand in a header.
fn value(bytes: &[u8]) -> Vec<u8> {
    let is_fine = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    bytes.iter().copied().filter(is_fine).collect()
}

/// Reads a request, answers, and so on.
fn serve(mut stream: TcpStream, answer: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 4096];
    let mut came = Vec::new();
    while let Ok(amount @ 1..) = stream.read(&mut buffer) {
        came.extend_from_slice(&buffer[..amount]);
        if is_whole(&came) {
            came.clear();
            let answer = answer.lock().unwrap().clone();
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    }
}

/// A request has a body of one object, or none.
fn is_whole(came: &[u8]) -> bool {
    let is_list = came.starts_with(b"GET");
    if is_list {
        came.ends_with(b"\r\n\r\n")
    } else {
        came.ends_with(b"}}")
    }
}

fn check_list(list: &capi::fpga_assoc_list) {
    let check = |text: *const std::ffi::c_char| {
        // SAFETY: a text ends in NUL and lives as long as the list.
        let text = unsafe { CStr::from_ptr(text) }.to_str().unwrap();
        assert!(!repeats(text, TOKEN.to_bytes()), "{text}");
    };
    check(capi::fpga_assoc_list_json(Some(list)));
    let len = capi::fpga_assoc_list_len(Some(list));
    for index in 0..len {
        // SAFETY: it is not past the end, and lives as long as the list.
        let entry = unsafe { &*capi::fpga_assoc_list_get(Some(list), index) };
        for text in [
            entry.ecs_id,
            entry.fpga_id,
            entry.name,
            entry.description,
            entry.status,
            entry.created_at,
        ] {
            check(text);
        }
        for text in [entry.message, entry.metadata, entry.log_directory] {
            check(text);
        }
    }
    assert!(capi::fpga_assoc_list_get(Some(list), len).is_null());
}
