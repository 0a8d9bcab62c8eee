//! Calls that a program for Windows makes under Wine, and servers of odd habits for them.

use std::fs;
use std::io::{self, Write};
use std::net::Shutdown;
use std::path::Path;

use fpga_associate::status::Status;

use super::raw::{Server, Visit};
use super::slow::Hold;
use super::wine::{Linked, Wine, path};

/// The program that makes them.
pub const HOST: &str = "tests/support/programs/windows_host.c";

/// What the calls that are to run out of time are given.
pub const TIME_MS: u32 = 1000;

/// What a call may take at most that is given more than it needs, on a busy machine; and one that ran
/// out of its time, or was shut down, beyond that.
pub const AT_ONCE_MS: u32 = 2000;

/// A call of the program.
pub struct Case {
    pub name: String,
    pub endpoint: String,
    pub proxy: String,
    pub ca_file: String,
    pub time_ms: u32,
    pub shut_down_after_ms: u32,
    pub token_length: usize,
    /// How it may end.
    pub wanted: Vec<Status>,
    /// What it may take.
    pub at_least_ms: u32,
    pub at_most_ms: u32,
}

impl Case {
    /// A call that has more time than it needs.
    pub fn new(name: &str, endpoint: String, wanted: &[Status]) -> Self {
        Self {
            name: name.to_owned(),
            endpoint,
            proxy: "-".to_owned(),
            ca_file: "-".to_owned(),
            time_ms: 20_000,
            shut_down_after_ms: 0,
            token_length: 1000,
            wanted: wanted.to_vec(),
            at_least_ms: 0,
            at_most_ms: AT_ONCE_MS,
        }
    }

    pub fn held(hold: &Hold, wanted: Status) -> Self {
        let mut case = Self::new(hold.name, hold.endpoint().to_owned(), &[wanted]);
        if !hold.proxy().is_empty() {
            hold.proxy().clone_into(&mut case.proxy);
        }
        if let Some(file) = hold.ca_file() {
            case.ca_file = path(&file);
        }
        Self {
            token_length: hold.token().len(),
            at_least_ms: TIME_MS - 20,
            at_most_ms: TIME_MS + AT_ONCE_MS,
            ..case
        }
    }
}

/// Has the program make all calls, one after the other.
pub fn make(cases: &[Case]) {
    make_with(&[], cases);
}

/// As [`make`], in an environment that has these variables too.
pub fn make_with(variables: &[(&str, &str)], cases: &[Case]) {
    let wine = Wine::new().unwrap();
    let program = wine.compile(Path::new(HOST), Linked::Shared).unwrap();
    let lines: String = cases
        .iter()
        .map(|case| {
            format!(
                "{} {} {} {} {} {}\n",
                case.endpoint,
                case.proxy,
                case.ca_file,
                case.time_ms,
                case.shut_down_after_ms,
                case.token_length
            )
        })
        .collect();
    let file = wine.folder().join("calls");
    fs::write(&file, lines).unwrap();
    let output = wine
        .run_with(variables, &program, &["calls", &path(&file)])
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{printed}");
    assert_eq!(printed.lines().count(), cases.len(), "{printed}");
    for (case, line) in cases.iter().zip(printed.lines()) {
        let line = line.trim_end();
        println!("{}: {line}", case.name);
        let mut words = line.split(' ');
        let mut number = || words.next().unwrap().parse::<u32>().unwrap();
        let (status, time) = (number(), number());
        let is_wanted = |wanted: &Status| wanted.number() == status.cast_signed();
        assert!(case.wanted.iter().any(is_wanted), "{}: {line}", case.name);
        let range = case.at_least_ms..=case.at_most_ms;
        assert!(range.contains(&time), "{}: {line}", case.name);
    }
}

/// What a server may do with a connection.
pub type Handle = fn(&mut Visit);

/// A server that does it, and the call that comes there.
pub fn odd(name: &str, wanted: &[Status], handle: Handle) -> (Case, Server) {
    let server = Server::serve(move |mut visit| handle(&mut visit));
    (Case::new(name, server.endpoint(), wanted), server)
}

pub fn say(visit: &mut Visit, answer: &[u8]) {
    visit.stream.write_all(answer).ok();
}

/// Reads what comes until the client ends.
pub fn listen(visit: &mut Visit) {
    io::copy(&mut visit.stream, &mut io::sink()).ok();
}

pub fn say_no_more(visit: &mut Visit) {
    visit.stream.shutdown(Shutdown::Write).ok();
}
