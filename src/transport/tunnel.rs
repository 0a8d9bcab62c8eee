//! HTTP CONNECT: has a proxy connect to a host.

use std::io::{self, Read, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The largest head of a proxy's answer in bytes.
const MAX_HEAD: usize = 64 * 1024;

/// Asks the proxy at the other end of the stream to connect to `host:port`; afterwards the stream
/// leads there.
pub fn connect(
    stream: &mut (impl Read + Write),
    target: &str,
    credentials: Option<(&str, &str)>,
) -> io::Result<()> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some((user, password)) = credentials {
        let credentials = BASE64_STANDARD.encode(format!("{user}:{password}"));
        request.push_str(&format!("Proxy-Authorization: Basic {credentials}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;

    match status(&read_head(stream)?) {
        Some(200..=299) => Ok(()),
        Some(407) => Err(io::Error::other("it asks for a user and a password (407)")),
        Some(status) => Err(io::Error::other(format!("it answered HTTP {status}"))),
        None => Err(io::Error::other("its answer is not HTTP")),
    }
}

/// Reads to the empty line and not a byte further: what follows is the host's.
fn read_head(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(io::Error::other("the head of its answer is over the limit"));
        }
        stream.read_exact(&mut byte)?;
        head.extend(byte);
        if head.len() >= 5 && !head.starts_with(b"HTTP/") {
            return Err(io::Error::other("its answer is not HTTP"));
        }
    }
    Ok(head)
}

/// Of `HTTP/1.1 200 Connection established`.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let status = line.split(|byte| *byte == b' ').nth(1)?;
    let is_status = status.len() == 3 && status.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(status).ok().filter(|_| is_status)?;
    text.parse().ok()
}
