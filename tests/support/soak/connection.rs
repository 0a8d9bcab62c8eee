//! One connection to the gateway: requests are read, handed on to the service and answered, or broken off.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{RecvFlags, recv};

use super::super::faults::breaks::GARBAGE;
use super::super::faults::fault::{Fault, Manner, Place, Step, is_read};
use super::super::faults::journal::Said;
use super::super::raw::{self, Then};
use super::book::{Book, Event, Request, now};
use super::deck::Deck;
use super::outcome::{Answer, Ending, Outcome, is_asked};

/// Between the bytes of an answer that is slow, and before the rest of a request is read slowly.
const PACE: Duration = Duration::from_millis(10);
const DELAY: Duration = Duration::from_millis(300);

/// What all connections share.
pub struct Shared {
    pub service: SocketAddr,
    pub deck: Mutex<Deck>,
    pub book: Book,
}

/// A connection over TLS, or without.
pub struct Connection<'a, S> {
    stream: S,
    /// The same connection below TLS.
    socket: &'a TcpStream,
    shared: &'a Shared,
    service: Option<TcpStream>,
    /// Whether a request was answered on it.
    was_used: bool,
}

impl<'a, S: Read + Write> Connection<'a, S> {
    pub fn new(stream: S, socket: &'a TcpStream, shared: &'a Shared) -> Self {
        Self {
            stream,
            socket,
            shared,
            service: None,
            was_used: false,
        }
    }

    /// One request, or what breaks before it.
    pub fn serve(&mut self) -> Then {
        if let Some(manner) = self.deck(Deck::before_request) {
            return self.break_off(manner);
        }
        let mut begin = Vec::new();
        if !raw::read_until(&mut self.stream, &mut begin, |bytes| {
            bytes.len() == "GET ".len()
        }) {
            return Then::Close;
        }
        let is_list = begin == b"GET ";
        let step = self.deck(|deck| deck.step(is_list));
        match step.fault {
            Fault::Break(place, manner) if !is_read(place, manner) => {
                self.read_to(place, &mut begin);
                if !is_list {
                    self.note_unread(&begin, manner);
                }
                self.break_off(manner)
            }
            _ => {
                if matches!(step.fault, Fault::Break(place, Manner::Slow) if place < Place::AfterRequest)
                {
                    thread::sleep(DELAY);
                }
                let (request, is_whole) = raw::read_request(&mut begin.chain(&mut self.stream));
                match (is_whole, is_list) {
                    (false, _) => Then::Close,
                    (true, false) => self.change(&request, step),
                    (true, true) => self.list(&request, step),
                }
            }
        }
    }

    fn change(&mut self, request: &[u8], step: Step) -> Then {
        let line = first_line(request);
        let associates = line.starts_with("POST ");
        let shared = self.shared;
        let pair = shared.book.pair(fpga_id_of(&line)).unwrap();
        let mut events = pair.events();
        // The client has given up, and may have gone on to the next call for this pair.
        if self.is_left() {
            return Then::Close;
        }
        let at = now();
        let answered = is_asked(step).then(|| self.ask(request));
        let outcome = Outcome::of(step, answered);
        let is_written = self.write(&outcome.answer);
        let is_unanswered = !is_written || outcome.answer.is_empty();
        events.push(Event {
            at,
            request: Request::Change {
                associates,
                acted: outcome.acted,
                said: if is_written {
                    outcome.said
                } else {
                    Said::Nothing
                },
                http_status: outcome.http_status,
                is_unanswered_on_kept: self.was_used && is_unanswered,
                is_closed: outcome.is_closed() || !is_written,
            },
            is_clean: outcome.is_clean && is_written,
        });
        drop(events);
        self.end(outcome.ending, is_written)
    }

    fn list(&mut self, request: &[u8], step: Step) -> Then {
        let line = first_line(request);
        let parameter = |name| {
            let mut words = line.split(['?', '&', ' ']);
            words.find_map(|word| word.strip_prefix(name))
        };
        let shared = self.shared;
        let asked = shared
            .book
            .asked(parameter("fpga_image_id="), parameter("image_id="));
        // What it shows is what the changes before it in the books have done.
        let mut books: Vec<_> = asked.map(|pair| (pair, pair.events())).collect();
        let at = now();
        let answered = is_asked(step).then(|| self.ask(request));
        let outcome = Outcome::of(step, answered);
        let list = String::from_utf8_lossy(&outcome.answer).into_owned();
        let is_list = outcome.is_clean && outcome.http_status == 200;
        let is_written = self.write(&outcome.answer);
        for (pair, events) in &mut books {
            let shown = is_list.then(|| list.contains(&pair.fpga_id));
            events.push(Event {
                at,
                request: Request::List { shown },
                is_clean: outcome.is_clean && is_written,
            });
        }
        drop(books);
        self.end(outcome.ending, is_written)
    }

