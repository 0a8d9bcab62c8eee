//! What came to the service, and what it said.

use std::time::Instant;

/// Which of the calls of a case a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum During {
    /// A list call that leaves its connection.
    WarmUp,
    /// The call that meets the faults.
    Call,
    /// The one after it, with which everything is well.
    NextCall,
}

/// What a request asked for, as far as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not a byte of it was read.
    Unread,
    Change,
    List,
}

/// What an answer says of the request, for who knows the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Not a byte was answered.
    Nothing,
    /// Something that settles nothing.
    Doubt,
    /// It was not done, and may be sent again.
    Busy,
    /// The same, because the connection was given up (408).
    GaveUp,
    /// It was not done.
    Refused,
    /// It was not done, since it is as wanted already.
    Already,
    /// It is done.
    Done,
}

impl Said {
    /// Whether it leaves the request in doubt.
    pub fn is_doubt(self) -> bool {
        matches!(self, Self::Nothing | Self::Doubt)
    }
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub during: During,
    pub kind: Kind,
    pub at: Instant,
    /// Whether an earlier request was answered on its connection.
    pub is_reused: bool,
    /// What the answer to a change said.
    pub said: Said,
    /// Whether the connection was closed on it.
    pub is_closed: bool,
    /// What the answer to a list showed of the pair; nothing where it can't be read.
    pub shown: Option<bool>,
}

impl Entry {
    pub fn is_of_warm_up(&self) -> bool {
        self.during == During::WarmUp
    }

    pub fn is_change(&self) -> bool {
        self.kind == Kind::Change
    }

    /// Whether the client was free to send it once more at once.
    pub fn is_stale(&self) -> bool {
        let was_closed = self.said == Said::Nothing && self.is_closed;
        self.is_reused && (was_closed || self.said == Said::GaveUp)
    }
}
