//! The C example against the emulator of the service, over verified HTTPS.

use std::process::{Command, Output};

use ecs_emulator::Emulator;
use support::c::{Toolchain, root};

struct Host {
    service: Emulator,
    program: std::path::PathBuf,
    _toolchain: Toolchain,
}

impl Host {
    fn new() -> Self {
        let toolchain = Toolchain::new().unwrap();
        let program = toolchain
            .compile(&root().join("examples/associate.c"), &[])
            .unwrap();
        Self {
            service: Emulator::start().unwrap(),
            program,
            _toolchain: toolchain,
        }
    }

    fn associate(&self, token: &str, project_id: &str, fpga_id: &str, ecs_id: &str) -> Output {
        Command::new(&self.program)
            .args([self.service.endpoint(), project_id, fpga_id, ecs_id])
            .env("FPGA_TOKEN", token)
            .env("SSL_CERT_FILE", self.service.ca_file())
            .output()
            .unwrap()
    }
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn the_service_has_the_association_when_the_program_says_so() {
    let host = Host::new();
    let service = &host.service;
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    let output = host.associate(service.token(), service.project_id(), fpga_id, ecs_id);
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    assert_eq!(
        service.associations(),
        [(fpga_id.to_owned(), ecs_id.to_owned())]
    );
    assert_eq!(service.requests().len(), 1);
}

#[test]
fn each_refusal_of_the_service_has_its_status_its_code_and_its_words() {
    let host = Host::new();
    let service = &host.service;
    let token = service.token();
    let project_id = service.project_id();
    let fpga_id = service.fpga_ids()[0].as_str();
    let ecs_id = service.ecs_ids()[0].as_str();
    let full = service.ecs_ids()[1].as_str();
    for fpga_id in &service.fpga_ids()[1..11] {
        service.associate(fpga_id, full);
    }
    service.associate(&service.fpga_ids()[11], ecs_id);
    let before = service.associations();

    let unknown_fpga = "00000000000000000000000000000000";
    let unknown_ecs = "00000000-0000-0000-0000-000000000000";
    let not_again = "relation already exist or the related fpga image count";
    for (token, project_id, fpga_id, ecs_id, expected, code, words) in [
        (
            "wrong",
            project_id,
            fpga_id,
            ecs_id,
            21,
            "APIGW.0301",
            "Incorrect IAM",
        ),
        (
            service.expired_token(),
            project_id,
            fpga_id,
            ecs_id,
            21,
            "APIGW.0307",
            "token",
        ),
        (
            token,
            "another_project",
            fpga_id,
            ecs_id,
            20,
            "Ecs.0023",
            "project",
        ),
        (
            token,
            project_id,
            unknown_fpga,
            ecs_id,
            23,
            "Ecs.0031",
            "doesn't exist",
        ),
        (
            token,
            project_id,
            fpga_id,
            unknown_ecs,
            20,
            "Ecs.0031",
            "image",
        ),
        (
            token,
            project_id,
            service.inactive_fpga_id(),
            ecs_id,
            20,
            "Ecs.0032",
            "active",
        ),
        (
            token,
            project_id,
            fpga_id,
            service.shared_ecs_id(),
            20,
            "Ecs.0000",
            "is not private",
        ),
        (
            token,
            project_id,
            &service.fpga_ids()[11],
            ecs_id,
            29,
            "Ecs.0000",
            not_again,
        ),
        (token, project_id, fpga_id, full, 31, "Ecs.0000", not_again),
    ] {
        let output = host.associate(token, project_id, fpga_id, ecs_id);
        let told = String::from_utf8(output.stderr.clone()).unwrap();
        let case = format!("{code} {words}: {told}");
        assert_eq!(status(&output), expected, "{case}");
        assert!(output.stdout.is_empty(), "{case}");
        assert!(told.contains(code), "{case}");
        assert!(told.contains(words), "{case}");
        assert!(told.contains("request id"), "{case}");
        assert!(token == "wrong" || !told.contains(&token[..24]), "{case}");
    }
    assert_eq!(service.associations(), before);
}

#[test]
fn the_program_explains_its_use() {
    let host = Host::new();
    let help = Command::new(&host.program).arg("--help").output().unwrap();
    assert_eq!(status(&help), 0);
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        help.contains("ENDPOINT PROJECT_ID FPGA_IMAGE_ID ECS_IMAGE_ID"),
        "{help}"
    );

    let no_arguments = Command::new(&host.program).output().unwrap();
    assert_eq!(status(&no_arguments), 1);
}

#[test]
#[ignore = "needs a release archive, and FPGA_ASSOC_MACHINE with its name"]
fn the_program_with_the_static_library_in_it_associates_too() {
    let toolchain = Toolchain::new().unwrap();
    let host = Host {
        service: Emulator::start().unwrap(),
        program: toolchain.compile_static("examples/associate.c").unwrap(),
        _toolchain: toolchain,
    };
    let service = &host.service;
    let (fpga_id, ecs_id) = (&service.fpga_ids()[0], &service.ecs_ids()[0]);
    let output = host.associate(service.token(), service.project_id(), fpga_id, ecs_id);
    assert_eq!(status(&output), 0, "{output:?}");
    let pair = (fpga_id.to_owned(), ecs_id.to_owned());
    assert_eq!(service.associations(), [pair]);
}
