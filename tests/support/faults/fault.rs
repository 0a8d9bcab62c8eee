//! What goes wrong with a request for a change.

use std::time::Duration;

use super::answers::Answer;

/// Where a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    BeforeRequest,
    InRequestHead,
    AfterRequestHead,
    InRequestBody,
    AfterRequest,
    InStatusLine,
    AfterStatusLine,
    InHeaders,
    BeforeBlankLine,
    AfterHead,
    InBody,
    InChunkSize,
    InChunk,
    BetweenChunks,
    InLastChunk,
    InTrailer,
    /// Behind a whole answer comes another one that nobody asked for.
    AfterAnswer,
}

pub const PLACES: &[Place] = &[
    Place::BeforeRequest,
    Place::InRequestHead,
    Place::AfterRequestHead,
    Place::InRequestBody,
    Place::AfterRequest,
    Place::InStatusLine,
    Place::AfterStatusLine,
    Place::InHeaders,
    Place::BeforeBlankLine,
    Place::AfterHead,
    Place::InBody,
    Place::InChunkSize,
    Place::InChunk,
    Place::BetweenChunks,
    Place::InLastChunk,
    Place::InTrailer,
    Place::AfterAnswer,
];

/// How it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The service sends its end of the stream (FIN).
    Close,
    /// RST.
    Reset,
    /// Nothing more comes, until the client gives up.
    Silence,
    /// The rest comes byte by byte.
    Slow,
    /// Something comes that is not HTTP, and then the end.
    Garbage,
}

pub const MANNERS: &[Manner] = &[
    Manner::Close,
    Manner::Reset,
    Manner::Silence,
    Manner::Slow,
    Manner::Garbage,
];

/// When the service does what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acts {
    Never,
    BeforeItAnswers,
    /// So long after it has read the request.
    Late(Duration),
}

/// Before the second look at the list, which is 500 ms after the first or more.
pub const LATE: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(250),
    Duration::from_millis(400),
];

/// After the second look.
pub const VERY_LATE: Duration = Duration::from_millis(900);

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Nothing; it is answered by what the service knows.
    None,
    Break(Place, Manner),
    Answer(&'static Answer),
}

/// What happens to one request for a change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub fault: Fault,
    pub acts: Acts,
}

impl Step {
    pub const WELL: Self = Self {
        fault: Fault::None,
        acts: Acts::Never,
    };

    /// Whether it makes the client wait for as long as it will.
    pub fn is_waited_for(&self) -> bool {
        match self.fault {
            Fault::None => false,
            Fault::Break(_, manner) => matches!(manner, Manner::Silence | Manner::Slow),
            // The list is asked until the call's time is over.
            Fault::Answer(answer) => answer.http_status == 202,
        }
    }

    pub fn is_before_request(&self) -> bool {
        matches!(self.fault, Fault::Break(Place::BeforeRequest, _))
    }
}

/// Whether the service has read the whole request, and so can act on it.
pub fn is_read(place: Place, manner: Manner) -> bool {
    place >= Place::AfterRequest || manner == Manner::Slow
}
