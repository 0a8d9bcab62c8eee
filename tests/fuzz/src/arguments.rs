//! Arguments through the C ABI: a letter that says which function, and a line for each argument. Nothing leaves the
//! process.

use std::ptr;

use fpga_associate::capi;
use fpga_associate::status::Status;

use crate::environment;
use crate::input::{Input, Text};
use crate::told::{check, check_last, check_status, is_token, marked};

const OK: i32 = Status::OK as i32;
const REFUSED: i32 = Status::INVALID_ARGUMENT as i32;
/// All arguments are fine.
const NOWHERE: i32 = Status::PROXY_FAILED as i32;

pub fn run(data: &[u8]) {
    environment::leads_nowhere();
    let mut input = Input::new(data);
    match input.byte() {
        b'a'..=b'c' => one_line(data[0], input),
        b'd'..=b'f' => client(data[0], input),
        b's' => settings(input),
        b'p' => plan(input),
        b'n' => numbers(input),
        _ => {}
    }
}

/// What a call needs beside its endpoint.
struct Arguments {
    token: Text,
    project_id: Text,
    fpga_id: Text,
    ecs_id: Text,
}

impl Arguments {
    fn read(input: &mut Input) -> Self {
        let token = input.line();
        Self {
            token: Text::of(&if token == b"\0" {
                token.to_vec()
            } else {
                marked(token)
            }),
            project_id: input.text(),
            fpga_id: input.text(),
            ecs_id: input.text(),
        }
    }

    fn are_fine(&self, is_list: bool, has_token: bool) -> bool {
        let token = self.token.bytes();
        let is_fine = |id: &Text| id.bytes().is_some_and(is_id);
        let is_fine_or_left_out = |id: &Text| id.bytes().is_none_or(is_id);
        let (fpga_id, ecs_id) = (self.fpga_id.bytes(), self.ecs_id.bytes());
        let are_swapped = fpga_id.is_some_and(is_uuid) && ecs_id.is_some_and(is_hex);
        let images = if is_list {
            (fpga_id.is_some() || ecs_id.is_some())
                && is_fine_or_left_out(&self.fpga_id)
                && is_fine_or_left_out(&self.ecs_id)
        } else {
            is_fine(&self.fpga_id) && is_fine(&self.ecs_id)
        };
        token.map_or(has_token, is_token) && is_fine(&self.project_id) && images && !are_swapped
    }
}

fn is_id(id: &[u8]) -> bool {
    let is_fine = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    (1..=128).contains(&id.len()) && id.iter().all(is_fine)
}

fn is_uuid(id: &[u8]) -> bool {
    id.len() == 36
        && id.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_hex(id: &[u8]) -> bool {
    id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit)
}

/// Whether an endpoint is fine, where that is plain.
fn is_endpoint(endpoint: Option<&[u8]>) -> Option<bool> {
    let endpoint = endpoint.unwrap_or_default();
    let is_wrong = |byte: &u8| !byte.is_ascii_graphic() || b"@?#\\".contains(byte);
    match endpoint {
        b"ecs.example.com" | b"https://ecs.example.com:8443/" | b"[2001:db8::1]" => Some(true),
        _ if endpoint.is_empty() || endpoint.iter().any(is_wrong) => Some(false),
        _ => None,
    }
}

fn check_refusal(status: i32, endpoint: Option<bool>, are_fine: bool) {
    match endpoint {
        _ if !are_fine => assert_eq!(status, REFUSED),
        Some(true) => assert_eq!(status, NOWHERE),
        Some(false) => assert_eq!(status, REFUSED),
        None => assert!(status == REFUSED || status == NOWHERE, "{status}"),
    }
}

fn one_line(which: u8, mut input: Input) {
    let endpoint = input.text();
    let given = Arguments::read(&mut input);
    let (token, project_id) = (given.token.pointer(), given.project_id.pointer());
    let (fpga_id, ecs_id) = (given.fpga_id.pointer(), given.ecs_id.pointer());
    let mut list = ptr::dangling_mut();
    // SAFETY: all texts are NULL or end in NUL, and outlive the call; the list may be written to.
    let status = unsafe {
        match which {
            b'a' => capi::fpga_associate(endpoint.pointer(), token, project_id, fpga_id, ecs_id),
            b'b' => capi::fpga_disassociate(endpoint.pointer(), token, project_id, fpga_id, ecs_id),
            _ => capi::fpga_associations(
                endpoint.pointer(),
                token,
                project_id,
                fpga_id,
                ecs_id,
                &mut list,
            ),
        }
    };
    assert!(which != b'c' || list.is_null());
    check_last(status, &[given.token.bytes().unwrap_or_default()]);
    check_refusal(
        status,
        is_endpoint(endpoint.bytes()),
        given.are_fine(which == b'c', false),
    );
}

