//! What a program in any language must do with the library: the same for all of them.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;

use ecs_emulator::Emulator;

use super::c::{Toolchain, root, run};

const UNKNOWN: &str = "00000000000000000000000000000000";

/// What the checks print of calls in many threads, where a language has threads.
pub const CALLS_AT_ONCE: &str = "calls at once: 200";

/// What they print of credentials callbacks, where a language can have them.
pub const CALLBACKS: [&str; 2] = [
    "credentials callback: asked 1 time",
    "refused callback: FPGA_ASSOC_CREDENTIALS_FAILED",
];

/// What they print of plans, where a wrapper has them.
const PLANS: [&str; 9] = [
    "plan compared: open 0, as wanted 1, to change 3, changed 0, failed 0",
    "plan applied: open 0, as wanted 1, to change 0, changed 3, failed 0",
    "plan applied again: open 0, as wanted 4, to change 0, changed 0, failed 0",
    "progress of the plan: 4 of 4",
    "plan with an unknown image: FPGA_ASSOC_INCOMPLETE",
    "then: open 0, as wanted 1, to change 0, changed 3, failed 1",
    "its own error: FPGA_ASSOC_NOT_FOUND Ecs.0031",
    "contradiction: FPGA_ASSOC_INVALID_ARGUMENT",
    "wrong plans: refused",
];

/// The service, the library, and a folder for what is compiled.
pub struct Place {
    pub service: Emulator,
    toolchain: Toolchain,
}

impl Place {
    pub fn new() -> Self {
        Self {
            service: Emulator::start().unwrap(),
            toolchain: Toolchain::new().unwrap(),
        }
    }

    /// A folder with `libfpga_associate.so` in it, for compiled programs too.
    pub fn folder(&self) -> &Path {
        self.toolchain.folder()
    }

