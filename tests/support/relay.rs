//! A relay between the library and the emulator that breaks connections at a chosen point of a
//! chosen request.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::raw::{self, Server, Visit};

/// Where the exchange of an associate or disassociate request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The connection is closed before anything is read.
    BeforeTheRequest,
    /// Half of the request is read.
    InTheRequest,
    /// The whole request is read, and not handed on.
    AfterTheRequestWithoutActing,
    /// The service acts, and nobody learns its answer.
    AfterTheRequestHavingActed,
    /// The service acts, and half of its answer arrives.
    InTheAnswer,
    /// The whole request is read, not handed on, and never answered.
    SilenceWithoutActing,
    /// The service acts, and its answer never comes.
    SilenceHavingActed,
    /// The gateway fails with this status, and has not handed the request on.
    StatusWithoutActing(u16),
    /// The gateway fails with this status, and the service has acted.
    StatusHavingActed(u16),
}

/// What the list call gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    Works,
    /// The token's user may not list.
    Forbidden,
}

/// A relay to the service.
pub fn relay(service: SocketAddr, breaks: Break, times: usize, listing: Listing) -> Server {
    let left = AtomicUsize::new(times);
    let take = move || {
        left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        })
        .is_ok()
    };
    Server::serve(move |mut visit| {
        if breaks == Break::BeforeTheRequest && take() {
            return;
        }
        while serve_one(&mut visit, service, breaks, &take, listing) {}
    })
}

/// Serves a request; whether the connection goes on.
fn serve_one(
    visit: &mut Visit,
    service: SocketAddr,
    breaks: Break,
    take: &impl Fn() -> bool,
    listing: Listing,
) -> bool {
    let mut first = [0; 4];
    if visit.stream.read_exact(&mut first).is_err() {
        return false;
    }
    let is_list = &first == b"GET ";
    let is_broken = !is_list && breaks != Break::BeforeTheRequest && take();
    if is_broken && breaks == Break::InTheRequest {
        visit.stream.read_exact(&mut [0; 100]).unwrap();
        return false;
    }
    let (rest, is_whole) = raw::read_request(&mut visit.stream);
    if !is_whole {
        return false;
    }
    let request = [&first[..], &rest].concat();
    visit.record(request.clone(), true);
    if is_list && listing == Listing::Forbidden {
        let body = r#"{"error":{"code":"Pdp.0001","message":"not allowed"}}"#;
        return visit.stream.write_all(&raw::answer(403, "", body)).is_ok();
    }
    let acts = !matches!(
        breaks,
        Break::AfterTheRequestWithoutActing
            | Break::SilenceWithoutActing
            | Break::StatusWithoutActing(_)
    );
    if is_broken && !acts {
        return answer_broken(visit, breaks, &[]);
    }
    let answer = ask(service, &request);
    if is_broken {
        return answer_broken(visit, breaks, &answer);
    }
    visit.stream.write_all(&answer).is_ok()
}

fn answer_broken(visit: &mut Visit, breaks: Break, answer: &[u8]) -> bool {
    match breaks {
        Break::InTheAnswer => {
            visit
                .stream
                .write_all(answer.split_at(answer.len() / 2).0)
                .unwrap();
            false
        }
        Break::StatusWithoutActing(status) | Break::StatusHavingActed(status) => {
            let body = "<html><body>upstream trouble</body></html>";
            visit
                .stream
                .write_all(&raw::answer(status, "", body))
                .is_ok()
        }
        Break::SilenceWithoutActing | Break::SilenceHavingActed => {
            // Until the client gives up.
            visit.read_request();
            false
        }
        _ => false,
    }
}

/// The service's whole answer, on a connection of its own.
fn ask(service: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(service).unwrap();
    stream.write_all(request).unwrap();
    // An answer has the same form as far as its length goes.
    let (answer, is_whole) = raw::read_request(&mut stream);
    assert!(is_whole);
    answer
}
