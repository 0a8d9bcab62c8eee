//! What a plan costs: its speed beside that of libcurl, its requests beside the fewest, its memory, and
//! how it gets on with a service that allows so many requests a second.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use ecs_emulator::{Emulator, Rate, Settings};

use super::contender::Contender;
use super::{Bench, ROUNDS, Row, Rows, alone, at_least, at_most};

/// As many as an ECS image can have.
const FPGA_IMAGES: usize = 10;

/// What a plan has if nothing else is said.
const PARALLEL: u32 = 8;

/// The bytes of a pair's ids: 32 hex digits, and a UUID.
const IDS: f64 = 32.0 + 36.0;

/// So many entries has a page of a list.
const PAGE: usize = 100;

/// What most plans here have to change.
const CHANGES: u32 = 2_000;

impl Bench {
    /// All that takes a minute at most.
    pub fn plans(&self) -> Rows {
        let (fpga_ids, ecs_ids) = images(CHANGES);
        let pairs = self.pairs_file("changes", &fpga_ids, &ecs_ids)?;
        let plan = self.plan.with("FPGA_PAIRS", &pairs);
        let changes = self.changes.with("FPGA_PAIRS", &pairs);

        let mut rows = self.speed(&plan, &changes)?;
        rows.extend(self.cost_of_a_change(&plan, &changes)?);
        rows.push(self.requests("plan of 2,000 changes", |_| true)?);
        rows.push(
            self.requests("plan of 2,000 pairs, a tenth of which differs", |pair| {
                // At each ECS image another one.
                let (ecs_image, fpga_image) = (pair / FPGA_IMAGES, pair % FPGA_IMAGES);
                fpga_image == ecs_image % FPGA_IMAGES
            })?,
        );
        rows.extend(self.memory_of_plans()?);
        Ok(rows)
    }

    /// The least that each takes, from making its client to its last answer.
    fn speed(&self, plan: &Contender, changes: &Contender) -> Rows {
        let mut least = [f64::INFINITY; 3];
        for _ in 0..ROUNDS {
            let round = [(plan, PARALLEL), (changes, 1), (changes, PARALLEL)];
            for (least, (contender, threads)) in least.iter_mut().zip(round) {
                let wall = contender.run(self.tls(), CHANGES, threads)?.wall;
                *least = least.min(wall);
            }
        }
        let [library, one, eight] = least.map(|seconds| f64::from(CHANGES) / seconds);
        let what = "plan of 2,000 changes, TLS: changes per second";
        Ok(vec![
            at_least(
                &format!("{what}, beside one connection"),
                (library, one),
                1.2,
            ),
            at_least(&format!("{what}, beside 8 threads"), (library, eight), 1.2),
        ])
    }

    fn cost_of_a_change(&self, plan: &Contender, changes: &Contender) -> Rows {
        let mut rows = Vec::new();
        for (name, target) in [("plain", self.plain()), ("TLS", self.tls())] {
            let row = (
                plan.instructions(target, 400..CHANGES, PARALLEL)?,
                changes.instructions(target, 400..800, PARALLEL)?,
            );
            let what = format!("change of a plan of 2,000, {name}: user instructions");
            rows.push(at_most(what, row, 0, 0.25));
        }
        let row = (
            plan.system_calls(self.tls(), 400..CHANGES, PARALLEL)?,
            changes.system_calls(self.tls(), 400..CHANGES, PARALLEL)?,
        );
        let what = "change of a plan of 2,000, TLS: system calls but futex".to_owned();
        rows.push(Row {
            to_reach: "≤ 5 calls".to_owned(),
            is_reached: row.0 <= 5.0,
            ..at_most(what, row, 1, 1.0)
        });
        Ok(rows)
    }

    /// The requests of a plan of 2,000 pairs, some of which differ, beside the fewest.
    fn requests(&self, what: &str, differs: impl Fn(usize) -> bool) -> Result<Row, Box<dyn Error>> {
        let service = self.service(CHANGES as usize / FPGA_IMAGES)?;
        let mut there = 0;
        for (pair, (fpga_id, ecs_id)) in service.pairs().enumerate() {
            if !differs(pair) && service.emulator.associate(fpga_id, ecs_id) {
                there += 1;
            }
        }
        service.emulator.clear_requests();
        service.carry_out()?;
        // The list of each ECS image is one page. Those of FPGA images, which all have as many, are as
        // many as it takes to show what is there; that another page is empty need not be seen.
        let pages = (there / FPGA_IMAGES).div_ceil(PAGE).max(1);
        let reads = service.ecs_ids.len().min(FPGA_IMAGES * pages);
        let fewest = service.count() - there + reads;
        let row = (service.emulator.requests_count() as f64, fewest as f64);
        let what = format!("{what}: requests, beside the fewest possible");
        Ok(at_most(what, row, 0, 1.05))
    }

