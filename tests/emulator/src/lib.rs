//! The FPGA image calls of Huawei Cloud ECS (associate, disassociate, list), in memory, behind
//! real HTTPS on a real socket: for tests and for work without an account.
//!
//! ```
//! let ecs = ecs_emulator::Emulator::start()?;
//! assert!(ecs.endpoint().starts_with("https://localhost:"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A request walks through the files in this order: [`server`] (socket, TLS, HTTP), [`calls`]
//! (which call), [`traffic`] (what else is being served), [`rate`] (whether it is let in),
//! [`identity`] (who asks), [`signature`] and [`accounts`] (whether that is true), [`service`] (the
//! rules), [`pairs`] (the associations), [`listing`] (pages), [`refusal`] (error bodies), [`record`]
//! (what tests look at afterwards). [`credentials`] hands out what `accounts` knows, and so does
//! [`metadata`], a server of its own.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![allow(rustdoc::private_intra_doc_links)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod accounts;
mod calls;
mod certificates;
mod clock;
mod credentials;
mod identity;
mod images;
mod listing;
mod metadata;
mod pairs;
mod random;
mod rate;
mod record;
mod refusal;
mod server;
mod service;
mod signature;
mod traffic;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accounts::Accounts;
use clock::Clock;
use credentials::Tenant;
use images::{EcsImage, FpgaImage};
use record::Records;
use server::Server;
use service::Service;
use traffic::Traffic;

pub use credentials::AccessKey;
pub use metadata::{Metadata, MetadataMode};
pub use rate::{Flow, Rate, RateKind};
pub use record::Recorded;

/// What may differ from one emulator to another.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Plain HTTP when false.
    pub tls: bool,
    /// Where `ca.pem` is written; by default a temporary directory that goes with the emulator.
    pub ca_dir: Option<PathBuf>,
    /// Called for each request once its answer is decided, those to a metadata service too.
    pub on_request: Option<fn(&Recorded)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: 0,
            tls: true,
            ca_dir: None,
            on_request: None,
        }
    }
}

/// A running service; it ends, with all its connections, when dropped.
#[derive(Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
    server: Server,
    endpoint: String,
    ca_file: PathBuf,
    _temporary: Option<tempfile::TempDir>,
    fpga_ids: Vec<String>,
    inactive_fpga_id: String,
    foreign_fpga_id: String,
    ecs_ids: Vec<String>,
    shared_ecs_id: String,
}

/// What the connections and the owner of the emulator both reach.
#[derive(Debug)]
struct Shared {
    tenant: Tenant,
    clock: Clock,
    accounts: Mutex<Accounts>,
    service: Mutex<Service>,
    traffic: Mutex<Traffic>,
    records: Mutex<Records>,
    on_request: Option<fn(&Recorded)>,
}

impl Emulator {
    /// HTTPS on a free port of 127.0.0.1.
    pub fn start() -> io::Result<Self> {
        Self::start_with(Settings::default())
    }

    /// Plain HTTP on a free port of 127.0.0.1.
    pub fn start_plain() -> io::Result<Self> {
        Self::start_with(Settings {
            tls: false,
            ..Settings::default()
        })
    }

