//! What the gateway answers to a request: what the service does, or a fault in its place.

use super::super::faults::breaks::{broken_answer, is_whole};
use super::super::faults::fault::{Acts, Fault, Manner, Place, Step};
use super::super::faults::journal::Said;
use super::super::raw;

/// The service's answer.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub http_status: u16,
    pub said: Said,
}

/// What is answered to a request, and what follows.
pub struct Outcome {
    pub answer: Vec<u8>,
    pub ending: Ending,
    pub said: Said,
    /// 0 where it breaks.
    pub http_status: u16,
    /// Whether the service did what was asked.
    pub acted: bool,
    /// Whether it is the service's own answer.
    pub is_clean: bool,
}

/// What follows an answer.
pub enum Ending {
    Keep,
    Close,
    Break(Manner),
    /// These bytes, one after the other.
    Slowly(Vec<u8>),
}

impl Answer {
    pub fn new(bytes: Vec<u8>) -> Self {
        let text = String::from_utf8_lossy(&bytes);
        let http_status = text.get(9..12).and_then(|status| status.parse().ok());
        let http_status = http_status.unwrap();
        let is_as_wanted = text.contains("relation already exist") || text.contains("relation of");
        let said = match http_status {
            200..300 => Said::Done,
            _ if is_as_wanted => Said::Already,
            _ => Said::Refused,
        };
        Self {
            bytes,
            http_status,
            said,
        }
    }
}

/// Whether the service is asked at all.
pub fn is_asked(step: Step) -> bool {
    step == Step::WELL || step.acts != Acts::Never
}

impl Outcome {
    /// Of what the service answered, if it was asked.
    pub fn of(step: Step, answered: Option<Answer>) -> Self {
        let acted = matches!(&answered, Some(answer) if answer.said == Said::Done);
        let outcome = match (step.fault, answered) {
            (Fault::None, Some(answer)) => Self::clean(answer),
            // That it is done would not be true.
            (Fault::Answer(says), Some(answer)) if says.said == Said::Done && !acted => {
                Self::clean(answer)
            }
            (Fault::Answer(answer), _) => Self {
                answer: raw::answer(answer.http_status, answer.headers, answer.body),
                ending: if answer.is_last {
                    Ending::Close
                } else {
                    Ending::Keep
                },
                said: answer.said,
                http_status: answer.http_status,
                acted,
                is_clean: false,
            },
            (Fault::Break(place, manner), _) => Self::broken(place, manner, acted),
            (Fault::None, None) => unreachable!("what goes well is asked"),
        };
        Self { acted, ..outcome }
    }

    fn clean(answer: Answer) -> Self {
        Self {
            answer: answer.bytes,
            ending: Ending::Keep,
            said: answer.said,
            http_status: answer.http_status,
            acted: false,
            is_clean: true,
        }
    }

    /// An answer that breaks, or the silence after a request.
    fn broken(place: Place, manner: Manner, acted: bool) -> Self {
        let may_be_whole = is_whole(place) || manner == Manner::Slow;
        let is_closed = matches!(manner, Manner::Close | Manner::Reset);
        let said = match place {
            _ if may_be_whole && acted => Said::Done,
            Place::AfterRequest if is_closed => Said::Nothing,
            _ => Said::Doubt,
        };
        let (mut answer, mut rest) = broken_answer(place, acted || !may_be_whole);
        if place == Place::AfterAnswer && manner != Manner::Slow {
            answer.append(&mut rest);
        }
        let ending = match manner {
            Manner::Slow => Ending::Slowly(rest),
            _ => Ending::Break(manner),
        };
        Self {
            answer,
            ending,
            said,
            http_status: 0,
            acted,
            is_clean: false,
        }
    }

    /// Whether the connection is closed behind it, by the gateway.
    pub fn is_closed(&self) -> bool {
        matches!(self.ending, Ending::Break(Manner::Close | Manner::Reset))
    }
}
