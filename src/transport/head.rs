//! The head of an answer, made fit for the HTTP library.
//!
//! ureq can't read an interim answer with headers, headers that are folded over lines, more than 128
//! of them, or a 204 with a length that is none. What this call needs of a head is little, so it
//! gets just that, from the parser that it uses itself.

use httparse::{EMPTY_HEADER, Header, ParserConfig, Response, Status};

use crate::memory::{self, OutOfMemory};

/// The headers that say how long the answer is, whether the connection is kept, and what the caller
/// learns.
const OF_USE: [&str; 5] = [
    "connection",
    "content-length",
    "retry-after",
    "transfer-encoding",
    "x-request-id",
];

/// More of them, of an answer that has something to say.
const ABOUT_A_BODY: [&str; 2] = ["content-type", "date"];

/// Nearly every head has fewer headers; the rest takes memory of its own.
const USUAL_HEADERS: usize = 32;
const MAX_HEADERS: usize = 4096;

/// Nobody means what is of use to be longer.
const MAX_LENGTH: usize = 16 * 1024;

/// What is of use is hardly ever longer.
const USUAL_LENGTH: usize = 256;

/// What the beginning of an answer is.
#[derive(Debug, PartialEq, Eq)]
pub enum Head {
    /// Not all of a head.
    Partial,
    /// An interim answer of this length, which says nothing.
    Interim(usize),
    /// A head of this length, what is of use of it, and whether a body in chunks follows.
    Final(usize, Vec<u8>, bool),
}

/// Why an answer can't be read.
#[derive(Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is wrong.
    NotHttp(httparse::Error),
    /// What is of use of its head is longer than anybody means it.
    TooLong,
    /// There is no memory to read it.
    Memory(OutOfMemory),
}

/// Reads the beginning of an answer.
pub fn read(input: &[u8]) -> Result<Head, Unreadable> {
    let mut headers = [EMPTY_HEADER; USUAL_HEADERS];
    match read_with(&mut headers, input) {
        Err(Unreadable::NotHttp(httparse::Error::TooManyHeaders)) => {
            let mut headers = Vec::new();
            memory::reserve_exact(&mut headers, MAX_HEADERS)?;
            headers.resize(MAX_HEADERS, EMPTY_HEADER);
            read_with(&mut headers, input)
        }
        result => result,
    }
}

fn read_with<'a>(headers: &mut [Header<'a>], input: &'a [u8]) -> Result<Head, Unreadable> {
    let mut response = Response::new(headers);
    let parsed = ParserConfig::default()
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .parse_response(&mut response, input)?;
    let Status::Complete(length) = parsed else {
        return Ok(Head::Partial);
    };
    let code = response.code.unwrap_or_default();
    // 101 is the answer to a request that nobody made.
    if (100..200).contains(&code) && code != 101 {
        return Ok(Head::Interim(length));
    }
    let mut head = Vec::with_capacity(USUAL_LENGTH);
    head.extend_from_slice(match response.version {
        Some(0) => b"HTTP/1.0 ",
        _ => b"HTTP/1.1 ",
    });
    // Three digits, as the parser has seen.
    head.extend([100, 10, 1].map(|place| b'0'.saturating_add((code / place % 10) as u8)));
    head.extend_from_slice(b"\r\n");
    let has_no_body = code == 204 || code == 304;
    let mut is_chunked = false;
    for header in response.headers.iter() {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        let says_length = is("content-length") || is("transfer-encoding");
        if is("transfer-encoding") && response.version != Some(0) && !has_no_body {
            is_chunked |= has_word(header.value, "chunked");
        }
        let is_of_use = OF_USE.iter().any(|name| is(name))
            || (!has_no_body && ABOUT_A_BODY.iter().any(|name| is(name)));
        if is_of_use && !(says_length && has_no_body) {
            if head.len() + header.value.len() > MAX_LENGTH {
                return Err(Unreadable::TooLong);
            }
            head.extend_from_slice(header.name.as_bytes());
            head.extend_from_slice(b": ");
            // A folded line goes on on the same.
            head.extend(header.value.iter().map(|byte| match byte {
                b'\r' | b'\n' => b' ',
                byte => *byte,
            }));
            head.extend_from_slice(b"\r\n");
        }
    }
    head.extend_from_slice(b"\r\n");
    Ok(Head::Final(length, head, is_chunked))
}

/// As ureq looks for it: between commas, in any letter case.
fn has_word(value: &[u8], word: &str) -> bool {
    let mut words = value.split(|byte| *byte == b',');
    words.any(|one| one.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
}

impl From<httparse::Error> for Unreadable {
    fn from(error: httparse::Error) -> Self {
        Self::NotHttp(error)
    }
}

impl From<OutOfMemory> for Unreadable {
    fn from(refused: OutOfMemory) -> Self {
        Self::Memory(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(input: &str) -> String {
        match read(input.as_bytes()) {
            Ok(Head::Final(length, head, _)) => {
                assert_eq!(length, input.len());
                String::from_utf8(head).unwrap()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn of_a_head_what_is_of_use_is_kept() {
        for (given, wanted) in [
            (
                "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\nX-Request-Id: r\r\n\r\n",
                "HTTP/1.1 200\r\nContent-Length: 5\r\nX-Request-Id: r\r\n\r\n",
            ),
            (
                "HTTP/1.0 404  Not  Found\nRetry-After : 7\nX: a\n b\n\n",
                "HTTP/1.0 404\r\nRetry-After: 7\r\n\r\n",
            ),
            (
                "HTTP/1.1 204\r\nContent-Length: none\r\nConnection: close\r\n\r\n",
                "HTTP/1.1 204\r\nConnection: close\r\n\r\n",
            ),
            ("HTTP/1.1 101 X\r\n\r\n", "HTTP/1.1 101\r\n\r\n"),
        ] {
            assert_eq!(kept(given), wanted);
        }
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(1000));
        assert_eq!(kept(&many), "HTTP/1.1 200\r\n\r\n");
    }

    #[test]
    fn interim_answers_are_passed_over_and_parts_waited_for() {
        let interim = "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n";
        let with_more = format!("{interim}HTTP/1.1 204 No Content\r\n\r\n");
        assert_eq!(read(with_more.as_bytes()), Ok(Head::Interim(interim.len())));
        for end in 0..interim.len() {
            assert_eq!(read(&interim.as_bytes()[..end]), Ok(Head::Partial));
        }
        assert!(read(b"SSH-2.0\r\n").is_err());
    }
}
