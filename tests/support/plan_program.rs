//! `examples/plan.c`, against the emulator of the service.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use ecs_emulator::Emulator;

use super::examples::{Ended, Place};

/// The program for plans, and the service.
pub struct Plans {
    pub place: Place,
    pub program: PathBuf,
}

impl Plans {
    pub fn new() -> Self {
        let place = Place::new();
        let program = place.compile("plan.c");
        Self { place, program }
    }

    pub fn service(&self) -> &Emulator {
        &self.place.service
    }

    /// The program, with these options, for a file.
    pub fn command(&self, options: &[&str], file: &str) -> Command {
        let service = self.service();
        let token = [("FPGA_TOKEN", service.token())];
        let mut command = self.place.command(&self.program, &token);
        command
            .args(options)
            .args([service.endpoint(), service.project_id(), file])
            .current_dir(self.place.home());
        command
    }

    /// Runs the program for a file with this text.
    pub fn run(&self, options: &[&str], text: impl AsRef<[u8]>) -> Ended {
        fs::write(self.place.home().join("plan.txt"), text).unwrap();
        Ended::of(self.command(options, "plan.txt").output().unwrap())
    }

    /// A line of a plan.
    pub fn line(&self, sign: char, fpga_image: usize, ecs_image: usize) -> String {
        let service = self.service();
        let fpga_id = &service.fpga_ids()[fpga_image];
        let ecs_id = &service.ecs_ids()[ecs_image];
        format!("{sign} {fpga_id} {ecs_id}\n")
    }

    /// Something of each kind, and what a comparison shows.
    pub fn of_each_kind(&self) -> (String, String) {
        let service = self.service();
        for fpga_id in &service.fpga_ids()[2..4] {
            service.associate(fpga_id, &service.ecs_ids()[0]);
        }
        let lines = [('+', 0, 0), ('+', 1, 1), ('-', 2, 0), ('+', 3, 0)];
        let text = lines.map(|(sign, fpga, ecs)| self.line(sign, fpga, ecs));
        let shown = format!(
            "  {}  {}  {}  {}Plan: 2 to associate, 1 to disassociate, 1 as wanted.\n",
            text[0],
            text[1],
            text[2],
            self.line('=', 3, 0)
        );
        (text.concat(), shown)
    }

    /// How many requests there were that would change something.
    pub fn changes(&self) -> usize {
        let requests = self.service().requests();
        requests.iter().filter(|one| one.method != "GET").count()
    }
}
