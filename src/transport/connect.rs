//! A TCP connection to whichever of a host's addresses answers first.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use super::system::{self, Event};
use super::{Deadline, Failure, Step};
use crate::status::Status;

/// How long an address is waited for alone before the next is tried beside it (RFC 8305, "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to one of the addresses before the deadline. All are tried; none is waited for longer than it deserves.
pub fn connect(addresses: &[SocketAddr], deadline: Deadline) -> Result<TcpStream, Failure> {
    let failed = |error: &io::Error| Failure::of_io(Status::CONNECT_FAILED, Step::Connect, error);
    let mut untried = addresses.iter();
    let mut pending: Vec<TcpStream> = Vec::new();
    let mut last_error = None;
    loop {
        if let Some(address) = untried.next() {
            match system::begin_connect(*address) {
                Ok(socket) => pending.push(socket),
                Err(error) => {
                    last_error = Some(error);
                    continue;
                }
            }
        } else if pending.is_empty() {
            let none = || io::Error::other("the host has no address");
            return Err(failed(&last_error.unwrap_or_else(none)));
        }
        let is_last = untried.as_slice().is_empty();
        let patience = if is_last {
            deadline
        } else {
            deadline.within(HEAD_START)
        };
        match first_connected(&mut pending, patience) {
            Ok(Some(socket)) => {
                socket.set_nodelay(true).map_err(|error| failed(&error))?;
                return Ok(socket);
            }
            Ok(None) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut && !deadline.left().is_zero() => {
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(failed(&error)),
            Err(error) => last_error = Some(error),
        }
    }
}

/// Waits for the sockets. Takes out those that failed, with the last error; `None` when none is left.
fn first_connected(
    pending: &mut Vec<TcpStream>,
    deadline: Deadline,
) -> io::Result<Option<TcpStream>> {
    let watched: Vec<_> = pending
        .iter()
        .map(|socket| (socket.as_fd(), Event::Writable))
        .collect();
    let ready = system::wait(&watched, deadline)?;
    let mut last_error = None;
    let mut connected = None;
    let mut ready = ready.into_iter();
    let waiting = std::mem::take(pending);
    for socket in waiting {
        if !ready.next().unwrap_or(false) || connected.is_some() {
            pending.push(socket);
            continue;
        }
        match socket.take_error()? {
            None => connected = Some(socket),
            Some(error) => last_error = Some(error),
        }
    }
    match (connected, last_error) {
        (None, Some(error)) => Err(error),
        (connected, _) => Ok(connected),
    }
}
