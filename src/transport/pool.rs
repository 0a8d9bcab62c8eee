//! Connections that are kept for the next request, and the queue of those who wait for one.
//!
//! Who finds no kept connection makes one, but only some at a time to each endpoint: a thousand
//! threads that begin at once would overflow a server's queue. The others wait for whichever comes
//! first, a connection that is given back or their turn to make one.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::patience::{Interruption, Patience};
use super::process::Process;
use super::{Endpoint, system};

/// Less than the 60 s after which servers and firewalls commonly drop an idle connection.
const MAX_IDLE: Duration = Duration::from_secs(55);

/// A certificate may expire behind a connection that is always in use.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// The most connections that are kept while nobody uses them.
const MAX_KEPT: usize = 100;

/// The most connections to one endpoint that are being made at once.
const MAX_DIALS: usize = 16;

/// The connections of one client.
#[derive(Debug)]
pub struct Pool {
    process: Process,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In the order in which they were given back.
    idle: VecDeque<Idle>,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since: Instant,
}

/// Those who make connections to one endpoint, and those who wait.
#[derive(Debug)]
struct Line {
    endpoint: Endpoint,
    dialing: usize,
    waiting: VecDeque<Arc<Place>>,
}

/// Where one thread waits for its turn.
#[derive(Debug, Default)]
struct Place {
    turn: Mutex<Option<Given>>,
    has_come: Condvar,
}

#[derive(Debug)]
enum Given {
    Connection(Connection),
    Dial,
}

/// What somebody who needs a connection thinks of those that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// One will do.
    Welcome,
    /// One of them was closed by the other side just now, or brought what is no answer, so that the
    /// others may too; one that is given back now will do.
    Stale,
}

/// What somebody who needs a connection gets.
#[derive(Debug)]
pub enum Turn<'a> {
    /// A kept one.
    Kept(Connection),
    /// The leave to make one, for as long as it is held.
    Dial(Permit<'a>),
}

/// The leave to make a connection.
#[derive(Debug)]
pub struct Permit<'a> {
    pool: &'a Pool,
    endpoint: &'a Endpoint,
}

impl Pool {
    /// Empty.
    pub fn new() -> Self {
        Self {
            process: Process::current(),
            state: Mutex::default(),
        }
    }

    /// A connection to the endpoint that is still open and on which nothing has come since, the one
    /// used last; or the leave to make one.
    pub fn turn<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        patience: Patience<'_>,
        kept: Kept,
    ) -> Result<Turn<'a>, Interruption> {
        loop {
            // Closed after the lock is given back: that takes time.
            let (found, swept, _over) = self.locked(|state| {
                let mut over = Vec::new();
                let swept = state.sweep(endpoint, &mut over);
                (state.find(endpoint, kept), swept, over)
            });
            match found {
                Found::Kept(connection) => {
                    if swept == Swept::All || connection.is_silent() {
                        return Ok(Turn::Kept(connection));
                    }
                }
                Found::Dial => {
                    return Ok(Turn::Dial(Permit {
                        pool: self,
                        endpoint,
                    }));
                }
                Found::Place(place) => match self.wait(endpoint, &place, patience)? {
                    // What came on it has not been looked for since.
                    Turn::Kept(connection) if !connection.is_silent() => {}
                    turn => return Ok(turn),
                },
            }
        }
    }

    /// Keeps a connection for the next request, or gives it to who waits for one.
    pub fn put(&self, connection: Connection) {
        let since = Instant::now();
        if since.duration_since(connection.made()) >= MAX_AGE {
            return;
        }
        let _over = self.locked(|state| {
            let line = state.line(connection.endpoint());
            if let Some(place) = line.and_then(|line| line.waiting.pop_front()) {
                place.give(Given::Connection(connection));
                return None;
            }
            state.idle.push_back(Idle { connection, since });
            if state.idle.len() > MAX_KEPT {
                state.idle.pop_front()
            } else {
                None
            }
        });
    }

    /// Closes the connection that has been idle for longest; whether there was one.
    pub fn give_up_one(&self) -> bool {
        self.locked(|state| state.idle.pop_front()).is_some()
    }

    /// Closes all that nobody uses.
    pub fn close_idle(&self) {
        drop(self.locked(|state| std::mem::take(&mut state.idle)));
    }

    /// Wakes all who wait; the client was shut down.
    pub fn wake_all(&self) {
        self.locked(|state| {
            for place in state.lines.iter().flat_map(|line| &line.waiting) {
                place.wake();
            }
        });
    }

    fn wait<'a>(
        &'a self,
        endpoint: &'a Endpoint,
        place: &Arc<Place>,
        patience: Patience<'_>,
    ) -> Result<Turn<'a>, Interruption> {
        let given = place.wait(patience).or_else(|interruption| {
            // It may have come at the last moment.
            self.locked(|state| {
                if let Some(line) = state.line(endpoint) {
                    line.waiting.retain(|waiting| !Arc::ptr_eq(waiting, place));
                }
            });
            place.take().ok_or(interruption)
        })?;
        Ok(match given {
            Given::Connection(connection) => Turn::Kept(connection),
            Given::Dial => Turn::Dial(Permit {
                pool: self,
                endpoint,
            }),
        })
    }

    /// A child of fork may find the lock held by a thread that it does not have; it does not get
    /// here, because its parent's connections are not for it.
    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

