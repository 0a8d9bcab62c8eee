//! Connections that are kept for the next request.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Endpoint;
use super::connection::Connection;

/// Less than the 60 s after which servers and firewalls commonly drop an idle connection.
const MAX_IDLE: Duration = Duration::from_secs(55);

/// As many idle connections as there were threads that used them at once.
#[derive(Debug, Default)]
pub struct Pool(Mutex<Vec<Idle>>);

#[derive(Debug)]
struct Idle {
    endpoint: Endpoint,
    connection: Connection,
    since: Instant,
}

impl Pool {
    /// A connection to the endpoint that is still open and on which nothing has come since; the one
    /// used last.
    pub fn take(&self, endpoint: &Endpoint) -> Option<Connection> {
        while let Some(mut connection) = self.newest(endpoint) {
            if connection.is_fit() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection.
    pub fn put(&self, endpoint: &Endpoint, connection: Connection) {
        let idle = Idle {
            endpoint: endpoint.clone(),
            connection,
            since: Instant::now(),
        };
        let _too_old = self.locked(|idles| {
            idles.push(idle);
            too_old(idles)
        });
    }

    /// Closes all.
    pub fn clear(&self) {
        drop(self.locked(std::mem::take));
    }

    fn newest(&self, endpoint: &Endpoint) -> Option<Connection> {
        // Dropped after the lock is: closing takes time.
        let (found, _too_old) = self.locked(|idles| {
            let too_old = too_old(idles);
            let at = idles.iter().rposition(|idle| idle.endpoint == *endpoint);
            (at.map(|at| idles.remove(at)), too_old)
        });
        found.map(|idle| idle.connection)
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Vec<Idle>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes out those that were idle too long. The list is in the order of their times, because each
/// goes to its end.
fn too_old(idles: &mut Vec<Idle>) -> Vec<Idle> {
    let now = Instant::now();
    let old = idles.partition_point(|idle| now.duration_since(idle.since) >= MAX_IDLE);
    idles.drain(..old).collect()
}
