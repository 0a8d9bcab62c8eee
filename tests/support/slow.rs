//! Peers that keep a call waiting, each at another point, and ways to see how far a call has got.

use std::collections::HashMap;
use std::env;
use std::ffi::{CStr, c_char, c_void};
use std::fs;
use std::io::{self, Read, Write};
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use fpga_associate::capi;

use super::certificates::{Authority, tls_server_with};
use super::client::{Client, Config};
use super::itself;
use super::needs;
use super::raw::{Server, Then};

/// How long a test waits for what must come.
const LONG: Duration = Duration::from_secs(60);

/// Between two bytes of a peer that sends one at a time.
const PACE: Duration = Duration::from_millis(20);

/// What to call with a token that takes more room than a connection that nobody reads has.
pub const LONG_TOKEN: usize = 65_536;

/// A peer that keeps a call waiting at one point for as long as the call lives.
pub struct Hold {
    pub name: &'static str,
    /// The words of the message for where the call is.
    pub step: &'static str,
    /// Whether some of the request has gone out.
    pub is_sent: bool,
    /// The length of the token to call with, where it matters.
    pub token: usize,
    peer: Peer,
    endpoint: String,
    proxy: String,
    authority: Option<Authority>,
}

enum Peer {
    /// Accepts, and tells when the call has come to the point.
    Slow(Server, Receiver<()>),
    /// Has all the connections that it can have; the one that is held is not among them.
    Full(TcpListener, #[allow(dead_code)] Vec<TcpStream>),
    /// Has next to no room for what comes, and reads none of it.
    Unread(TcpListener),
}

impl Hold {
    /// One of each kind.
    pub fn all() -> Vec<Self> {
        const CONNECT: &str = "connecting to";
        const TLS: &str = "TLS handshake with";
        const ANSWER: &str = "waiting for the answer of";
        const PROXY: &str = "proxy";
        let plain = |name, step, peer: Peer| {
            let endpoint = format!("http://{}", peer.address());
            Self::new(name, step, true, peer, endpoint, "")
        };
        let tls = |name, peer: Peer| {
            let endpoint = format!("https://{}", peer.address());
            Self::new(name, TLS, false, peer, endpoint, "")
        };
        let proxy = |name, scheme, peer: Peer| {
            let proxy = format!("{scheme}://{}", peer.address());
            let endpoint = "https://service.test".to_owned();
            Self::new(name, PROXY, false, peer, endpoint, &proxy)
        };
        vec![
            Self {
                is_sent: false,
                ..plain("never accepted", CONNECT, Peer::full())
            },
            tls("TLS, silent", Peer::slow("", "")),
            // The beginning of a record of 16 KB.
            tls("TLS, dripping", Peer::slow("\x16\x03\x03\x40\x00", "\x02")),
            Self {
                token: LONG_TOKEN,
                ..plain("never read", ANSWER, Peer::unread())
            },
            plain("answer, silent", ANSWER, Peer::slow("", "")),
            Self::tls_answer(ANSWER),
            plain(
                "head, dripping",
                ANSWER,
                Peer::slow("HTTP/1.1 200 OK\r\nX: ", "x"),
            ),
            plain(
                "body, dripping",
                ANSWER,
                Peer::slow("HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", "x"),
            ),
            plain(
                "chunked body, dripping",
                ANSWER,
                Peer::slow(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                    "1\r\nx\r\n",
                ),
            ),
            proxy("http proxy, silent", "http", Peer::slow("", "")),
            proxy(
                "http proxy, dripping",
                "http",
                Peer::slow("HTTP/1.1 200 OK\r\nX: ", "x"),
            ),
            proxy("https proxy, silent", "https", Peer::slow("", "")),
            proxy("SOCKS proxy, silent", "socks5h", Peer::slow("", "")),
            // No authentication; connected, at an address of 255 bytes.
            proxy(
                "SOCKS proxy, dripping",
                "socks5h",
                Peer::slow(b"\x05\x00\x05\x00\x00\x03\xff", "x"),
            ),
        ]
    }

    /// A connection that never comes to be.
    pub fn never_accepted() -> Self {
        Self::all().swap_remove(0)
    }

    /// A request that is read and never answered.
    pub fn silent() -> Self {
        let peer = Peer::slow("", "");
        let endpoint = format!("http://{}", peer.address());
        Self::new(
            "silent",
            "waiting for the answer of",
            true,
            peer,
            endpoint,
            "",
        )
    }

