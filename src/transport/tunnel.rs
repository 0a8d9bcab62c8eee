//! HTTP CONNECT: has a proxy connect to a host.

use std::io::{Read, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use httparse::{EMPTY_HEADER, ParserConfig, Response, Status};

use super::failure::Refusal;

/// The largest head of a proxy's answer in bytes.
const MAX_HEAD: usize = 64 * 1024;

const MAX_HEADERS: usize = 256;

/// More interim answers than any proxy sends.
const MOST_INTERIM: usize = 16;

/// Asks the proxy at the other end of the stream to connect to `host:port`; afterwards the stream
/// leads there.
pub fn connect(
    stream: &mut (impl Read + Write),
    target: &str,
    credentials: Option<(&str, &str)>,
) -> Result<(), Refusal> {
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    if let Some((user, password)) = credentials {
        let credentials = BASE64_STANDARD.encode(format!("{user}:{password}"));
        request.push_str(&format!("Proxy-Authorization: Basic {credentials}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;

    let mut answer = read(&read_head(stream)?)?;
    for _ in 0..MOST_INTERIM {
        if matches!(answer.status, 100 | 102..=199) {
            answer = read(&read_head(stream)?)?;
        }
    }
    judge(&answer, credentials.is_some())
}

/// Reads to the empty line and not a byte further: what follows is the host's.
fn read_head(stream: &mut impl Read) -> Result<Vec<u8>, Refusal> {
    const BEGINNING: &[u8] = b"HTTP/";
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\n\n") && !head.ends_with(b"\n\r\n") {
        if head.len() >= MAX_HEAD {
            return Err(passing("the head of its answer is over the limit"));
        }
        stream.read_exact(&mut byte)?;
        head.extend(byte);
        if !head.starts_with(BEGINNING) && !BEGINNING.starts_with(&head) {
            return Err(passing("its answer is not HTTP"));
        }
    }
    Ok(head)
}

/// What of a proxy's answer matters.
struct Answer {
    status: u16,
    /// The ways to prove who one is that it offers, in lower case.
    schemes: Vec<String>,
}

fn read(head: &[u8]) -> Result<Answer, Refusal> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut response = Response::new(&mut headers);
    let parsed = ParserConfig::default()
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true)
        .parse_response(&mut response, head);
    let Ok(Status::Complete(_)) = parsed else {
        return Err(passing("its answer is not HTTP"));
    };
    let authenticate = response
        .headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("proxy-authenticate"));
    Ok(Answer {
        status: response.code.unwrap_or_default(),
        schemes: authenticate
            .flat_map(|header| schemes(&String::from_utf8_lossy(header.value)))
            .collect(),
    })
}

/// `Digest realm="x", nonce="y", Basic realm="z"`: between commas stand schemes and parameters.
fn schemes(value: &str) -> Vec<String> {
    value
        .split(',')
        .filter_map(|part| part.split_whitespace().next())
        .filter(|word| !word.contains('='))
        .map(str::to_ascii_lowercase)
        .collect()
}

fn judge(answer: &Answer, has_credentials: bool) -> Result<(), Refusal> {
    let offers = |wanted: &str| answer.schemes.iter().any(|scheme| scheme == wanted);
    match answer.status {
        200..=299 => Ok(()),
        407 if !answer.schemes.is_empty() && !offers("basic") => {
            let schemes = answer.schemes.join(", ");
            Err(Refusal::Lasting(format!(
                "it asks for credentials by {schemes}, and only Basic is supported (407)"
            )))
        }
        407 if has_credentials => Err(Refusal::Lasting(
            "it does not accept the user or the password (407)".to_owned(),
        )),
        407 => Err(Refusal::Lasting(
            "it asks for a user and a password (407)".to_owned(),
        )),
        status @ 400..=499 => Err(Refusal::Lasting(format!("it answered HTTP {status}"))),
        status => Err(Refusal::Passing(format!("it answered HTTP {status}"))),
    }
}

fn passing(reason: &str) -> Refusal {
    Refusal::Passing(reason.to_owned())
}
