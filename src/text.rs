//! Text from elsewhere, made fit to show: one line, no control characters, bounded.

const ELLIPSIS: &str = "…";

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

/// Whether one of the words is in the text. The standard library's own search puts pieces of the text
/// on the stack, where they stay, and the text may repeat a token.
pub fn has_any(text: &str, words: &[&str]) -> bool {
    let is_in = |word: &&str| {
        let mut parts = text.as_bytes().windows(word.len());
        parts.any(|part| part == word.as_bytes())
    };
    words.iter().any(is_in)
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
    let mut cut = beginning(text, max.saturating_sub(ELLIPSIS.len())).to_owned();
    cut.push_str(ELLIPSIS);
    cut
}

/// The whole characters in the first `max` bytes.
pub fn beginning(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
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
}
