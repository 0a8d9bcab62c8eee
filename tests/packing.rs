//! Packages for Python, Node.js and Java are the same bytes whenever they are made, and what can't be
//! packed is told in one line.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use support::archives::{Archives, JNA, PLATFORMS, VERSION, packing};
use support::c::outside;
use support::needs;

support::tests! {
    two_builds_give_the_same_bytes,
    what_can_not_be_packed_is_told_in_one_line,
}

fn two_builds_give_the_same_bytes() {
    needs::tools(&["python3", "npm", "javac"]);
    needs::file(JNA);
    let archives = Archives::new().unwrap();
    for script in ["wheel", "npm", "jar"] {
        let first = archives.pack(script).unwrap();
        let expected = if script == "wheel" {
            PLATFORMS.len()
        } else {
            1
        };
        assert_eq!(first.len(), expected, "{first:?}");
        let read = || first.iter().map(|path| fs::read(path).unwrap());
        let bytes: Vec<_> = read().collect();
        // Files know every other second.
        sleep(Duration::from_millis(2100));
        // Without arguments: those in the folder of packages, in another order.
        let target = tempfile::tempdir().unwrap();
        let packages = target.path().join("packages");
        fs::create_dir(&packages).unwrap();
        for platform in PLATFORMS.iter().rev() {
            let archive = archives.archive(platform);
            fs::copy(&archive, packages.join(archive.file_name().unwrap())).unwrap();
        }
        // Those of other platforms are left alone.
        let other = format!("fpga_associate-{VERSION}-s390x-linux-gnu.tar.gz");
        fs::write(packages.join(other), "").unwrap();
        let output = packing(script)
            .env("CARGO_TARGET_DIR", target.path())
            .env("TZ", "Asia/Shanghai")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        for (path, bytes) in first.iter().zip(bytes) {
            let again = packages.join(path.file_name().unwrap());
            assert!(fs::read(&again).unwrap() == bytes, "{}", again.display());
        }
    }
}

fn what_can_not_be_packed_is_told_in_one_line() {
    needs::tools(&["python3"]);
    let archives = Archives::new().unwrap();
    let own = archives.archive(PLATFORMS[2]);
    let other = own
        .to_str()
        .unwrap()
        .replace(PLATFORMS[2], "riscv64-linux-gnu");
    let missing = archives
        .folder()
        .join(format!("no/fpga_associate-{VERSION}-x86_64-windows.tar.gz"));
    let broken = archives.archive(PLATFORMS[4]);
    fs::write(&broken, "no archive").unwrap();
    for script in ["wheel", "npm", "jar"] {
        let refused = |words: &str, command: &mut Command| {
            let output = command.output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{told}");
            assert!(output.stdout.is_empty());
            assert!(
                told.starts_with(&format!("{script}: ")) && told.contains(words),
                "{told}"
            );
            assert_eq!(told.lines().count(), 1, "{told}");
        };
        refused("No such file", packing(script).arg(&missing));
        refused("PLATFORM is one of", packing(script).arg(&other));
        refused("not a gzip file", packing(script).arg(&broken));
        refused(
            "two archives of one platform",
            packing(script).args([&own, &own]),
        );
        let empty = tempfile::tempdir().unwrap();
        let nothing = "no release archive";
        refused(
            nothing,
            packing(script).env("CARGO_TARGET_DIR", empty.path()),
        );
    }
    // Python alone is found.
    let python = String::from_utf8(
        outside("python3")
            .args(["-c", "import sys; print(sys.executable, end='')"])
            .output()
            .unwrap()
            .stdout,
    );
    for (script, tool) in [("npm", "npm"), ("jar", "javac")] {
        let output = outside(python.as_deref().unwrap())
            .arg(packing(script).get_program())
            .arg(&own)
            .env("PATH", "/nowhere")
            .env("SOURCE_DATE_EPOCH", "1")
            .env("JNA_JAR", &own)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(told, format!("{script}: {tool} is missing\n"));
    }
}
