//! The C examples as programs, against the emulator of the service, over verified HTTPS.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use ecs_emulator::{Emulator, Recorded, Settings};

use super::c::{Toolchain, root};

/// All that a program may have credentials from; it gets what a test gives it.
const VARIABLES: &[&str] = &[
    "FPGA_TOKEN",
    "FPGA_TOKEN_FILE",
    "HUAWEICLOUD_SDK_AK",
    "HUAWEICLOUD_SDK_SK",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
    "HW_ACCESS_KEY",
    "HW_SECRET_KEY",
    "HW_SECURITY_TOKEN",
];

/// The service, and where the C examples are compiled and run.
pub struct Place {
    pub service: Arc<Emulator>,
    toolchain: Toolchain,
}

/// What a program left.
#[derive(Debug)]
pub struct Ended {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
        Self {
            service: Arc::new(Emulator::start_with(settings).unwrap()),
            toolchain: Toolchain::new().unwrap(),
        }
    }

    pub fn compile(&self, name: &str) -> PathBuf {
        let source = root().join("examples").join(name);
        self.toolchain.compile(&source, &[]).unwrap()
    }

    /// The home of the programs, empty at first.
    pub fn home(&self) -> &Path {
        self.toolchain.folder()
    }

    pub fn run(&self, program: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut command = self.command(program, variables);
        Ended::of(command.args(arguments).output().unwrap())
    }

    /// A program that has the variables alone that it is given.
    pub fn command(&self, program: &Path, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(program);
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command
            .env("HOME", self.home())
            .env("SSL_CERT_FILE", self.service.ca_file())
            .envs(variables.iter().copied());
        command
    }

    /// The last request.
    pub fn last(&self) -> Recorded {
        self.service.requests().pop().unwrap()
    }
}

impl Ended {
    pub fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Whether an access key signed a request.
pub fn is_signed(request: &Recorded) -> bool {
    request.header("authorization").is_some() && request.header("x-auth-token").is_none()
}