/// A client, whose own token may stand in for one that is left out.
fn client(which: u8, mut input: Input) {
    let own = input.text();
    let endpoint = input.text();
    let given = Arguments::read(&mut input);
    let config = capi::fpga_assoc_config_new().unwrap();
    let config = Box::into_raw(config);
    let (mut client, mut error) = (ptr::dangling_mut(), ptr::dangling_mut());
    // SAFETY: the configuration is alive until it is freed below; the text is NULL or ends in NUL.
    let has_own = unsafe { capi::fpga_assoc_config_set_token(config, own.pointer()) } == OK;
    assert_eq!(has_own, own.bytes().is_some_and(is_token));
    // SAFETY: as above; both outputs may be written to.
    let status = unsafe {
        capi::fpga_assoc_client_new(endpoint.pointer(), config.as_ref(), &mut client, &mut error)
    };
    // SAFETY: the error is NULL, or this program's own until it is freed.
    unsafe {
        check(status, error.as_ref(), &[]);
        capi::fpga_assoc_error_free(error);
    }
    assert_eq!(client.is_null(), status != OK);
    let endpoint = is_endpoint(endpoint.bytes());
    assert!(endpoint.is_none_or(|is_fine| is_fine == (status == OK)));
    let (token, project_id) = (given.token.pointer(), given.project_id.pointer());
    let (fpga_id, ecs_id) = (given.fpga_id.pointer(), given.ecs_id.pointer());
    let mut list = ptr::dangling_mut();
    // SAFETY: the client is NULL or alive, all texts are NULL or end in NUL, and the outputs may be written to.
    let status = unsafe {
        match which {
            b'd' => capi::fpga_assoc_client_associate(
                client, token, project_id, fpga_id, ecs_id, &mut error,
            ),
            b'e' => capi::fpga_assoc_client_disassociate(
                client, token, project_id, fpga_id, ecs_id, &mut error,
            ),
            _ => capi::fpga_assoc_client_associations(
                client, token, project_id, fpga_id, ecs_id, &mut list, &mut error,
            ),
        }
    };
    assert!(which != b'f' || list.is_null());
    let secrets = [
        given.token.bytes().unwrap_or_default(),
        own.bytes().unwrap_or_default(),
    ];
    // SAFETY: what was made above is freed once.
    unsafe {
        check(status, error.as_ref(), &secrets);
        capi::fpga_assoc_error_free(error);
        capi::fpga_assoc_config_free(Some(Box::from_raw(config)));
    }
    let is_there = !client.is_null();
    if is_there {
        check_refusal(status, Some(true), given.are_fine(which == b'f', has_own));
        // SAFETY: as above.
        unsafe { capi::fpga_assoc_client_free(Some(Box::from_raw(client))) };
    } else {
        assert_eq!(status, REFUSED);
    }
}

/// Every setter of a text, and of a number.
fn settings(mut input: Input) {
    let config = capi::fpga_assoc_config_new().unwrap();
    let config = Box::into_raw(config);
    while !input.is_empty() {
        let which = input.byte();
        let line = input.line();
        let (text, number) = (Text::of(line), line.len() as u32);
        let [secret, other] = [input.text(), input.text()];
        let (pem, length) = (line.as_ptr().cast(), line.len());
        // SAFETY: the configuration is alive; texts are NULL or end in NUL, or are as long as it is said.
        let status = unsafe {
            match which {
                b'p' => capi::fpga_assoc_config_set_proxy(config, text.pointer()),
                b'u' => capi::fpga_assoc_config_set_user_agent(config, text.pointer()),
                b't' => capi::fpga_assoc_config_set_token(config, text.pointer()),
                b'k' => capi::fpga_assoc_config_set_access_key(
                    config,
                    text.pointer(),
                    secret.pointer(),
                    other.pointer(),
                ),
                b'c' => capi::fpga_assoc_config_set_ca_pem(config, pem, length),
                b'i' => capi::fpga_assoc_config_set_client_certificate(config, pem, length),
                b'1' => capi::fpga_assoc_config_set_timeout_ms(config, number),
                b'2' => capi::fpga_assoc_config_set_max_attempts(config, number),
                _ => capi::fpga_assoc_config_set_timeout_ms(ptr::null_mut(), number),
            }
        };
        let secrets = [
            line,
            secret.bytes().unwrap_or_default(),
            other.bytes().unwrap_or_default(),
        ];
        check_last(status, &secrets);
        assert!(status == OK || status == REFUSED, "{status}");
        if which == b't' {
            assert_eq!(status == OK, text.bytes().is_some_and(is_token));
        }
    }
    // SAFETY: it was made above.
    unsafe { capi::fpga_assoc_config_free(Some(Box::from_raw(config))) };
}

/// A plan, which keeps its pairs in their order.
fn plan(mut input: Input) {
    let plan = Box::into_raw(capi::fpga_assoc_plan_new().unwrap());
    let mut count = 0;
    while !input.is_empty() {
        let associated = input.byte() & 1 == 1;
        let [fpga_id, ecs_id] = [input.text(), input.text()];
        // SAFETY: the plan is alive, and the texts are NULL or end in NUL.
        let status = unsafe {
            capi::fpga_assoc_plan_add(plan, fpga_id.pointer(), ecs_id.pointer(), associated)
        };
        check_last(status, &[]);
        assert!(status == OK || status == REFUSED, "{status}");
        if status == OK {
            assert!(
                [&fpga_id, &ecs_id]
                    .iter()
                    .all(|id| id.bytes().is_some_and(is_id))
            );
            count += 1;
        }
    }
    // SAFETY: the plan is alive until it is freed.
    unsafe {
        assert!(capi::fpga_assoc_plan_len(plan.as_ref()) <= count);
        assert_eq!(capi::fpga_assoc_plan_result(plan.as_ref(), count), 0);
        assert!(capi::fpga_assoc_plan_error(plan.as_ref(), 0).is_null());
        capi::fpga_assoc_plan_free(Some(Box::from_raw(plan)));
    }
}

/// Whatever number stands for a status.
fn numbers(mut input: Input) {
    let number = input.number() as i32;
    for text in [
        capi::fpga_assoc_status_name(number),
        capi::fpga_assoc_status_help(number),
    ] {
        // SAFETY: a text that ends in NUL and stays.
        let text = unsafe { std::ffi::CStr::from_ptr(text) }.to_str().unwrap();
        assert!(!text.is_empty());
    }
    check_status(capi::fpga_assoc_error_status(None));
}
