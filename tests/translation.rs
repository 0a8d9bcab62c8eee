//! README.zh-CN.md says what README.md says, as far as a test can tell: part by part the same headings, code, tables,
//! links and numbers.

#[path = "bench/readme.rs"]
mod figures;
use std::fs;

use support::c::root;
use support::markdown::{blocks, differences};

const ENGLISH: &str = "README.md";
const CHINESE: &str = "README.zh-CN.md";

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

fn told(english: &str, chinese: &str) -> Vec<String> {
    differences(&blocks(english), &blocks(&with_the_same_link(chinese)))
}

/// Each names the other, which is the one link that differs.
fn with_the_same_link(chinese: &str) -> String {
    chinese.replace(&format!("]({ENGLISH})"), &format!("]({CHINESE})"))
}

#[test]
fn the_chinese_readme_has_all_that_the_english_one_has_and_no_more() {
    let told = told(&read(ENGLISH), &read(CHINESE));
    assert!(
        told.is_empty(),
        "{CHINESE} is not in step with {ENGLISH}; make the same change in both:\n{}",
        told.join("\n")
    );
}

#[test]
fn each_begins_with_a_link_to_the_other() {
    for (name, link) in [
        (ENGLISH, format!("English | [简体中文]({CHINESE})")),
        (CHINESE, format!("[English]({ENGLISH}) | 简体中文")),
    ] {
        assert_eq!(read(name).lines().nth(2), Some(&*link), "{name}");
    }
}

