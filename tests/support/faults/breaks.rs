//! An answer that breaks: which of its bytes come before, and which would come after.

use super::fault::Place;

const DONE: (&str, &str) = ("200 OK", r#"{"job_id":"1"}"#);
const FAILED: (&str, &str) = ("502 Bad Gateway", r#"{"message":"no backend"}"#);

/// Another answer, which nobody asked for.
const LEFT_OVER: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// Nothing in it ends a line.
pub const GARBAGE: &[u8] = b"\x00\xff\xfe\x15\x03\x01 not HTTP \x7f\x80";

/// The answer of a service that did what was asked, or of a gateway that does not know, in two: the
/// bytes before the place and the others.
pub fn broken_answer(place: Place, says_done: bool) -> (Vec<u8>, Vec<u8>) {
    let (status, body) = if says_done { DONE } else { FAILED };
    let (first, second) = body.split_at(9);
    let is_chunked = (Place::InChunkSize..=Place::InTrailer).contains(&place);
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\n");
    let answer = if is_chunked {
        format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n{:x};a=b\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\nX-Checksum: 1\r\n\r\n",
            first.len(),
            second.len()
        )
    } else {
        format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let after = |text: &str| answer.find(text).map(|at| at + text.len());
    let place = match place {
        Place::InStatusLine => after("HTTP/1.1 2").or(after("HTTP/1.1 5")),
        Place::AfterStatusLine => after("\r\n"),
        Place::InHeaders => after("Content-Le"),
        Place::BeforeBlankLine => answer.find("\r\n\r\n").map(|at| at + 2),
        Place::AfterHead => after("\r\n\r\n"),
        Place::InBody => after(first),
        Place::InChunkSize => after(";a"),
        Place::InChunk => after(";a=b\r\n{"),
        Place::BetweenChunks => answer.find(second).map(|at| at - "5\r\n".len()),
        Place::InLastChunk => after("\r\n0"),
        Place::InTrailer => after("X-Check"),
        Place::AfterAnswer => Some(answer.len() + 1),
        _ => Some(0),
    };
    let mut before = answer.into_bytes();
    if place > Some(before.len()) {
        before.extend_from_slice(LEFT_OVER.as_bytes());
    }
    let rest = before.split_off(place.unwrap());
    (before, rest)
}

/// Whether the client may have the whole answer all the same.
pub fn is_whole(place: Place) -> bool {
    matches!(place, Place::InTrailer | Place::AfterAnswer)
}