    /// Beside that of a plan that is so small that its pairs do not count.
    fn memory_of_plans(&self) -> Rows {
        const SMALL: u32 = 80;
        const LARGE: u32 = 100_000;
        const MOST: f64 = 300.0;
        let (fpga_ids, ecs_ids) = images(LARGE);
        let pairs = self.pairs_file("large", &fpga_ids, &ecs_ids)?;
        let plan = self.plan.with("FPGA_PAIRS", pairs);
        let peak_kib = |pairs| -> Result<f64, Box<dyn Error>> {
            Ok(plan.run(self.plain(), pairs, PARALLEL)?.growth_kib)
        };
        let without = peak_kib(SMALL)?;
        let mut rows = Vec::new();
        for (name, pairs) in [("50,000", LARGE / 2), ("100,000", LARGE)] {
            let with = peak_kib(pairs)?;
            let of_a_pair = (with - without) * 1024.0 / f64::from(pairs - SMALL) - IDS;
            let what = format!(
                "plan of {name} pairs: memory at its peak in KiB, beside a plan of 80; of a pair without its ids"
            );
            rows.push(Row {
                other: format!("{without:.0}"),
                ratio: format!("{of_a_pair:.0} bytes"),
                ..alone(
                    &what,
                    format!("{with:.0}"),
                    &format!("≤ {MOST:.0} bytes"),
                    of_a_pair <= MOST,
                )
            });
        }
        Ok(rows)
    }

    /// A plan of 10,000 changes at a service that allows 50 requests a second.
    pub fn rate(&self) -> Rows {
        const PER_SECOND: f64 = 50.0;
        let service = self.service(1_000)?;
        service.emulator.clear_requests();
        service.emulator.set_rate(Some(Rate {
            burst: 10,
            ..Rate::of(PER_SECOND)
        }));
        let took = service.carry_out()?;
        let requests = service.emulator.requests_count() as f64;
        let refused = service.emulator.refused_by_rate() as f64;
        let least = (requests - refused) / PER_SECOND;
        let refused = refused / requests * 100.0;
        let what = "plan of 10,000 changes, 50 requests a second allowed";
        Ok(vec![
            at_most(
                format!("{what}: seconds, beside the fewest possible"),
                (took, least),
                1,
                1.2,
            ),
            alone(
                &format!("{what}: requests refused, in % of all"),
                format!("{refused:.2}"),
                "≤ 2",
                refused <= 2.0,
            ),
        ])
    }

    /// A service that keeps what it is told, with so many ECS images.
    fn service(&self, ecs_images: usize) -> Result<Service, Box<dyn Error>> {
        let emulator = Emulator::start_with(Settings {
            tls: false,
            ..Settings::default()
        })?;
        let fpga_ids = emulator.add_fpga_images(FPGA_IMAGES);
        let ecs_ids = emulator.add_ecs_images(ecs_images);
        let pairs = self.pairs_file("emulator", &fpga_ids, &ecs_ids)?;
        let plan = Contender {
            token: emulator.token().to_owned(),
            ..self.plan.with("FPGA_PAIRS", pairs)
        };
        Ok(Service {
            plan: plan.with("FPGA_PROJECT_ID", emulator.project_id()),
            emulator,
            fpga_ids,
            ecs_ids,
        })
    }

    /// All FPGA images at each ECS image.
    fn pairs_file(
        &self,
        name: &str,
        fpga_ids: &[String],
        ecs_ids: &[String],
    ) -> io::Result<PathBuf> {
        let path = self.toolchain.folder().join(name).with_extension("pairs");
        let mut file = io::BufWriter::new(fs::File::create(&path)?);
        for (fpga_id, ecs_id) in every_pair(fpga_ids, ecs_ids) {
            writeln!(file, "{fpga_id} {ecs_id}")?;
        }
        file.flush()?;
        Ok(path)
    }
}

struct Service {
    emulator: Emulator,
    fpga_ids: Vec<String>,
    ecs_ids: Vec<String>,
    plan: Contender,
}

impl Service {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        every_pair(&self.fpga_ids, &self.ecs_ids)
    }

    fn count(&self) -> usize {
        self.fpga_ids.len() * self.ecs_ids.len()
    }

    /// All its pairs are associated; the seconds that it took.
    fn carry_out(&self) -> Result<f64, Box<dyn Error>> {
        let target = super::Target {
            endpoint: self.emulator.endpoint(),
            ca_file: None,
        };
        let took = self.plan.run(target, self.count().try_into()?, PARALLEL)?;
        if self.emulator.associations().len() != self.count() {
            return Err("the plan left something out".into());
        }
        Ok(took.wall)
    }
}

/// Ids as the service has them, for so many pairs.
fn images(pairs: u32) -> (Vec<String>, Vec<String>) {
    let mut numbers = 0..;
    let fpga_ids = numbers.by_ref().take(FPGA_IMAGES).map(hex).collect();
    let ecs_ids = numbers.take(pairs as usize / FPGA_IMAGES).map(|number| {
        let mut id = hex(number);
        for hyphen in [8, 13, 18, 23] {
            id.insert(hyphen, '-');
        }
        id
    });
    (fpga_ids, ecs_ids.collect())
}

/// 32 digits that look like chance, another for each number, and the same in every run.
fn hex(number: u128) -> String {
    // An odd factor takes no two numbers to the same one.
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    format!("{mixed:032x}")
}

fn every_pair<'a>(
    fpga_ids: &'a [String],
    ecs_ids: &'a [String],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    ecs_ids.iter().flat_map(move |ecs_id| {
        let fpga_ids = fpga_ids.iter();
        fpga_ids.map(move |fpga_id| (fpga_id.as_str(), ecs_id.as_str()))
    })
}