    fn new(
        name: &'static str,
        step: &'static str,
        is_sent: bool,
        peer: Peer,
        endpoint: String,
        proxy: &str,
    ) -> Self {
        Self {
            name,
            step,
            is_sent,
            token: 1_000,
            peer,
            endpoint,
            proxy: proxy.to_owned(),
            authority: None,
        }
    }

    fn tls_answer(step: &'static str) -> Self {
        let authority = Authority::new();
        let (reached, is_reached) = mpsc::channel();
        let server = tls_server_with(authority.sign(&["127.0.0.1"]), move |_, stream| {
            reached.send(()).ok();
            io::copy(stream, &mut io::sink()).ok();
            Then::Close
        });
        let endpoint = format!("https://{}", server.address());
        let peer = Peer::Slow(server, is_reached);
        Self {
            authority: Some(authority),
            ..Self::new("answer over TLS, silent", step, true, peer, endpoint, "")
        }
    }

    /// A client that comes to this peer.
    pub fn client(&self, config: Config) -> Client {
        let config = config.proxy(&self.proxy);
        let config = match &self.authority {
            Some(authority) => config.ca_file(authority.file().to_str().unwrap()),
            None => config,
        };
        config.client(&self.endpoint)
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The proxy that leads there; "" where there is none.
    pub fn proxy(&self) -> &str {
        &self.proxy
    }

    /// The certificates that it wants trusted.
    pub fn ca_file(&self) -> Option<PathBuf> {
        self.authority.as_ref().map(Authority::file)
    }

    /// A token of the length that it takes.
    pub fn token(&self) -> String {
        "0123456789abcdef"
            .chars()
            .cycle()
            .take(self.token)
            .collect()
    }

    /// Waits until a call has come to the point.
    pub fn wait(&self) {
        match &self.peer {
            Peer::Slow(_, reached) => reached.recv_timeout(LONG).expect(self.name),
            Peer::Full(..) => wait_until(|| self.sockets().any(|socket| socket.is_connecting)),
            Peer::Unread(_) => wait_until(|| {
                self.sockets()
                    .any(|socket| socket.unsent > 0 && !socket.is_connecting)
            }),
        }
    }

    fn sockets(&self) -> impl Iterator<Item = Socket> {
        sockets_to(self.peer.address().port()).into_iter()
    }
}

impl Peer {
    /// Sends the beginning once something has come, and then the piece for ever, a byte at a time.
    fn slow(beginning: impl AsRef<[u8]>, piece: &'static str) -> Self {
        let beginning = beginning.as_ref().to_owned();
        let (reached, is_reached) = mpsc::channel();
        let server = Server::serve(move |mut visit| {
            let mut buffer = [0; 64 * 1024];
            if !matches!(visit.stream.read(&mut buffer), Ok(1..)) {
                return;
            }
            visit.stream.write_all(&beginning).ok();
            reached.send(()).ok();
            let begun = Instant::now();
            let mut drip = piece.bytes().cycle();
            visit
                .stream
                .set_read_timeout((!piece.is_empty()).then_some(PACE))
                .unwrap();
            // A call that outlives its time must end some day, for the test to say so.
            while piece.is_empty() || begun.elapsed() < LONG {
                match visit.stream.read(&mut buffer) {
                    Ok(0) => break,
                    Err(error) if error.kind() != io::ErrorKind::WouldBlock => break,
                    _ => {}
                }
                if let Some(byte) = drip.next() {
                    visit.stream.write_all(&[byte]).ok();
                }
            }
        });
        Self::Slow(server, is_reached)
    }

    fn full() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // SAFETY: takes no pointers. Room for one.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let mut inside = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(100)) {
            inside.push(stream);
        }
        Self::Full(listener, inside)
    }

    fn unread() -> Self {
        Self::Unread(cramped_listener())
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::Slow(server, _) => server.address(),
            Self::Full(listener, _) | Self::Unread(listener) => listener.local_addr().unwrap(),
        }
    }
}

/// Who connects to it can send little before somebody reads.
pub fn cramped_listener() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // Small segments keep the sender's room small too.
    set_option(&listener, libc::IPPROTO_TCP, libc::TCP_MAXSEG, 100);
    set_option(&listener, libc::SOL_SOCKET, libc::SO_RCVBUF, 1);
    listener
}

fn set_option(socket: &impl AsRawFd, level: i32, name: i32, value: i32) {
    let size = libc::socklen_t::try_from(mem::size_of::<i32>()).unwrap();
    let value: *const i32 = &raw const value;
    // SAFETY: the pointer and the size are of one number, which lives for the call.
    let result = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value.cast(), size) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// A port that is taken, so that nobody else gets it, and refuses all connections until it is
/// opened.
pub struct Closed {
    socket: TcpListener,
}

