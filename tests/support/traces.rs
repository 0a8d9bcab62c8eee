//! A host with secrets, which looks for them in its own memory: programs/traces.c.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fpga_associate::status::Status;

use super::c::{Toolchain, root};
use super::call::{FPGA_ID, PROJECT_ID};
use super::raw::{Server, Then};

/// Letters and digits that nobody has seen before.
pub fn random(length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let numbers = RandomState::new();
    (0..length)
        .map(|at| {
            let mut hasher = numbers.build_hasher();
            hasher.write_usize(at);
            char::from(LETTERS[hasher.finish() as usize % LETTERS.len()])
        })
        .collect()
}

/// What must not be found, and where calls go.
pub struct Host<'a> {
    pub token: String,
    pub secret_key: String,
    pub ecs_id: String,
    pub user: String,
    pub password: String,
    pub ca_file: Option<&'a Path>,
    /// The proxy's scheme and address; "" for none.
    pub proxy: (&'a str, String),
    pub timeout_ms: u32,
    /// Whose the credentials are: "call", "token", "access-key" or "granted".
    pub whose: &'a str,
    pub more: &'a [&'a str],
}

impl Default for Host<'_> {
    fn default() -> Self {
        Self {
            token: random(2000),
            secret_key: random(40),
            ecs_id: random(100),
            user: random(24),
            password: random(48),
            ca_file: None,
            proxy: ("", String::new()),
            timeout_ms: 20_000,
            whose: "call",
            more: &[],
        }
    }
}

impl Host<'_> {
    /// Runs the program, which finds nothing, and whose calls end so.
    pub fn forgets(&self, endpoint: &str, expected: &[Status]) {
        let toolchain = Toolchain::released().unwrap();
        let source = root().join("tests/support/programs/traces.c");
        let program = toolchain
            .compile(&source, &["-O2", "-D_GNU_SOURCE"])
            .unwrap();
        let mut child = Command::new(program)
            .arg(endpoint)
            .arg(self.ca_file.unwrap_or(Path::new("-")))
            .args([PROJECT_ID, FPGA_ID, &expected.len().to_string()])
            .arg(self.timeout_ms.to_string())
            .arg(self.whose)
            .args(self.more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (scheme, address) = &self.proxy;
        let credentials = format!("{}:{}", self.user, self.password);
        let proxy = match *scheme {
            "" => String::new(),
            _ => format!("{scheme}://{credentials}@{address}"),
        };
        let basic = BASE64_STANDARD.encode(&credentials);
        let secrets = [
            &self.token,
            &self.ecs_id,
            &proxy,
            &self.secret_key,
            &self.password,
            &basic,
        ];
        let mut input = child.stdin.take().unwrap();
        for secret in secrets {
            writeln!(input, "{secret}").unwrap();
        }
        drop(input);
        let output = child.wait_with_output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        let mut wanted: String = expected
            .iter()
            .map(|status| format!("status {}\n", status.number()))
            .collect();
        wanted.push_str("found 0\n");
        assert_eq!(
            printed, wanted,
            "{endpoint} through {scheme}, the credentials: {}",
            self.whose
        );
    }
}

/// Answers to one request after the other.
pub fn answers(texts: Vec<Vec<u8>>) -> Server {
    Server::start(move |nth, stream| {
        let text = &texts[nth % texts.len()];
        stream.write_all(text).ok();
        if text.is_empty() {
            Then::Close
        } else {
            Then::Keep
        }
    })
}
