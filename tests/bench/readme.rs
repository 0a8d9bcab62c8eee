//! The table of figures in README.md and in README.zh-CN.md, which have the same figures beside words of their own.

use std::error::Error;
use std::fs;
use std::path::Path;

const BEGIN: &str = "<!-- cargo bench -->\n";
const END: &str = "<!-- end -->";

/// What the benchmark says beside its figures and the names of its rows.
const WORDS: [(&str, &str); 6] = [
    (" (missed)", "（未达到）"),
    (" calls", "次"),
    (" bytes", "字节"),
    (" cores", "核"),
    ("nginx on loopback", "nginx位于本机回环接口"),
    ("a token of 2 KB.", "Token为2KB。"),
];

/// Puts the table into both.
pub fn update(root: &Path, table: &str) -> Result<(), Box<dyn Error>> {
    let (path, path_in_chinese) = (root.join("README.md"), root.join("README.zh-CN.md"));
    let (english, chinese) = (
        fs::read_to_string(&path)?,
        fs::read_to_string(&path_in_chinese)?,
    );
    let [before, old, after] = parts(&english)?;
    let [before_in_chinese, old_in_chinese, after_in_chinese] = parts(&chinese)?;
    let translated = in_chinese(table, old, old_in_chinese);
    fs::write(path, [before, table, after].concat())?;
    fs::write(
        path_in_chinese,
        [before_in_chinese, &translated, after_in_chinese].concat(),
    )?;
    Ok(())
}

/// What stands before the table, the table, and what stands behind it.
pub fn parts(readme: &str) -> Result<[&str; 3], Box<dyn Error>> {
    let start = readme.find(BEGIN).ok_or("a README has no mark")? + BEGIN.len();
    let end = readme.find(END).ok_or("a README has no end mark")?;
    let table = readme.get(start..end).ok_or("the marks are swapped")?;
    Ok([&readme[..start], table, &readme[end..]])
}

/// The same table in Chinese. Names of rows are those that stand beside the English ones until now; one that has none
/// stays in English, and tests/translation.rs says so.
fn in_chinese(table: &str, old: &str, old_in_chinese: &str) -> String {
    let pairs: Vec<(&str, &str)> = old.lines().zip(old_in_chinese.lines()).collect();
    let translated = |line: &str| -> String {
        if let Some((_, chinese)) = pairs.iter().find(|(english, _)| *english == line) {
            return format!("{chinese}\n");
        }
        let (name, figures) = name_and_figures(line);
        let mut figures = figures.to_owned();
        for (english, chinese) in WORDS {
            figures = figures.replace(english, chinese);
        }
        if name.is_empty() {
            figures = figures.replace(", ", "，");
        }
        let name = pairs
            .iter()
            .map(|(english, chinese)| (name_and_figures(english).0, name_and_figures(chinese).0))
            .find_map(|(english, chinese)| (english == name).then_some(chinese))
            .unwrap_or(name);
        format!("{name}{figures}\n")
    };
    table.lines().map(translated).collect()
}

/// The first cell of a row, and the rest of it. What is no row has no name.
fn name_and_figures(line: &str) -> (&str, &str) {
    match line.strip_prefix("| ").and_then(|row| row.find(" | ")) {
        Some(end) => line.split_at("| ".len() + end),
        None => ("", line),
    }
}
