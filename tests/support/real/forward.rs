//! What carries calls towards a service: squid and Dante's SOCKS server.

use std::path::PathBuf;

use super::daemon::{Daemon, Setting, wait_for};

/// squid; it asks for `user` and `pa55word`, and leads to some ports alone.
pub struct Squid(Daemon);

impl Squid {
    pub fn start(ports: &str) -> Self {
        const USERS: &str = "user:$apr1$saltsalt$MHxCG3EgnqhQHe2W2Tp1Q/\n";
        Self(Daemon::start(&Setting {
            program: "squid",
            // Its name, for what it shares in memory.
            arguments: &["-N", "-n", "fpga@port@", "-f", "@folder@/configuration"],
            configuration: include_str!("squid.conf"),
            values: &[("service", ports)],
            files: &[("users", USERS)],
            is_nobody: true,
        }))
    }

    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// Waits until it has logged so many requests, and returns what it made of each, such as
    /// `TCP_TUNNEL/200`. A tunnel is logged when it ends.
    pub fn results(&self, count: usize) -> Vec<String> {
        let results = || -> Vec<String> {
            let log = self.0.file("access.log");
            let results = log
                .lines()
                .filter_map(|line| line.split_whitespace().nth(3));
            results.map(str::to_owned).collect()
        };
        wait_for(|| results().len() >= count);
        results()
    }
}

/// Killed, it would leave in the system what it shares.
impl Drop for Squid {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Dante's SOCKS server.
pub struct Dante(Daemon);

impl Dante {
    pub fn start() -> Self {
        Self(Daemon::start(&Setting {
            program: "danted",
            arguments: &["-f", "@folder@/configuration", "-p", "@folder@/pid"],
            configuration: include_str!("danted.conf"),
            values: &[],
            files: &[("socksify.conf", include_str!("socksify.conf"))],
            is_nobody: true,
        }))
    }

    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The file for programs that are to come through it unasked.
    pub fn client_configuration(&self) -> PathBuf {
        self.0.folder().join("socksify.conf")
    }

    /// To how many connections to a port of 127.0.0.1 it has led.
    pub fn connections_to(&self, port: u16) -> usize {
        let log = self.0.file("danted.log");
        let is_one = |line: &&str| {
            line.contains("tcp/connect [") && line.ends_with(&format!(" 127.0.0.1.{port}"))
        };
        log.lines().filter(is_one).count()
    }
}
