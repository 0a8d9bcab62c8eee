//! The service: it reads requests, does what they ask for when it is told to, and answers, or not.

use std::sync::Arc;

use super::super::raw::{Server, Then};
use super::book::{Book, Knowledge};
use super::connection::Connection;

/// Not the one that the clients connect from: of thousands of cases a minute, their closed connections
/// would take all its ports.
const ADDRESS: &str = "127.0.0.2:0";

/// A service on a port of its own, for one case.
pub struct Service {
    server: Server,
    book: Arc<Book>,
}

impl Service {
    pub fn start(book: Book) -> Self {
        let book = Arc::new(book);
        let server = Server::serve_on(ADDRESS, {
            let book = Arc::clone(&book);
            move |mut visit| {
                let mut connection = Connection::new(&mut visit.stream, &book);
                while connection.serve() == Then::Keep {}
            }
        });
        let server = server.unwrap();
        Self { server, book }
    }

    pub fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// From now on all goes well.
    pub fn heal(&self) {
        self.book.heal();
    }

    /// Ends with all connections; what it knows now.
    pub fn finish(self) -> Knowledge {
        self.server.finish();
        self.book.take_knowledge()
    }
}
