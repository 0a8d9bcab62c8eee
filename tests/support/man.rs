//! `fpga_associate(3)`, made of the header's comments.

use super::header::{Declaration, declarations};

/// The functions' groups: the beginning of their names, and what they are for. The first that fits
/// counts.
const GROUPS: &[(&str, &str)] = &[
    ("fpga_assoc_client_", "Configured clients"),
    ("fpga_assoc_config_", "Settings of clients"),
    ("fpga_assoc_grant_", "Answers of a credentials callback"),
    ("fpga_assoc_list_", "Lists"),
    ("fpga_assoc_error_", "Errors by value"),
    ("fpga_assoc_last_", "The thread's last error"),
    ("fpga_assoc_status_", "Statuses in words"),
    ("fpga_assoc_version", "Version"),
    ("fpga_", "One-line calls"),
];

/// The order in which a reader meets them.
const ORDER: &[&str] = &[
    "One-line calls",
    "The thread's last error",
    "Configured clients",
    "Settings of clients",
    "Answers of a credentials callback",
    "Lists",
    "Errors by value",
    "Statuses in words",
    "Version",
];

const HEAD: &str = r#".\" Made from include/fpga_associate.h. To renew it: UPDATE_MAN=1 cargo test --test man
.TH fpga_associate 3 "" "fpga_associate VERSION" "Library Functions Manual"
.SH NAME
fpga_associate, fpga_disassociate, fpga_associations \- associate FPGA images with ECS images of Huawei Cloud
.SH LIBRARY
libfpga_associate
.RI ( \-lfpga_associate ,
.B pkg-config
module
.IR fpga_associate )
.SH SYNOPSIS
.nf
.B #include <fpga_associate.h>
"#;

const TAIL: &str = r#".SH ENVIRONMENT
.TP
.BR SSL_CERT_FILE ", " SSL_CERT_DIR
The certificates to trust in place of the system's, unless a client has a file of its own.
.TP
.BR https_proxy ", " HTTPS_PROXY ", " all_proxy ", " ALL_PROXY ", " no_proxy ", " NO_PROXY
The proxy, as
.BR curl (1)
has it, unless a client has its own.
.TP
.BR HUAWEICLOUD_SDK_AK ", " HUAWEICLOUD_SDK_SK ", " HUAWEICLOUD_SDK_SECURITY_TOKEN
.TQ
.BR HW_ACCESS_KEY ", " HW_SECRET_KEY ", " HW_SECURITY_TOKEN
.TQ
.BR HUAWEICLOUD_SDK_CREDENTIALS_FILE ", " HOME
The access key, or where its file is, for
.BR fpga_assoc_config_set_environment_credentials ()
alone.
.SH EXAMPLES
.nf
#include <stdio.h>
#include <stdlib.h>
#include <fpga_associate.h>

int main(int argc, char **argv)
{
    int32_t status = argc < 5 ? FPGA_ASSOC_INVALID_ARGUMENT
        : fpga_associate(argv[1], getenv("FPGA_TOKEN"), argv[2], argv[3], argv[4]);
    if (status != FPGA_ASSOC_OK)
        fprintf(stderr, "%s: %s\en", fpga_assoc_status_name(status), fpga_assoc_last_error());
    return status;
}
.fi
.SH SEE ALSO
.BR pkg-config (1),
.BR curl (1)
"#;

/// The whole page.
pub fn page(header: &str) -> String {
    let declarations = declarations(header);
    let mut page = HEAD.replace("VERSION", env!("CARGO_PKG_VERSION"));
    for group in ORDER {
        page.push_str(".P\n");
        for (_, prototype, _) in functions(&declarations, group) {
            page.push_str(&format!(".B {}\n", macro_argument(prototype)));
        }
    }
    page.push_str(".fi\n.SH DESCRIPTION\n");
    page.push_str(&paragraphs(&introduction(header)).replace(".IP\n", ".P\n"));
    for group in ORDER {
        page.push_str(&format!(".SS {}\n", macro_argument(group)));
        for (name, _, comment) in functions(&declarations, group) {
            page.push_str(&format!(".TP\n.BR {name} ()\n"));
            page.push_str(&paragraphs(comment));
        }
    }
    page.push_str(".SH RETURN VALUES\n");
    types(&declarations, true, &mut page);
    page.push_str(".SH TYPES\n");
    types(&declarations, false, &mut page);
    page.push_str(TAIL);
    page
}

