//! What a compiled caller relies on, one line each, and which changes of it break such a caller.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::process::Command;

use super::c::run;
use super::header::{Declaration, Kind, declarations, name_of};

/// The committed lines.
pub const BASELINE: &str = ".packaging/abi.txt";

const HEAD: &str = "\
# What a compiled caller relies on, on a 64-bit system. Within a major version a line may be added, but not changed
# or removed, and a field only at the end of its struct. To renew it: UPDATE_ABI=1 cargo test --test abi
";

/// Kind and name, and what is promised of it.
pub type Abi = BTreeMap<String, String>;

pub fn write(abi: &Abi) -> String {
    let lines = abi.iter().map(|(name, promise)| line(name, promise));
    format!("{HEAD}{}", lines.collect::<String>())
}

pub fn read(text: &str) -> Abi {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(": "))
        .map(|(name, promise)| (name.to_owned(), promise.to_owned()))
        .collect()
}

/// The names of the functions, sorted.
pub fn functions(abi: &Abi) -> Vec<String> {
    abi.keys()
        .filter_map(|name| name.strip_prefix("function "))
        .map(str::to_owned)
        .collect()
}

fn line(name: &str, promise: &str) -> String {
    format!("{name}: {promise}\n")
}

/// What a header says. Numbers, sizes and offsets are the compiler's, and so is the last word on
/// every type.
pub fn of_header(header: &str) -> io::Result<Abi> {
    let mut abi = Abi::new();
    let mut checks = String::new();
    let mut prints = String::new();
    let mut print = |name: String, format: &str, value: String| {
        prints.push_str(&format!("    printf(\"{name}: {format}\\n\", {value});\n"));
    };
    let mut check = |expression: String, is: &str| {
        checks.push_str(&format!(
            "_Static_assert(_Generic({expression}, {is}: 1, default: 0), \"{expression}\");\n"
        ));
    };
    let mut scope = String::new();
    for declaration in declarations(header) {
        match declaration {
            Declaration::Function {
                name, prototype, ..
            } => {
                let (result, arguments) = signature(&prototype, &name);
                check(format!("&{name}"), &format!("{result} (*)({arguments})"));
                abi.insert(
                    format!("function {name}"),
                    format!("{result} ({arguments})"),
                );
            }
            Declaration::Type {
                name, kind, text, ..
            } => {
                let size = format!("sizeof({name})");
                match kind {
                    Kind::Enum => print(format!("enum {name}"), "%zu bytes", size),
                    Kind::Struct => print(format!("struct {name}"), "%zu bytes", size),
                    Kind::Handle => {
                        abi.insert(format!("handle {name}"), "fields not public".to_owned());
                    }
                    Kind::Callback => {
                        let (result, arguments) = signature(&text, &format!("(*{name})"));
                        check(format!("({name})0"), &format!("{result} (*)({arguments})"));
                        abi.insert(
                            format!("callback {name}"),
                            format!("{result} ({arguments})"),
                        );
                    }
                }
                scope = name;
            }
            Declaration::Status { name, .. } => {
                let number = format!("(long long){name}");
                print(format!("constant {scope}.{name}"), "%lld", number);
            }
            Declaration::Field { name, text, .. } => {
                let is = type_of(&text);
                check(format!("(({scope} *)0)->{name}"), &is);
                let offset = format!("offsetof({scope}, {name})");
                print(
                    format!("field {scope}.{name}"),
                    &format!("{is} at %zu"),
                    offset,
                );
            }
        }
    }
    let program = format!(
        "#include <stdio.h>\n#include \"fpga_associate.h\"\n{checks}int main(void) {{\n{prints}    return 0;\n}}\n"
    );
    abi.extend(read(&printed(header, &program)?));
    Ok(abi)
}

/// Compiles a program beside a header of its own, and runs it.
fn printed(header: &str, program: &str) -> io::Result<String> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("fpga_associate.h"), header)?;
    fs::write(folder.path().join("probe.c"), program)?;
    run(Command::new("cc")
        .current_dir(folder.path())
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .args(["probe.c", "-o", "probe"]))?;
    run(&mut Command::new(folder.path().join("probe")))
}

/// The types of the result and of the arguments.
fn signature(text: &str, name: &str) -> (String, String) {
    let (result, arguments) = text.split_once(&format!("{name}(")).unwrap_or((text, ""));
    let arguments: Vec<_> = arguments
        .trim_end_matches([';', ')'])
        .split(", ")
        .map(type_of)
        .collect();
    (result.trim().to_owned(), arguments.join(", "))
}

/// `const char *` of `const char *name`.
fn type_of(text: &str) -> String {
    match text.rsplit_once(name_of(text)) {
        Some((before, after)) if !before.is_empty() => format!("{}{after}", before.trim()),
        _ => text.to_owned(),
    }
}

/// A line that is another now.
pub struct Change {
    pub breaks: bool,
    /// Before and after.
    pub text: String,
}

pub fn changes(baseline: &Abi, abi: &Abi) -> Vec<Change> {
    let names: BTreeSet<_> = baseline.keys().chain(abi.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| match (baseline.get(name), abi.get(name)) {
            (Some(before), None) => Some(Change {
                breaks: true,
                text: format!("  break: removed\n    - {}", line(name, before)),
            }),
            (Some(before), Some(after)) if before != after => {
                let breaks = !(name.starts_with("struct ") && number(after) > number(before));
                Some(Change {
                    breaks,
                    text: format!(
                        "  {}: changed\n    - {}    + {}",
                        if breaks { "break" } else { "addition" },
                        line(name, before),
                        line(name, after)
                    ),
                })
            }
            (None, Some(after)) => {
                let breaks = !is_at_the_end(name, after, baseline);
                let word = if breaks {
                    "break: not at the end of its struct"
                } else {
                    "addition"
                };
                Some(Change {
                    breaks,
                    text: format!("  {word}\n    + {}", line(name, after)),
                })
            }
            _ => None,
        })
        .collect()
}

/// Whether a new line is not that of a field, or that of one behind all that were there.
fn is_at_the_end(name: &str, promise: &str, baseline: &Abi) -> bool {
    let Some((of_struct, _)) = name
        .split_once('.')
        .filter(|(beginning, _)| beginning.starts_with("field "))
    else {
        return true;
    };
    baseline
        .iter()
        .filter(|(name, _)| name.split_once('.').is_some_and(|(of, _)| of == of_struct))
        .all(|(_, before)| number(before) < number(promise))
}

/// The size or the offset in a line.
fn number(promise: &str) -> Option<u64> {
    promise.split(' ').find_map(|word| word.parse().ok())
}

/// What a maintainer is told, where something changed.
pub fn report(changes: &[Change]) -> String {
    let texts: String = changes.iter().map(|change| change.text.as_str()).collect();
    let mut told = format!("the ABI is not that of {BASELINE}:\n{texts}");
    if changes.iter().any(|change| change.breaks) {
        told.push_str(
            "A break needs a new major version, in Cargo.toml, which changes the SONAME. Programs that were linked \
             before would load it and go wrong.\n",
        );
    }
    told.push_str("To take it over: UPDATE_ABI=1 cargo test --test abi\n");
    told
}
