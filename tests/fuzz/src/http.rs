//! Answers of HTTP/1.1, as far as they are as plain as can be.

/// A final answer, with the interim ones in front of it.
pub struct Plain {
    pub http_status: u16,
    pub body: Vec<u8>,
    /// How long all that is.
    pub length: usize,
}

/// The answer at the beginning; nothing where it is not as plain as that, or not all there.
pub fn plain(bytes: &[u8]) -> Option<Plain> {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let end = find(rest, b"\r\n\r\n")? + 4;
        let head = std::str::from_utf8(&rest[..end]).ok()?;
        let (http_status, framing) = head_of(head.strip_suffix("\r\n\r\n")?)?;
        at += end;
        if http_status == 100 || http_status == 103 {
            continue;
        }
        let (body, length) = match framing {
            _ if http_status == 204 || http_status == 304 => (Vec::new(), 0),
            Framing::Length(length) => (bytes.get(at..at + length)?.to_vec(), length),
            Framing::Chunks => chunks(&bytes[at..])?,
            Framing::None => return None,
        };
        return Some(Plain {
            http_status,
            body,
            length: at + length,
        });
    }
}

enum Framing {
    None,
    Length(usize),
    Chunks,
}

fn head_of(head: &str) -> Option<(u16, Framing)> {
    let mut lines = head.split("\r\n");
    let (code, reason) = lines.next()?.strip_prefix("HTTP/1.1 ")?.split_once(' ')?;
    let http_status: u16 = code.parse().ok()?;
    let is_known = matches!(http_status, 100 | 103 | 200..=599) && code.len() == 3;
    if !is_known || !is_visible(reason) {
        return None;
    }
    let mut framing = Framing::None;
    for line in lines {
        let (name, value) = line.split_once(": ")?;
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphabetic() || byte == b'-');
        if !is_name || !is_visible(value) {
            return None;
        }
        framing = match (name.to_ascii_lowercase().as_str(), &framing) {
            ("content-length", Framing::None) if is_digits(value) && value.len() <= 5 => {
                Framing::Length(value.parse().ok()?)
            }
            ("transfer-encoding", Framing::None) if value == "chunked" => Framing::Chunks,
            ("content-length" | "transfer-encoding" | "connection", _) => return None,
            _ => framing,
        };
    }
    Some((http_status, framing))
}

/// The body, and how long it is with its chunks.
fn chunks(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let end = find(&bytes[at..], b"\r\n")?;
        let size = std::str::from_utf8(&bytes[at..at + end]).ok()?;
        let is_size =
            (1..=4).contains(&size.len()) && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(size, 16).ok().filter(|_| is_size)?;
        at += end + 2;
        body.extend_from_slice(bytes.get(at..at + size)?);
        at += size;
        if bytes.get(at..at + 2)? != b"\r\n" {
            return None;
        }
        at += 2;
        if size == 0 {
            return Some((body, at));
        }
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ')
        && text.trim() == text
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
