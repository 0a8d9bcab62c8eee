//! What carries calls towards a service: squid and Dante's SOCKS server.

use std::fs;

use super::daemon::{Daemon, Setting, wait_for};

/// squid; it asks for `user` and `pa55word`, and leads to some ports alone.
pub struct Squid {
    // In front of what is removed after it.
    daemon: Daemon,
    _shared_memory: SharedMemory,
}

impl Squid {
    pub fn start(ports: &str) -> Self {
        const USERS: &str = "user:$apr1$saltsalt$MHxCG3EgnqhQHe2W2Tp1Q/\n";
        let daemon = Daemon::start(&Setting {
            program: "squid",
            arguments: &["-N", "-n", "fpga@port@", "-f", "@folder@/configuration"],
            configuration: include_str!("squid.conf"),
            values: &[("service", ports)],
            files: &[("users", USERS)],
        });
        let _shared_memory = SharedMemory(format!("fpga{}-", daemon.port()));
        Self {
            daemon,
            _shared_memory,
        }
    }

    pub fn port(&self) -> u16 {
        self.daemon.port()
    }

    /// Waits until it has logged so many requests, and returns what it made of each, such as
    /// `TCP_TUNNEL/200`. A tunnel is logged when it ends.
    pub fn results(&self, count: usize) -> Vec<String> {
        let results = || -> Vec<String> {
            let log = self.daemon.file("access.log");
            let results = log
                .lines()
                .filter_map(|line| line.split_whitespace().nth(3));
            results.map(str::to_owned).collect()
        };
        wait_for(|| results().len() >= count);
        results()
    }
}

/// What squid leaves in the system when it is killed.
struct SharedMemory(String);

impl Drop for SharedMemory {
    fn drop(&mut self) {
        for file in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            if file.file_name().to_string_lossy().starts_with(&self.0) {
                fs::remove_file(file.path()).ok();
            }
        }
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
        }))
    }

    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The file for programs that are to come through it unasked.
    pub fn client_configuration(&self) -> std::path::PathBuf {
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
