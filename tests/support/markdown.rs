//! Two texts in Markdown that say the same in two languages, compared in all but their words.

use std::fmt::Write;

/// A heading, a paragraph, an item of a list, a row of a table, a block of code or a comment.
#[derive(Clone, PartialEq)]
pub struct Block {
    line: usize,
    kind: String,
    /// The cells of a row; one text of any other block.
    texts: Vec<String>,
}

const HEADING: &str = "heading of level";
const CODE: &str = "code block";
const COMMENT: &str = "comment";

pub fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut lines = text.lines().zip(1..);
    // Whether the next line may belong to the last block.
    let mut is_open = false;
    while let Some((line, number)) = lines.next() {
        let was_open = std::mem::take(&mut is_open);
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        let (kind, texts) = if line.is_empty() {
            continue;
        } else if let Some(language) = line.strip_prefix("```") {
            let code = lines.by_ref().map(|(line, _)| line);
            let code: Vec<&str> = code.take_while(|line| *line != "```").collect();
            (format!("{CODE} ({language})"), vec![code.join("\n")])
        } else if level > 0 {
            let title = line[level..].trim().to_owned();
            (format!("{HEADING} {level}"), vec![title])
        } else if line.starts_with("<!--") {
            (COMMENT.to_owned(), vec![line.to_owned()])
        } else if line.starts_with('|') {
            let cells = line.trim_matches('|').split('|');
            let cells: Vec<String> = cells.map(|cell| cell.trim().to_owned()).collect();
            (format!("table row of {} cells", cells.len()), cells)
        } else {
            is_open = true;
            match (line.strip_prefix("- "), blocks.last_mut()) {
                (Some(item), _) => ("list item".to_owned(), vec![item.to_owned()]),
                (None, Some(block)) if was_open => {
                    let _ = write!(block.texts[0], " {}", line.trim_start());
                    continue;
                }
                _ => ("paragraph".to_owned(), vec![line.to_owned()]),
            }
        };
        blocks.push(Block {
            line: number,
            kind,
            texts,
        });
    }
    blocks
}

/// What the translation lacks, or has too much, in each section: an empty list where nothing.
pub fn differences(original: &[Block], translation: &[Block]) -> Vec<String> {
    let (sections, translated) = (sections(original), sections(translation));
    let headings = |sections: &[&[Block]]| -> Vec<String> {
        let first = sections.iter().filter_map(|section| section.first());
        first.map(|block| block.kind.clone()).collect()
    };
    if headings(&sections) != headings(&translated) {
        let list = |sections: &[&[Block]]| -> String {
            let first = sections.iter().filter_map(|section| section.first());
            first.fold(String::new(), |list, block| format!("{list}\n  {block}"))
        };
        let (expected, found) = (list(&sections), list(&translated));
        return vec![format!(
            "headings: the original has{expected}\nthe translation has{found}"
        )];
    }
    let pairs = sections.iter().zip(&translated);
    pairs
        .flat_map(|(section, translated)| in_section(section, translated))
        .collect()
}

/// Each from one heading to the next.
fn sections(blocks: &[Block]) -> Vec<&[Block]> {
    blocks
        .chunk_by(|_, next| !next.kind.starts_with(HEADING))
        .collect()
}

fn in_section(original: &[Block], translation: &[Block]) -> Vec<String> {
    let title = &original[0].texts[0];
    let mut differences = Vec::new();
    for (block, translated) in original.iter().zip(translation) {
        let told = block.differences(translated);
        let is_shifted = !told.is_empty() && original.len() != translation.len();
        let told = told.into_iter().map(|difference| {
            format!("section {title:?}: {block}, in the translation {translated}: {difference}")
        });
        differences.extend(told);
        if is_shifted || block.kind != translated.kind {
            break;
        }
    }
    if original.len() != translation.len() {
        differences.push(format!(
            "section {title:?}: {} blocks, in the translation {}",
            original.len(),
            translation.len()
        ));
    }
    differences
}

impl Block {
    fn differences(&self, translation: &Self) -> Vec<String> {
        if self.kind != translation.kind {
            return vec!["another kind of block".to_owned()];
        }
        if self.kind.starts_with(CODE) || self.kind == COMMENT {
            return match self.texts == translation.texts {
                true => Vec::new(),
                false => vec!["other bytes".to_owned()],
            };
        }
        let mut differences = Vec::new();
        for (text, translated) in self.texts.iter().zip(&translation.texts) {
            let (expected, found) = (facts(text), facts(translated));
            let missing = without(&expected, &found).into_iter();
            differences.extend(missing.map(|fact| format!("{fact} is missing")));
            let added = without(&found, &expected).into_iter();
            differences.extend(added.map(|fact| format!("{fact} is not in the original")));
            if is_english(translated) {
                differences.push(format!("still in English: {translated}"));
            }
        }
        differences
    }
}

impl std::fmt::Display for Block {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let beginning: String = self.texts.join(" | ").chars().take(40).collect();
        write!(f, "line {} ({}: {beginning:?})", self.line, self.kind)
    }
}

/// What is the same in every language: code, targets of links, and numbers.
fn facts(text: &str) -> Vec<String> {
    let (code, prose): (Vec<_>, Vec<_>) = text
        .split('`')
        .enumerate()
        .partition(|(index, _)| index % 2 == 1);
    let mut facts: Vec<String> = code.iter().map(|(_, code)| format!("`{code}`")).collect();
    let mut words = String::new();
    // Each piece but the first begins with the target of a link.
    for (index, piece) in joined(&prose).split("](").enumerate() {
        match piece.split_once(')') {
            Some((target, after)) if index > 0 => {
                facts.push(format!("the link to {target}"));
                words.push_str(after);
            }
            _ => words.push_str(piece),
        }
    }
    let numbers = words.split(|c: char| !c.is_ascii_digit() && !".,".contains(c));
    let numbers = numbers.map(|number| number.trim_matches(['.', ',']));
    facts.extend(
        numbers
            .filter(|number| !number.is_empty())
            .map(str::to_owned),
    );
    facts
}

/// Pieces of prose, with a space where code stood.
fn joined(prose: &[(usize, &str)]) -> String {
    let pieces: Vec<&str> = prose.iter().map(|(_, piece)| *piece).collect();
    pieces.join(" ")
}

/// What is left of some facts when others are taken away, each once.
fn without<'a>(facts: &'a [String], others: &[String]) -> Vec<&'a String> {
    let mut others = others.to_vec();
    let mut left = Vec::new();
    for fact in facts {
        match others.iter().position(|other| other == fact) {
            Some(index) => drop(others.swap_remove(index)),
            None => left.push(fact),
        }
    }
    left
}

/// Three small words at least, and no Chinese. Names of products are not that many.
fn is_english(text: &str) -> bool {
    let prose: Vec<_> = text.split('`').enumerate().step_by(2).collect();
    let prose = joined(&prose);
    let is_small = |word: &&str| {
        let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    !prose.contains(is_chinese) && prose.split_whitespace().filter(is_small).count() >= 3
}
