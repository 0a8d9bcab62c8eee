//! The examples in other languages, against the emulator of the service, over verified HTTPS.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use support::c::{root, run};
use support::languages::{CALLBACKS, CALLS_AT_ONCE, Place, example};
use support::needs;

support::tests! {
    python,
    cpp,
    go,
    java,
    node,
    csharp,
    ruby,
    luajit,
}

fn python() {
    needs::tools(&["python3"]);
    let place = Place::new();
    let script = |name: &str| {
        let mut command = place.command("python3");
        // No __pycache__ among the sources.
        command.arg("-B").arg(example("python").join(name));
        command
    };
    place.example(|| script("main.py"));
    place.example_with_keys(|| script("main.py"));
    let interrupted = "interrupted: in time, then FPGA_ASSOC_CANCELLED";
    place.checks_with_plans(script("checks.py"), &[CALLS_AT_ONCE, interrupted]);
}

fn cpp() {
    let compiler = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    needs::tools(&[&compiler]);
    let place = Place::new();
    let dialects = [
        ("main", "-std=c++20", "-fexceptions"),
        ("checks", "-std=c++17", "-fno-exceptions"),
        ("checks", "-std=c++20", "-fexceptions"),
    ];
    let [main, checks, throwing] = dialects.map(|(name, standard, exceptions)| {
        let program = place.folder().join(format!("{name}{exceptions}"));
        let warnings = [
            "-Wall",
            "-Wextra",
            "-Wpedantic",
            "-Wshadow",
            "-Wconversion",
            "-Werror",
        ];
        place.compile(
            Command::new(&compiler)
                .args([standard, exceptions, "-pthread"])
                .args(warnings)
                .arg("-I")
                .arg(root().join("include"))
                .arg(example("cpp").join(name).with_extension("cpp"))
                .arg("-o")
                .arg(&program)
                .arg("-L")
                .arg(place.folder())
                .arg("-lfpga_associate")
                .arg(format!("-Wl,-rpath,{}", place.folder().display())),
        );
        program
    });
    place.example(|| place.command(&main));
    place.example_with_keys(|| place.command(&main));
    place.checks_with_plans(place.command(&checks), &[CALLS_AT_ONCE]);
    place.checks_with_plans(place.command(&throwing), &[CALLS_AT_ONCE]);
}

fn go() {
    needs::tools(&["go"]);
    let place = Place::new();
    let folder = place.folder();
    let [main, checks] = [(".", "main"), ("./checks", "checks")].map(|(package, name)| {
        let program = folder.join(name);
        place.compile(
            Command::new("go")
                .current_dir(example("go"))
                .args(["build", "-buildvcs=false", "-o"])
                .arg(&program)
                .arg(package)
                .env("CGO_CFLAGS", format!("-I{}/include", root().display()))
                .env(
                    "CGO_LDFLAGS",
                    format!("-L{0} -Wl,-rpath,{0}", folder.display()),
                )
                .env("GOPROXY", "off"),
        );
        program
    });
    place.example(|| place.command(&main));
    place.example_with_keys(|| place.command(&main));
    let cancelled =
        "cancelled: true FPGA_ASSOC_CANCELLED, outcome unknown, then FPGA_ASSOC_NOT_FOUND";
    let too_late = "too late: true FPGA_ASSOC_TIMEOUT, outcome known";
    let more = [CALLS_AT_ONCE, cancelled, too_late];
    place.checks_with_plans(place.command(&checks), &more);
}

fn java() {
    let jna = Path::new("/usr/share/java/jna.jar");
    needs::tools(&["javac"]);
    needs::file(jna);
    let place = Place::new();
    let folder = example("java");
    place.compile(
        Command::new("javac")
            .args(["--release", "17", "-Xlint:all", "-Werror", "-d"])
            .arg(place.folder())
            .arg("-cp")
            .arg(jna)
            .arg("-sourcepath")
            .arg(&folder)
            .args([folder.join("Main.java"), folder.join("Checks.java")]),
    );
    let class = |name: &str| {
        let mut command = place.command("java");
        command
            .arg("-cp")
            .arg(format!("{}:{}", place.folder().display(), jna.display()))
            .arg(name);
        command
    };
    place.example(|| class("Main"));
    place.example_with_keys(|| class("Main"));
    place.checks(class("Checks"), &[CALLS_AT_ONCE]);
}

fn node() {
    needs::tools(&["node", "npm"]);
    let place = Place::new();
    // In a copy, because npm writes beside package.json.
    let folder = place.folder().join("node");
    fs::create_dir(&folder).unwrap();
    for name in ["package.json", "fpga_associate.js", "main.js", "checks.js"] {
        fs::copy(example("node").join(name), folder.join(name)).unwrap();
    }
    let install = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
    let installed = run(Command::new("npm").current_dir(&folder).args(install));
    needs::fetched("koffi from npm", installed);
    let script = |name: &str| {
        let mut command = place.command("node");
        // As many calls at once as in the other languages.
        command
            .arg(folder.join(name))
            .env("UV_THREADPOOL_SIZE", "8");
        command
    };
    place.example(|| script("main.js"));
    place.example_with_keys(|| script("main.js"));
    place.checks_without(&CALLBACKS, script("checks.js"), &[CALLS_AT_ONCE]);
}

fn csharp() {
    needs::tools(&["mcs", "mono"]);
    let place = Place::new();
    let folder = example("csharp");
    let [main, checks] = ["Main", "Checks"].map(|name| {
        let program = place.folder().join(name).with_extension("exe");
        place.compile(
            Command::new("mcs")
                .arg("-warnaserror")
                .arg(format!("-out:{}", program.display()))
                .arg(folder.join(name).with_extension("cs"))
                .arg(folder.join("FpgaAssociate.cs")),
        );
        program
    });
    let run = |program: &Path| {
        let mut command = place.command("mono");
        command.arg(program);
        command
    };
    place.example(|| run(&main));
    place.example_with_keys(|| run(&main));
    place.checks(run(&checks), &[CALLS_AT_ONCE]);
}

fn ruby() {
    needs::tools(&["ruby"]);
    let place = Place::new();
    let script = |name: &str| {
        let mut command = place.command("ruby");
        command.arg("-w").arg(example("ruby").join(name));
        command
    };
    place.example(|| script("main.rb"));
    place.example_with_keys(|| script("main.rb"));
    let interrupted = "interrupted: in time, then FPGA_ASSOC_CANCELLED";
    let timed_out = "timed out: in time, then FPGA_ASSOC_CANCELLED";
    place.checks(
        script("checks.rb"),
        &[CALLS_AT_ONCE, interrupted, timed_out],
    );
}

fn luajit() {
    needs::tools(&["luajit"]);
    let place = Place::new();
    let script = |name: &str| {
        let mut command = place.command("luajit");
        command
            .arg(example("lua").join(name))
            .env("LUA_PATH", example("lua").join("?.lua"));
        command
    };
    place.example(|| script("main.lua"));
    place.example_with_keys(|| script("main.lua"));
    // A Lua state is one thread.
    place.checks(script("checks.lua"), &[]);
}
