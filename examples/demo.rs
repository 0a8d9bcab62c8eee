//! Shows the library at work: starts the emulator of the service, compiles the C examples against
//! the header and the library that was just built, and runs them: the whole life of an association,
//! what errors look like, and calls that are signed with an access key.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecs_emulator::Emulator;
use support::c;

fn main() -> Result<(), Box<dyn Error>> {
    let demo = Demo::new()?;
    let service = &demo.service;
    println!(
        "The service (an emulator) listens at {}.",
        service.endpoint()
    );
    println!(
        "examples/associate.c and associations.c are compiled and linked to libfpga_associate.so."
    );

    let fpga_id = service.fpga_ids().first().ok_or("no FPGA image")?;
    let ecs_id = service.ecs_ids().first().ok_or("no ECS image")?;
    let unknown = "00000000000000000000000000000000";
    let place = [service.endpoint(), service.project_id()];
    let pair = [place[0], place[1], fpga_id, ecs_id];
    let wrong = [place[0], place[1], unknown, ecs_id];
    let again = ["--idempotent", place[0], place[1], fpga_id, ecs_id];
    let undo = ["--undo", place[0], place[1], fpga_id, ecs_id];
    let list = [place[0], place[1], "--ecs", ecs_id];
    let token = [("FPGA_TOKEN", service.token())];
    let expired = [("FPGA_TOKEN", service.expired_token())];
    let key = [
        ("HUAWEICLOUD_SDK_AK", service.access_key()),
        ("HUAWEICLOUD_SDK_SK", service.secret_key()),
    ];
    let wrong_key = [key[0], ("HUAWEICLOUD_SDK_SK", "not-its-secret-key")];
    let (associate, associations) = (&demo.associate, &demo.associations);

    demo.show(
        "Associate an FPGA image with an ECS image",
        associate,
        &pair,
        &token,
        0,
    )?;
    demo.show_requests();
    demo.show(
        "List the associations of the ECS image",
        associations,
        &list,
        &token,
        0,
    )?;
    demo.show("Associate the same again", associate, &pair, &token, 29)?;
    demo.show(
        "The same, where what is already as wanted is a success",
        associate,
        &again,
        &token,
        0,
    )?;
    demo.show("Take the association away", associate, &undo, &token, 0)?;
    demo.show("The list is empty", associations, &list, &token, 0)?;
    demo.show("With an expired token", associate, &pair, &expired, 21)?;
    demo.show(
        "With an FPGA image that does not exist",
        associate,
        &wrong,
        &token,
        23,
    )?;
    service.clear_requests();
    demo.show(
        "With an access key, which signs the request",
        associate,
        &pair,
        &key,
        0,
    )?;
    demo.show_requests();
    demo.show(
        "With a wrong secret key: the service shows what was signed, and the library does not",
        associate,
        &pair,
        &wrong_key,
        21,
    )?;
    demo.show("Without token and key", associate, &pair, &[], 10)
}

/// The variables that hold credentials. A program has those alone that it is shown with.
const CREDENTIALS: &[&str] = &[
    "FPGA_TOKEN",
    "HUAWEICLOUD_SDK_AK",
    "HUAWEICLOUD_SDK_SK",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "HW_ACCESS_KEY",
    "HW_SECRET_KEY",
    "HW_SECURITY_TOKEN",
];

struct Demo {
    service: Emulator,
    associate: PathBuf,
    associations: PathBuf,
    _toolchain: c::Toolchain,
}

impl Demo {
    fn new() -> Result<Self, Box<dyn Error>> {
        let toolchain = c::Toolchain::new()?;
        let examples = c::root().join("examples");
        Ok(Self {
            service: Emulator::start()?,
            associate: toolchain.compile(&examples.join("associate.c"), &[])?,
            associations: toolchain.compile(&examples.join("associations.c"), &[])?,
            _toolchain: toolchain,
        })
    }

    /// Runs a program and prints what it printed; its exit status must be the expected one.
    fn show(
        &self,
        title: &str,
        program: &Path,
        arguments: &[&str],
        credentials: &[(&str, &str)],
        expected: i32,
    ) -> Result<(), Box<dyn Error>> {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        println!("\n== {title}");
        print!("$ ");
        for (variable, value) in credentials {
            let is_public = *variable == "HUAWEICLOUD_SDK_AK";
            print!("{variable}={} ", if is_public { value } else { "***" });
        }
        println!("{name} {}", arguments.join(" "));
        let mut command = Command::new(program);
        for variable in CREDENTIALS {
            command.env_remove(variable);
        }
        let output = command
            .args(arguments)
            .envs(credentials.iter().copied())
            .env("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/nowhere/credentials")
            .env("SSL_CERT_FILE", self.service.ca_file())
            .output()?;
        print!("{}", String::from_utf8_lossy(&output.stdout));
        print!("{}", String::from_utf8_lossy(&output.stderr));
        let status = output.status.code().ok_or("the program was killed")?;
        println!("exit status {status}");
        if status == expected {
            Ok(())
        } else {
            Err(format!("the exit status is not {expected}").into())
        }
    }

    /// Prints what came to the service, without what is secret.
    fn show_requests(&self) {
        for request in self.service.requests() {
            println!("The service saw:");
            println!("  {} {}", request.method, request.path);
            for (name, value) in &request.headers {
                println!("  {name}: {}", shown(name, value));
            }
            println!("  {}", request.body);
        }
    }
}

/// A header's value as far as it may be seen.
fn shown(name: &str, value: &str) -> String {
    match (name, value.split_once("Signature=")) {
        ("x-auth-token", _) => format!("*** ({} bytes)", value.len()),
        ("authorization", Some((before, signature))) => {
            let beginning = signature.get(..8).unwrap_or_default();
            format!(
                "{before}Signature={beginning}… ({} digits)",
                signature.len()
            )
        }
        _ => value.to_owned(),
    }
}