impl Closed {
    pub fn new() -> Self {
        let address = libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: 0,
            sin_addr: libc::in_addr {
                s_addr: u32::from(Ipv4Addr::LOCALHOST).to_be(),
            },
            sin_zero: [0; 8],
        };
        let size = libc::socklen_t::try_from(mem::size_of_val(&address)).unwrap();
        // SAFETY: the descriptor is new and nobody else's; the address lives for the call.
        let socket = unsafe {
            let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
            assert!(socket >= 0, "{}", io::Error::last_os_error());
            let address: *const libc::sockaddr_in = &raw const address;
            assert_eq!(libc::bind(socket, address.cast(), size), 0);
            TcpListener::from_raw_fd(socket)
        };
        Self { socket }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// From now on connections come to be; a test that wants them answered accepts them.
    pub fn open(&self) -> &TcpListener {
        // SAFETY: takes no pointers.
        assert_eq!(unsafe { libc::listen(self.socket.as_raw_fd(), 16) }, 0);
        &self.socket
    }
}

/// A socket of this process, as the kernel sees it.
pub struct Socket {
    pub is_connecting: bool,
    /// Whether this side has not closed it.
    pub is_open: bool,
    /// Whether the other side has said that it sends no more.
    pub is_ended: bool,
    /// Bytes that the other side has not confirmed.
    pub unsent: u64,
    /// Bytes that have come and that nobody has read.
    pub unread: u64,
}

/// The clients' sockets of connections to a port of 127.0.0.1.
pub fn sockets_to(port: u16) -> Vec<Socket> {
    let place = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let remote = format!("{:08X}:{port:04X}", u32::from(*place.ip()).to_be());
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    let rows = table.lines().map(|row| row.split_ascii_whitespace());
    let sockets = rows.filter_map(|row| {
        let [from, to, state, queues] = row.skip(1).take(4).collect::<Vec<_>>()[..] else {
            return None;
        };
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let (unsent, unread) = queues.split_once(':')?;
        let socket = Socket {
            is_connecting: state == "02",
            is_open: state == "01" || state == "08",
            is_ended: state == "08",
            unsent: number(unsent),
            unread: number(unread),
        };
        (to == remote).then_some((from, socket))
    });
    // A long table is read in parts, between which the kernel may come to a row again.
    let sockets: HashMap<_, _> = sockets.collect();
    sockets.into_values().collect()
}

/// How many connections to a port of 127.0.0.1 are open on this side.
pub fn open_to(port: u16) -> usize {
    let sockets = sockets_to(port);
    sockets.iter().filter(|socket| socket.is_open).count()
}

/// Looks again and again: for what nothing announces.
pub fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "it never came to be");
        thread::sleep(Duration::from_millis(1));
    }
}

/// What the system calls this thread.
pub fn this_thread() -> libc::pid_t {
    // SAFETY: takes nothing. The oldest C library that tests are linked to has no function for it.
    let thread = unsafe { libc::syscall(libc::SYS_gettid) };
    thread.try_into().unwrap()
}

/// Waits until a thread of this process waits for something that does not come.
pub fn wait_until_asleep(thread: libc::pid_t) {
    let path = format!("/proc/self/task/{thread}/stat");
    let mut looks = 0;
    wait_until(|| {
        let stat = fs::read_to_string(&path).unwrap();
        // Behind the name, which is in brackets.
        let is_asleep = stat.rsplit(')').next().unwrap().starts_with(" S");
        looks = if is_asleep { looks + 1 } else { 0 };
        looks == 50
    });
}

/// Has the client tell each line. What hears them is never freed: the client may outlive the test's
/// grasp of it.
pub fn on_line(config: Config, hear: impl Fn(i32, &str) + Send + Sync + 'static) -> Config {
    type Hear = Box<dyn Fn(i32, &str) + Send + Sync>;
    unsafe extern "C" fn tell(context: *mut c_void, level: i32, line: *const c_char) {
        // SAFETY: the context is the leaked box; the line ends in NUL.
        let (hear, line) = unsafe { (&*context.cast::<Hear>(), CStr::from_ptr(line)) };
        hear(level, line.to_str().expect("not UTF-8"));
    }
    let hear: Hear = Box::new(hear);
    let context = Box::into_raw(Box::new(hear)).cast();
    // SAFETY: the configuration is alive, and the context for ever.
    let status = unsafe { capi::fpga_assoc_config_set_log(config.as_ptr(), Some(tell), context) };
    assert_eq!(status, 0);
    config
}

