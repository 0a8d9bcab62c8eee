//! Proxies: some that only note what they are asked for, some that lie, some that carry calls.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;

use super::certificates::{Identity, TlsStream, tls_server_with};
use super::raw::{NO_CONTENT, Seen, Server, Then, Visit, read_request};

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const BAD_GATEWAY: &[u8] =
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 22;

/// Plays any proxy, and the service: notes what comes first on each connection, and refuses or
/// closes.
pub fn recorder_on(address: &str) -> io::Result<Server> {
    Server::serve_on(address, |mut visit| {
        let mut first = [0];
        match visit.stream.peek(&mut first) {
            Ok(1) => {}
            _ => return,
        }
        match first[0] {
            HANDSHAKE => {
                visit.record(first.to_vec(), false);
            }
            4 => {
                visit.record(b"SOCKS4".to_vec(), false);
            }
            5 => {
                let told = socks_told(&mut visit.stream).unwrap_or_else(|_| "SOCKS5".to_owned());
                visit.record(told.into_bytes(), true);
                visit.stream.write_all(b"\x05\x01\0\x01\0\0\0\0\0\0").ok();
            }
            _ => {
                let (bytes, is_whole) = read_request(&mut visit.stream);
                let is_direct = bytes.starts_with(b"POST /");
                visit.record(bytes, is_whole);
                let answer = if is_direct { NO_CONTENT } else { BAD_GATEWAY };
                visit.stream.write_all(answer).ok();
            }
        }
    })
}

/// The same as an https proxy.
pub fn tls_recorder(identity: Identity) -> Server {
    tls_server_with(identity, |_, stream| {
        stream.write_all(BAD_GATEWAY).ok();
        Then::Close
    })
}

/// What was asked of a recorder: nothing, or a line for each request.
pub fn told(seen: &Seen) -> Option<String> {
    if seen.connections == 0 {
        return None;
    }
    let told: Vec<String> = seen
        .requests
        .iter()
        .map(|request| told_in(&request.bytes))
        .collect();
    Some(match told.len() {
        0 => "silence".to_owned(),
        _ => told.join(" + "),
    })
}

fn told_in(bytes: &[u8]) -> String {
    if bytes.first() == Some(&HANDSHAKE) {
        return "TLS".to_owned();
    }
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    if first.starts_with("SOCKS") {
        return first.to_owned();
    }
    let mut words = first.split(' ');
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    // The path is of no interest.
    let end = target.find("/v1/").unwrap_or(target.len());
    let authorization = lines.find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("proxy-authorization")
            .then_some(value)
    });
    [method, &target[..end], authorization.unwrap_or_default()]
        .join(" ")
        .trim_end()
        .to_owned()
}

/// Asks for credentials where they are offered; what the client wants, in words.
fn socks_told(stream: &mut TcpStream) -> io::Result<String> {
    let credentials = if socks_methods(stream)?.contains(&2) {
        stream.write_all(&[5, 2])?;
        let (user, password) = socks_credentials(stream)?;
        stream.write_all(&[1, 0])?;
        format!(" {user}:{password}")
    } else {
        stream.write_all(&[5, 0])?;
        String::new()
    };
    Ok(format!("SOCKS5 {}{credentials}", socks_target(stream)?))
}

/// Reads a greeting: the methods that the client offers.
fn socks_methods(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let [_, count] = read::<2>(stream)?;
    read_counted(stream, count)
}

fn socks_credentials(stream: &mut TcpStream) -> io::Result<(String, String)> {
    let [_, length] = read::<2>(stream)?;
    let user = read_counted(stream, length)?;
    let [length] = read::<1>(stream)?;
    let password = read_counted(stream, length)?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((text(user), text(password)))
}

