//! One connection to the service: requests are read, and answered or broken off.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use super::super::raw::{self, Then};
use super::book::Book;
use super::breaks::{GARBAGE, broken_answer, is_whole};
use super::fault::{Acts, Fault, Manner, Place, Step, is_read};
use super::journal::{Kind, Said};
use super::listing::Listing;

/// Between the bytes of an answer that is slow.
const PACE: Duration = Duration::from_millis(20);

/// Before the rest of a request is read slowly.
const DELAY: Duration = Duration::from_millis(300);

/// What a request for a change asks for.
struct ChangeRequest {
    associates: bool,
    fpga_id: String,
}

impl ChangeRequest {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (method, rest) = text.split_once(' ')?;
        let (path, _) = rest.split_once(' ')?;
        let (_, rest) = path.split_once("/fpga_image/")?;
        let (fpga_id, _) = rest.split_once('/')?;
        Some(Self {
            associates: method == "POST",
            fpga_id: fpga_id.to_owned(),
        })
    }
}

pub struct Connection<'a> {
    stream: &'a mut TcpStream,
    book: &'a Book,
    /// Whether a request was answered on it.
    was_used: bool,
}

impl<'a> Connection<'a> {
    pub fn new(stream: &'a mut TcpStream, book: &'a Book) -> Self {
        Self {
            stream,
            book,
            was_used: false,
        }
    }

    /// One request, or what breaks before it.
    pub fn serve(&mut self) -> Then {
        if let Some(step) = self.book.step_before_request(self.was_used) {
            let number = self.book.note(Kind::Unread, self.was_used);
            return self.break_request(step, number);
        }
        let mut begin = Vec::new();
        if !raw::read_until(&mut self.stream, &mut begin, |bytes| {
            bytes.len() == "GET ".len()
        }) {
            return Then::Close;
        }
        if begin == b"GET " {
            return self.list(begin);
        }
        let step = self.book.step();
        let number = self.book.note(Kind::Change, self.was_used);
        match step.fault {
            Fault::Break(place, manner) if !is_read(place, manner) => {
                self.read_to(place, &mut begin);
                self.break_request(step, number)
            }
            _ => self.change(begin, step, number),
        }
    }

    fn list(&mut self, begin: Vec<u8>) -> Then {
        let Some(request) = self.read_whole(&begin) else {
            return Then::Close;
        };
        let request = String::from_utf8(request).unwrap();
        let parameter = |name| {
            request
                .split(['?', '&', ' '])
                .find_map(|word| word.strip_prefix(name))
        };
        // All there is fits the first page.
        let is_past = parameter("page=").is_some_and(|page| page != "1");
        let number = self.book.note(Kind::List, self.was_used);
        let (listing, answer) = self.book.list(parameter("fpga_image_id="), is_past, number);
        if listing == Listing::Broken {
            let half = answer.len() / 2;
            self.write(answer.get(..half).unwrap());
            self.stream.shutdown(Shutdown::Write).ok();
            return self.drain(number);
        }
        self.keep_after(&answer)
    }

    fn change(&mut self, begin: Vec<u8>, step: Step, number: usize) -> Then {
        if let Fault::Break(place, Manner::Slow) = step.fault
            && place < Place::AfterRequest
        {
            thread::sleep(DELAY);
        }
        let Some(bytes) = self.read_whole(&begin) else {
            return Then::Close;
        };
        let request = ChangeRequest::parse(&bytes).unwrap();
        self.book.note_fpga_image(number, &request.fpga_id);
        self.book
            .act(&request.fpga_id, request.associates, step.acts);
        match step.fault {
            Fault::None => {
                let (answer, said) = self.book.act_as_known(&request.fpga_id, request.associates);
                self.book.say(number, said);
                self.keep_after(&answer)
            }
            Fault::Answer(answer) => {
                self.book.say(number, answer.said);
                let bytes = raw::answer(answer.http_status, answer.headers, answer.body);
                match self.keep_after(&bytes) {
                    Then::Keep if !answer.is_last => Then::Keep,
                    _ => Then::Close,
                }
            }
            Fault::Break(place, manner) => self.break_answer(place, manner, step.acts, number),
        }
    }

    /// Breaks before the whole request was read.
    fn break_request(&mut self, step: Step, number: usize) -> Then {
        match step.fault {
            Fault::Break(_, manner) => self.break_off(manner, number),
            _ => Then::Keep,
        }
    }

    fn break_answer(&mut self, place: Place, manner: Manner, acts: Acts, number: usize) -> Then {
        let may_be_whole = is_whole(place) || manner == Manner::Slow;
        let has_acted = acts == Acts::BeforeItAnswers;
        let said = match place {
            _ if may_be_whole && has_acted => Said::Done,
            Place::AfterRequest if manner != Manner::Slow => Said::Nothing,
            _ => Said::Doubt,
        };
        self.book.say(number, said);
        let (mut before, mut rest) = broken_answer(place, has_acted || !may_be_whole);
        if place == Place::AfterAnswer && manner != Manner::Slow {
            before.append(&mut rest);
        }
        self.write(&before);
        if manner != Manner::Slow {
            return self.break_off(manner, number);
        }
        for byte in rest {
            thread::sleep(PACE);
            if !self.write(&[byte]) {
                return Then::Close;
            }
        }
        self.was_used = true;
        match place {
            Place::AfterAnswer => self.drain(number),
            _ => Then::Keep,
        }
    }

    fn break_off(&mut self, manner: Manner, number: usize) -> Then {
        match manner {
            Manner::Close => {
                self.book.amend(number, |entry| entry.is_closed = true);
                self.stream.shutdown(Shutdown::Write).ok();
            }
            Manner::Reset => {
                self.book.amend(number, |entry| entry.is_closed = true);
                set_socket_linger(&*self.stream, Some(Duration::ZERO)).unwrap();
                return Then::Close;
            }
            Manner::Garbage => {
                self.book.amend(number, |entry| {
                    if entry.said == Said::Nothing {
                        entry.said = Said::Doubt;
                    }
                });
                self.write(GARBAGE);
                self.stream.shutdown(Shutdown::Write).ok();
            }
            Manner::Silence | Manner::Slow => {}
        }
        self.drain(number)
    }

    /// Reads until the client ends it.
    fn drain(&mut self, number: usize) -> Then {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = self.stream.read(&mut piece) {
            let is_list = piece.get(..length).unwrap().starts_with(b"G");
            self.book.amend(number, |entry| {
                if entry.kind == Kind::Unread {
                    entry.kind = if is_list { Kind::List } else { Kind::Change };
                }
            });
        }
        Then::Close
    }

    fn keep_after(&mut self, answer: &[u8]) -> Then {
        self.was_used = true;
        if self.write(answer) {
            Then::Keep
        } else {
            Then::Close
        }
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    fn read_to(&mut self, place: Place, begin: &mut Vec<u8>) {
        if place == Place::InRequestHead {
            raw::read_until(&mut self.stream, begin, |bytes| bytes.len() == 10);
        }
        if place > Place::InRequestHead {
            raw::read_until(&mut self.stream, begin, |bytes| {
                bytes.ends_with(b"\r\n\r\n")
            });
        }
        if place == Place::InRequestBody {
            let length = begin.len() + 5;
            raw::read_until(&mut self.stream, begin, |bytes| bytes.len() == length);
        }
    }

    fn read_whole(&mut self, begin: &[u8]) -> Option<Vec<u8>> {
        let (bytes, is_whole) = raw::read_request(&mut begin.chain(&mut *self.stream));
        is_whole.then_some(bytes)
    }
}