    /// Notes a request for a change that is not read to its end.
    fn note_unread(&self, begin: &[u8], manner: Manner) {
        let line = first_line(begin);
        // The client may have ended before that.
        let Some(pair) = self.shared.book.pair(fpga_id_of(&line)) else {
            return;
        };
        let is_closed = matches!(manner, Manner::Close | Manner::Reset);
        let mut events = pair.events();
        events.push(Event {
            at: now(),
            request: Request::Change {
                associates: line.starts_with("POST "),
                acted: false,
                said: Said::Nothing,
                http_status: 0,
                is_unanswered_on_kept: self.was_used,
                is_closed,
            },
            is_clean: false,
        });
    }

    /// What follows an answer.
    fn end(&mut self, ending: Ending, is_written: bool) -> Then {
        self.was_used = true;
        match ending {
            Ending::Keep if is_written => Then::Keep,
            Ending::Keep | Ending::Close => Then::Close,
            Ending::Break(manner) => self.break_off(manner),
            Ending::Slowly(rest) => {
                for byte in rest {
                    thread::sleep(PACE);
                    if !self.write(&[byte]) {
                        return Then::Close;
                    }
                }
                Then::Keep
            }
        }
    }

    fn break_off(&mut self, manner: Manner) -> Then {
        match manner {
            Manner::Close => {
                self.socket.shutdown(Shutdown::Write).ok();
            }
            Manner::Reset => {
                set_socket_linger(self.socket, Some(Duration::ZERO)).unwrap();
                return Then::Close;
            }
            Manner::Garbage => {
                self.write(GARBAGE);
                self.socket.shutdown(Shutdown::Write).ok();
            }
            Manner::Silence | Manner::Slow => {}
        }
        // Until the client ends it.
        let mut piece = [0; 4096];
        while let Ok(1..) = self.stream.read(&mut piece) {}
        Then::Close
    }

    /// Whether the client has closed the connection, or says more than a request.
    fn is_left(&self) -> bool {
        let mut byte = [0];
        let seen = recv(
            self.socket,
            &mut byte,
            RecvFlags::PEEK | RecvFlags::DONTWAIT,
        );
        !matches!(seen, Err(Errno::AGAIN))
    }

    /// The service's whole answer.
    fn ask(&mut self, request: &[u8]) -> Answer {
        let service = self
            .service
            .get_or_insert_with(|| TcpStream::connect(self.shared.service).unwrap());
        service.write_all(request).unwrap();
        // An answer has the same form as far as its length goes.
        let (bytes, is_whole) = raw::read_request(service);
        assert!(is_whole, "the service ended");
        Answer::new(bytes)
    }

    fn deck<T>(&self, deal: impl FnOnce(&mut Deck) -> T) -> T {
        let deck = &self.shared.deck;
        deal(&mut deck.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok() && self.stream.flush().is_ok()
    }

    /// At least to the end of the first line, which names the pair.
    fn read_to(&mut self, place: Place, begin: &mut Vec<u8>) {
        raw::read_until(&mut self.stream, begin, |bytes| bytes.ends_with(b"\r\n"));
        if place > Place::InRequestHead {
            raw::read_until(&mut self.stream, begin, |bytes| {
                bytes.ends_with(b"\r\n\r\n")
            });
        }
        let has_body = !begin.starts_with(b"GET ");
        if place == Place::InRequestBody && has_body {
            let length = begin.len() + 5;
            raw::read_until(&mut self.stream, begin, |bytes| bytes.len() == length);
        }
    }
}

fn first_line(request: &[u8]) -> String {
    let line = request.split(|byte| *byte == b'\r').next();
    String::from_utf8_lossy(line.unwrap_or_default()).into_owned()
}

/// Of the path of a change.
fn fpga_id_of(line: &str) -> &str {
    let (_, rest) = line.split_once("/fpga_image/").unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}
