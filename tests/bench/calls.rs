//! What a call costs, beside libcurl and beside a bare socket, in one run on one machine.
//!
//! `cargo bench` prints the table, `cargo bench -- instructions memory` those parts of it;
//! `UPDATE_README=1 cargo bench` also puts it into README.md and README.zh-CN.md, and only then has it the part
//! `rate`, which takes four minutes, without being asked for it. It needs nginx, valgrind, strace, a C compiler
//! and libcurl's headers, and fails where a part can't be measured.

mod contender;
mod plans;
mod readme;
mod server;

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use contender::{Contender, Target, output};
use server::Server;
use support::c;

const ROUNDS: u32 = 9;
const CALLS: u32 = 5_000;

type Rows = Result<Vec<Row>, Box<dyn Error>>;

type Part = (&'static str, fn(&Bench) -> Rows);

const PARTS: [Part; 12] = [
    ("instructions", Bench::instructions),
    ("signed", Bench::signed),
    ("cpu", Bench::cpu),
    ("system_calls", Bench::system_calls),
    ("one_shot", Bench::one_shot),
    ("threads", Bench::threads),
    ("storm", Bench::storm),
    ("memory", Bench::memory),
    ("size", Bench::size),
    ("floor", Bench::beside_the_floor),
    ("plans", Bench::plans),
    (SLOW_PART, Bench::rate),
];

/// The one that is left out, but for the README's table.
const SLOW_PART: &str = "rate";

struct Bench {
    library: Contender,
    /// The same with an access key in place of the token.
    signed: Contender,
    libcurl: Contender,
    floor: Contender,
    /// This library's plan, and the changes of one with libcurl.
    plan: Contender,
    changes: Contender,
    /// A program that counts the instructions of another.
    steps: PathBuf,
    server: Server,
    toolchain: c::Toolchain,
}

/// A line of the table, and whether its figure was reached.
struct Row {
    what: String,
    library: String,
    other: String,
    ratio: String,
    to_reach: String,
    is_reached: bool,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("not measured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let bench = Bench::new()?;
    // cargo adds --bench.
    let wanted: Vec<String> = env::args().skip(1).filter(|one| one != "--bench").collect();
    let is_for_the_readme = env::var_os("UPDATE_README").is_some();
    let mut rows = Vec::new();
    for (name, measure) in PARTS {
        let is_wanted = match wanted.is_empty() {
            true => name != SLOW_PART || is_for_the_readme,
            false => wanted.iter().any(|one| one == name),
        };
        if is_wanted {
            rows.extend(measure(&bench)?);
        }
    }
    let table = table(&rows)?;
    println!("{table}");
    if is_for_the_readme {
        readme::update(c::root(), &table)?;
    }
    Ok(())
}

impl Bench {
    fn new() -> Result<Self, Box<dyn Error>> {
        let toolchain = c::Toolchain::new()?;
        // 2 KB, as a token of the service has.
        let token = "MIIFpgaAssociateBenchmarkToken12".repeat(64);
        let contender = |name: &str, more: &[&str]| -> Result<Contender, Box<dyn Error>> {
            let source = c::root().join("tests/bench").join(name);
            let mut options = vec!["-O2", "-D_GNU_SOURCE"];
            options.extend(more);
            Ok(Contender {
                program: toolchain.compile(&source, &options)?,
                token: token.clone(),
                environment: Vec::new(),
            })
        };
        Ok(Self {
            library: contender("library.c", &[])?,
            signed: contender("library.c", &[])?.with(
                "FPGA_SECRET_KEY",
                "benchmark+secret/key0123456789abcdefghij",
            ),
            libcurl: contender("libcurl.c", &["-lcurl"])?,
            floor: contender("floor.c", &[])?,
            plan: contender("plan.c", &[])?,
            changes: contender("changes.c", &["-lcurl"])?,
            steps: contender("steps.c", &[])?.program,
            server: Server::start(toolchain.folder())?,
            toolchain,
        })
    }

    fn plain(&self) -> Target<'_> {
        Target {
            endpoint: &self.server.plain,
            ca_file: None,
        }
    }

    fn tls(&self) -> Target<'_> {
        Target {
            endpoint: &self.server.tls,
            ca_file: Some(&self.server.ca_file),
        }
    }

    fn instructions(&self) -> Rows {
        let mut rows = Vec::new();
        for (name, target, to_reach) in [("plain", self.plain(), 0.14), ("TLS", self.tls(), 0.16)] {
            let row = (
                self.library.instructions(target, 100..300, 0)?,
                self.libcurl.instructions(target, 100..300, 0)?,
            );
            let what = format!("warm call, {name}: user instructions");
            rows.push(at_most(what, row, 0, to_reach));
        }
        Ok(rows)
    }

    /// Counted on the processor itself: valgrind's has no instructions for SHA-256.
    fn signed(&self) -> Rows {
        let mut rows = Vec::new();
        for (name, target) in [("plain", self.plain()), ("TLS", self.tls())] {
            let row = (
                self.signed.steps(&self.steps, target)?,
                self.library.steps(&self.steps, target)?,
            );
            let what = format!(
                "warm call, signed, {name}: user instructions on this processor, beside a token of 2 KB"
            );
            rows.push(at_most(what, row, 0, 1.15));
        }
        Ok(rows)
    }

    /// Bound to what the machine's system calls cost, so that there is no figure to reach.
    fn cpu(&self) -> Rows {
        let mut rows = Vec::new();
        let us = |contender: &Contender, target| -> Result<f64, Box<dyn Error>> {
            Ok(contender.run(target, CALLS, 1)?.cpu / f64::from(CALLS) * 1e6)
        };
        for (name, target) in [("plain", self.plain()), ("TLS", self.tls())] {
            let row = quietest(|| Ok((us(&self.library, target)?, us(&self.libcurl, target)?)))?;
            let what = format!("warm call, {name}: CPU time in µs");
            rows.push(reported(at_most(what, row, 1, 1.0)));
        }
        let target = self.plain();
        let row = quietest(|| Ok((us(&self.library, target)?, us(&self.floor, target)?)))?;
        let what = "warm call, plain: CPU time in µs, beside a bare socket".to_owned();
        rows.push(reported(at_most(what, row, 1, 1.0)));
        Ok(rows)
    }

    fn system_calls(&self) -> Rows {
        let mut rows = Vec::new();
        for (name, target) in [("plain", self.plain()), ("TLS", self.tls())] {
            let row = (
                self.library.system_calls(target, 100..1100, 0)?,
                self.libcurl.system_calls(target, 100..1100, 0)?,
            );
            let what = format!("warm call, {name}: system calls");
            rows.push(Row {
                to_reach: "≤ 4 calls".to_owned(),
                is_reached: row.0 < 4.05,
                ..at_most(what, row, 1, 1.0)
            });
        }
        Ok(rows)
    }

    fn one_shot(&self) -> Rows {
        let mut rows = Vec::new();
        let bundle = Target {
            ca_file: Some(&self.server.bundle),
            ..self.tls()
        };
        let text = fs::read_to_string(&self.server.bundle)?;
        let roots = text.matches("BEGIN CERTIFICATE").count();
        for (name, target, to_reach) in [
            (format!("{roots} trusted certificates"), bundle, 0.10),
            ("1 trusted certificate".to_owned(), self.tls(), 0.22),
        ] {
            let row = quietest(|| {
                Ok((
                    self.library.one_shot(target, 20)?,
                    self.libcurl.one_shot(target, 20)?,
                ))
            })?;
            let what = format!("one-shot process over TLS, {name}: CPU time in ms");
            rows.push(at_most(what, row, 1, to_reach));
        }
        Ok(rows)
    }

    fn threads(&self) -> Rows {
        let target = self.tls();
        let calls = CALLS / 8;
        let seconds = |contender: &Contender| -> Result<f64, Box<dyn Error>> {
            Ok(contender.run(target, calls, 16)?.wall)
        };
        let (library, libcurl) =
            quietest(|| Ok((seconds(&self.library)?, seconds(&self.libcurl)?)))?;
        let calls = f64::from(16 * calls);
        let row = (calls / library, calls / libcurl);
        Ok(vec![at_least(
            "16 threads, TLS: calls per second",
            row,
            1.3,
        )])
    }

    /// A thousand threads that begin at once, twenty calls each.
    fn storm(&self) -> Rows {
        const THREADS: u32 = 1000;
        const CALLS: u32 = 20;
        let took = |contender: &Contender| contender.run(self.tls(), CALLS, THREADS);
        let mut least = [(f64::INFINITY, f64::INFINITY); 2];
        for _ in 0..3 {
            let (library, libcurl) = (took(&self.library)?, took(&self.libcurl)?);
            let [wall, slowest] = &mut least;
            *wall = (wall.0.min(library.wall), wall.1.min(libcurl.wall));
            *slowest = (
                slowest.0.min(library.slowest_call),
                slowest.1.min(libcurl.slowest_call),
            );
        }
        let [wall, slowest] = least;
        let calls = f64::from(THREADS * CALLS);
        let slowest = (slowest.0 * 1e3, slowest.1 * 1e3);
        Ok(vec![
            at_least(
                "1,000 threads that begin at once, TLS: calls per second",
                (calls / wall.0, calls / wall.1),
                1.3,
            ),
            at_most(
                "1,000 threads that begin at once, TLS: slowest call in ms".to_owned(),
                slowest,
                0,
                1.0,
            ),
        ])
    }

    fn memory(&self) -> Rows {
        const CONNECTIONS: u32 = 90;
        let growth = self.library.run(self.plain(), 100_000, 1)?.growth_kib;
        let kept = |contender: &Contender| -> Result<f64, Box<dyn Error>> {
            let endpoint = server::together(self.toolchain.folder(), CONNECTIONS as usize)?;
            let target = Target {
                endpoint: &endpoint,
                ca_file: Some(&self.server.ca_file),
            };
            let growth = contender.run(target, 1, CONNECTIONS)?.growth_kib;
            Ok(growth / f64::from(CONNECTIONS))
        };
        let row = (kept(&self.library)?, kept(&self.libcurl)?);
        let what = "memory of a kept connection over TLS in KiB".to_owned();
        Ok(vec![
            alone(
                "memory growth over 100,000 warm calls in KiB",
                format!("{growth:.0}"),
                "≤ 64",
                growth <= 64.0,
            ),
            Row {
                to_reach: "≤ 40 KiB".to_owned(),
                is_reached: row.0 <= 40.0,
                ..at_most(what, row, 0, 1.0)
            },
        ])
    }

    fn size(&self) -> Rows {
        let library = fs::canonicalize(self.toolchain.library())?;
        let megabytes = fs::metadata(&library)?.len() as f64 / 1e6;
        let stripped = self.toolchain.folder().join("stripped.a");
        output(
            Command::new("strip")
                .arg("--strip-debug")
                .arg(library.with_extension("a"))
                .arg("-o")
                .arg(&stripped),
        )?;
        let archive = fs::metadata(&stripped)?.len() as f64 / 1e6;
        let (dynamic, _) = output(Command::new("readelf").arg("-d").arg(&library))?;
        let mut needed: Vec<&str> = dynamic
            .lines()
            .filter(|line| line.contains("(NEEDED)"))
            .filter_map(|line| line.split(['[', ']']).nth(1))
            .collect();
        needed.sort_unstable();
        let is_allowed = |name: &&str| {
            ["libc.so", "libgcc_s.so", "ld-linux"]
                .iter()
                .any(|allowed| name.starts_with(allowed))
        };
        Ok(vec![
            alone(
                "shared library in MB",
                format!("{megabytes:.2}"),
                "≤ 2.4",
                megabytes <= 2.4,
            ),
            alone(
                "static library in MB, without debug information",
                format!("{archive:.2}"),
                "≤ 8",
                archive <= 8.0,
            ),
            alone(
                "libraries that it needs",
                needed.join(", "),
                "libc, libgcc_s, ld.so",
                needed.iter().all(is_allowed),
            ),
        ])
    }

    fn beside_the_floor(&self) -> Rows {
        let us = |contender: &Contender| -> Result<f64, Box<dyn Error>> {
            Ok(contender.run(self.plain(), CALLS, 1)?.wall / f64::from(CALLS) * 1e6)
        };
        let row = quietest(|| Ok((us(&self.library)?, us(&self.floor)?)))?;
        let what = "warm call, plain: wall time in µs, beside a bare socket".to_owned();
        Ok(vec![reported(at_most(what, row, 1, 1.0))])
    }
}

