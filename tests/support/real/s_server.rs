//! `openssl s_server`, which is given its answers, and shows what it saw of handshakes and requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use super::daemon::{command, wait_for};
use crate::raw::{NO_CONTENT, read_request};

/// What a request begins with, among all that is printed.
const REQUEST: &[u8] = b"POST /v1/";

/// A running one; it ends when dropped.
pub struct SServer {
    process: Child,
    port: u16,
    printed: Arc<Mutex<Vec<u8>>>,
    answering: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl SServer {
    /// With a certificate and its key, and options in which `@folder@` has the certificates that it trusts
    /// in `ca.pem`.
    pub fn start(identity: &str, authority: &str, options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("server.pem"), identity).unwrap();
        std::fs::write(path("ca.pem"), authority).unwrap();
        let options = options.replace("@folder@", folder.path().to_str().unwrap());
        let mut process = command("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-cert"])
            .arg(path("server.pem"))
            .args(options.split_whitespace())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut lines = output.by_ref().lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok());
        let port = port.unwrap_or_else(|| {
            let mut told = String::new();
            process
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut told)
                .unwrap();
            panic!("{options}: {told}")
        });
        let printed = Arc::<Mutex<Vec<u8>>>::default();
        // Nobody would read it.
        let mut complaints = process.stderr.take().unwrap();
        thread::spawn(move || std::io::copy(&mut complaints, &mut std::io::sink()));
        let answering = thread::spawn({
            let (printed, input) = (Arc::clone(&printed), process.stdin.take().unwrap());
            move || answer(output, input, &printed)
        });
        Self {
            process,
            port,
            printed,
            answering: Some(answering),
            _folder: folder,
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Waits until it has printed this.
    pub fn wait_for(&self, words: &str) {
        wait_for(|| self.printed().contains(words));
    }

    /// What it has printed so far.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.printed.lock().unwrap()).into_owned()
    }

    /// Ends it; all that it has printed.
    pub fn finish(mut self) -> String {
        self.end();
        self.printed()
    }

    fn end(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        if let Some(answering) = self.answering.take() {
            answering.join().ok();
        }
    }
}

impl Drop for SServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// Has OpenSSL's own client, which takes all that it knows, send this.
pub fn s_client(port: u16, text: &str) {
    const SUITES: &str = "TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256";
    let mut process = command("openssl")
        .args(["s_client", "-connect", &format!("127.0.0.1:{port}")])
        .args(["-cipher", "ALL:@SECLEVEL=0", "-ciphersuites", SUITES])
        .args(["-min_protocol", "TLSv1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(process.wait().unwrap().success());
}

/// Answers each request, once it is whole, as a service that did what was asked.
fn answer(mut output: impl Read, mut input: impl Write, printed: &Mutex<Vec<u8>>) {
    let mut answered = 0;
    let mut piece = [0; 4096];
    while let Ok(amount @ 1..) = output.read(&mut piece) {
        let mut printed = printed.lock().unwrap();
        printed.extend(&piece[..amount]);
        let unanswered = &printed[answered..];
        let is_begun = |bytes: &[u8]| bytes == REQUEST;
        let Some(at) = unanswered.windows(REQUEST.len()).position(is_begun) else {
            continue;
        };
        let (request, is_whole) = read_request(&mut &unanswered[at..]);
        if is_whole {
            answered += at + request.len();
            input.write_all(NO_CONTENT).ok();
        }
    }
}