    /// Starts with these settings.
    pub fn start_with(settings: Settings) -> io::Result<Self> {
        let project_id = random::hex(32);
        let mut service = Service::new(project_id.clone());
        let fpga_ids = add_fpga_images(&mut service, 12, FpgaImage::active);
        let ecs_ids = add_ecs_images(&mut service, 4);
        let inactive_fpga_id = random::hex(32);
        service.add_fpga_image(inactive_fpga_id.clone(), FpgaImage::creating());
        let foreign_fpga_id = random::hex(32);
        service.add_fpga_image(foreign_fpga_id.clone(), FpgaImage::foreign());
        let shared_ecs_id = random::uuid();
        service.add_ecs_image(shared_ecs_id.clone(), EcsImage::Shared);

        let tenant = Tenant::of(project_id);
        let shared = Arc::new(Shared {
            accounts: Mutex::new(Accounts::of(&tenant)),
            tenant,
            clock: Clock::default(),
            service: Mutex::new(service),
            traffic: Mutex::default(),
            records: Mutex::default(),
            on_request: settings.on_request,
        });

        let certificates = certificates::issue()?;
        let (directory, temporary) = match settings.ca_dir {
            Some(directory) => (directory, None),
            None => {
                let temporary = tempfile::tempdir()?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        let ca_file = directory.join("ca.pem");
        std::fs::write(&ca_file, &certificates.ca_pem)?;

        let tls = settings.tls.then_some(certificates.server);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = Server::start(
            (Ipv4Addr::LOCALHOST, settings.port).into(),
            tls,
            Arc::clone(&shared),
        )?;
        Ok(Self {
            shared,
            endpoint: format!("{scheme}://localhost:{}", server.address().port()),
            server,
            ca_file,
            _temporary: temporary,
            fpga_ids,
            inactive_fpga_id,
            foreign_fpga_id,
            ecs_ids,
            shared_ecs_id,
        })
    }

    /// `https://localhost:PORT`; the certificate also names 127.0.0.1 and ::1.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The socket's address, always on 127.0.0.1.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The PEM file with the one authority to trust.
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// The tenant's project, 32 hex digits.
    pub fn project_id(&self) -> &str {
        &self.shared.tenant.project_id
    }

    /// The tenant's active FPGA images, at least 12. None is associated at the start.
    pub fn fpga_ids(&self) -> &[String] {
        &self.fpga_ids
    }

    /// An FPGA image of the tenant that is still being created.
    pub fn inactive_fpga_id(&self) -> &str {
        &self.inactive_fpga_id
    }

    /// An active FPGA image that another tenant owns.
    pub fn foreign_fpga_id(&self) -> &str {
        &self.foreign_fpga_id
    }

    /// The tenant's private ECS images, at least 3.
    pub fn ecs_ids(&self) -> &[String] {
        &self.ecs_ids
    }

    /// An ECS image that another tenant shares.
    pub fn shared_ecs_id(&self) -> &str {
        &self.shared_ecs_id
    }

    /// All pairs (FPGA image, ECS image), in the order of the lists: by ECS image.
    pub fn associations(&self) -> Vec<(String, String)> {
        self.service().associations()
    }

    /// Puts a pair in behind the clients' backs, past every rule and limit. False when either
    /// image is unknown or the pair exists already.
    pub fn associate(&self, fpga_id: &str, ecs_id: &str) -> bool {
        self.service().force(fpga_id, ecs_id)
    }

    /// Adds active FPGA images of the tenant and returns their ids.
    pub fn add_fpga_images(&self, count: usize) -> Vec<String> {
        add_fpga_images(&mut self.service(), count, FpgaImage::active)
    }

    /// Adds private ECS images and returns their ids.
    pub fn add_ecs_images(&self, count: usize) -> Vec<String> {
        add_ecs_images(&mut self.service(), count)
    }

    /// How many FPGA images one ECS image may have from now on; 10 at the start.
    pub fn set_limit(&self, fpga_images_per_ecs_image: usize) {
        self.service().set_limit(fpga_images_per_ecs_image);
    }

    /// Forgets all associations; the images stay.
    pub fn clear(&self) {
        self.service().clear();
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        lock(&self.shared.service)
    }
}

fn add_fpga_images(
    service: &mut Service,
    count: usize,
    image: fn(usize) -> FpgaImage,
) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|_| random::hex(32)).collect();
    for (nth, id) in ids.iter().enumerate() {
        service.add_fpga_image(id.clone(), image(nth));
    }
    ids
}

fn add_ecs_images(service: &mut Service, count: usize) -> Vec<String> {
    let ids: Vec<String> = (0..count).map(|_| random::uuid()).collect();
    for id in &ids {
        service.add_ecs_image(id.clone(), EcsImage::Private);
    }
    ids
}

/// A panic in one test thread must not take the others' emulator away.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
