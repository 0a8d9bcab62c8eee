//! A server or a proxy of Debian's as a process of a test's own, with a configuration, a folder and a
//! port that nobody else has.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// What a busy machine may take for a program to begin or to end.
const LONG: Duration = Duration::from_secs(60);

/// What is to be run.
pub struct Setting<'a> {
    pub program: &'a str,
    pub arguments: &'a [&'a str],
    /// The text of its file `configuration`.
    pub configuration: &'a str,
    /// What stands for `@name@` in the configuration and the arguments, beside `@folder@` and `@port@`.
    pub values: &'a [(&'a str, &'a str)],
    /// Other files of its folder.
    pub files: &'a [(&'a str, &'a str)],
    /// Whether it gives root's rights away itself: then it begins without them, since the system forgets with
    /// them that it is to end with who started it.
    pub is_nobody: bool,
}

/// The user of that name, and its group.
const NOBODY: u32 = 65_534;

/// A running program; it ends, with all processes that it has started, when dropped.
pub struct Daemon {
    process: Child,
    program: String,
    arguments: Vec<String>,
    is_nobody: bool,
    folder: TempDir,
    port: u16,
}

impl Daemon {
    /// Starts it, and waits until it listens on its port.
    pub fn start(setting: &Setting<'_>) -> Self {
        // The free port may be taken by someone else before the program takes it.
        for _ in 0..10 {
            if let Some(daemon) = Self::try_start(setting) {
                return daemon;
            }
        }
        panic!("{} does not start", setting.program);
    }

    fn try_start(setting: &Setting<'_>) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        // Some write their files without root's rights.
        open_to_all(folder.path());
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let filled = |text: &str| {
            let text = text
                .replace("@folder@", folder.path().to_str().unwrap())
                .replace("@port@", &port.to_string());
            let values = setting.values.iter();
            values.fold(text, |text, (name, value)| {
                text.replace(&format!("@{name}@"), value)
            })
        };
        let configuration = ("configuration", setting.configuration);
        for (name, text) in setting.files.iter().chain([&configuration]) {
            fs::write(folder.path().join(name), filled(text)).unwrap();
        }
        let arguments: Vec<_> = setting.arguments.iter().map(|word| filled(word)).collect();
        let program = setting.program;
        let process = spawn(program, &arguments, setting.is_nobody, folder.path());
        let mut daemon = Self {
            process,
            program: program.to_owned(),
            arguments,
            is_nobody: setting.is_nobody,
            folder,
            port,
        };
        daemon.listens().then_some(daemon)
    }

    /// Whether it comes to listen, and does not end.
    fn listens(&mut self) -> bool {
        let begun = Instant::now();
        while !is_listened_on(self.port) {
            if let Some(status) = self.process.try_wait().unwrap() {
                println!("{}: {status}\n{}", self.program, self.log());
                return false;
            }
            assert!(begun.elapsed() < LONG, "{}: {}", self.program, self.log());
            thread::sleep(Duration::from_millis(1));
        }
        true
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// All that it has printed and logged in `log`.
    pub fn log(&self) -> String {
        self.file("log")
    }

    /// The text of a file of its folder, "" where there is none.
    pub fn file(&self, name: &str) -> String {
        let bytes = fs::read(self.folder.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: the process is a child that has not been waited for.
        let result = unsafe { libc::kill(self.process.id().cast_signed(), signal) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    }

    /// Asks it to end at once, and waits until nobody listens any more.
    pub fn stop(&mut self) {
        self.signal(libc::SIGTERM);
        wait_for(|| self.process.try_wait().unwrap().is_some());
        self.kill_all();
        wait_for(|| !is_listened_on(self.port));
    }

    /// After [`Daemon::stop`], on the same port.
    pub fn start_again(&mut self) {
        for _ in 0..10 {
            self.process = self.spawn(&[]);
            if self.listens() {
                return;
            }
        }
        panic!("{} does not start again", self.program);
    }

    /// Starts another that is told, behind the option, which process it is to take the place of, and waits
    /// until that has ended.
    pub fn give_way(&mut self, option: &str) {
        let more = [option.to_owned(), self.process.id().to_string()];
        let successor = self.spawn(&more);
        let mut old = std::mem::replace(&mut self.process, successor);
        wait_for(|| old.try_wait().unwrap().is_some());
        assert!(self.listens(), "{}: {}", self.program, self.log());
    }

    /// Another process, with more arguments.
    fn spawn(&self, more: &[String]) -> Child {
        let arguments = [&self.arguments[..], more].concat();
        spawn(
            &self.program,
            &arguments,
            self.is_nobody,
            self.folder.path(),
        )
    }

    /// It has a group of processes of its own.
    fn kill_all(&self) {
        // SAFETY: a signal to a group that this process has made.
        unsafe { libc::kill(-self.process.id().cast_signed(), libc::SIGKILL) };
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill_all();
        self.process.wait().ok();
        if thread::panicking() {
            eprintln!("{}: {}", self.program, self.log());
        }
    }
}

/// Looks again and again, for what nothing announces, as long as it may take where other programs keep the
/// machine busy.
pub fn wait_for(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LONG, "it never came to be");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A command whose process ends when the thread that starts it does, however that ends.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    // SAFETY: the function makes one system call.
    unsafe {
        command.pre_exec(
            || match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) {
                0 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            },
        )
    };
    command
}

fn spawn(program: &str, arguments: &[String], is_nobody: bool, folder: &Path) -> Child {
    let path = folder.join("log");
    let log = File::options().append(true).create(true).open(&path);
    let log = log.unwrap();
    open_to_all(&path);
    let mut command = command(program);
    // SAFETY: asks for a number.
    if is_nobody && unsafe { libc::geteuid() } == 0 {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
        .args(arguments)
        .process_group(0)
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
}

/// Whether somebody listens on a port of 127.0.0.1, seen without a connection.
fn is_listened_on(port: u16) -> bool {
    let local = format!("{:08X}:{port:04X}", u32::from(Ipv4Addr::LOCALHOST).to_be());
    let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
    table.lines().any(|row| {
        let mut cells = row.split_ascii_whitespace().skip(1);
        cells.next() == Some(&*local) && cells.nth(1) == Some("0A")
    })
}
