//! nginx on free ports of this machine: plain and TLS, answers 204 to everything, and to a list that
//! there is nothing. And a server that makes its clients keep many connections.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

/// That of `work.h`.
const PROJECT_ID: &str = "9451dc59feef4bcab18d1d0a9bd8fd10";

/// A running nginx; it ends when dropped.
pub struct Server {
    process: Child,
    pub plain: String,
    pub tls: String,
    /// The certificate authority alone.
    pub ca_file: PathBuf,
    /// The same behind all that Debian trusts.
    pub bundle: PathBuf,
}

impl Server {
    pub fn start(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let [plain, tls] = [free_port()?, free_port()?];
        let ca_file = folder.join("ca.pem");
        let bundle = folder.join("bundle.pem");
        let authority = certificates(folder)?;
        let system = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt")?;
        fs::write(&ca_file, &authority)?;
        fs::write(&bundle, system + &authority)?;
        fs::write(folder.join("nginx.conf"), configuration(folder, plain, tls))?;
        let process = Command::new("nginx")
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("nginx: {error}")))?;
        let server = Self {
            process,
            plain: format!("http://127.0.0.1:{plain}"),
            tls: format!("https://localhost:{tls}"),
            ca_file,
            bundle,
        };
        for port in [plain, tls] {
            wait_for(port)?;
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SAFETY: the process is a child that has not been waited for.
        unsafe { libc::kill(self.process.id().cast_signed(), libc::SIGTERM) };
        self.process.wait().ok();
    }
}

/// Writes the server's key and certificate, and returns that of their authority.
fn certificates(folder: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let mut authority = CertificateParams::new(Vec::<String>::new())?;
    // A name of its own: with the same name on both, OpenSSL takes the server's certificate for a
    // self-signed one.
    let name = "benchmark authority";
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let server = CertificateParams::new(vec!["localhost".to_owned()])?;
    let server = server.signed_by(&key, &authority)?;
    fs::write(folder.join("server.pem"), server.pem())?;
    fs::write(folder.join("server.key"), key.serialize_pem())?;
    Ok(authority.pem())
}

fn configuration(folder: &Path, plain: u16, tls: u16) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display()))
        .collect();
    format!(
        "daemon off;
        worker_processes 1;
        worker_rlimit_nofile 8192;
        pid {folder}/nginx.pid;
        error_log {folder}/error.log;
        events {{ worker_connections 4096; }}
        http {{
            access_log off;
            keepalive_requests 100000000;
            large_client_header_buffers 4 64k;
            {temporary}
            server {{
                listen 127.0.0.1:{plain};
                listen 127.0.0.1:{tls} ssl;
                ssl_certificate {folder}/server.pem;
                ssl_certificate_key {folder}/server.key;
                location / {{ return 204; }}
                location = /v1/{PROJECT_ID}/cloudservers/fpga_image/associations {{
                    default_type application/json;
                    return 200 '{{\"associations\":[]}}';
                }}
            }}
        }}",
        folder = folder.display()
    )
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn wait_for(port: u16) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(_) => return Ok(()),
            Err(error) if begun.elapsed() > Duration::from_secs(10) => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// A TLS server that answers when so many requests are there at once, so that each has a connection
/// of its own, and keeps the connections.
pub fn together(folder: &Path, count: usize) -> Result<String, Box<dyn std::error::Error>> {
    let certificate = CertificateDer::from_pem_file(folder.join("server.pem"))?;
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    let (config, all) = (Arc::new(config), Arc::new(Barrier::new(count)));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let endpoint = format!("https://localhost:{}", listener.local_addr()?.port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, all) = (Arc::clone(&config), Arc::clone(&all));
            thread::spawn(move || answer_together(config, stream, &all));
        }
    });
    Ok(endpoint)
}

fn answer_together(
    config: Arc<ServerConfig>,
    mut stream: TcpStream,
    all: &Barrier,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut connection = ServerConnection::new(config)?;
    let mut tls = Stream::new(&mut connection, &mut stream);
    let mut request = vec![0; 16 * 1024];
    let mut length = 0;
    // The body's end, which is the same in every request.
    while !request
        .get(..length)
        .is_some_and(|read| read.ends_with(b"}}"))
    {
        length += tls.read(request.get_mut(length..).unwrap_or_default())?;
    }
    all.wait();
    tls.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    // Until the other side closes.
    std::io::copy(&mut tls, &mut std::io::sink())?;
    Ok(())
}
