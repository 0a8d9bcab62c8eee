//! The program that makes the calls, in a process of its own.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use ecs_emulator::Emulator;

use super::super::c::{Toolchain, root};
use super::book::Book;

/// The threads that make calls, and the pairs of each, as `programs/soak.c` has them. Of the last two one makes
/// its calls with clients that it has shut down, one in children of fork.
pub const OWNERS: usize = 34;
pub const SHUT_DOWN: usize = 32;
pub const CHILDREN: usize = 33;
const PAIRS_OF_OWNER: usize = 16;
const PAIRS_OF_ECS_IMAGE: usize = 8;

/// A host that says nothing for so long hangs.
const SILENCE: Duration = Duration::from_secs(120);

/// How much it does: so many phases, which end after so many calls, or seconds unless these are 0.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    pub phases: u64,
    pub calls: u64,
    pub seconds: u64,
}

pub struct Host {
    process: Child,
    lines: Receiver<io::Result<String>>,
}

/// Where the host finds what it needs.
pub struct Surroundings<'a> {
    /// Host and port.
    pub gateway: String,
    pub ca_file: &'a Path,
    pub vault: u16,
    pub emulator: &'a Emulator,
    pub book: &'a Book,
}

/// Pairs for all owners.
pub fn book(emulator: &Emulator) -> Book {
    let count = OWNERS * PAIRS_OF_OWNER;
    let fpga_ids = emulator.add_fpga_images(count);
    let ecs_ids = emulator.add_ecs_images(count / PAIRS_OF_ECS_IMAGE);
    let ecs_id = |number: usize| ecs_ids[number / PAIRS_OF_ECS_IMAGE].clone();
    let pairs = fpga_ids.into_iter().zip(0..);
    Book::new(
        pairs
            .map(|(fpga_id, number)| (fpga_id, ecs_id(number)))
            .collect(),
    )
}

impl Host {
    pub fn start(
        toolchain: &Toolchain,
        extent: Extent,
        seed: u64,
        surroundings: &Surroundings<'_>,
    ) -> Self {
        let [main, calls] =
            ["soak.c", "soak_calls.c"].map(|file| root().join("tests/support/programs").join(file));
        let more = ["-D_GNU_SOURCE", calls.to_str().unwrap()];
        let program = toolchain.compile(&main, &more).unwrap();
        let pairs = toolchain.folder().join("pairs");
        let lines = surroundings.book.pairs.iter();
        let lines = lines.map(|pair| format!("{} {}\n", pair.fpga_id, pair.ecs_id));
        fs::write(&pairs, lines.collect::<String>()).unwrap();
        let emulator = surroundings.emulator;
        let mut process = Command::new(program)
            .args(
                [extent.phases, extent.calls, extent.seconds, seed]
                    .map(|number| number.to_string()),
            )
            .args(["https", "http"].map(|scheme| format!("{scheme}://{}", surroundings.gateway)))
            .arg(surroundings.ca_file)
            .arg(surroundings.vault.to_string())
            .arg(emulator.project_id())
            .arg(pairs)
            .env("FPGA_TOKEN", emulator.token())
            .env("HW_ACCESS_KEY", emulator.access_key())
            .env("HW_SECRET_KEY", emulator.secret_key())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines() {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { process, lines }
    }

    /// What it says next; nothing at its end. An error where it hangs.
    pub fn line(&mut self) -> Result<Option<String>, String> {
        match self.lines.recv_timeout(SILENCE) {
            Ok(line) => line.map(Some).map_err(|error| error.to_string()),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err("the host hangs".to_owned()),
        }
    }

    /// How it ended.
    pub fn finish(mut self) -> Result<(), String> {
        let status = self.process.wait().map_err(|error| error.to_string())?;
        status
            .success()
            .then_some(())
            .ok_or_else(|| status.to_string())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
