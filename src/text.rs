//! Text from elsewhere, made fit to show: one line, no control characters, bounded, without
//! secrets.

use std::collections::HashSet;

const ELLIPSIS: &str = "…";
const MASK: &str = "***";

/// How many bytes of a secret in a row give it away.
const TELLING: usize = 16;

/// The text on one line: control characters and all white space become single spaces.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(1024));
    for word in text
        .split(|c: char| c.is_whitespace() || hides(c))
        .filter(|word| !word.is_empty())
    {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// Characters that do something to a terminal or to the reading order, or hide, instead of showing
/// something.
fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text cut to at most `max` bytes, with an ellipsis where something was left out.
pub fn bounded(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let mut end = max.saturating_sub(ELLIPSIS.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut cut = text.get(..end).unwrap_or_default().to_owned();
    cut.push_str(ELLIPSIS);
    cut
}

/// The text with every trace of the secret masked: the whole of it, and any 16 bytes of it in a
/// row.
///
/// An echo may be cut, escaped or wrapped, so that looking for the whole secret is not enough.
pub fn without_secret(text: &str, secret: &str) -> String {
    if secret.is_empty() {
        return text.to_owned();
    }
    let window = secret.len().min(TELLING);
    let text_bytes = text.as_bytes();
    let wanted: HashSet<&[u8]> = text_bytes.windows(window).collect();
    let told: HashSet<&[u8]> = secret
        .as_bytes()
        .windows(window)
        .filter(|piece| wanted.contains(piece))
        .collect();
    if told.is_empty() {
        return text.to_owned();
    }

    let mut masked = String::with_capacity(text.len());
    let mut told_until = 0;
    for (at, c) in text.char_indices() {
        let piece = text_bytes.get(at..at + window).unwrap_or_default();
        if told.contains(piece) {
            if at >= told_until {
                masked.push_str(MASK);
            }
            told_until = at + window;
        }
        if at >= told_until {
            masked.push(c);
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_control_characters_and_no_runs_of_space() {
        for (given, line) in [
            ("", ""),
            ("plain", "plain"),
            ("  two\r\n  lines\t", "two lines"),
            ("bell\u{7}and\u{1b}[31mred", "bell and [31mred"),
            ("nul\0in the middle", "nul in the middle"),
            ("c1\u{85}next\u{9b}2J", "c1 next 2J"),
            ("turn\u{202e}ed", "turn ed"),
            ("镜像 不存在", "镜像 不存在"),
        ] {
            assert_eq!(one_line(given), line, "{given:?}");
        }
    }

    #[test]
    fn a_cut_never_splits_a_character_and_never_exceeds_the_bound() {
        let text = "镜像不存在".repeat(10);
        for max in 3..text.len() + 2 {
            let cut = bounded(&text, max);
            assert!(cut.len() <= max, "{max}: {cut}");
            assert_eq!(cut.ends_with(ELLIPSIS), text.len() > max);
        }
    }

    #[test]
    fn a_secret_leaves_no_sixteen_bytes_of_itself() {
        let secret: String = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
        for (given, masked) in [
            (secret.clone(), "***".to_owned()),
            (format!("x{secret}y"), "x***y".to_owned()),
            (format!("{secret} and {secret}"), "*** and ***".to_owned()),
            (format!("cut: {}", &secret[..40]), "cut: ***".to_owned()),
            (
                format!("middle: {}!", &secret[7..30]),
                "middle: ***!".to_owned(),
            ),
            ("abcdefghijklmno".to_owned(), "abcdefghijklmno".to_owned()),
            ("镜像".to_owned(), "镜像".to_owned()),
        ] {
            assert_eq!(without_secret(&given, &secret), masked, "{given}");
        }
        assert_eq!(
            without_secret("a short one: key", "key"),
            "a short one: ***"
        );
        assert_eq!(without_secret("kekey", "key"), "ke***");
    }
}
