//! The programs that make calls without a pause, and what each tells of them in the end.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};

use super::daemon::command;
use super::front::Front;
use crate::c::{Toolchain, root};

/// How many threads a program has, each with a pair of its own.
const THREADS: usize = 4;

/// The compiled programs, and their names.
pub struct Programs {
    programs: [(&'static str, PathBuf); 2],
    _toolchain: Toolchain,
}

impl Programs {
    pub fn new() -> Self {
        let toolchain = Toolchain::new().unwrap();
        let compile = |name: &str, more: &[&str]| {
            let source = root().join("tests/support/programs").join(name);
            toolchain.compile(&source, more).unwrap()
        };
        Self {
            programs: [
                ("this library", compile("load_library.c", &[])),
                ("libcurl", compile("load_libcurl.c", &["-lcurl"])),
            ],
            _toolchain: toolchain,
        }
    }

    /// Starts each, with pairs of its own, at the same front.
    pub fn start(&self, front: &Front) -> Load {
        let programs = self.programs.iter();
        Load {
            runs: programs
                .map(|(name, program)| Run::start(name, program, front))
                .collect(),
        }
    }
}

/// The programs at work.
pub struct Load {
    runs: Vec<Run>,
}

impl Load {
    /// Ends them; what each tells.
    pub fn finish(self, front: &Front) -> Vec<Tally> {
        let runs = self.runs.into_iter();
        runs.map(|run| run.finish(front)).collect()
    }
}

struct Run {
    name: &'static str,
    process: Child,
    /// The load ends with it.
    input: ChildStdin,
}

/// What became of all calls of a program.
#[derive(Debug, Default)]
pub struct Tally {
    pub name: &'static str,
    pub calls: u64,
    /// By the name of the status.
    pub failed: BTreeMap<String, u64>,
    /// How often it was told something that does not fit what it was told before, or what the service has
    /// in the end.
    pub wrong: u64,
}

impl Run {
    fn start(name: &'static str, program: &Path, front: &Front) -> Self {
        let service = &front.service;
        let fpga_ids = service.add_fpga_images(THREADS);
        let ecs_ids = service.add_ecs_images(THREADS);
        let pairs = fpga_ids.iter().zip(&ecs_ids);
        let mut process = command(program.to_str().unwrap())
            .arg(front.endpoint())
            .arg(front.authority.file())
            .arg(service.project_id())
            .args(pairs.flat_map(|(fpga_id, ecs_id)| [fpga_id, ecs_id]))
            .env("FPGA_TOKEN", service.token())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = process.stdin.take().unwrap();
        Self {
            name,
            process,
            input,
        }
    }

    fn finish(self, front: &Front) -> Tally {
        let Self {
            name,
            mut process,
            input,
        } = self;
        drop(input);
        let mut printed = String::new();
        let mut output = process.stdout.take().unwrap();
        output.read_to_string(&mut printed).unwrap();
        let status = process.wait().unwrap();
        assert!(status.success(), "{name}: {status}");
        let associations = front.service.associations();
        let mut tally = Tally {
            name,
            ..Tally::default()
        };
        for line in printed.lines() {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words[..] {
                ["calls", count] => tally.calls += count.parse::<u64>().unwrap(),
                ["wrong", count] => tally.wrong += count.parse::<u64>().unwrap(),
                ["failed", count, ..] => {
                    let status = words[2..].join(" ");
                    *tally.failed.entry(status).or_default() += count.parse::<u64>().unwrap();
                }
                ["pair", fpga_id, ecs_id, state] => {
                    let pair = (fpga_id.to_owned(), ecs_id.to_owned());
                    let is_associated = associations.contains(&pair);
                    let is_wrong = match state {
                        "associated" => !is_associated,
                        "apart" => is_associated,
                        _ => false,
                    };
                    tally.wrong += u64::from(is_wrong);
                }
                _ => panic!("{name}: {line}"),
            }
        }
        tally
    }
}

impl Tally {
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// The cells of a table.
    pub fn cells(&self) -> String {
        let failed: Vec<String> = self
            .failed
            .iter()
            .map(|(name, count)| format!("{count} × {name}"))
            .collect();
        let failed = if failed.is_empty() {
            "0".to_owned()
        } else {
            failed.join(", ")
        };
        format!("{} | {failed} | {}", self.calls, self.wrong)
    }
}
