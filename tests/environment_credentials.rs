//! Keys from where the vendor's tools look for them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecs_emulator::{AccessKey, Emulator};
use support::c::{Toolchain, root, run};

struct Host {
    service: Emulator,
    program: PathBuf,
    home: tempfile::TempDir,
    toolchain: Toolchain,
}

impl Host {
    fn new() -> Self {
        let toolchain = Toolchain::new().unwrap();
        let source = root().join("tests/support/programs/environment.c");
        Self {
            service: Emulator::start_plain().unwrap(),
            program: toolchain.compile(&source, &[]).unwrap(),
            home: tempfile::tempdir().unwrap(),
            toolchain,
        }
    }

    /// What the program prints with these variables and no others but HOME.
    fn printed(&self, variables: &[(&str, &str)]) -> String {
        let service = &self.service;
        let mut command = Command::new(&self.program);
        command.args([service.endpoint(), service.project_id()]);
        command.args([&service.fpga_ids()[0], &service.ecs_ids()[0]]);
        command.env_clear().env("HOME", self.home.path());
        let library = self.toolchain.library();
        command.env("LD_LIBRARY_PATH", library.parent().unwrap());
        command.envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    fn write(&self, text: &str) -> PathBuf {
        let folder = self.home.path().join(".huaweicloud");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("credentials");
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        path
    }

    /// The key of the last request.
    fn used(&self) -> String {
        let requests = self.service.requests();
        let authorization = requests.last().unwrap().header("authorization").unwrap();
        let (_, rest) = authorization.split_once("Access=").unwrap();
        rest.split(',').next().unwrap().to_owned()
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

const WORKS: &str = "0 \ncall 0 \ncall 0 \n";

#[test]
fn the_first_place_that_has_a_key_is_used_and_read_once() {
    let host = Host::new();
    let keys: Vec<AccessKey> = (0..2).map(|_| host.service.issue_access_key()).collect();
    let temporary = host.service.issue_temporary_access_key(3600);
    let security_token = temporary.security_token.clone().unwrap();
    let sdk = [
        ("HUAWEICLOUD_SDK_AK", &*keys[0].access_key),
        ("HUAWEICLOUD_SDK_SK", &*keys[0].secret_key),
    ];
    let terraform = [
        ("HW_ACCESS_KEY", &*temporary.access_key),
        ("HW_SECRET_KEY", &*temporary.secret_key),
        ("HW_SECURITY_TOKEN", &*security_token),
    ];
    let path = host.write(&format!(
        "# a comment\n[global]\nak = x\nsk = y\n[basic]\nak = {}\nsk={}\nproject_id = p\n",
        keys[1].access_key, keys[1].secret_key
    ));
    for (variables, used) in [
        ([&sdk[..], &terraform[..]].concat(), &keys[0]),
        (terraform.to_vec(), &temporary),
        (
            [
                &[("HUAWEICLOUD_SDK_AK", ""), ("HUAWEICLOUD_SDK_SK", "")],
                &terraform[..],
            ]
            .concat(),
            &temporary,
        ),
        (Vec::new(), &keys[1]),
    ] {
        assert_eq!(host.printed(&variables), WORKS, "{variables:?}");
        assert_eq!(host.used(), used.access_key);
    }

    let elsewhere = host.home.path().join("elsewhere");
    fs::rename(path, &elsewhere).unwrap();
    let variables = [(
        "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
        elsewhere.to_str().unwrap(),
    )];
    assert_eq!(host.printed(&variables), WORKS);
    assert_eq!(host.used(), keys[1].access_key);
}

#[test]
fn a_part_of_a_key_is_an_error_and_no_reason_to_look_further() {
    let host = Host::new();
    let (access_key, secret_key) = (host.service.access_key(), host.service.secret_key());
    host.write(&format!("[basic]\nak = {access_key}\nsk = {secret_key}\n"));
    let whole = [("HW_ACCESS_KEY", access_key), ("HW_SECRET_KEY", secret_key)];
    for (variables, words) in [
        (
            vec![("HUAWEICLOUD_SDK_AK", "A")],
            "HUAWEICLOUD_SDK_AK is set and HUAWEICLOUD_SDK_SK is not set",
        ),
        (
            vec![("HUAWEICLOUD_SDK_SK", "S")],
            "HUAWEICLOUD_SDK_AK is not set and HUAWEICLOUD_SDK_SK is set",
        ),
        (
            vec![("HUAWEICLOUD_SDK_SECURITY_TOKEN", "T")],
            "has a part of a key",
        ),
        (
            vec![
                ("HUAWEICLOUD_SDK_AK", "A"),
                ("HUAWEICLOUD_SDK_SK", " secret-of-mine "),
            ],
            "secret_key: has white space",
        ),
    ] {
        let printed = host.printed(&[&variables[..], &whole[..]].concat());
        assert!(
            printed.starts_with("10 credentials of the environment: "),
            "{printed}"
        );
        assert!(
            printed.contains(words) && !printed.contains("secret-of-mine"),
            "{printed}"
        );
    }
    assert!(host.service.requests().is_empty());
}

#[test]
fn a_place_without_keys_is_told() {
    let host = Host::new();
    let home = host.home.path().to_str().unwrap().to_owned();
    let file = format!("{home}/.huaweicloud/credentials");
    let printed = host.printed(&[]);
    let expected = format!(
        "10 credentials of the environment: HUAWEICLOUD_SDK_AK, HW_ACCESS_KEY are not set, and there is no file {file}\n"
    );
    assert_eq!(printed, expected);
    let printed = host.printed(&[("HOME", "")]);
    assert!(printed.contains("HOME"), "{printed}");
    for (text, words) in [
        ("", "has none in its section [basic]"),
        (
            "[global]\nak = a\nsk = s\n",
            "has none in its section [basic]",
        ),
        ("ak = a\nsk = s\n", "has none in its section [basic]"),
        (
            "[basic]\nak = a\n",
            "has a part of a key: ak is set and sk is not set",
        ),
        (
            "[basic]\nak = a b\nsk = s\n",
            "access_key: byte 2 is not visible ASCII",
        ),
        (
            &format!("[basic]\nak = {}\n", "a".repeat(70_000)),
            "is over 64 KiB long",
        ),
    ] {
        host.write(text);
        let printed = host.printed(&[]);
        assert!(
            printed.starts_with("10 ") && printed.contains(words),
            "{text:.40}: {printed}"
        );
    }
    // Nobody ever writes to the FIFO.
    let fifo = format!("{home}/fifo");
    run(Command::new("mkfifo").arg(&fifo)).unwrap();
    for path in [&home, &fifo] {
        let printed = host.printed(&[("HUAWEICLOUD_SDK_CREDENTIALS_FILE", path)]);
        assert!(printed.contains("is not a regular file"), "{printed}");
    }
}

#[test]
fn a_file_that_everyone_may_read_is_used_with_a_warning() {
    let host = Host::new();
    let (access_key, secret_key) = (host.service.access_key(), host.service.secret_key());
    let path = host.write(&format!("[basic]\nak = {access_key}\nsk = {secret_key}\n"));
    set_mode(&path, 0o644);
    let warning = format!(
        "0 \nwarning {} holds secret keys and can be read by everyone on this machine\ncall 0 \ncall 0 \n",
        path.display()
    );
    assert_eq!(host.printed(&[]), warning);
}

/// What a child of fork, a constructor or a later call would read is gone: the calls work after the
/// variables were taken away, and a client of no such kind never looks for a file.
#[test]
fn who_did_not_ask_for_it_gets_nothing_from_the_environment() {
    let host = Host::new();
    let file = host.write("[basic]\nak = a\nsk = s\n");
    let source = root().join("tests/support/programs/environment.c");
    let text = fs::read_to_string(source).unwrap();
    let without = text.replace(
        "fpga_assoc_config_set_environment_credentials(config)",
        "FPGA_ASSOC_OK",
    );
    let program = host
        .toolchain
        .compile_text("without", &without, &[])
        .unwrap();
    let host = Host { program, ..host };
    let printed = host.printed(&[("HUAWEICLOUD_SDK_AK", "a"), ("HUAWEICLOUD_SDK_SK", "s")]);
    assert!(
        printed.contains("call 1 token: is NULL"),
        "{printed} {file:?}"
    );
    assert!(host.service.requests().is_empty());
}
