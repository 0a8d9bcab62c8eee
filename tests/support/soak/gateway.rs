//! The gateway in front of the service: over TLS and without on one port, and it may start anew.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::{ServerConfig, ServerConnection, Stream};

use super::super::certificates::{self, Identity};
use super::super::raw::{Server, Then};
use super::book::Book;
use super::connection::{Connection, Shared};
use super::deck::Deck;

/// Not the one that the clients connect from: their closed connections would take all its ports.
const HOST: &str = "127.0.0.2";

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

pub struct Gateway {
    /// Nothing while it starts anew.
    server: Option<Server>,
    address: SocketAddr,
    shared: Arc<Shared>,
    tls: Arc<ServerConfig>,
}

impl Gateway {
    /// The host that its certificate has to name.
    pub const HOST: &str = HOST;

    pub fn start(service: SocketAddr, identity: Identity, book: Book, deck: Deck) -> Self {
        let shared = Arc::new(Shared {
            service,
            deck: Mutex::new(deck),
            book,
        });
        let tls = Arc::new(certificates::config(identity, rustls::ALL_VERSIONS));
        let server = serve(&format!("{HOST}:0"), &shared, &tls);
        Self {
            address: server.address(),
            server: Some(server),
            shared,
            tls,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn book(&self) -> &Book {
        &self.shared.book
    }

    /// What was dealt so far.
    pub fn deck<T>(&self, look: impl FnOnce(&Deck) -> T) -> T {
        look(
            &self
                .shared
                .deck
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Ends with all connections, and starts on the same port.
    pub fn restart(&mut self) {
        self.stop();
        self.server = Some(serve(&self.address.to_string(), &self.shared, &self.tls));
    }

    /// Ends with all connections: all that is done is in the book.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.finish();
        }
    }
}

fn serve(address: &str, shared: &Arc<Shared>, tls: &Arc<ServerConfig>) -> Server {
    let (shared, tls) = (Arc::clone(shared), Arc::clone(tls));
    let server = Server::serve_on(address, move |mut visit| {
        let socket = visit.stream.try_clone().unwrap();
        if is_tls(&socket) {
            let mut tls = ServerConnection::new(Arc::clone(&tls)).unwrap();
            let stream = Stream::new(&mut tls, &mut visit.stream);
            let mut connection = Connection::new(stream, &socket, &shared);
            while connection.serve() == Then::Keep {}
        } else {
            let mut connection = Connection::new(&mut visit.stream, &socket, &shared);
            while connection.serve() == Then::Keep {}
        }
    });
    server.unwrap()
}

/// By the first byte, once there is one.
fn is_tls(socket: &TcpStream) -> bool {
    let mut first = [0];
    matches!(socket.peek(&mut first), Ok(1)) && first == [HANDSHAKE]
}
