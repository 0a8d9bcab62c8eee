//! The packages for Python, Node.js and Java have the library inside, need no variable to find it, and
//! are made by one command each, with the same bytes each time.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use support::archives::{Archives, JNA, PLATFORMS, Python, VERSION, fetched, kept, own_wheel};
use support::c::run;
use support::languages::{CALLBACKS, CALLS_AT_ONCE, Place, copied, example, without_its_path};
use support::needs;

support::tests! {
    a_wheel_serves_programs_that_know_no_path,
    wheels_say_what_they_hold,
    the_types_of_python_are_complete_and_reach_the_wheels_users,
    an_npm_package_serves_programs_that_know_no_path,
    the_types_of_the_npm_package_are_those_of_the_wrapper,
    a_jar_serves_programs_that_know_no_path_and_leaves_no_file,
}

static ARCHIVES: LazyLock<Archives> = LazyLock::new(|| {
    let folder = kept("archives").unwrap();
    Archives::within(folder).unwrap()
});

/// Packed once: who reads them must not meet who writes them.
static WHEELS: LazyLock<Vec<PathBuf>> = LazyLock::new(|| ARCHIVES.pack("wheel").unwrap());

fn a_wheel_serves_programs_that_know_no_path() {
    needs::python_environments();
    let python = Python::with(own_wheel(&WHEELS).unwrap()).unwrap();
    run(Command::new(python.program("pip")).arg("check")).unwrap();
    let place = Place::new();
    let script = |name: &str| {
        let path = copied(&place, &format!("python/{name}"), name);
        let mut command = without_its_path(place.command(python.program("python")));
        command.arg(path);
        command
    };
    place.example(|| script("main.py"));
    let interrupted = "interrupted: in time, then FPGA_ASSOC_CANCELLED";
    place.checks_with_plans(script("checks.py"), &[CALLS_AT_ONCE, interrupted]);

    // What the environment names comes first.
    let named = run(Command::new(python.program("python"))
        .args(["-c", "import fpga_associate"])
        .env("FPGA_ASSOCIATE_LIBRARY", "/nowhere/else.so"));
    assert!(named.unwrap_err().to_string().contains("/nowhere/else.so"));
}

fn wheels_say_what_they_hold() {
    needs::tools(&["python3"]);
    // What a wheel must be, by the rules for wheels and not by the words of the script that made it.
    let program = r#"
import base64, csv, email, hashlib, io, sys, zipfile
for path in sys.argv[1:]:
    wheel = zipfile.ZipFile(path)
    info = "fpga_associate-" + path.split("/")[-1].split("-")[1] + ".dist-info/"
    records = list(csv.reader(io.StringIO(wheel.read(info + "RECORD").decode())))
    assert [record[0] for record in records] == wheel.namelist(), wheel.namelist()
    for name, digest, size in records[:-1]:
        content = wheel.read(name)
        kind, _, value = digest.partition("=")
        hashed = base64.urlsafe_b64encode(hashlib.new(kind, content).digest()).decode()
        assert value == hashed.rstrip("=") and int(size) == len(content), name
    assert records[-1][1:] == ["", ""]
    metadata = email.message_from_bytes(wheel.read(info + "METADATA"))
    about = email.message_from_bytes(wheel.read(info + "WHEEL"))
    assert about["Root-Is-Purelib"] == "false" and "fpga_associate/py.typed" in wheel.namelist()
    library = [name for name in wheel.namelist() if name.endswith((".dll", ".so.0"))]
    print(metadata["Name"], metadata["Version"], about["Tag"], *library, path.split("/")[-1])
"#;
    let printed = run(Command::new("python3").args(["-c", program]).args(&*WHEELS)).unwrap();
    let linux = "libfpga_associate.so.0";
    let mut expected = [
        ("manylinux2014_x86_64", linux),
        ("manylinux2014_aarch64", linux),
        ("musllinux_1_2_x86_64", linux),
        ("musllinux_1_2_aarch64", linux),
        ("win_amd64", "fpga_associate.dll"),
    ]
    .map(|(platform, library)| {
        let tag = format!("py3-none-{platform}");
        let file = format!("fpga_associate-{VERSION}-{tag}.whl");
        format!("fpga-associate {VERSION} {tag} fpga_associate/{library} {file}")
    });
    let mut told: Vec<_> = printed.lines().collect();
    told.sort_unstable();
    expected.sort();
    assert_eq!(told, expected);
}