fn functions<'a>(
    declarations: &'a [Declaration],
    group: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str, &'a [String])> {
    declarations
        .iter()
        .filter_map(|declaration| match declaration {
            Declaration::Function {
                name,
                prototype,
                comment,
            } => Some((name.as_str(), prototype.as_str(), comment.as_slice())),
            _ => None,
        })
        .filter(move |(name, _, _)| {
            GROUPS
                .iter()
                .find(|(beginning, _)| name.starts_with(beginning))
                .is_some_and(|(_, title)| *title == group)
        })
}

/// The types with what they consist of; the statuses have a section of their own.
fn types(declarations: &[Declaration], statuses: bool, page: &mut String) {
    let mut nested = false;
    for declaration in declarations {
        match declaration {
            Declaration::Type { name, comment, .. }
                if (name == "fpga_assoc_status") == statuses =>
            {
                close(&mut nested, page);
                if statuses {
                    page.push_str(&paragraphs(comment));
                } else {
                    page.push_str(&format!(".TP\n.B {name}\n{}", paragraphs(comment)));
                }
            }
            Declaration::Status {
                name,
                number,
                comment,
            } if statuses => {
                page.push_str(&format!(".TP\n.BR {name} \" ({number})\"\n"));
                page.push_str(&paragraphs(comment));
            }
            Declaration::Field { name, comment, .. } if !statuses => {
                if !nested {
                    page.push_str(".RS\n");
                    nested = true;
                }
                page.push_str(&format!(".TP\n.I {name}\n{}", paragraphs(comment)));
            }
            _ => {}
        }
    }
    close(&mut nested, page);
}

fn close(nested: &mut bool, page: &mut String) {
    if *nested {
        page.push_str(".RE\n");
        *nested = false;
    }
}

/// What the header says of itself, without how it is made.
fn introduction(header: &str) -> Vec<String> {
    let mut paragraphs = header
        .lines()
        .skip(1)
        .take_while(|line| line.trim() != "*/")
        .map(|line| line.trim().trim_start_matches('*').trim().to_owned())
        .collect::<Vec<_>>();
    paragraphs.retain(|line| !line.starts_with("fpga_associate: ") && !line.starts_with("Made "));
    let first = paragraphs.iter().position(|line| !line.is_empty());
    paragraphs.split_off(first.unwrap_or_default())
}

/// A comment as the body of an indented paragraph: lines of text, paragraphs, lists.
fn paragraphs(comment: &[String]) -> String {
    let mut out = String::new();
    let mut in_list = false;
    let mut after_gap = false;
    for line in comment {
        if line.is_empty() {
            after_gap = true;
            continue;
        }
        if let Some((mark, item)) = item(line) {
            if !in_list {
                out.push_str(".RS\n");
                in_list = true;
            }
            out.push_str(&format!(".IP {mark}\n"));
            push_text(&mut out, item);
        } else {
            if after_gap && in_list {
                out.push_str(".RE\n");
                in_list = false;
            }
            if after_gap {
                out.push_str(".IP\n");
            }
            push_text(&mut out, line.trim_start());
        }
        after_gap = false;
    }
    if in_list {
        out.push_str(".RE\n");
    }
    out
}

/// The beginning of a list's item: how it is marked, with the width of that, and its text.
fn item(line: &str) -> Option<(String, &str)> {
    if let Some(item) = line.strip_prefix("- ") {
        return Some(("\\(bu 2".to_owned(), item));
    }
    let (number, item) = line.split_once(". ")?;
    let is_number = number.len() == 1 && number.starts_with(|digit: char| digit.is_ascii_digit());
    is_number.then(|| (format!("{number}. 3"), item))
}

/// A line of text, code in bold. A line must not begin like a macro.
fn push_text(out: &mut String, text: &str) {
    let escaped = escape(text);
    if escaped.starts_with(['.', '\'']) {
        out.push_str("\\&");
    }
    for (nth, part) in escaped.split('`').enumerate() {
        if nth % 2 == 1 {
            out.push_str(&format!("\\fB{part}\\fP"));
        } else {
            out.push_str(part);
        }
    }
    out.push('\n');
}

fn macro_argument(text: &str) -> String {
    format!("\"{}\"", escape(text).replace('"', "\\(dq"))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}
