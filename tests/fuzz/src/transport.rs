//! An answer's bytes, in pieces: a digit that says how the request is made, and the bytes, with 0xff between pieces and
//! 0xfe where the rest comes too late to be a part of it.

use std::time::Duration;

use fpga_associate::transport::fuzzing::Line;

use crate::exchanges::{
    Brought, LONGEST, MOST, Manner, check_next, compare_again, connection, exchange,
};
use crate::http::{Plain, plain};

const BETWEEN: u8 = 0xff;
const LATE: u8 = 0xfe;

/// Long enough for what is in the socket already, nearly always; who comes too late is asked again.
const SHORT: Duration = Duration::from_micros(150);

struct Script<'a> {
    ends: bool,
    manner: Manner,
    pieces: Vec<&'a [u8]>,
    late: &'a [u8],
}

/// What became of it.
#[derive(Debug)]
struct Outcome {
    brought: Brought,
    is_kept: bool,
}

pub fn run(data: &[u8]) {
    let Some((&how, bytes)) = data.split_first() else {
        return;
    };
    let has = |bit: u8| how >> bit & 1 == 1;
    let late = bytes.iter().position(|byte| *byte == LATE);
    let (bytes, late) = bytes.split_at(late.unwrap_or(bytes.len()));
    let script = Script {
        ends: has(0),
        manner: Manner {
            is_change: has(1),
            max_answer: if has(2) { 16 } else { 64 * 1024 },
            max_refusal: if has(2) { 8 } else { 64 * 1024 },
            patience: SHORT,
        },
        pieces: bytes.split(|byte| *byte == BETWEEN).collect(),
        late: late.get(1..).unwrap_or_default(),
    };
    let packets = |pieces: &[&[u8]]| {
        pieces
            .iter()
            .map(|piece| piece.len().div_ceil(LONGEST))
            .sum::<usize>()
    };
    if packets(&script.pieces) > MOST || script.late.len() > LONGEST {
        return;
    }
    let joined = script.pieces.concat();
    let whole = Script {
        pieces: vec![&joined],
        ..script
    };
    let outcome = script.run(SHORT);
    // However the bytes come, they mean the same.
    if !outcome.agrees(&whole.run(SHORT)) {
        compare_again(
            |patience| [&script, &whole].map(|script| script.run(patience)),
            |[one, other]| one.agrees(other),
        );
    }
    // What is plain is read as everybody reads it.
    if let Some(plain) = plain(&joined)
        && !script.is_read_as(&plain, &outcome)
    {
        compare_again(
            |patience| [(); 2].map(|()| script.run(patience)),
            |outcomes| {
                outcomes
                    .iter()
                    .any(|outcome| script.is_read_as(&plain, outcome))
            },
        );
    }
}

impl Script<'_> {
    fn run(&self, patience: Duration) -> Outcome {
        let (peer, socket) = connection();
        let mut line = Line::plain(socket).unwrap();
        peer.say(self.pieces.iter().copied());
        if self.ends && self.late.is_empty() {
            peer.end();
        }
        let manner = Manner {
            patience,
            ..self.manner
        };
        let brought = exchange(&mut line, manner);
        peer.say([self.late]);
        let is_kept = line.is_kept();
        assert!(!is_kept || (self.late.is_empty() && !self.ends));
        if is_kept {
            assert!(matches!(brought, Brought::Answer { .. }));
            check_next(&mut line, &peer, |peer, next| peer.say([next]));
        }
        Outcome { brought, is_kept }
    }

    fn is_read_as(&self, plain: &Plain, outcome: &Outcome) -> bool {
        let limit = match plain.http_status {
            200..300 => self.manner.max_answer,
            _ => self.manner.max_refusal,
        };
        let Brought::Answer {
            http_status,
            body,
            is_complete,
            ..
        } = &outcome.brought
        else {
            return false;
        };
        let fits = plain.body.len() <= limit;
        let length = self.pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let has_more = plain.length < length || !self.late.is_empty() || self.ends;
        *http_status == plain.http_status
            && *body == plain.body[..plain.body.len().min(limit)]
            && *is_complete == fits
            && if fits {
                outcome.is_kept != has_more
            } else {
                !outcome.is_kept || !has_more
            }
    }
}

impl Outcome {
    fn agrees(&self, other: &Self) -> bool {
        self.brought.agrees(&other.brought) && self.is_kept == other.is_kept
    }
}