enum Found {
    Kept(Connection),
    Dial,
    Place(Arc<Place>),
}

/// Which of the idle connections are known to be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swept {
    All,
    None,
}

impl State {
    /// Takes out those that were idle too long, and those on which something has come, such as their
    /// end. (One alone is asked by who takes it.)
    fn sweep(&mut self, endpoint: &Endpoint, over: &mut Vec<Idle>) -> Swept {
        let now = Instant::now();
        let old = self
            .idle
            .partition_point(|idle| now.duration_since(idle.since) >= MAX_IDLE);
        over.extend(self.idle.drain(..old));
        let is_for_caller = |idle: &Idle| idle.connection.endpoint() == endpoint;
        if self.idle.len() < 2 && self.idle.iter().all(is_for_caller) {
            return Swept::None;
        }
        let mut watched: Vec<_> = self
            .idle
            .iter()
            .map(|idle| system::readable(idle.connection.socket()))
            .collect();
        // Fails where the process's limit is lower than the number of the connections.
        let has_come = match system::wait(&mut watched, Duration::ZERO) {
            Ok(has_come) => has_come,
            Err(_) => return Swept::None,
        };
        if has_come {
            let spoke: Vec<bool> = watched.iter().map(system::is_ready).collect();
            let (silent, speaking): (Vec<_>, Vec<_>) = std::mem::take(&mut self.idle)
                .into_iter()
                .zip(spoke)
                .partition(|(_, spoke)| !spoke);
            self.idle = silent.into_iter().map(|(idle, _)| idle).collect();
            over.extend(speaking.into_iter().map(|(idle, _)| idle));
        }
        Swept::All
    }

    fn find(&mut self, endpoint: &Endpoint, kept: Kept) -> Found {
        let newest = self
            .idle
            .iter()
            .rposition(|idle| idle.connection.endpoint() == endpoint);
        if kept == Kept::Welcome
            && let Some(idle) = newest.and_then(|at| self.idle.remove(at))
        {
            return Found::Kept(idle.connection);
        }
        let line = match self
            .lines
            .iter()
            .position(|line| line.endpoint == *endpoint)
        {
            Some(at) => self.lines.get_mut(at),
            None => {
                self.lines.push(Line {
                    endpoint: endpoint.clone(),
                    dialing: 0,
                    waiting: VecDeque::new(),
                });
                self.lines.last_mut()
            }
        };
        match line {
            Some(line) if line.dialing >= MAX_DIALS => {
                let place = Arc::new(Place::default());
                line.waiting.push_back(Arc::clone(&place));
                Found::Place(place)
            }
            Some(line) => {
                line.dialing += 1;
                Found::Dial
            }
            None => Found::Dial,
        }
    }

    fn line(&mut self, endpoint: &Endpoint) -> Option<&mut Line> {
        self.lines
            .iter_mut()
            .find(|line| line.endpoint == *endpoint)
    }
}

impl Drop for Permit<'_> {
    /// The next in the line may make a connection.
    fn drop(&mut self) {
        if !self.pool.process.is_current() {
            return;
        }
        self.pool.locked(|state| {
            let Some(line) = state.line(self.endpoint) else {
                return;
            };
            match line.waiting.pop_front() {
                Some(place) => place.give(Given::Dial),
                None => line.dialing = line.dialing.saturating_sub(1),
            }
            state
                .lines
                .retain(|line| line.dialing > 0 || !line.waiting.is_empty());
        });
    }
}

impl Place {
    fn give(&self, given: Given) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
        self.has_come.notify_all();
    }

    /// Has the thread look again why it waits.
    fn wake(&self) {
        // It is not between its look and its wait then.
        drop(self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        self.has_come.notify_all();
    }

    fn take(&self) -> Option<Given> {
        self.turn
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn wait(&self, patience: Patience<'_>) -> Result<Given, Interruption> {
        let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(given) = turn.take() {
                return Ok(given);
            }
            patience.check()?;
            let waited = self.has_come.wait_timeout(turn, patience.deadline.left());
            turn = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
