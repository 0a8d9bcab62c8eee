//! A conversation with a proxy, which ends with a way to the endpoint.

use std::io::{self, Read, Write};

use ureq::{Proxy, ProxyProtocol};

use super::failure::Refusal;
use super::patience::Patience;
use super::socks::{self, Target};
use super::stream::{Broken, Stream};
use super::{Endpoint, Failure, Step, tunnel};
use crate::status::Status;

/// Has the proxy at the other end of the stream lead it to the endpoint.
pub fn lead(
    stream: &mut Stream,
    proxy: &Proxy,
    target: &Target<'_>,
    endpoint: &Endpoint,
    patience: Patience<'_>,
) -> Result<(), Failure> {
    let credentials = proxy
        .username()
        .map(|user| (user, proxy.password().unwrap_or_default()));
    let mut talk = Talk {
        stream,
        patience,
        came: Vec::new(),
        read: 0,
        broken: None,
    };
    let result = match proxy.protocol() {
        ProxyProtocol::Http | ProxyProtocol::Https => {
            tunnel::connect(&mut talk, &endpoint.host_and_port(), credentials)
        }
        _ => socks::connect(&mut talk, target, credentials),
    };
    let failure = |reason| Failure::new(Status::PROXY_FAILED, Step::Proxy, reason);
    match (result, talk.broken) {
        (_, Some(broken)) => Err(Failure::broken(Step::Proxy, &broken)),
        (Ok(()), None) if talk.read < talk.came.len() => {
            // It would be taken for the endpoint's.
            Err(failure("it said more than it was asked".to_owned()))
        }
        (Ok(()), None) => Ok(()),
        (Err(Refusal::Passing(reason)), None) => Err(failure(reason)),
        (Err(Refusal::Lasting(reason)), None) => Err(Failure {
            is_final: true,
            ..failure(reason)
        }),
        (Err(Refusal::Io(error)), None) => Err(failure(match error.kind() {
            io::ErrorKind::UnexpectedEof => "it closed the connection in the middle of it".into(),
            _ => error.to_string(),
        })),
    }
}

/// A stream to read from and write to until the patience ends. Why it broke is kept beside it.
struct Talk<'a> {
    stream: &'a mut Stream,
    patience: Patience<'a>,
    came: Vec<u8>,
    /// How much of what came was read.
    read: usize,
    broken: Option<Broken>,
}

impl Talk<'_> {
    fn keep<T>(&mut self, result: Result<T, Broken>) -> io::Result<T> {
        result.map_err(|broken| {
            self.broken = Some(broken);
            io::ErrorKind::Other.into()
        })
    }
}

impl Read for Talk<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.came.len() {
            self.came.clear();
            self.read = 0;
            let received = self.stream.receive(&mut self.came, self.patience);
            self.keep(received)?;
        }
        let mut rest = self.came.get(self.read..).unwrap_or_default();
        let amount = rest.read(buffer)?;
        self.read = self.read.saturating_add(amount);
        Ok(amount)
    }
}

impl Write for Talk<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let queued = self.stream.queue(bytes.to_vec());
        self.keep(queued)?;
        let sent = self.stream.send(&mut self.came, self.patience);
        self.keep(sent)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
