//! Host names to addresses, within a deadline.
//!
//! The system's resolver knows no deadline, so it runs in a helper thread that is waited for. Threads that ask for the same host
//! at the same time share one; a process never has more than two, however long its DNS hangs.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use super::system::{self, Event};
use super::{Deadline, Endpoint, Failure, Step};
use crate::status::Status;

const MAX_LOOKUPS: usize = 2;

/// Name services may load modules that want more than the smallest stack.
const STACK: usize = 512 * 1024;

/// The endpoint's addresses, in the order in which the system prefers them; at least one.
pub fn resolve(endpoint: &Endpoint, deadline: Deadline) -> Result<Vec<SocketAddr>, Failure> {
    if let Some(address) = endpoint.address() {
        return Ok(vec![SocketAddr::new(address, endpoint.port())]);
    }
    let failed = |error: &io::Error| Failure::of_io(Status::RESOLVE_FAILED, Step::Resolve, error);
    loop {
        match Lookup::join_or_start(endpoint).map_err(|error| failed(&error))? {
            Joined::Same(lookup) => {
                let found = lookup.wait(deadline).map_err(|error| failed(&error))?;
                return found.map_err(|reason| {
                    Failure::before_sending(Status::RESOLVE_FAILED, Step::Resolve, reason)
                });
            }
            // Both places are taken by other hosts: wait for one of them to end.
            Joined::Other(lookup) => {
                lookup.wait(deadline).map_err(|error| failed(&error))?.ok();
            }
        }
    }
}

type Found = Result<Vec<SocketAddr>, String>;

/// One lookup in one thread. The thread's end closes its half of a socket pair, which wakes all who wait.
#[derive(Debug)]
struct Lookup {
    host: String,
    port: u16,
    found: OnceLock<Found>,
    ended: UnixStream,
}

enum Joined {
    Same(Arc<Lookup>),
    Other(Arc<Lookup>),
}

static LOOKUPS: Mutex<Vec<Arc<Lookup>>> = Mutex::new(Vec::new());

impl Lookup {
    fn join_or_start(endpoint: &Endpoint) -> io::Result<Joined> {
        let mut lookups = LOOKUPS.lock().unwrap_or_else(PoisonError::into_inner);
        lookups.retain(|lookup| lookup.found.get().is_none());
        let same = lookups
            .iter()
            .find(|lookup| lookup.host == endpoint.host() && lookup.port == endpoint.port());
        if let Some(same) = same {
            return Ok(Joined::Same(Arc::clone(same)));
        }
        if let Some(other) = lookups.first()
            && lookups.len() >= MAX_LOOKUPS
        {
            return Ok(Joined::Other(Arc::clone(other)));
        }
        let lookup = Self::start(endpoint)?;
        lookups.push(Arc::clone(&lookup));
        Ok(Joined::Same(lookup))
    }

    fn start(endpoint: &Endpoint) -> io::Result<Arc<Self>> {
        let (ended, end) = UnixStream::pair()?;
        let lookup = Arc::new(Self {
            host: endpoint.host().to_owned(),
            port: endpoint.port(),
            found: OnceLock::new(),
            ended,
        });
        let shared = Arc::clone(&lookup);
        thread::Builder::new()
            .name("fpga-associate".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                shared.run();
                drop(end);
            })
            .map_err(|error| {
                io::Error::new(error.kind(), format!("no thread for the lookup: {error}"))
            })?;
        Ok(lookup)
    }

    fn run(&self) {
        let found = match (self.host.as_str(), self.port).to_socket_addrs() {
            Ok(addresses) => {
                let addresses: Vec<_> = addresses.collect();
                if addresses.is_empty() {
                    Err("the host has no address".to_owned())
                } else {
                    Ok(addresses)
                }
            }
            Err(error) => Err(error.to_string()),
        };
        // Nobody else sets it.
        self.found.set(found).ok();
    }

    fn wait(&self, deadline: Deadline) -> io::Result<Found> {
        if self.found.get().is_none() {
            system::wait_for(self.ended.as_fd(), Event::Readable, deadline)?;
        }
        Ok(self
            .found
            .get()
            .cloned()
            .unwrap_or_else(|| Err("the lookup's thread ended early".to_owned())))
    }
}
