//! Keys from elsewhere: "f" and a credentials file, "m" and what the metadata service answers, "t" and what may be a
//! token.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;

use fpga_associate::association::{self, AgencyKeys, Token};
use fpga_associate::client::{Held, Settings};
use fpga_associate::status::Status;
use rustix::fs::{MemfdFlags, memfd_create};
use serde_json::Value;

use crate::calendar;
use crate::environment::set;
use crate::input::Input;
use crate::told::{check_line, is_token, repeats};

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() {
        b'f' => credentials_file(input.rest()),
        b'm' => metadata(input.rest()),
        b't' => token(input.rest()),
        _ => {}
    }
}

fn credentials_file(text: &[u8]) {
    thread_local!(static FILE: File = memfd_create("credentials", MemfdFlags::CLOEXEC).unwrap().into());
    for name in [
        "HUAWEICLOUD_SDK_AK",
        "HUAWEICLOUD_SDK_SK",
        "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    ] {
        set(name, b"");
    }
    for name in ["HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN"] {
        set(name, b"");
    }
    FILE.with(|mut file| {
        file.set_len(0).unwrap();
        file.rewind().unwrap();
        file.write_all(text).unwrap();
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        set("HUAWEICLOUD_SDK_CREDENTIALS_FILE", path.as_bytes());
    });
    let found = Settings::read_environment_credentials();
    let file = std::str::from_utf8(text).ok().map(read);
    match (found, file) {
        (Ok(found), Some([Some(access_key), Some(secret_key), security_token])) => {
            check_held(
                &found.held,
                &access_key,
                &secret_key,
                security_token.as_deref(),
            );
        }
        (Ok(_), file) => panic!("{file:?} has no keys"),
        (Err(error), file) => {
            assert_eq!(error.status, Status::CREDENTIALS_FAILED);
            check_line(&error.message, 1023);
            let [access_key, secret_key, security_token] = file.unwrap_or_default();
            for secret in [&secret_key, &security_token].into_iter().flatten() {
                assert!(
                    !repeats(&error.message, secret.as_bytes()),
                    "{}",
                    error.message
                );
            }
            if let (Some(access_key), Some(secret_key)) = (access_key, secret_key) {
                let security_token = security_token.as_deref();
                assert!(
                    !is_key(&access_key, &secret_key, security_token),
                    "{}",
                    error.message
                );
            }
        }
    }
}

/// `ak`, `sk` and `security_token` of `[basic]`: the last of each that is not empty.
fn read(text: &str) -> [Option<String>; 3] {
    let mut found = [const { None }; 3];
    let mut section = String::new();
    for line in text.trim_start_matches('\u{feff}').split('\n') {
        let line = line.trim();
        if line.starts_with('[') {
            section = match line.len() >= 2 && line.ends_with(']') {
                true => line[1..line.len() - 1].trim().to_owned(),
                false => String::new(),
            };
            continue;
        }
        let Some(at) = line.find('=') else { continue };
        let (name, value) = (
            line[..at].trim().to_ascii_lowercase(),
            line[at + 1..].trim(),
        );
        if section != "basic" || line.starts_with('#') || line.starts_with(';') || value.is_empty()
        {
            continue;
        }
        for (place, known) in ["ak", "sk", "security_token"].into_iter().enumerate() {
            if name == known {
                found[place] = Some(value.to_owned());
            }
        }
    }
    found
}

fn is_key(access_key: &str, secret_key: &str, security_token: Option<&str>) -> bool {
    let is_visible = |text: &str, most: usize| is_token(text.as_bytes()) && text.len() <= most;
    is_visible(access_key, 128)
        && !access_key.contains(',')
        && is_visible(secret_key, 256)
        && security_token.is_none_or(|token| is_token(token.as_bytes()))
}

fn check_held(held: &Held, access_key: &str, secret_key: &str, security_token: Option<&str>) {
    assert_eq!(held.access_key(), Some(access_key));
    let revealed = held.reveal().unwrap();
    let secrets: Vec<_> = revealed.secrets().collect();
    let expected: Vec<_> = [Some(secret_key), security_token]
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(
        secrets,
        expected
            .iter()
            .map(|text| text.as_bytes())
            .collect::<Vec<_>>()
    );
    assert!(is_key(access_key, secret_key, security_token));
}

fn metadata(body: &[u8]) {
    let says_no_agency = association::says_no_agency(body);
    let text = String::from_utf8_lossy(body);
    assert_eq!(
        says_no_agency,
        text.contains("Please configure Cloud Service Agency first")
    );
    association::is_page(&text);
    let Some(keys) = AgencyKeys::read(body) else {
        return;
    };
    assert!((0..=253_402_300_800).contains(&keys.expires_at));
    let (access_key, secret_key) = (&keys.access_key, &keys.secret_key);
    let security_token = Some(keys.security_token.as_str());
    match Held::of_access_key(
        access_key,
        secret_key,
        security_token,
        Some(keys.expires_at),
    ) {
        Ok(held) => {
            check_held(&held, access_key, secret_key, security_token);
            assert_eq!(held.expires_at(), Some(keys.expires_at));
        }
        Err(error) => {
            check_line(&error.message, 1023);
            assert!(!is_key(access_key, secret_key, security_token));
            assert!(
                !repeats(&error.message, secret_key.as_bytes()),
                "{}",
                error.message
            );
        }
    }
    // Names that stand twice are read as others have them.
    let names = [
        "credential",
        "access",
        "secret",
        "securitytoken",
        "expires_at",
    ];
    let is_once = |name: &&str| text.matches(&format!("\"{name}\"")).count() == 1;
    if names.iter().all(is_once) && !text.contains('\\') {
        let Ok(document) = serde_json::from_slice::<Value>(body) else {
            return;
        };
        let field = |name: &str| document["credential"][name].as_str().unwrap().to_owned();
        assert_eq!(
            (&field("access"), &field("secret")),
            (access_key, secret_key)
        );
        assert_eq!(field("securitytoken"), keys.security_token);
        assert_eq!(seconds(&field("expires_at")), Some(keys.expires_at));
    }
}

/// `2020-01-04T09:05:22…Z` or `20200104T090522…Z`, day by day.
fn seconds(text: &str) -> Option<i64> {
    let digits: Vec<u64> = text
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|digit| (digit - b'0').into())
        .collect();
    let number = |from: usize, to: usize| {
        digits
            .get(from..to)
            .map(|digits| digits.iter().fold(0, |sum, digit| sum * 10 + digit))
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let days = calendar::days(year, month, day)?;
    let time = number(8, 10)? * 3600 + number(10, 12)? * 60 + number(12, 14)?;
    i64::try_from(days * 86_400 + time).ok()
}

fn token(text: &[u8]) {
    match Token::new(text) {
        Ok(token) => assert_eq!(token.value(), text),
        Err(error) => {
            check_line(&error.message, 1023);
            assert!(!repeats(&error.message, text));
        }
    }
    assert_eq!(Token::new(text).is_ok(), is_token(text));
}