fn table(rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let (date, _) = output(Command::new("date").arg("+%Y-%m-%d"))?;
    let (curl, _) = output(Command::new("curl-config").arg("--version"))?;
    let machine = fs::read_to_string("/proc/cpuinfo")?;
    let model = machine
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism()?;
    let mut table = format!(
        "{}, {model}, {cores} cores, {}, nginx on loopback, a token of 2 KB.\n\n\
             | what | this library | libcurl | ratio | to reach |\n| --- | --- | --- | --- | --- |\n",
        date.trim(),
        curl.trim()
    );
    for row in rows {
        let missed = if row.is_reached { "" } else { " (missed)" };
        table.push_str(&format!(
            "| {} | {} | {} | {} | {}{missed} |\n",
            row.what, row.library, row.other, row.ratio, row.to_reach
        ));
    }
    Ok(table)
}

/// The least of both figures over some rounds, taken in turns so that a noisy moment hits both: what
/// else the machine does can only add to them.
fn quietest(
    round: impl Fn() -> Result<(f64, f64), Box<dyn Error>>,
) -> Result<(f64, f64), Box<dyn Error>> {
    let mut least = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        let (one, other) = round()?;
        least = (least.0.min(one), least.1.min(other));
    }
    Ok(least)
}

fn at_most(what: String, (library, other): (f64, f64), digits: usize, to_reach: f64) -> Row {
    let ratio = library / other;
    Row {
        what,
        library: format!("{library:.digits$}"),
        other: format!("{other:.digits$}"),
        ratio: format!("{ratio:.2}"),
        to_reach: format!("≤ {to_reach:.2}"),
        is_reached: ratio <= to_reach,
    }
}

fn at_least(what: &str, row: (f64, f64), to_reach: f64) -> Row {
    let ratio = row.0 / row.1;
    Row {
        to_reach: format!("≥ {to_reach:.1}"),
        is_reached: ratio >= to_reach,
        ..at_most(what.to_owned(), row, 0, to_reach)
    }
}

/// A line without a figure to reach.
fn reported(row: Row) -> Row {
    Row {
        to_reach: String::new(),
        is_reached: true,
        ..row
    }
}

fn alone(what: &str, library: String, to_reach: &str, is_reached: bool) -> Row {
    Row {
        what: what.to_owned(),
        library,
        other: String::new(),
        ratio: String::new(),
        to_reach: to_reach.to_owned(),
        is_reached,
    }
}
