//! A TCP connection to whichever of a host's addresses answers first.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::patience::{Interruption, Patience};
use super::system;
use crate::memory;

/// How long an address is waited for alone before the next is tried beside it (RFC 8305,
/// "Connection Attempt Delay").
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to one of the addresses. All are tried, in their order, the later ones beside those
/// that have not answered yet.
pub fn connect(
    addresses: &[SocketAddr],
    patience: Patience<'_>,
) -> Result<TcpStream, Interruption> {
    let mut untried = addresses.iter();
    let mut pending = Vec::new();
    let mut last_error = None;
    loop {
        // Of what goes wrong with a connection only the last is told.
        memory::check()?;
        if let Some(address) = untried.next() {
            match system::begin_connect(*address) {
                Ok(socket) => pending.push(socket),
                Err(error) => {
                    last_error = Some(error);
                    continue;
                }
            }
        } else if pending.is_empty() {
            let nothing = || io::Error::other("the host has no address");
            return Err(last_error.unwrap_or_else(nothing).into());
        }
        let is_last = untried.as_slice().is_empty();
        let turn = if is_last {
            patience
        } else {
            patience.until(patience.deadline.within(HEAD_START))
        };
        match first_connected(&mut pending, turn) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(Interruption::Failed(error)) => last_error = Some(error),
            Err(Interruption::TimedOut) if !patience.deadline.left().is_zero() => {}
            Err(interruption) => return Err(interruption),
        }
    }
}

/// Waits until one of the sockets is connected, or has failed; then it is taken out.
fn first_connected(
    pending: &mut Vec<TcpStream>,
    patience: Patience<'_>,
) -> Result<TcpStream, Interruption> {
    let mut watched: Vec<_> = pending.iter().map(system::writable).collect();
    patience.wait_any(&mut watched)?;
    let Some(at) = watched.iter().position(system::is_ready) else {
        return Err(Interruption::TimedOut);
    };
    let socket = pending.remove(at);
    match socket.take_error()? {
        None => Ok(socket),
        Some(error) => Err(error.into()),
    }
}