#[test]
fn the_benchmark_writes_the_same_figures_into_both() {
    let folder = tempfile::tempdir().unwrap();
    let before = [read(ENGLISH), read(CHINESE)];
    for (name, text) in [ENGLISH, CHINESE].iter().zip(&before) {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let written = |table: &str| {
        figures::update(folder.path(), table).unwrap();
        [ENGLISH, CHINESE].map(|name| fs::read_to_string(folder.path().join(name)).unwrap())
    };
    let [_, table, _] = figures::parts(&before[0]).unwrap();

    // Another day's run, in which every ratio is another one and nothing is missed.
    let measured: String = table
        .lines()
        .map(|line| match line.rsplit_once(" | ") {
            Some((row, to_reach)) if line.contains(|c: char| c.is_ascii_digit()) => {
                format!("{row}7 | {to_reach}\n").replace(" (missed)", "")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let measured = measured.replacen("20", "21", 1);
    let [english, chinese] = written(&measured);
    assert!(english.contains(&measured), "{english}");
    assert_eq!(told(&english, &chinese), Vec::<String>::new());

    // The first run again, with every word.
    assert!(written(table) == before, "other words");

    // A row that is new has no Chinese name yet.
    let more = format!("{table}| a row that is new | 1 | 2 | 3 | ≤ 4 calls (missed) |\n");
    let [english, chinese] = written(&more);
    assert!(chinese.contains("| a row that is new | 1 | 2 | 3 | ≤ 4次（未达到） |\n"));
    let told = told(&english, &chinese);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("still in English: a row that is new"));
}

#[test]
fn any_block_that_one_of_them_drops_is_told() {
    let english = blocks(&read(ENGLISH));
    let chinese = blocks(&with_the_same_link(&read(CHINESE)));
    assert!(english.len() > 150, "{} blocks", english.len());
    for index in 0..english.len().min(chinese.len()) {
        let (mut one, mut other) = (english.clone(), chinese.clone());
        let dropped = (one.remove(index), other.remove(index));
        assert!(!differences(&one, &chinese).is_empty(), "{}", dropped.0);
        assert!(!differences(&english, &other).is_empty(), "{}", dropped.1);
    }
}

#[test]
fn any_number_that_changes_in_one_of_them_is_told() {
    let (english, chinese) = (read(ENGLISH), read(CHINESE));
    let lines: Vec<&str> = english.lines().collect();
    let mut changes = 0;
    // The last of each line, in code too.
    for (index, line) in lines.iter().enumerate() {
        let Some(place) = line.rfind(|c: char| c.is_ascii_digit()) else {
            continue;
        };
        let digit = if line[place..].starts_with('7') {
            "8"
        } else {
            "7"
        };
        let changed = format!("{}{digit}{}", &line[..place], &line[place + 1..]);
        let mut changed_lines = lines.clone();
        changed_lines[index] = &changed;
        let told = told(&changed_lines.join("\n"), &chinese);
        assert!(!told.is_empty(), "{changed}");
        changes += 1;
    }
    assert!(changes > 100, "{changes} changes");
}

const SAMPLE: &str = "\
# Title

Two words: see [the list](list.md) of 1,024 things, `one` and `two`
and `two` again.

## Use

- first, in 5 s
- second

```sh
make
make install
```

| what | how |
| --- | --- |
| `one` | once, at 10:30 |
| `two` | 2.5 times |

<!-- figures -->
Done.
";

const TRANSLATED: &str = "\
# 标题

两个词：`two`、`two` 和 `one`，1,024项，见[列表](list.md)。

## 用法

- 第一，5秒之内
- 第二

```sh
make
make install
```

| 什么 | 如何 |
| --- | --- |
| `one` | 一次，在10:30 |
| `two` | 2.5次 |

<!-- figures -->
完。
";

#[test]
fn a_change_that_one_language_lacks_is_told_with_its_section() {
    assert_eq!(told(SAMPLE, TRANSLATED), Vec::<String>::new());
    for (from, to, expected) in [
        // Headings.
        ("## Use\n\n", "", "headings: "),
        ("## Use", "### Use", "headings: "),
        ("Done.", "## More\n\nDone.", "headings: "),
        // Code.
        ("make\n", "make all\n", "other bytes"),
        ("install\n", "install\n\n", "other bytes"),
        ("```sh", "```bash", "another kind of block"),
        ("make install\n", "", "other bytes"),
        (
            "`two`\nand `two`",
            "`two`\nand it",
            "`two` is not in the original",
        ),
        ("`one` and", "`on` and", "`on` is missing"),
        // Tables.
        ("| `two` | 2.5 times |\n", "", "blocks, in the translation"),
        (
            "| what | how |",
            "| what | how | why |",
            "another kind of block",
        ),
        ("| `one` | once", "| `two` | once", "`two` is missing"),
        ("`two` | 2.5 times", "2.5 | `two` times", "2.5 is missing"),
        ("| `two` | 2.5", "| `two` | 25", "25 is missing"),
        // Numbers.
        ("1,024", "1,025", "1,025 is missing"),
        ("10:30", "10:31", "31 is missing"),
        ("5 s", "five s", "5 is not in the original"),
        // Links.
        ("(list.md)", "(lists.md)", "the link to lists.md is missing"),
        (
            "[the list](list.md)",
            "the list",
            "the link to list.md is not in the original",
        ),
        // Lists, paragraphs, comments.
        ("- second\n", "", "blocks, in the translation"),
        (
            "- second",
            "- second\n- third",
            "blocks, in the translation",
        ),
        ("- second", "\nsecond", "another kind of block"),
        ("<!-- figures -->", "<!-- facts -->", "other bytes"),
        ("Done.", "Done.\n\nReally.", "blocks, in the translation"),
    ] {
        let changed = SAMPLE.replacen(from, to, 1);
        assert_ne!(changed, SAMPLE, "{from:?}");
        let told = told(&changed, TRANSLATED);
        assert!(
            told.iter().any(|difference| difference.contains(expected)),
            "{from:?} to {to:?}: {told:?}"
        );
        let section = match SAMPLE.find(from) < SAMPLE.find("## Use") {
            true => "section \"Title\"",
            false => "section \"Use\"",
        };
        assert!(
            expected == "headings: "
                || told
                    .iter()
                    .all(|difference| difference.starts_with(section)),
            "{from:?} to {to:?}: {told:?}"
        );
    }
}

#[test]
fn a_paragraph_that_was_copied_and_not_translated_is_told() {
    for (from, to) in [
        ("完。", "Now all is done."),
        ("- 第二", "- second, third and fourth"),
        ("| 一次，在10:30 |", "| once in all, at 10:30 |"),
    ] {
        let told = told(SAMPLE, &TRANSLATED.replacen(from, to, 1));
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains("still in English: "), "{told:?}");
    }
}
