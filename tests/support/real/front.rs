//! What ends TLS in front of a service: nginx, HAProxy, Apache and stunnel, each with the defaults of its
//! package as far as it runs with them.

use std::collections::BTreeSet;

use ecs_emulator::Emulator;
use fpga_associate::status::Status;

use super::daemon::{Daemon, Setting, wait_for};
use crate::certificates::Authority;
use crate::changes;
use crate::client::{Client, config};

/// One of them.
pub struct Software {
    pub name: &'static str,
    pub program: &'static str,
    arguments: &'static [&'static str],
    configuration: &'static str,
    /// What stands in its log in front of the port that a client comes from.
    port_mark: &'static str,
    reload: Reload,
    /// What a call with a token of 20 KB comes to, which the service does not know either.
    pub long_token: Status,
}

/// How one is told to read its configuration anew.
enum Reload {
    /// By a signal, and it logs this when it has done so.
    Signal(i32, &'static str),
    /// By another process that takes its place, with this option and the number of the old one.
    Successor(&'static str),
}

pub const NGINX: Software = Software {
    name: "nginx",
    program: "nginx",
    arguments: &["-e", "@folder@/log", "-c", "@folder@/configuration"],
    configuration: include_str!("nginx.conf"),
    port_mark: "port=",
    reload: Reload::Signal(libc::SIGHUP, "start worker processes"),
    long_token: Status::REJECTED,
};

pub const HAPROXY: Software = Software {
    name: "HAProxy",
    program: "haproxy",
    arguments: &["-W", "-f", "@folder@/configuration"],
    configuration: include_str!("haproxy.cfg"),
    port_mark: "port=",
    reload: Reload::Signal(libc::SIGUSR2, "Loading success"),
    long_token: Status::REJECTED,
};

/// Without the process that stays when it is reloaded.
pub const HAPROXY_ALONE: Software = Software {
    name: "HAProxy (-sf)",
    arguments: &["-db", "-f", "@folder@/configuration"],
    reload: Reload::Successor("-sf"),
    ..HAPROXY
};

pub const APACHE: Software = Software {
    name: "Apache",
    program: "apache2",
    arguments: &["-DFOREGROUND", "-f", "@folder@/configuration"],
    configuration: include_str!("apache.conf"),
    port_mark: "port=",
    reload: Reload::Signal(libc::SIGUSR1, "resuming normal operations"),
    long_token: Status::REJECTED,
};

pub const STUNNEL: Software = Software {
    name: "stunnel",
    program: "stunnel",
    arguments: &["@folder@/configuration"],
    configuration: include_str!("stunnel.conf"),
    port_mark: "accepted connection from 127.0.0.1:",
    reload: Reload::Signal(libc::SIGHUP, "Configuration successful"),
    // It looks at nothing that it carries.
    long_token: Status::UNAUTHORIZED,
};

/// A service, and one of them in front of it.
pub struct Front {
    pub service: Emulator,
    pub daemon: Daemon,
    pub authority: Authority,
    software: &'static Software,
}

impl Front {
    /// It keeps a connection for so many seconds without a request.
    pub fn start(software: &'static Software, idle_seconds: u32) -> Self {
        let service = changes::service();
        let authority = Authority::new();
        let identity = authority.sign(&["127.0.0.1"]).pem_with_key();
        let daemon = Daemon::start(&Setting {
            program: software.program,
            arguments: software.arguments,
            configuration: software.configuration,
            values: &[
                ("service", &service.address().to_string()),
                ("idle", &idle_seconds.to_string()),
            ],
            files: &[("server.pem", &identity)],
            is_nobody: false,
        });
        Self {
            service,
            daemon,
            authority,
            software,
        }
    }

    pub fn endpoint(&self) -> String {
        format!("https://127.0.0.1:{}", self.daemon.port())
    }

    pub fn client(&self) -> Client {
        let config = config().ca_pem(self.authority.pem());
        config.client(&self.endpoint())
    }

    /// How many connections it has logged.
    pub fn connections(&self) -> usize {
        let log = self.daemon.log();
        let pieces = log.split(self.software.port_mark).skip(1);
        let ports = pieces.filter_map(|piece| piece.split(|c: char| !c.is_ascii_digit()).next());
        ports.collect::<BTreeSet<_>>().len()
    }

    /// Waits until the service has had so many more requests.
    pub fn wait_for_requests(&self, more: u64) {
        let wanted = self.service.requests_count() + more;
        wait_for(|| self.service.requests_count() >= wanted);
    }

    /// Has it read its configuration anew, and waits until it has.
    pub fn reload(&mut self) {
        match self.software.reload {
            Reload::Signal(signal, ready_mark) => {
                let count = || self.daemon.log().matches(ready_mark).count();
                let before = count();
                self.daemon.signal(signal);
                wait_for(|| count() > before);
            }
            Reload::Successor(option) => self.daemon.give_way(option),
        }
    }
}
