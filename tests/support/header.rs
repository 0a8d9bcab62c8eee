//! The declarations of the generated header, with their comments.

/// One thing that the header declares.
pub enum Declaration {
    Function {
        name: String,
        /// As it is written, without `struct` and on lines of its own.
        prototype: String,
        comment: Vec<String>,
    },
    Status {
        name: String,
        number: String,
        comment: Vec<String>,
    },
    Type {
        name: String,
        comment: Vec<String>,
    },
    /// A field of the type before it.
    Field {
        name: String,
        comment: Vec<String>,
    },
}

/// All declarations, in the header's order.
pub fn declarations(header: &str) -> Vec<Declaration> {
    let mut found = Vec::new();
    let mut comment = Vec::new();
    let mut lines = header.lines().peekable();
    while let Some(line) = lines.next() {
        let text = line.trim();
        if text == "/**" {
            comment = lines
                .by_ref()
                .map(str::trim)
                .take_while(|line| *line != "*/")
                .map(|line| line.strip_prefix("* ").unwrap_or("").to_owned())
                .collect();
        } else if text.is_empty() || text.starts_with(['#', '/', '*', '}']) {
            continue;
        } else if let Some((name, number)) = text
            .strip_suffix(',')
            .and_then(|text| text.split_once(" = "))
        {
            found.push(Declaration::Status {
                name: name.to_owned(),
                number: number.to_owned(),
                comment: std::mem::take(&mut comment),
            });
        } else if text.starts_with("typedef ") {
            found.push(Declaration::Type {
                name: type_name(text).to_owned(),
                comment: std::mem::take(&mut comment),
            });
        } else if line.starts_with(' ') {
            let name = text.trim_end_matches(';').rsplit([' ', '*']).next();
            found.push(Declaration::Field {
                name: name.unwrap_or_default().to_owned(),
                comment: std::mem::take(&mut comment),
            });
        } else if let Some((before, _)) = text.split_once('(') {
            let name = before.rsplit([' ', '*']).next().unwrap_or_default();
            let mut words = vec![text];
            while !words.last().is_some_and(|words| words.ends_with(';')) {
                words.extend(lines.next().map(str::trim));
            }
            found.push(Declaration::Function {
                name: name.to_owned(),
                prototype: words.join(" ").replace("struct ", ""),
                comment: std::mem::take(&mut comment),
            });
        }
    }
    found
}

/// The names of all functions that the header declares.
pub fn functions(header: &str) -> Vec<String> {
    declarations(header)
        .into_iter()
        .filter_map(|declaration| match declaration {
            Declaration::Function { name, .. } => Some(name),
            _ => None,
        })
        .collect()
}

/// `typedef struct x x;`, `typedef enum x {`, `typedef void (*x)(…);`
fn type_name(text: &str) -> &str {
    if let Some((_, after)) = text.split_once("(*") {
        return after.split(')').next().unwrap_or_default();
    }
    let name = text.trim_end_matches(['{', ';', ' ']);
    name.rsplit(' ').next().unwrap_or_default()
}
