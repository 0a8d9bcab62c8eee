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

    /// Associates the first two images, after these options.
    pub fn associate(&self, variables: &[(&str, &str)], options: &[&str]) -> Ended {
        let service = &self.service;
        let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
        let arguments = [service.endpoint(), service.project_id(), fpga_id, ecs_id];
        let program = self.compile("associate.c");
        self.run(&program, variables, &[options, &arguments].concat())
    }

    /// Lists what the first ECS image has, with these options.
    pub fn associations(&self, variables: &[(&str, &str)], options: &[&str]) -> Ended {
        let service = &self.service;
        let ecs_id = &service.ecs_ids()[0];
        let arguments = [service.endpoint(), service.project_id(), "--ecs", ecs_id];
        let program = self.compile("associations.c");
        self.run(&program, variables, &[&arguments, options].concat())
    }

    /// Associates the first FPGA image with so many ECS images.
    pub fn credentials(&self, variables: &[(&str, &str)], images: usize) -> Ended {
        let service = &self.service;
        let pair = [service.endpoint(), service.project_id()];
        let mut arguments = pair.to_vec();
        arguments.push(&service.fpga_ids()[0]);
        arguments.extend(service.ecs_ids()[..images].iter().map(String::as_str));
        let program = self.compile("credentials.c");
        self.run(&program, variables, &arguments)
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
