//! The programs that do the same work, and what one run of them takes.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the work goes.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    pub endpoint: &'a str,
    /// Nothing for plain http.
    pub ca_file: Option<&'a Path>,
}

/// A compiled program.
#[derive(Clone)]
pub struct Contender {
    pub program: PathBuf,
    pub token: String,
    /// What else it is told, beside its arguments.
    pub environment: Vec<(&'static str, OsString)>,
}

/// What a program says of its own loop.
pub struct Took {
    pub wall: f64,
    pub cpu: f64,
    /// A plan's is at its peak.
    pub growth_kib: f64,
    /// Seconds.
    pub slowest_call: f64,
}

impl Contender {
    /// The same, told this as well.
    pub fn with(&self, name: &'static str, value: impl Into<OsString>) -> Self {
        let mut more = self.clone();
        more.environment.push((name, value.into()));
        more
    }

    fn command(&self, tool: &[&str], target: Target<'_>, calls: u32, threads: u32) -> Command {
        let (first, rest) = match tool.split_first() {
            Some((tool, options)) => (Path::new(tool).to_owned(), options),
            None => (self.program.clone(), tool),
        };
        let mut command = Command::new(first);
        command.args(rest);
        if !tool.is_empty() {
            command.arg(&self.program);
        }
        command
            .arg(target.endpoint)
            .arg(target.ca_file.unwrap_or(Path::new("-")))
            .args([calls.to_string(), threads.to_string()])
            .env("FPGA_TOKEN", &self.token)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// The program's own figures of a warm loop.
    pub fn run(
        &self,
        target: Target<'_>,
        calls: u32,
        threads: u32,
    ) -> Result<Took, Box<dyn Error>> {
        let printed = output(&mut self.command(&[], target, calls, threads))?.0;
        let numbers: Vec<f64> = printed
            .split_whitespace()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        match numbers[..] {
            [wall, cpu, growth_kib, slowest_call] => Ok(Took {
                wall,
                cpu,
                growth_kib,
                slowest_call,
            }),
            _ => Err(format!("{}: {printed}", self.program.display()).into()),
        }
    }

    /// CPU milliseconds of whole processes that make one call each.
    pub fn one_shot(&self, target: Target<'_>, runs: u32) -> Result<f64, Box<dyn Error>> {
        let before = children_cpu_ms();
        for _ in 0..runs {
            output(&mut self.command(&[], target, 1, 0))?;
        }
        Ok((children_cpu_ms() - before) / f64::from(runs))
    }

    /// User instructions of a call: the difference of two run lengths.
    pub fn instructions(
        &self,
        target: Target<'_>,
        lengths: Range<u32>,
        threads: u32,
    ) -> Result<f64, Box<dyn Error>> {
        let count = |calls| -> Result<f64, Box<dyn Error>> {
            let tool = [
                "valgrind",
                "--tool=callgrind",
                "--callgrind-out-file=/dev/null",
            ];
            let printed = output(&mut self.command(&tool, target, calls, threads))?.1;
            number_after(&printed, "Collected :")
        };
        per_call(count, lengths)
    }

    /// User instructions of a warm call on this very processor, counted one by one by `steps`.
    pub fn steps(&self, steps: &Path, target: Target<'_>) -> Result<f64, Box<dyn Error>> {
        const CALLS: u32 = 10;
        let steps = steps.to_str().ok_or("no path")?;
        let mut command = self.command(&[steps], target, CALLS, 1);
        let printed = output(command.env("BENCH_MARKS", "1"))?.0;
        Ok(number_after(&printed, "Steps :")? / f64::from(CALLS))
    }

    /// System calls of a call: the difference of two run lengths. Of many threads without their waits for
    /// each other, which come of being traced, by the hundred or not at all.
    pub fn system_calls(
        &self,
        target: Target<'_>,
        lengths: Range<u32>,
        threads: u32,
    ) -> Result<f64, Box<dyn Error>> {
        let tool = ["strace", "-f", "-c", "-e", "trace=!futex"];
        let tool = if threads > 1 { &tool[..] } else { &tool[..3] };
        let count = |calls| -> Result<f64, Box<dyn Error>> {
            let printed = output(&mut self.command(tool, target, calls, threads))?.1;
            let total = printed.lines().find(|line| line.ends_with(" total"));
            let calls = total.and_then(|line| line.split_whitespace().nth(3));
            Ok(calls.ok_or("strace: no total")?.parse()?)
        };
        per_call(count, lengths)
    }
}

fn per_call(
    count: impl Fn(u32) -> Result<f64, Box<dyn Error>>,
    lengths: Range<u32>,
) -> Result<f64, Box<dyn Error>> {
    let calls = f64::from(lengths.end - lengths.start);
    Ok((count(lengths.end)? - count(lengths.start)?) / calls)
}

fn number_after(text: &str, words: &str) -> Result<f64, Box<dyn Error>> {
    let (_, after) = text
        .split_once(words)
        .ok_or_else(|| format!("no {words}"))?;
    let number = after.split_whitespace().next().unwrap_or_default();
    Ok(number.parse()?)
}

/// What a program printed on stdout and on stderr.
pub fn output(command: &mut Command) -> io::Result<(String, String)> {
    let output = command
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("{command:?}: {error}")))?;
    let [out, err] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if output.status.success() {
        Ok((out, err))
    } else {
        let status = output.status;
        Err(io::Error::other(format!("{command:?}: {status}\n{err}")))
    }
}

fn children_cpu_ms() -> f64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the place is big enough, and all its bytes may be zero.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    let ms = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    ms(usage.ru_utime) + ms(usage.ru_stime)
}