/// Reads a request: "name host:port" or "address host:port".
fn socks_target(stream: &mut TcpStream) -> io::Result<String> {
    let [_, _, _, kind] = read::<4>(stream)?;
    let host = match kind {
        1 => format!("address {}", Ipv4Addr::from(read::<4>(stream)?)),
        4 => format!("address [{}]", Ipv6Addr::from(read::<16>(stream)?)),
        _ => {
            let [length] = read::<1>(stream)?;
            let name = read_counted(stream, length)?;
            format!("name {}", String::from_utf8_lossy(&name))
        }
    };
    let port = u16::from_be_bytes(read::<2>(stream)?);
    Ok(format!("{host}:{port}"))
}

fn read<const LENGTH: usize>(stream: &mut impl Read) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_counted(stream: &mut impl Read, length: u8) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length.into()];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// What a SOCKS5 proxy answers to the greeting, to credentials and to the request, and closes after
/// the last of them that is not empty.
pub type SocksAnswers = [&'static [u8]; 3];

/// A SOCKS5 proxy that answers with these bytes.
pub fn socks_proxy(answers: SocksAnswers) -> Server {
    Server::serve(move |mut visit| {
        // Whatever the client makes of it is the test's to judge.
        answer_socks(&mut visit.stream, answers).ok();
    })
}

fn answer_socks(stream: &mut TcpStream, [method, verdict, answer]: SocksAnswers) -> io::Result<()> {
    socks_methods(stream)?;
    stream.write_all(method)?;
    if !verdict.is_empty() {
        socks_credentials(stream)?;
        stream.write_all(verdict)?;
    }
    if !answer.is_empty() {
        socks_target(stream)?;
        stream.write_all(answer)?;
    }
    hang_up(stream)
}

/// The end of the connection, without the reset that would take the last bytes with it.
fn hang_up(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown(Shutdown::Write)?;
    io::copy(stream, &mut io::sink())?;
    Ok(())
}

/// An http proxy that notes what it is asked for, answers with these bytes, and closes.
pub fn answering_proxy(answer: impl Into<Vec<u8>>) -> Server {
    let answer = answer.into();
    Server::serve(move |mut visit| {
        if visit.read_request().is_some() {
            visit.stream.write_all(&answer).ok();
            let mut more = Vec::new();
            visit.stream.shutdown(Shutdown::Write).ok();
            visit.stream.read_to_end(&mut more).ok();
            visit.record(more, false);
        }
    })
}

/// An http proxy that takes a second for the head of its answer, and then closes.
pub fn dribbling_proxy() -> Server {
    Server::serve(|mut visit| {
        if visit.read_request().is_none() {
            return;
        }
        visit.stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").ok();
        for _ in 0..50 {
            thread::sleep(Duration::from_millis(20));
            visit.stream.write_all(b"x").ok();
        }
    })
}

/// A SOCKS5 proxy for those who know the user and the password; it leads to one place, whatever is
/// asked for.
pub fn socks_relay(user: &str, password: &str, to: SocketAddr) -> Server {
    let expected = (user.to_owned(), password.to_owned());
    Server::serve(move |mut visit| {
        relay_socks(&mut visit, &expected, to).ok();
    })
}

fn relay_socks(visit: &mut Visit, expected: &(String, String), to: SocketAddr) -> io::Result<()> {
    if !socks_methods(&mut visit.stream)?.contains(&2) {
        return visit.stream.write_all(&[5, 255]);
    }
    visit.stream.write_all(&[5, 2])?;
    if socks_credentials(&mut visit.stream)? != *expected {
        return visit.stream.write_all(&[1, 1]);
    }
    visit.stream.write_all(&[1, 0])?;
    let target = socks_target(&mut visit.stream)?;
    visit.record(target.into_bytes(), true);
    let target = TcpStream::connect(to)?;
    // The address that is used, as a name for once.
    visit.stream.write_all(b"\x05\0\0\x03\x05relay\x04\x38")?;
    pump(&visit.stream, &target);
    Ok(())
}

/// An http proxy that leads to one place, whatever is asked for, and says so with this head.
pub fn relay(head: impl Into<Vec<u8>>, to: SocketAddr) -> Server {
    let head = head.into();
    Server::serve(move |mut visit| {
        if visit.read_request().is_none() {
            return;
        }
        let target = TcpStream::connect(to).unwrap();
        // Byte by byte: a head may come in any pieces.
        let sent = head
            .chunks(1)
            .try_for_each(|byte| visit.stream.write_all(byte));
        if sent.is_ok() {
            pump(&visit.stream, &target);
        }
    })
}

/// The same as an https proxy.
pub fn tls_relay(identity: Identity, to: SocketAddr) -> Server {
    tls_server_with(identity, move |_, stream| {
        let mut target = TcpStream::connect(to).unwrap();
        stream.write_all(ESTABLISHED).ok();
        pump_tls(stream, &mut target).ok();
        Then::Close
    })
}

pub fn pump(client: &TcpStream, target: &TcpStream) {
    thread::scope(|scope| {
        scope.spawn(|| forward(client, target));
        forward(target, client);
    });
}

fn forward(mut from: &TcpStream, mut to: &TcpStream) {
    io::copy(&mut from, &mut to).ok();
    to.shutdown(Shutdown::Write).ok();
}

fn pump_tls(client: &mut TlsStream<'_>, target: &mut TcpStream) -> io::Result<()> {
    let mut piece = [0; 16 * 1024];
    loop {
        let [is_from_client, is_from_target] =
            readable([client.sock.as_raw_fd(), target.as_raw_fd()]);
        if is_from_client {
            if client.conn.read_tls(&mut client.sock)? == 0 {
                return Ok(());
            }
            client
                .conn
                .process_new_packets()
                .map_err(io::Error::other)?;
            loop {
                match client.conn.reader().read(&mut piece) {
                    Ok(0) => return Ok(()),
                    Ok(amount) => target.write_all(&piece[..amount])?,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
            }
        }
        if is_from_target {
            match target.read(&mut piece)? {
                0 => return Ok(()),
                amount => client.write_all(&piece[..amount])?,
            }
        }
    }
}

/// Waits for one of the two.
fn readable(sockets: [i32; 2]) -> [bool; 2] {
    let mut watched = sockets.map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    // SAFETY: two entries, as it says.
    unsafe { libc::poll(watched.as_mut_ptr(), 2, -1) };
    watched.map(|watched| watched.revents != 0)
}

/// tinyproxy on a free port; ended when dropped.
pub struct Tinyproxy {
    process: Child,
    port: u16,
    printing: Option<JoinHandle<Vec<String>>>,
    _folder: TempDir,
}

impl Tinyproxy {
    /// With one more line of configuration.
    pub fn start(more: &str) -> Self {
        // The free port may be taken by someone else before tinyproxy takes it.
        (0..10)
            .find_map(|_| Self::try_start(more))
            .expect("tinyproxy does not start")
    }

    fn try_start(more: &str) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tinyproxy.conf");
        let text = format!("Listen 127.0.0.1\nPort {port}\nTimeout 60\nLogLevel Info\n{more}\n");
        std::fs::write(&file, text).unwrap();
        let mut process = Command::new("tinyproxy")
            .arg("-d")
            .arg("-c")
            .arg(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let is_ready = lines.any(|line| line.contains("Accepting connections"));
        if !is_ready {
            process.wait().unwrap();
            return None;
        }
        Some(Self {
            process,
            port,
            printing: Some(thread::spawn(|| lines.collect())),
            _folder: folder,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends it, and tells to which hosts it led.
    pub fn finish(mut self) -> Vec<String> {
        self.end();
        let lines = self.printing.take().unwrap().join().unwrap();
        lines
            .iter()
            .filter_map(|line| line.split_once("Established connection to host \""))
            .filter_map(|(_, rest)| rest.split_once('"'))
            .map(|(host, _)| host.to_owned())
            .collect()
    }

    fn end(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Drop for Tinyproxy {
    fn drop(&mut self) {
        self.end();
    }
}
