//! Host names to addresses, within a deadline.
//!
//! The system's resolver knows no deadline, so it runs in a helper thread that is waited for.
//! Threads that ask for the same host at the same time share one, and a process never has more than
//! 16, however long its DNS hangs.

use std::ffi::CStr;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::patience::{Interruption, Patience};
use super::process::PerProcess;
use super::system::{self, Giver, Signal, Thread};
use crate::memory;

/// Enough that some hosts whose lookup hangs do not keep others waiting.
const MAX_LOOKUPS: usize = 16;

/// The name of the threads that look names up.
const HELPER_THREAD: &CStr = c"fpga-associate";

/// Name services may load modules that want more than the smallest stack.
const STACK: usize = 512 * 1024;

/// The C library's resolver may crash where it gets no memory, so that it is not asked then.
const SPARE: usize = 64 * 1024;

/// The addresses of a host, in the order in which the system prefers them; at least one. The inner
/// error is the resolver's own.
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
                let ends = lookups.iter().map(|lookup| lookup.ended.watched());
                patience.wait_any(&mut ends.collect())?;
            }
        }
    }
}

/// What a lookup ends with.
pub type Found = Result<Vec<SocketAddr>, String>;

/// One lookup in one thread.
struct Lookup {
    host: String,
    port: u16,
    found: OnceLock<io::Result<Found>>,
    ended: Signal,
    end: Giver,
    thread: Mutex<Option<Thread>>,
}

enum Joined {
    Same(Arc<Lookup>),
    Others(Vec<Arc<Lookup>>),
}

type Lookups = Mutex<Vec<Arc<Lookup>>>;

static LOOKUPS: PerProcess<Lookups> = PerProcess::new();

impl Lookup {
    fn join_or_start(host: &str, port: u16) -> io::Result<Joined> {
        let lookups = LOOKUPS.get_or_make(|| Ok::<_, io::Error>(Lookups::default()))?;
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
        let (ended, end) = system::signal()?;
        let lookup = Arc::new(Self {
            host: host.to_owned(),
            port,
            found: OnceLock::new(),
            ended,
            end,
            thread: Mutex::new(None),
        });
        let shared = Arc::clone(&lookup);
        let work = move |has_memory: bool| {
            let end = End(shared);
            if has_memory {
                end.0.run();
            }
        };
        let thread = Thread::begin(HELPER_THREAD, STACK, Box::new(work)).map_err(|error| {
            io::Error::new(error.kind(), format!("no thread for the lookup: {error}"))
        })?;
        *lookup.thread() = Some(thread);
        Ok(lookup)
    }

    fn thread(&self) -> MutexGuard<'_, Option<Thread>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(ended: &Arc<Self>) {
        if let Some(lookups) = LOOKUPS.get() {
            let mut lookups = lookups.lock().unwrap_or_else(PoisonError::into_inner);
            lookups.retain(|lookup| !Arc::ptr_eq(lookup, ended));
        }
    }

    fn run(&self) {
        // Nobody else sets it.
        self.found.set(self.find()).ok();
    }

    fn find(&self) -> io::Result<Found> {
        memory::check_spare(SPARE)?;
        let found = match (self.host.as_str(), self.port).to_socket_addrs() {
            Ok(addresses) => {
                let addresses: Vec<_> = addresses.collect();
                if addresses.is_empty() {
                    Ok(Err("the host has no address".to_owned()))
                } else {
                    Ok(Ok(addresses))
                }
            }
            // The resolver has many words for its having no descriptor.
            Err(error) => match system::signal() {
                Err(no_descriptor) if system::is_out_of_descriptors(&no_descriptor) => {
                    Err(no_descriptor)
                }
                _ => Ok(Err(error.to_string())),
            },
        };
        memory::check()?;
        found
    }

    fn wait(&self, patience: Patience<'_>) -> Result<Found, Interruption> {
        patience.wait(&mut self.ended.watched())?;
        // It is at its end: whoever is first waits for that, so that a call leaves nothing behind.
        let thread = self.thread().take();
        if let Some(thread) = thread {
            thread.join();
        }
        match self.found.get() {
            Some(Ok(found)) => Ok(found.clone()),
            Some(Err(error)) => Err(copied(error).into()),
            None => Ok(Err("the lookup's thread ended early".to_owned())),
        }
    }
}

impl Drop for Lookup {
    /// Nobody waited until its end.
    fn drop(&mut self) {
        if let Some(thread) = self.thread().take() {
            thread.leave();
        }
    }
}

/// Ends a lookup when its thread ends, however that comes.
struct End(Arc<Lookup>);

impl Drop for End {
    fn drop(&mut self) {
        // Off the list first, so that who is woken finds a free place.
        Lookup::forget(&self.0);
        self.0.end.give();
    }
}

fn copied(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}
