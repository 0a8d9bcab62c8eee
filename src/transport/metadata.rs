//! The metadata service of the ECS server that this runs on: a literal address, which is asked without
//! name lookup, proxy, redirect or kept connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::connection::Connection;
use super::patience::Patience;
use super::stream::Stream;
use super::{Answer, Endpoint, Failure, Request, Step, connect};

/// Where it is; nothing can set another.
const ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)), 80);

/// What one question to it may take: it is on the same host.
const PATIENCE: Duration = Duration::from_secs(3);

/// The most of an answer, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Asks it.
pub fn ask(
    method: &'static str,
    path: &str,
    headers: &[(&'static str, &[u8])],
    patience: Patience<'_>,
) -> Result<Answer, Failure> {
    let deadline = patience.deadline.within(PATIENCE);
    let patience = patience.until(deadline);
    let socket = connect::connect(&[ADDRESS], patience)
        .map_err(|interruption| Failure::interrupted(Step::Connect, &interruption))?;
    let endpoint = Endpoint::at(ADDRESS);
    let cancel = patience.cancel.cloned();
    let mut connection = Connection::new(Stream::new(socket), &endpoint, cancel)?;
    connection.exchange(Request {
        method,
        path,
        headers: &[("accept", "application/json")],
        credentials: headers,
        body: &[],
        max_answer: MAX_ANSWER,
        max_refusal: MAX_ANSWER,
        answer_by: deadline,
    })
}