    /// A program with the environment that the examples document.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("FPGA_ASSOCIATE_LIBRARY", self.toolchain.library())
            .env("FPGA_TOKEN", self.service.token())
            .env("FPGA_ACCESS_KEY", self.service.access_key())
            .env("FPGA_SECRET_KEY", self.service.secret_key())
            .env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/nonexistent")
            .env("SSL_CERT_FILE", self.service.ca_file())
            .env_remove("SSL_CERT_DIR");
        for name in ["https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        for name in ["ACCESS_KEY", "SECRET_KEY", "SECURITY_TOKEN"] {
            command.env_remove(format!("HW_{name}"));
        }
        for name in ["AK", "SK", "SECURITY_TOKEN"] {
            command.env_remove(format!("HUAWEICLOUD_SDK_{name}"));
        }
        command
    }

    /// A program that compiles something; its failure shows what it printed.
    pub fn compile(&self, command: &mut Command) {
        run(command).unwrap();
    }

    /// `main` associates and lists, and tells of failures; its exit status is that of the call.
    pub fn example(&self, main: impl Fn() -> Command) {
        let service = &self.service;
        let (endpoint, project_id) = (service.endpoint(), service.project_id());
        let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);

        let output = self.run(main().args([endpoint, project_id, fpga_id, ecs_id]));
        assert_eq!(output.status, 0, "{output:?}");
        assert_eq!(output.stderr, "");
        assert_eq!(
            output.stdout,
            format!(
                "FPGA image {fpga_id} is associated with ECS image {ecs_id}\n\
                 {ecs_id}  {fpga_id}  active  40 MB  protected  vu9p-kernel-1\n"
            )
        );
        let pair = (fpga_id.to_owned(), ecs_id.to_owned());
        assert_eq!(service.associations(), [pair]);

        let output = self.run(main().args([endpoint, project_id, UNKNOWN, ecs_id]));
        assert_eq!(output.status, 23, "{output:?}");
        assert_eq!(output.stdout, "");
        for told in [
            format!("fpga image [{UNKNOWN}] doesn't exist"),
            "FPGA_ASSOC_NOT_FOUND".to_owned(),
            "code:       Ecs.0031\n".to_owned(),
            "request id: ".to_owned(),
        ] {
            assert!(output.stderr.contains(&told), "{told}: {output:?}");
        }
        assert_eq!(service.requests().pop().unwrap().status, 404);
        assert!(!output.stderr.contains("unknown"), "{output:?}");

        let output = self.run(
            main()
                .env_remove("FPGA_TOKEN")
                .args([endpoint, project_id, fpga_id, ecs_id]),
        );
        assert_eq!(output.status, 10, "{output:?}");
        assert!(output.stderr.contains("FPGA_TOKEN"), "{output:?}");

        let output = self.run(main().arg(endpoint));
        assert_eq!(output.status, 1, "{output:?}");
        assert!(output.stderr.contains("usage: "), "{output:?}");
    }

    /// `main` with the keys of the environment in place of a token.
    pub fn example_with_keys(&self, main: impl Fn() -> Command) {
        let service = &self.service;
        service.clear();
        service.clear_requests();
        let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
        let output = self.run(
            main()
                .env_remove("FPGA_TOKEN")
                .env("HUAWEICLOUD_SDK_AK", service.access_key())
                .env("HUAWEICLOUD_SDK_SK", service.secret_key())
                .args([service.endpoint(), service.project_id(), fpga_id, ecs_id]),
        );
        assert_eq!(output.status, 0, "{output:?}");
        assert_eq!(output.stderr, "");
        for request in service.requests() {
            let signed = request.header("authorization").unwrap();
            assert!(signed.contains(service.access_key()), "{signed}");
        }
        assert_eq!(service.requests().len(), 2);
    }

    /// `checks` takes the wrapper to its edges and prints what it met, and at its end `more`, which
    /// not all languages have.
    pub fn checks(&self, checks: Command, more: &[&str]) {
        self.checks_without(&[], checks, more);
    }

    /// The same for a wrapper that has plans, of two more images.
    pub fn checks_with_plans(&self, checks: Command, more: &[&str]) {
        self.checks_without(&[], checks, &[&PLANS, more].concat());
    }

    /// The same for a language that has neither callbacks nor these lines.
    pub fn checks_without(&self, callbacks: &[&str], mut checks: Command, more: &[&str]) {
        let service = &self.service;
        service.clear();
        service.clear_requests();
        service.associate(&service.fpga_ids()[0], &service.ecs_ids()[0]);
        checks.args([
            service.endpoint(),
            service.project_id(),
            &service.fpga_ids()[0],
            &service.ecs_ids()[0],
            service.ca_file().to_str().unwrap(),
            &host(""),
            &host("HTTP/1.1 429 Wait\r\nRetry-After: 4294967296\r\nContent-Length: 0\r\n\r\n"),
        ]);
        let has_plans = more.contains(&PLANS[0]);
        if has_plans {
            checks.args([&service.fpga_ids()[1], &service.ecs_ids()[1]]);
        }
        let output = self.run(&mut checks);
        assert_eq!(output.status, 0, "{output:?}");
        assert_eq!(output.stderr, "");
        let mut expected = vec![
            "no settings, ECS image alone: 1",
            "FPGA image alone: 1",
            "authority from memory: 1",
            "no endpoint: FPGA_ASSOC_INVALID_ARGUMENT",
            "no token: FPGA_ASSOC_INVALID_ARGUMENT",
            "no ECS image: FPGA_ASSOC_INVALID_ARGUMENT",
            "no image at all: FPGA_ASSOC_INVALID_ARGUMENT",
            "zero byte: FPGA_ASSOC_INVALID_ARGUMENT",
            "no such CA file: FPGA_ASSOC_INVALID_ARGUMENT",
            "no client certificate: FPGA_ASSOC_INVALID_ARGUMENT",
            "wrong settings: refused",
            "wrong texts: refused",
            "unknown image: FPGA_ASSOC_NOT_FOUND 404 Ecs.0031 with request id, outcome known",
            "lost connection: FPGA_ASSOC_CONNECTION_LOST 0, outcome unknown, observed nothing",
            "throttled: FPGA_ASSOC_THROTTLED 429, to wait 86400000 ms, attempts 1",
            "associated already: FPGA_ASSOC_ALREADY_ASSOCIATED, observed associated",
            "associated already, idempotent: allowed",
            "taken away, left: 0",
            "taken away already: FPGA_ASSOC_NOT_ASSOCIATED, observed apart",
            "taken away already, idempotent: allowed",
            "closed: refused",
            "kept after closing: active",
            "access key: ok",
            "wrong secret key: FPGA_ASSOC_UNAUTHORIZED",
            "credentials callback: asked 1 time",
            "refused callback: FPGA_ASSOC_CREDENTIALS_FAILED",
            "no credentials: FPGA_ASSOC_INVALID_ARGUMENT",
        ];
        expected.retain(|line| !callbacks.contains(line));
        expected.extend(more);
        assert_eq!(output.stdout.lines().collect::<Vec<_>>(), expected);
        let calls = if more.contains(&CALLS_AT_ONCE) {
            200
        } else {
            0
        };
        // A list by FPGA image ends with an empty page; what changes nothing is asked about.
        // With credentials of the client's own: one signed, one signed wrongly, and three with what
        // was granted.
        let own = if callbacks.is_empty() { 5 } else { 2 };
        // Six times the lists of two ECS images; three pairs are changed, and changed back beside one
        // that can't be.
        let plans = if has_plans { 6 * 2 + 3 + 3 + 1 } else { 0 };
        let requests = 6 + 1 + 4 * 2 + own + plans + calls;
        assert_eq!(service.requests().len(), requests);
        assert!(service.associations().is_empty());
    }

    fn run(&self, command: &mut Command) -> Printed {
        let output = command.output().unwrap();
        Printed::new(&output)
    }
}

/// A program that has the package, and nothing else that names the library.
pub fn without_its_path(mut command: Command) -> Command {
    command
        .env_remove("FPGA_ASSOCIATE_LIBRARY")
        .env_remove("LD_LIBRARY_PATH");
    command
}

/// Copies an example to where the wrapper's source is not.
pub fn copied(place: &Place, from: &str, to: &str) -> PathBuf {
    let source = fs::read_to_string(example(from)).unwrap();
    let path = place.folder().join(to);
    fs::write(
        &path,
        source.replace("'./fpga_associate.js'", "'fpga-associate'"),
    )
    .unwrap();
    path
}

/// The path of an example.
pub fn example(path: &str) -> PathBuf {
    root().join("examples").join(path)
}

#[derive(Debug)]
struct Printed {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Printed {
    fn new(output: &Output) -> Self {
        // Programs of Windows end their lines so.
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            text.replace("\r\n", "\n")
        };
        Self {
            // -1: a signal ended it.
            status: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// Reads a request, answers this, and hangs up.
fn host(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = connection.read(&mut [0; 65_536]);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}
