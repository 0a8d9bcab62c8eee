//! Whether a text from elsewhere repeats a secret: as it is, cut, escaped, or with something between
//! its characters.

use std::borrow::Cow;

use crate::memory::{self, OutOfMemory};

/// So many bytes of a secret in a row give it away.
const TELLING: usize = 8;

/// An echo may be escaped in an echo that is escaped.
const MAX_LAYERS: usize = 3;

/// A text that takes some time to look through, in bytes.
const LONG: usize = 64 * 1024;

/// All pieces of secrets that would give them away. A secret that is shorter than one has none. Where
/// there is no memory for them, every text may hold one.
pub struct Traces(Option<Found>);

struct Found {
    /// Of the secrets as they are.
    visible: Pieces,
    /// Of their letters and digits alone.
    letters: Pieces,
}

impl Traces {
    /// Those of this secret, which is visible ASCII.
    pub fn of(secret: impl AsRef<[u8]>) -> Self {
        Self::of_all(&[secret.as_ref()])
    }

    /// Those of all these secrets.
    pub fn of_all(secrets: &[&[u8]]) -> Self {
        let found = || {
            Ok::<_, OutOfMemory>(Found {
                visible: Pieces::of(secrets, |_| true)?,
                letters: Pieces::of(secrets, u8::is_ascii_alphanumeric)?,
            })
        };
        Self(found().ok())
    }

    /// Those of secrets that can't be looked at: every text may hold one.
    pub fn unknown() -> Self {
        Self(None)
    }

    /// Whether one of them is in the text. White space, characters that do not show, tags and
    /// punctuation between their bytes do not hide them, nor do the escapes of JSON, URLs and HTML.
    pub fn are_in(&self, text: &str) -> bool {
        self.are_in_within(text, &|| true).unwrap_or(true)
    }

    /// The same; nothing where time or memory ends before it is known.
    pub fn are_in_within(&self, text: &str, has_time: &dyn Fn() -> bool) -> Option<bool> {
        let found = self.0.as_ref()?;
        if found.visible.pieces.is_empty() {
            return Some(false);
        }
        let mut text = Cow::Borrowed(text);
        for _ in 0..MAX_LAYERS {
            if found.are_plainly_in(&text) {
                return Some(true);
            }
            match unescaped(&text).ok()? {
                _ if text.len() > LONG && !has_time() => return None,
                Some(plain) => text = Cow::Owned(plain),
                None => return Some(false),
            }
        }
        Some(found.are_plainly_in(&text))
    }
}

impl Found {
    fn are_plainly_in(&self, text: &str) -> bool {
        let visible = text.bytes().filter(u8::is_ascii_graphic);
        let letters = || text.bytes().filter(u8::is_ascii_alphanumeric);
        self.visible.are_in(visible)
            || self.letters.are_in(letters())
            || (text.contains('<')
                && self
                    .letters
                    .are_in(without_tags(text).filter(u8::is_ascii_alphanumeric)))
    }
}

/// Pieces of eight bytes, each as a number.
struct Pieces {
    /// In order.
    pieces: Vec<u64>,
    /// A bit for each piece, at a place that others may share: says no quickly.
    marks: Vec<u64>,
}

impl Pieces {
    fn of(secrets: &[&[u8]], counts: impl Fn(&u8) -> bool) -> Result<Self, OutOfMemory> {
        let mut pieces: Vec<u64> = Vec::new();
        memory::reserve_exact(&mut pieces, secrets.iter().map(|secret| secret.len()).sum())?;
        for secret in secrets {
            pieces.extend(windows(secret.iter().copied().filter(&counts)));
        }
        pieces.sort_unstable();
        // So many that one in sixteen is set at most.
        let words = (pieces.len() / 4).next_power_of_two();
        let mut marks = Vec::new();
        memory::reserve_exact(&mut marks, words)?;
        marks.resize(words, 0);
        for &piece in &pieces {
            let (place, mark) = mark_of(piece, words);
            if let Some(word) = marks.get_mut(place) {
                *word |= mark;
            }
        }
        Ok(Self { pieces, marks })
    }

    fn are_in(&self, text: impl Iterator<Item = u8>) -> bool {
        let is_marked = |piece: u64| {
            let (place, mark) = mark_of(piece, self.marks.len());
            self.marks.get(place).is_some_and(|word| word & mark != 0)
        };
        !self.pieces.is_empty()
            && windows(text)
                .any(|piece| is_marked(piece) && self.pieces.binary_search(&piece).is_ok())
    }
}

fn mark_of(piece: u64, words: usize) -> (usize, u64) {
    let hash = piece.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let place = usize::try_from(hash >> 6).unwrap_or_default() & (words - 1);
    (place, 1 << (hash & 63))
}

/// Every eight bytes in a row.
fn windows(bytes: impl Iterator<Item = u8>) -> impl Iterator<Item = u64> {
    let mut window = 0_u64;
    bytes
        .map(move |byte| {
            window = (window << 8) | u64::from(byte);
            window
        })
        .skip(TELLING - 1)
}

