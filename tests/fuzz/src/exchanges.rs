//! Requests over one connection whose other end is a script. All in one thread: what the other end says is in the
//! socket before it is read, in packets, which a read does not join.

use std::fmt::Debug;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::Duration;

use fpga_associate::status::Status;
use fpga_associate::transport::fuzzing::Line;
use fpga_associate::transport::{Answer, Deadline, Request};
use rustix::net::{
    AddressFamily, SendFlags, Shutdown, SocketFlags, SocketType, send, shutdown, socketpair,
};

/// The longest packet: what is read at once, at least.
pub const LONGEST: usize = 1000;

/// More packets would not fit.
pub const MOST: usize = 100;

/// The other end.
pub struct Peer(OwnedFd);

/// Both ends of a connection.
pub fn connection() -> (Peer, TcpStream) {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (peer, own) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    (Peer(peer), own.into())
}

impl Peer {
    /// Says something, in packets that end where the pieces do.
    pub fn say<'a>(&self, pieces: impl IntoIterator<Item = &'a [u8]>) {
        for packet in pieces.into_iter().flat_map(|piece| piece.chunks(LONGEST)) {
            assert_eq!(
                send(&self.0, packet, SendFlags::NOSIGNAL).unwrap(),
                packet.len()
            );
        }
    }

    /// Says that it says nothing more.
    pub fn end(&self) {
        shutdown(&self.0, Shutdown::Write).unwrap();
    }
}

/// What a request brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brought {
    Answer {
        http_status: u16,
        body: Vec<u8>,
        is_complete: bool,
        headers: [Option<String>; 2],
    },
    Failure(Status),
}

impl Brought {
    /// Whether both say the same. What breaks off may be known as far as that, or less; and what is too long, or broken
    /// behind that, may be the one or the other.
    pub fn agrees(&self, other: &Self) -> bool {
        match (self.broken_off(), other.broken_off()) {
            (Some((one, body)), Some((another, others))) => {
                one == another && (body.starts_with(others) || others.starts_with(body))
            }
            (Some((200..300, _)), None) => matches!(other, Self::Failure(_)),
            (None, Some((200..300, _))) => matches!(self, Self::Failure(_)),
            _ => self == other,
        }
    }

    /// Whether it is an answer, and all of it.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Answer { .. }) && self.broken_off().is_none()
    }

    fn broken_off(&self) -> Option<(u16, &[u8])> {
        match self {
            Self::Answer {
                http_status,
                body,
                is_complete: false,
                ..
            } => Some((*http_status, body)),
            _ => None,
        }
    }

    fn of(answer: Answer) -> Self {
        let headers = ["retry-after", "x-request-id"];
        Self::Answer {
            headers: headers.map(|name| answer.header(name).map(str::to_owned)),
            http_status: answer.http_status,
            body: answer.body,
            is_complete: answer.is_complete,
        }
    }
}

/// How a request is made.
#[derive(Clone, Copy)]
pub struct Manner {
    pub is_change: bool,
    pub max_answer: usize,
    pub max_refusal: usize,
    pub patience: Duration,
}

/// Compares once more what did not agree: on a busy machine the one or the other may have come too late.
pub fn compare_again<T: Debug>(
    brought: impl Fn(Duration) -> [T; 2],
    agree: impl Fn(&[T; 2]) -> bool,
) {
    let is_settled = [2, 200, 2_000]
        .into_iter()
        .any(|ms| agree(&brought(Duration::from_millis(ms))));
    if !is_settled {
        let brought = brought(Duration::from_secs(20));
        assert!(agree(&brought), "{brought:?}");
    }
}

pub fn exchange(line: &mut Line, manner: Manner) -> Brought {
    let request = Request {
        method: if manner.is_change { "POST" } else { "GET" },
        path: "/v1/p/cloudservers/fpga_image/f/association",
        headers: &[("accept", "application/json")],
        credentials: &[("x-auth-token", &b"token"[..])],
        body: if manner.is_change { &b"{}"[..] } else { b"" },
        max_answer: manner.max_answer,
        max_refusal: manner.max_refusal,
        answer_by: Deadline::after(manner.patience),
    };
    match line.exchange(request) {
        Ok(answer) => {
            assert!(answer.body.len() <= manner.max_answer.max(manner.max_refusal));
            Brought::of(answer)
        }
        Err(failure) => {
            let known = [
                Status::TIMEOUT,
                Status::CONNECTION_LOST,
                Status::BAD_RESPONSE,
                Status::TLS_FAILED,
            ];
            assert!(known.contains(&failure.status), "{failure:?}");
            assert!(
                failure.sent || failure.status != Status::BAD_RESPONSE,
                "{failure:?}"
            );
            Brought::Failure(failure.status)
        }
    }
}

/// The next request on a connection that is kept: it brings its own answer, and nothing of the one before.
pub fn check_next(line: &mut Line, peer: &Peer, say: impl FnOnce(&Peer, &[u8])) {
    const NEXT: &[u8] = b"HTTP/1.1 409 Conflict\r\nRetry-After: 7\r\nX-Request-Id: next\r\nContent-Length: 4\r\n\r\nnext";
    say(peer, NEXT);
    let manner = Manner {
        is_change: true,
        max_answer: 64 * 1024,
        max_refusal: 64 * 1024,
        patience: Duration::from_secs(5),
    };
    let next = Brought::Answer {
        http_status: 409,
        body: b"next".to_vec(),
        is_complete: true,
        headers: [Some("7".to_owned()), Some("next".to_owned())],
    };
    assert_eq!(exchange(line, manner), next);
    assert!(line.is_kept());
}
