//! The declarations of the generated header, with their comments.

/// One thing that the header declares. Texts are in one line, without `struct`, `enum` and macros
/// that stand for attributes.
pub enum Declaration {
    Function {
        name: String,
        prototype: String,
        comment: Vec<String>,
    },
    /// A constant of the type before it.
    Status {
        name: String,
        number: String,
        comment: Vec<String>,
    },
    Type {
        name: String,
        kind: Kind,
        /// Without `typedef`.
        text: String,
        comment: Vec<String>,
    },
    /// A field of the type before it.
    Field {
        name: String,
        /// With its type.
        text: String,
        comment: Vec<String>,
    },
}

/// What a typedef is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Enum,
    Struct,
    /// A struct whose fields are the library's own.
    Handle,
    /// `void (*fpga_assoc_log_fn)(void *context, ...)`
    Callback,
}

/// All declarations, in the header's order.
///
/// # Panics
/// Where the header has something that is none of them: nothing may be passed over.
pub fn declarations(header: &str) -> Vec<Declaration> {
    let header = without_directives(header);
    let mut found = Vec::new();
    let mut comment = Vec::new();
    let mut inside = None;
    let mut rest = header.trim_start();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("/*") {
            let (text, after) = after.split_once("*/").unwrap_or((after, ""));
            if let Some(text) = text.strip_prefix('*') {
                comment = lines_of(text);
            }
            rest = after.trim_start();
            continue;
        }
        if rest.starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            rest = rest.trim_start();
            continue;
        }
        let ends: &[char] = match inside {
            Some(Kind::Enum) => &[',', '}'],
            _ => &[';', '{', '}'],
        };
        let (text, end) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        let closes = end.starts_with('}');
        rest = end.get(1..).unwrap_or("").trim_start();
        let of_extern = inside.is_none() && (closes || text.starts_with("extern \"C\""));
        if !text.trim().is_empty() && !of_extern {
            let declaration = declaration(text, inside, std::mem::take(&mut comment));
            if let Declaration::Type { kind, .. } = declaration
                && end.starts_with('{')
            {
                inside = Some(kind);
            }
            found.push(declaration);
        }
        if closes && inside.take().is_some() {
            // The name, once more.
            rest = rest.split_once(';').map_or("", |(_, after)| after);
            rest = rest.trim_start();
        }
    }
    found
}

fn declaration(text: &str, inside: Option<Kind>, comment: Vec<String>) -> Declaration {
    if inside == Some(Kind::Enum) {
        let (name, number) = text.split_once('=').unwrap_or((text, ""));
        return Declaration::Status {
            name: name.trim().to_owned(),
            number: number.trim().to_owned(),
            comment,
        };
    }
    let is_enum = text.split_whitespace().any(|word| word == "enum");
    let text = plain(text);
    if inside == Some(Kind::Struct) {
        return Declaration::Field {
            name: name_of(&text).to_owned(),
            text,
            comment,
        };
    }
    let Some(defined) = text.strip_prefix("typedef ") else {
        assert!(text.contains('('), "not understood: {text}");
        return Declaration::Function {
            name: name_of(&text).to_owned(),
            prototype: format!("{text};"),
            comment,
        };
    };
    Declaration::Type {
        name: name_of(defined).to_owned(),
        text: defined.to_owned(),
        kind: match defined.split(' ').count() {
            _ if defined.contains("(*") => Kind::Callback,
            1 if is_enum => Kind::Enum,
            1 => Kind::Struct,
            2 => Kind::Handle,
            _ => unreachable!("not understood: {defined}"),
        },
        comment,
    }
}

/// The name that a text declares: `x` of `int x`, `int *x(int y)`, `int (*x)(int y)`, `int x[2]`.
pub fn name_of(text: &str) -> &str {
    let text = text.split_once("(*").map_or(text, |(_, after)| after);
    let text = text.split(['(', ')', '[']).next().unwrap_or(text);
    text.rsplit([' ', '*']).next().unwrap_or(text)
}

/// Lines that begin with `#`, and those that they go on in, are not C.
fn without_directives(header: &str) -> String {
    let mut goes_on = false;
    let mut kept = String::new();
    for line in header.lines() {
        let is_directive = goes_on || line.trim_start().starts_with('#');
        goes_on = is_directive && line.ends_with('\\');
        if !is_directive {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn lines_of(comment: &str) -> Vec<String> {
    let lines = comment.trim().lines().map(str::trim);
    lines
        .map(|line| line.strip_prefix('*').unwrap_or(line))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
        .collect()
}

/// A text in one line, without `struct`, `enum`, and what says nothing of types.
fn plain(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    while let Some(start) = rest.find(is_word) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        kept.push_str(before);
        rest = after;
        match word {
            "struct" | "enum" => {}
            "__attribute__" | "__declspec" => rest = after_brackets(after),
            _ if word.starts_with("FPGA_ASSOC_") => rest = after_brackets(after),
            _ => kept.push_str(word),
        }
    }
    kept.push_str(rest);
    let words: Vec<_> = kept.split_whitespace().collect();
    words.join(" ").replace("( ", "(").replace(" )", ")")
}

/// What follows a macro and its arguments.
fn after_brackets(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            c if depth == 0 && !c.is_whitespace() => return text,
            _ => {}
        }
        if c == ')' && depth == 0 {
            return text.get(at + 1..).unwrap_or("");
        }
    }
    text
}