fn without_tags(text: &str) -> impl Iterator<Item = u8> {
    let mut is_in_tag = false;
    text.bytes().filter(move |byte| {
        is_in_tag = match byte {
            b'<' => true,
            b'>' => false,
            _ => return !is_in_tag,
        };
        false
    })
}

/// The text with one layer of escapes taken away, where it has any.
fn unescaped(text: &str) -> Result<Option<String>, OutOfMemory> {
    if !text.contains(['\\', '%', '&']) {
        return Ok(None);
    }
    let mut plain = String::new();
    memory::reserve_text(&mut plain, text.len())?;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let behind = rest.get(c.len_utf8()..).unwrap_or_default();
        let (shown, length) = match c {
            '\\' => backslash(behind),
            '%' => number(behind, 2),
            '&' => reference(behind),
            _ => None,
        }
        .unwrap_or((c, 0));
        plain.push(shown);
        rest = behind.get(length..).unwrap_or_default();
    }
    Ok((plain != text).then_some(plain))
}

/// What stands behind a backslash: the character that is meant, and how long its name is.
fn backslash(behind: &str) -> Option<(char, usize)> {
    match behind.chars().next()? {
        'u' => {
            let code = u32::from_str_radix(behind.get(1..5)?, 16).ok()?;
            // Half of a pair: a character that is no letter.
            Some((char::from_u32(code).unwrap_or(' '), 5))
        }
        'x' => number(behind.get(1..)?, 2).map(|(c, length)| (c, length + 1)),
        'n' | 'r' | 't' | 'b' | 'f' | 'v' | '0' => Some((' ', 1)),
        c => Some((c, c.len_utf8())),
    }
}

/// `&#77;`, `&#x4d;`, `&lt;`; a name that is not known is a character that is no letter.
fn reference(behind: &str) -> Option<(char, usize)> {
    let end = behind.bytes().take(16).position(|byte| byte == b';')?;
    let name = behind.get(..end)?;
    let code = |digits: &str, radix| {
        let code = u32::from_str_radix(digits, radix).ok()?;
        char::from_u32(code)
    };
    let c = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => code(digits, 16)?,
            None => code(digits, 10)?,
        },
        None if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            return None;
        }
        None => match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            _ => ' ',
        },
    };
    Some((c, end + 1))
}

fn number(text: &str, digits: usize) -> Option<(char, usize)> {
    let code = u32::from_str_radix(text.get(..digits)?, 16).ok()?;
    Some((char::from_u32(code)?, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "MIIFNgYJKoZIhvcNAQcCoIIFJzCCBSMCAQEx/+DTALBg=";

    #[test]
    fn a_secret_is_known_in_every_disguise() {
        let each = |wrap: &dyn Fn(char) -> String| SECRET.chars().map(wrap).collect::<String>();
        for text in [
            SECRET.to_owned(),
            format!("token {SECRET} is wrong"),
            format!("cut: {}", &SECRET[..8]),
            format!("from the middle: {}!", &SECRET[13..21]),
            SECRET.replace('/', "\\/"),
            each(&|c| format!("\\u{:04x}", u32::from(c))),
            each(&|c| format!("\\x{:02X}", u32::from(c))),
            each(&|c| format!("%{:02x}", u32::from(c))),
            each(&|c| format!("%25{:02X}", u32::from(c))),
            each(&|c| format!("&#{};", u32::from(c))),
            each(&|c| format!("&#x{:x};", u32::from(c))),
            each(&|c| format!("{c} ")),
            each(&|c| format!("{c}\u{200b}")),
            each(&|c| format!("{c}\r\n\t")),
            each(&|c| format!("{c}\\n")),
            each(&|c| format!("{c}\\b\\f")),
            each(&|c| format!("{c}\\udb40\\udc20")),
            each(&|c| format!("{c}&nbsp;&zwnj;")),
            each(&|c| format!("&lt;b&gt;{c}&lt;/b&gt;")),
            each(&|c| format!("&#x00000{:x};", u32::from(c))),
            each(&|c| format!("<b>{c}</b>")),
            each(&|c| format!("<i class=\"x\">{c}")),
            each(&|c| format!("{c}-")),
        ] {
            assert!(Traces::of(SECRET).are_in(&text), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_left() {
        for (text, secret) in [
            ("Ecs.0005: request body is illegal.", SECRET),
            ("MIIFNgY", SECRET),
            ("a short one: secret", "secret"),
            ("t", "t"),
            ("", ""),
            ("镜像不存在", SECRET),
            ("100% \\ & &#; &#x; &#xzz; \\u12 %4 %zz", SECRET),
            ("<<<>>><", SECRET),
        ] {
            assert!(!Traces::of(secret).are_in(text), "{text}");
        }
    }

    #[test]
    fn a_secret_with_signs_is_known_by_them() {
        let secret = "+-/=._~!";
        assert!(Traces::of(secret).are_in("it was +-/=._~!"));
        assert!(Traces::of(secret).are_in("it was %2B-%2F%3D. _~!"));
        assert!(!Traces::of(secret).are_in("it was +-/=._~"));
    }
}