fn the_types_of_python_are_complete_and_reach_the_wheels_users() {
    let mypy = fetched("mypy", "2.4.1");
    let strict = || {
        let mut command = Command::new(&mypy);
        command.args(["--strict", "--no-incremental", "--cache-dir=/dev/null"]);
        command
    };
    run(strict().current_dir(example("python")).args([
        "fpga_associate.py",
        "command.py",
        "main.py",
    ]))
    .unwrap();

    let python = Python::with(own_wheel(&WHEELS).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str| -> io::Result<String> {
        let path = folder.path().join("program.py");
        fs::write(
            &path,
            format!("from fpga_associate import Client, Plan\n{text}\n"),
        )?;
        run(strict()
            .arg("--python-executable")
            .arg(python.program("python"))
            .arg(path))
    };
    check("client: Client = Client('host', timeout_ms=5)\nplan: Plan = Plan(parallel=4)").unwrap();
    check("names: list[str] = [one.name for one in Client('host').associations(None, 'project')]")
        .unwrap();
    check("Client('host', timeout_ms='5')").unwrap_err();
    check("Client('host', timeout=5)").unwrap_err();
    check("Client('host').associate(None, 'project', 5, 'image')").unwrap_err();
}

/// Has npm install the package into a folder of its own, and more.
fn install_by_npm(folder: &Path, more: &[&str]) {
    let package = ARCHIVES.pack("npm").unwrap().pop().unwrap();
    let installed = run(Command::new("npm")
        .current_dir(folder)
        .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
        .arg(package)
        .args(more));
    needs::fetched("what npm fetches", installed);
}

fn an_npm_package_serves_programs_that_know_no_path() {
    needs::tools(&["python3", "node", "npm"]);
    let place = Place::new();
    install_by_npm(place.folder(), &[]);
    let script = |name: &str| {
        let path = copied(&place, &format!("node/{name}.js"), &format!("{name}.mjs"));
        let mut command = without_its_path(place.command("node"));
        command.arg(path).env("UV_THREADPOOL_SIZE", "8");
        command
    };
    place.example(|| script("main"));
    place.checks_without(&CALLBACKS, script("checks"), &[CALLS_AT_ONCE]);

    let folder = place.folder().join("node_modules/fpga-associate");
    let package = fs::read_to_string(folder.join("package.json")).unwrap();
    let package: serde_json::Value = serde_json::from_str(&package).unwrap();
    assert_eq!(package["version"], VERSION);
    for platform in PLATFORMS {
        assert!(folder.join("lib").join(platform).exists(), "{platform}");
    }
}

fn the_types_of_the_npm_package_are_those_of_the_wrapper() {
    needs::tools(&["python3", "node", "npm"]);
    let folder = tempfile::tempdir().unwrap();
    install_by_npm(folder.path(), &["typescript@5.9.3"]);
    let check = |text: &str| -> io::Result<String> {
        let from = "from 'fpga-associate';\n";
        let imports =
            format!("import {{ Client, FpgaAssociateError }} {from}import * as all {from}");
        fs::write(folder.path().join("program.mts"), imports + text)?;
        run(Command::new("node")
            .current_dir(folder.path())
            .arg("node_modules/typescript/bin/tsc")
            .args([
                "--strict",
                "--exactOptionalPropertyTypes",
                "--module",
                "nodenext",
            ])
            .args(["--target", "es2022", "program.mts"]))
    };
    let program = "const client: Client = new Client('host', { token: 'secret', timeoutMs: 5 });
        const name: string = new FpgaAssociateError(1, 'text').statusName;
        const pairs: Promise<all.Association[]> = client.associations(null, 'project', { ecsId: 'x' });";
    for wrong in [
        "new Client('host', { timeoutMs: '5' });",
        "new Client('host', { timeout: 5 });",
        "new Client('host', { token: 'secret', ecsAgency: true });",
        "new Client('host').associate(null, 'project', 5, 'image');",
        "all.nothing;",
    ] {
        check(wrong).unwrap_err();
    }
    // Every name that is declared is there, and no other.
    let names = "const declared: { [name in keyof typeof all]: true } = { INVALID_ARGUMENT: true,
        CREDENTIALS_FAILED: true, OBSERVED_NOTHING: true, OBSERVED_ASSOCIATED: true,
        OBSERVED_APART: true, version: true, FpgaAssociateError: true, Client: true };
        const [wanted, there] = [declared, all].map((names) => Object.keys(names).sort().join());
        if (wanted !== there) throw new Error(there);";
    check(names).unwrap();
    run(without_its_path(Command::new("node")).arg(folder.path().join("program.mjs"))).unwrap();
    check(program).unwrap();
}

fn a_jar_serves_programs_that_know_no_path_and_leaves_no_file() {
    needs::tools(&["python3", "javac"]);
    needs::file(JNA);
    let jar = ARCHIVES.pack("jar").unwrap().pop().unwrap();
    let place = Place::new();
    let folder = place.folder();
    let classes = format!("{}:{}:{JNA}", folder.display(), jar.display());
    place.compile(
        Command::new("javac")
            .args(["-d".as_ref(), folder.as_os_str(), "-cp".as_ref()])
            .arg(&classes)
            .args(["Main.java", "Checks.java"].map(|name| example("java").join(name))),
    );
    let unpacked = folder.join("unpacked");
    fs::create_dir(&unpacked).unwrap();
    let class = |name: &str| {
        let mut command = without_its_path(place.command("java"));
        command
            .arg(format!("-Djna.tmpdir={}", unpacked.display()))
            .args(["-cp", &classes, name]);
        command
    };
    place.example(|| class("Main"));
    place.checks(class("Checks"), &[CALLS_AT_ONCE]);
    assert_eq!(fs::read_dir(&unpacked).unwrap().count(), 0);

    let listed = run(Command::new("jar").arg("--list").arg("--file").arg(&jar)).unwrap();
    let mut libraries: Vec<_> = listed
        .lines()
        .filter(|name| name.contains("fpga_associate."))
        .collect();
    libraries.sort_unstable();
    assert_eq!(
        libraries,
        [
            "linux-aarch64/libfpga_associate.so",
            "linux-musl-aarch64/libfpga_associate.so",
            "linux-musl-x86-64/libfpga_associate.so",
            "linux-x86-64/libfpga_associate.so",
            "win32-x86-64/fpga_associate.dll",
        ]
    );
}
