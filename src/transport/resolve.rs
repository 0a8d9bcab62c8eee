//! Host names to addresses, within a deadline.
//!
//! The system's resolver knows no deadline, so it runs in a helper thread that is waited for.
//! Threads that ask for the same host at the same time share one; a process never has more than
//! two, however long its DNS hangs.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use super::patience::{Interruption, Patience};
use super::process::PerProcess;
use super::system::{self, Event, Watched};

const MAX_LOOKUPS: usize = 2;

/// The name of the threads that look names up.
pub const HELPER_THREAD: &str = "fpga-associate";

/// Name services may load modules that want more than the smallest stack.
const STACK: usize = 512 * 1024;

/// The addresses of a host, in the order in which the system prefers them; at least one. The inner
/// error is the system's own.
pub fn resolve(host: &str, port: u16, patience: Patience<'_>) -> Result<Found, Interruption> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Ok(vec![SocketAddr::new(address, port)]));
    }
    patience.check()?;
    loop {
        match Lookup::join_or_start(host, port)? {
            Joined::Same(lookup) => return lookup.wait(patience),
            // All places are taken by other hosts: wait for one of them to end.
            Joined::Others(lookups) => {
                let ends = lookups.iter().map(|lookup| lookup.ended.as_fd());
                let mut ends = ends.map(|end| Watched::new(end, Event::Readable)).collect();
                patience.wait_any(&mut ends)?;
            }
        }
    }
}

/// What a lookup ends with.
pub type Found = Result<Vec<SocketAddr>, String>;

/// One lookup in one thread. The thread's end closes its half of a socket pair, which wakes all who
/// wait.
struct Lookup {
    host: String,
    port: u16,
    found: OnceLock<Found>,
    ended: UnixStream,
}

enum Joined {
    Same(Arc<Lookup>),
    Others(Vec<Arc<Lookup>>),
}

type Lookups = Mutex<Vec<Arc<Lookup>>>;

static LOOKUPS: PerProcess<Lookups> = PerProcess::new();

impl Lookup {
    fn join_or_start(host: &str, port: u16) -> io::Result<Joined> {
        let Ok(lookups) = LOOKUPS.get_or_make(|| Ok::<_, Infallible>(Lookups::default()));
        let mut lookups = lookups.lock().unwrap_or_else(PoisonError::into_inner);
        let same = lookups
            .iter()
            .find(|lookup| lookup.host == host && lookup.port == port);
        if let Some(same) = same {
            return Ok(Joined::Same(Arc::clone(same)));
        }
        if lookups.len() >= MAX_LOOKUPS {
            return Ok(Joined::Others(lookups.clone()));
        }
        // Under the lock, so that the thread can't be done before it is on the list.
        let lookup = Self::start(host, port)?;
        lookups.push(Arc::clone(&lookup));
        Ok(Joined::Same(lookup))
    }

    fn start(host: &str, port: u16) -> io::Result<Arc<Self>> {
        let (ended, end) = system::signal_pair()?;
        let lookup = Arc::new(Self {
            host: host.to_owned(),
            port,
            found: OnceLock::new(),
            ended,
        });
        let shared = Arc::clone(&lookup);
        let work = move || {
            shared.run();
            // Off the list first, so that who is woken finds a free place, and nothing stays
            // behind.
            Self::forget(&shared);
            drop(shared);
            drop(end);
        };
        let thread = thread::Builder::new()
            .name(HELPER_THREAD.to_owned())
            .stack_size(STACK);
        system::with_signals_blocked(|| thread.spawn(work)).map_err(|error| {
            io::Error::new(error.kind(), format!("no thread for the lookup: {error}"))
        })?;
        Ok(lookup)
    }

    fn forget(ended: &Arc<Self>) {
        if let Some(lookups) = LOOKUPS.get() {
            let mut lookups = lookups.lock().unwrap_or_else(PoisonError::into_inner);
            lookups.retain(|lookup| !Arc::ptr_eq(lookup, ended));
        }
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

    fn wait(&self, patience: Patience<'_>) -> Result<Found, Interruption> {
        if self.found.get().is_none() {
            patience.wait(self.ended.as_fd(), Event::Readable)?;
        }
        let found = self.found.get().cloned();
        Ok(found.unwrap_or_else(|| Err("the lookup's thread ended early".to_owned())))
    }
}
