//! SOCKS5 (RFC 1928) with user and password (RFC 1929): has a proxy connect to a host.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};

use super::failure::Refusal;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const CONNECT: u8 = 1;

/// What the proxy is asked to connect to.
#[derive(Debug)]
pub enum Target<'a> {
    /// An address.
    Address(SocketAddr),
    /// A name that the proxy looks up, and a port.
    Name(&'a str, u16),
}

/// Asks the proxy at the other end of the stream; afterwards the stream leads to the target.
pub fn connect(
    stream: &mut (impl Read + Write),
    target: &Target<'_>,
    credentials: Option<(&str, &str)>,
) -> Result<(), Refusal> {
    authenticate(stream, credentials)?;
    stream.write_all(&request(target)?)?;

    let [version, code, _, kind] = read::<4>(stream)?;
    if version != VERSION {
        return Err(not_socks());
    }
    if code != 0 {
        return Err(refused(code));
    }
    // The address that the proxy uses, and its port, are of no interest.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => {
            let [length] = read::<1>(stream)?;
            u64::from(length)
        }
        _ => return Err(not_socks()),
    };
    let skipped = io::copy(&mut stream.take(length + 2), &mut io::sink())?;
    if skipped < length + 2 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(())
}

fn authenticate(
    stream: &mut (impl Read + Write),
    credentials: Option<(&str, &str)>,
) -> Result<(), Refusal> {
    if credentials.is_some() {
        stream.write_all(&[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD])?;
    } else {
        stream.write_all(&[VERSION, 1, NO_AUTHENTICATION])?;
    }
    match (read::<2>(stream)?, credentials) {
        ([VERSION, NO_AUTHENTICATION], _) => Ok(()),
        ([VERSION, USER_AND_PASSWORD], Some((user, password))) => {
            let mut message = vec![1];
            message.extend(counted(user)?);
            message.extend(counted(password)?);
            stream.write_all(&message)?;
            match read::<2>(stream)? {
                [_, 0] => Ok(()),
                _ => Err(lasting("the SOCKS proxy refused the user or the password")),
            }
        }
        ([VERSION, _], _) => Err(lasting(
            "the SOCKS proxy asks for credentials, or for another kind of them",
        )),
        _ => Err(not_socks()),
    }
}

fn request(target: &Target<'_>) -> Result<Vec<u8>, Refusal> {
    let mut message = vec![VERSION, CONNECT, 0];
    let port = match target {
        Target::Address(address) => {
            match address.ip() {
                IpAddr::V4(ip) => {
                    message.push(1);
                    message.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    message.push(4);
                    message.extend(ip.octets());
                }
            }
            address.port()
        }
        Target::Name(name, port) => {
            message.push(3);
            message.extend(counted(name)?);
            *port
        }
    };
    message.extend(port.to_be_bytes());
    Ok(message)
}

/// A text with its length in front of it.
fn counted(text: &str) -> Result<Vec<u8>, Refusal> {
    let length = u8::try_from(text.len())
        .map_err(|_| lasting("a text for the SOCKS proxy is over 255 bytes long"))?;
    let mut counted = vec![length];
    counted.extend_from_slice(text.as_bytes());
    Ok(counted)
}

fn read<const LENGTH: usize>(stream: &mut impl Read) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn not_socks() -> Refusal {
    Refusal::Passing("the proxy's answer is not SOCKS5".to_owned())
}

fn lasting(reason: &str) -> Refusal {
    Refusal::Lasting(reason.to_owned())
}

fn refused(code: u8) -> Refusal {
    let passing = |reason: &str| Refusal::Passing(reason.to_owned());
    match code {
        1 => passing("the SOCKS proxy failed"),
        2 => lasting("the SOCKS proxy does not allow this connection"),
        3 => passing("the SOCKS proxy can't reach the network"),
        4 => passing("the SOCKS proxy can't reach the host"),
        5 => passing("the SOCKS proxy's connection was refused"),
        6 => passing("the SOCKS proxy's connection timed out"),
        7 => lasting("the SOCKS proxy can't connect"),
        8 => lasting("the SOCKS proxy does not know this kind of address"),
        _ => passing("the SOCKS proxy refused for a reason that is not known"),
    }
}
