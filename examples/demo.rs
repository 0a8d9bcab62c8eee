//! Shows the library at work: starts the emulator of the service, compiles `associate.c` against the header and the library that
//! was just built, and runs it: once as it should be, once with an expired token, once with a wrong image id.

#[path = "../tests/support/c.rs"]
#[allow(dead_code)]
mod c;

use std::error::Error;
use std::path::Path;
use std::process::Command;

use ecs_emulator::{Emulator, Recorded};

fn main() -> Result<(), Box<dyn Error>> {
    let service = Emulator::start()?;
    let toolchain = c::Toolchain::new()?;
    let program = toolchain.compile(&c::root().join("examples/associate.c"), &[])?;
    println!(
        "The service (an emulator) listens at {}.",
        service.endpoint()
    );
    println!("examples/associate.c is compiled and linked to libfpga_associate.so.");

    let fpga_id = service.fpga_ids().first().ok_or("no FPGA image")?;
    let ecs_id = service.ecs_ids().first().ok_or("no ECS image")?;
    let shows = [
        (
            "Associate an FPGA image with an ECS image",
            service.token(),
            fpga_id.as_str(),
            0,
        ),
        (
            "The same with an expired token",
            service.expired_token(),
            fpga_id,
            21,
        ),
        (
            "The same with an FPGA image that does not exist",
            service.token(),
            "00000000000000000000000000000000",
            23,
        ),
    ];
    for (title, token, fpga_id, expected) in shows {
        println!("\n== {title}");
        service.clear_requests();
        let status = associate(&program, &service, token, fpga_id, ecs_id)?;
        if expected == 0 {
            service.requests().iter().for_each(show);
        }
        if status != expected {
            return Err(format!("the status is {status}, not {expected}").into());
        }
    }
    println!("\nThe service now has: {}", pairs(&service));
    Ok(())
}

/// Runs the program, prints what it printed, and returns its exit status.
fn associate(
    program: &Path,
    service: &Emulator,
    token: &str,
    fpga_id: &str,
    ecs_id: &str,
) -> Result<i32, Box<dyn Error>> {
    let arguments = [service.endpoint(), service.project_id(), fpga_id, ecs_id];
    println!("$ associate {}", arguments.join(" "));
    let output = Command::new(program)
        .args(arguments)
        .env("FPGA_TOKEN", token)
        .env("SSL_CERT_FILE", service.ca_file())
        .output()?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    print!("{}", String::from_utf8_lossy(&output.stderr));
    let status = output.status.code().ok_or("the program was killed")?;
    println!("exit status {status}");
    Ok(status)
}

fn show(request: &Recorded) {
    println!("The service saw:");
    println!("  {} {}", request.method, request.path);
    for (name, value) in &request.headers {
        if name == "x-auth-token" {
            println!("  {name}: *** ({} bytes)", value.len());
        } else {
            println!("  {name}: {value}");
        }
    }
    println!("  {}", request.body);
}

fn pairs(service: &Emulator) -> String {
    let pairs: Vec<String> = service
        .associations()
        .iter()
        .map(|(fpga_id, ecs_id)| format!("{fpga_id} with {ecs_id}"))
        .collect();
    pairs.join(", ")
}
