//! Answers to a request for a change that come whole, with what they say.

use std::fmt;

use super::journal::Said;

/// A whole answer.
#[derive(PartialEq)]
pub struct Answer {
    pub http_status: u16,
    /// Header lines with their ends.
    pub headers: &'static str,
    pub body: &'static [u8],
    pub said: Said,
    /// Whether the connection ends after it.
    pub is_last: bool,
}

const fn answer(http_status: u16, body: &'static [u8], said: Said) -> Answer {
    Answer {
        http_status,
        headers: "",
        body,
        said,
        is_last: false,
    }
}

const fn done(http_status: u16, body: &'static [u8]) -> Answer {
    answer(http_status, body, Said::Done)
}

const fn doubt(http_status: u16, body: &'static [u8]) -> Answer {
    answer(http_status, body, Said::Doubt)
}

const fn refused(http_status: u16) -> Answer {
    answer(
        http_status,
        br#"{"error":{"code":"Ecs.0005","message":"no"}}"#,
        Said::Refused,
    )
}

const fn busy(http_status: u16, body: &'static [u8]) -> Answer {
    answer(http_status, body, Said::Busy)
}

const fn with_headers(answer: Answer, headers: &'static str) -> Answer {
    Answer { headers, ..answer }
}

const fn last(answer: Answer) -> Answer {
    Answer {
        is_last: true,
        ..answer
    }
}

/// Given only by a service that has acted.
pub static DONE: &[Answer] = &[
    done(200, b""),
    done(200, b"{}"),
    done(200, br#"{"job_id":"1"}"#),
    done(201, b""),
    done(201, b"{}"),
    done(201, br#"{"job_id":"1"}"#),
    done(204, b""),
    last(with_headers(done(200, b"{}"), "Connection: close\r\n")),
];

/// Given whatever the service does.
pub static DOUBTS: &[Answer] = &[
    with_headers(
        doubt(200, b"<html><body>Log in</body></html>"),
        "Content-Type: text/html\r\n",
    ),
    doubt(200, b"under maintenance"),
    doubt(200, br#"{"job_id":"#),
    doubt(200, b"\xef\xbb\xbf{}"),
    doubt(200, b"{\"message\":\"\xce\xac\xbb\xa4\xd6\xd0\"}"),
    doubt(200, br#"{"a":"\ud800"}"#),
    doubt(200, b"\xff\xfe{\0}\0"),
    doubt(200, br#"{"code":500,"message":"x"}"#),
    doubt(200, br#"{"errors":[{"message":"x"}]}"#),
    doubt(
        200,
        br#"{"message":"Authorization information is wrong","request_id":"r"}"#,
    ),
    doubt(201, br#"{"error_code":"Ecs.1000","error_msg":"x"}"#),
    doubt(202, b""),
    doubt(203, b"{}"),
    doubt(206, b"{}"),
    last(doubt(100, b"")),
    doubt(101, b""),
    with_headers(doubt(302, b""), "Location: /login\r\n"),
    doubt(304, b""),
    doubt(500, b""),
    doubt(500, br#"{"error":{"code":"Common.0001","message":"x"}}"#),
    doubt(501, b""),
    doubt(502, b"<html>Bad Gateway</html>"),
    doubt(503, b""),
    doubt(504, b""),
    doubt(599, b""),
    doubt(600, b""),
    doubt(799, b""),
    doubt(999, b""),
];

/// Given only by a service that has not acted and will not.
pub static REFUSALS: &[Answer] = &[
    refused(400),
    refused(401),
    refused(403),
    refused(404),
    refused(409),
    refused(451),
];

pub static FORBIDDEN: Answer = refused(403);

/// As a refusal, and the request may be sent again.
pub static BUSY: &[Answer] = &[
    busy(
        202,
        br#"{"error":{"code":"Common.0024","message":"exceeds flow over limit"}}"#,
    ),
    busy(
        503,
        br#"{"error":{"code":"Common.1503","message":"flow control"}}"#,
    ),
    busy(425, b""),
    answer(408, b"", Said::GaveUp),
    busy(429, b""),
    with_headers(busy(429, b""), "Retry-After: 1\r\n"),
    with_headers(busy(429, b""), "Retry-After: 3600\r\n"),
];

/// Those that a service may give though it has acted, after which its own truth looks like a
/// refusal.
pub static THROTTLED: &[Answer] = &[
    busy(429, b""),
    with_headers(busy(429, b""), "Retry-After: 1\r\n"),
];

/// In which words the service says that a pair is as wanted already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    Documented,
    Capitals,
    Chinese,
}

pub const WORDS: [Words; 3] = [Words::Documented, Words::Capitals, Words::Chinese];

/// The service's truth about a pair that is as wanted already: the status and the body.
pub fn already(words: Words, is_associated: bool) -> (u16, String) {
    let (http_status, text) = if is_associated {
        let text = "tenant [t] relate fpga image [f] and image [i] failed: relation already exist \
                    or the related fpga image count of image reach the max limit";
        (400, text)
    } else {
        (404, "tenant [t] fpga image [f] doesn't exist")
    };
    let text = match (words, is_associated) {
        (Words::Documented, _) => text.to_owned(),
        (Words::Capitals, _) => text.to_uppercase(),
        (Words::Chinese, true) => "关联关系已存在".to_owned(),
        (Words::Chinese, false) => "关联关系不存在".to_owned(),
    };
    let body = format!(r#"{{"error":{{"code":"Ecs.0000","message":"{text}"}}}}"#);
    (http_status, body)
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = self.body.escape_ascii();
        write!(formatter, "{} {:?} {body}", self.http_status, self.headers)
    }
}
