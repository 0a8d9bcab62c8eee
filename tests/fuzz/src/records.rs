//! TLS records after the handshake: a digit that says how the request is made, and then a letter for each record and what
//! is in it, with 0xff between them:
//!
//! - `a` data, `p` data with padding, `h` a handshake message, `l` an alert, `z` the closing one, `i` a record of the kind
//!   that the first byte says, `r` bytes that are none;
//! - `|` ends a packet, `e` has all so far come with the end of the handshake, and what is behind `!` comes too late to be a
//!   part of the answer.

use std::time::Duration;

use fpga_associate::transport::Deadline;
use fpga_associate::transport::fuzzing::Line;

use crate::exchanges::{
    Brought, LONGEST, MOST, Manner, check_next, compare_again, connection, exchange,
};
use crate::open_tls::{config, flight, record};

const BETWEEN: u8 = 0xff;

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const DATA: u8 = 23;

/// Long enough for what is in the socket already, nearly always; who comes too late is asked again.
const SHORT: Duration = Duration::from_micros(300);
const AGES: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Script {
    ends: bool,
    /// With the end of the handshake.
    early: Vec<u8>,
    packets: Vec<Vec<u8>>,
    late: Vec<u8>,
    /// What is in the records of data.
    data: Vec<u8>,
    has_closed: bool,
    /// Whether there are others than those of data, and a closing alert at the end.
    has_others: bool,
}

pub fn run(bytes: &[u8]) {
    let Some((&how, bytes)) = bytes.split_first() else {
        return;
    };
    let has = |bit: u8| how >> bit & 1 == 1;
    let manner = Manner {
        is_change: has(1),
        max_answer: if has(2) { 16 } else { 64 * 1024 },
        max_refusal: if has(2) { 8 } else { 64 * 1024 },
        patience: SHORT,
    };
    let script = Script::read(bytes, has(0));
    let packets = script
        .packets
        .iter()
        .map(|packet| packet.len().div_ceil(LONGEST))
        .sum::<usize>();
    if packets > MOST || script.early.len() > LONGEST || script.late.len() > LONGEST {
        return;
    }
    let Some(brought) = script.run(manner) else {
        return;
    };
    if !script.has_others {
        check_like_plain(&script, manner, &brought);
    }
}

impl Script {
    fn read(bytes: &[u8], ends: bool) -> Self {
        let mut script = Self {
            ends,
            ..Self::default()
        };
        let mut packet = Vec::new();
        let mut is_late = false;
        for segment in bytes.split(|byte| *byte == BETWEEN) {
            let Some((&letter, content)) = segment.split_first() else {
                continue;
            };
            let is_last_data = letter == b'a' || letter == b'p';
            let record = match letter {
                b'a' => record(DATA, content, 0),
                b'p' => record(DATA, content, 10),
                b'h' => record(HANDSHAKE, content, 0),
                b'l' => record(ALERT, content, 0),
                b'z' => record(ALERT, &[1, 0], 0),
                b'i' => match content.split_first() {
                    Some((kind, content)) => record(*kind, content, 0),
                    None => continue,
                },
                b'r' => content.to_vec(),
                b'|' => {
                    script.packets.push(std::mem::take(&mut packet));
                    continue;
                }
                b'e' if script.packets.is_empty() => {
                    script.early.append(&mut packet);
                    continue;
                }
                b'!' => {
                    is_late = true;
                    continue;
                }
                _ => continue,
            };
            if is_late {
                script.late.extend(record);
                continue;
            }
            packet.extend(record);
            script.has_others |= script.has_closed
                || !(is_last_data || letter == b'z')
                || (is_last_data && content.is_empty());
            script.has_closed |= letter == b'z';
            if is_last_data {
                script.data.extend_from_slice(content);
            }
        }
        script.packets.push(packet);
        script
    }

    /// Nothing where nothing was sent.
    fn run(&self, manner: Manner) -> Option<Brought> {
        let (peer, socket) = connection();
        peer.say([&[flight(), &self.early].concat()[..]]);
        let line = Line::encrypted(socket, config(), Deadline::after(AGES));
        let mut line = match line {
            Ok(line) => line,
            Err(failure) => {
                assert!(!self.early.is_empty(), "{failure:?}");
                return None;
            }
        };
        if line.spoke_first() {
            assert!(!self.early.is_empty());
            return None;
        }
        peer.say(self.packets.iter().map(Vec::as_slice));
        if self.ends && self.late.is_empty() {
            peer.end();
        }
        let brought = exchange(&mut line, manner);
        peer.say([&self.late[..]]);
        let is_kept = line.is_kept();
        if !self.late.is_empty() || self.ends || self.has_closed {
            assert!(!is_kept);
        }
        if is_kept {
            check_next(&mut line, &peer, |peer, next| {
                peer.say([&record(DATA, next, 0)[..]])
            });
        }
        Some(brought)
    }
}

/// What is encrypted means what it means in the clear; but only a closing alert is an end.
fn check_like_plain(script: &Script, manner: Manner, brought: &Brought) {
    let is_cut = script.ends && !script.has_closed;
    if is_cut && !brought.is_whole() {
        return;
    }
    if brought.agrees(&plainly(script, manner)) {
        return;
    }
    compare_again(
        |patience| {
            let patient = Manner { patience, ..manner };
            [script.run(patient).unwrap(), plainly(script, patient)]
        },
        |[brought, plain]| brought.agrees(plain) || (is_cut && !brought.is_whole()),
    );
}

fn plainly(script: &Script, manner: Manner) -> Brought {
    let (peer, socket) = connection();
    let mut line = Line::plain(socket).unwrap();
    peer.say([&script.data[..]]);
    if script.has_closed {
        peer.end();
    }
    exchange(&mut line, manner)
}