/// Runs the work in a child process that has a network of its own, with this machine's loopback
/// alone, and asks the given socket for all names: it hangs for as long as the socket is there, and
/// fails at once after.
///
/// `test` is the name of the test that calls this; the child runs it again.
pub fn with_own_dns(test: &str, work: impl FnOnce(UdpSocket)) {
    with_names_from("files dns", test, work);
}

/// The same, where all names are looked up there, `localhost` too.
pub fn with_own_dns_alone(test: &str, work: impl FnOnce(UdpSocket)) {
    with_names_from("dns", test, work);
}

fn with_names_from(services: &str, test: &str, work: impl FnOnce(UdpSocket)) {
    const CHILD: &str = "FPGA_ASSOCIATE_TEST_OWN_DNS";
    const SCRIPT: &str = r#"
        mount --bind "$1/resolv.conf" /etc/resolv.conf || exit
        if [ -e /etc/nsswitch.conf ]; then mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf || exit; fi
        shift
        exec "$@""#;
    if env::var_os(CHILD).is_some() {
        raise_loopback();
        return work(UdpSocket::bind("127.0.0.1:53").unwrap());
    }
    needs_namespaces();
    let flags = namespace_flags("-mn");
    let folder = tempfile::tempdir().unwrap();
    let resolv = "nameserver 127.0.0.1\noptions timeout:30\n";
    fs::write(folder.path().join("resolv.conf"), resolv).unwrap();
    let hosts = format!("hosts: {services}\n");
    fs::write(folder.path().join("nsswitch.conf"), hosts).unwrap();
    again(
        test,
        Command::new("unshare")
            .args([&flags, "sh", "-c", SCRIPT, "sh"])
            .arg(folder.path())
            .args(itself::words())
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, "1"),
    );
}

/// Runs a test again in a network of its own, in which this machine has the address of the metadata
/// service and nobody else is there.
pub fn with_metadata_address(test: &str, work: impl FnOnce()) {
    const CHILD: &str = "FPGA_ASSOCIATE_TEST_METADATA_ADDRESS";
    if env::var_os(CHILD).is_some() {
        raise_loopback();
        add_address(Ipv4Addr::new(169, 254, 169, 254));
        return work();
    }
    needs_namespaces();
    again(
        test,
        Command::new("unshare")
            .arg(namespace_flags("-n"))
            .args(itself::words())
            .args([test, "--exact", "--nocapture"])
            .env(CHILD, "1"),
    );
}

fn again(test: &str, command: &mut Command) {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}{complained}");
    assert!(told.contains("1 passed"), "{test} is not there: {told}");
}

/// The options with which unshare gives a child namespaces of its own; who is not root becomes root
/// there.
pub fn namespace_flags(kinds: &str) -> String {
    // SAFETY: takes nothing and cannot fail.
    let is_root = unsafe { libc::geteuid() } == 0;
    if is_root {
        kinds.to_owned()
    } else {
        kinds.replacen('-', "-r", 1)
    }
}

/// A test needs that a child of it may have namespaces of its own.
pub fn needs_namespaces() {
    needs::tools(&["unshare"]);
    let probe = Command::new("unshare")
        .args([&namespace_flags("-mn"), "true"])
        .output();
    let may_have_them = probe.is_ok_and(|probe| probe.status.success());
    needs::that(
        may_have_them,
        "no namespaces here: run as root, or with CAP_SYS_ADMIN",
    );
}

/// A new network has a loopback that is down.
fn raise_loopback() {
    let mut request = interface("lo");
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap();
    configure(&request, libc::SIOCSIFFLAGS);
}

/// Gives the loopback one more address.
fn add_address(address: Ipv4Addr) {
    // SAFETY: all zeros is an address without a family.
    let mut socket_address: libc::sockaddr_in = unsafe { mem::zeroed() };
    socket_address.sin_family = libc::sa_family_t::try_from(libc::AF_INET).unwrap();
    socket_address.sin_addr.s_addr = u32::from(address).to_be();
    let mut request = interface("lo:1");
    // SAFETY: both are addresses of 16 bytes, which the family tells apart.
    request.ifr_ifru.ifru_addr =
        unsafe { mem::transmute::<libc::sockaddr_in, libc::sockaddr>(socket_address) };
    configure(&request, libc::SIOCSIFADDR);
}

fn interface(name: &str) -> libc::ifreq {
    // SAFETY: all zeros is a request with an empty name and no flags.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = c_char::try_from(from).unwrap();
    }
    request
}

fn configure(request: &libc::ifreq, what: libc::Ioctl) {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    let request: *const libc::ifreq = request;
    // SAFETY: the request lives for the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), what, request) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// How many threads this process has.
pub fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}
