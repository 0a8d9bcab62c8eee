//! Keys from where the vendor's tools look: the variables of its SDKs, those of its Terraform provider,
//! and the SDKs' credentials file. Read once, when a host asks for it.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use super::held::Held;
use crate::error::Error;
use crate::status::Status;
use crate::transport::{HOME_VARIABLE, read_file};

/// Access key, secret key and security token, in the order in which they are looked for.
const VARIABLES: &[[&str; 3]] = &[
    [
        "HUAWEICLOUD_SDK_AK",
        "HUAWEICLOUD_SDK_SK",
        "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    ],
    ["HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_SECURITY_TOKEN"],
];

/// The same in the file, in its section `[basic]`.
const FIELDS: [&str; 3] = ["ak", "sk", "security_token"];
const SECTION: &str = "basic";

/// Where the file is, unless it is where the SDKs look by default.
const FILE_VARIABLE: &str = "HUAWEICLOUD_SDK_CREDENTIALS_FILE";
const FILE: &str = ".huaweicloud/credentials";

const MAX_FILE_KIB: u64 = 64;

/// Credentials, and what the host should know about where they were.
pub struct FromEnvironment {
    /// The keys.
    pub held: Held,
    /// One line for the log.
    pub warning: Option<String>,
}

/// The first that are there. Where a place has a part of them alone, or what can't be used, the search
/// ends: keys that somebody meant to be used are not passed over for others.
pub fn keys() -> Result<FromEnvironment, Error> {
    for names in VARIABLES {
        if let Some(held) = held(names.map(|name| (name, variable(name))), "the environment")? {
            return Ok(FromEnvironment {
                held,
                warning: None,
            });
        }
    }
    let Some(path) = file() else {
        return Err(nothing(
            "and HOME, where the credentials file would be, is not set",
        ));
    };
    let shown = path.display();
    let (text, warning) = match read(&path) {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(nothing(&format!("and there is no file {shown}")));
        }
        Err(error) => return Err(failed(&format!("{shown} can't be read: {error}"))),
    };
    let values = FIELDS.map(|name| (name, field(&text, name)));
    match held(values, &format!("[{SECTION}] of {shown}"))? {
        Some(held) => Ok(FromEnvironment { held, warning }),
        None => Err(nothing(&format!(
            "and {shown} has none in its section [{SECTION}]"
        ))),
    }
}

/// The keys of one place; nothing where it has none.
fn held(values: [(&str, Option<String>); 3], place: &str) -> Result<Option<Held>, Error> {
    let [(_, access_key), (_, secret_key), (_, security_token)] = &values;
    let (access_key, secret_key) = match (access_key, secret_key) {
        (Some(access_key), Some(secret_key)) => (access_key, secret_key),
        (None, None) if security_token.is_none() => return Ok(None),
        _ => {
            let state = |value: &Option<String>| if value.is_some() { "is" } else { "is not" };
            let [access, secret, _] = &values;
            return Err(failed(&format!(
                "{place} has a part of a key: {} {} set and {} {} set",
                access.0,
                state(&access.1),
                secret.0,
                state(&secret.1)
            )));
        }
    };
    let held = Held::of_access_key(access_key, secret_key, security_token.as_deref(), None);
    match held {
        Ok(held) => Ok(Some(held)),
        Err(error) if error.status == Status::OUT_OF_MEMORY => Err(error),
        Err(error) => Err(failed(&format!("{place}: {}", error.message))),
    }
}

/// An empty one counts as unset.
fn variable(name: &str) -> Option<String> {
    let value = env::var_os(name)?;
    // What is not UTF-8 is refused as not visible.
    Some(value.to_string_lossy().into_owned()).filter(|value| !value.is_empty())
}

fn file() -> Option<PathBuf> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty());
    match named(FILE_VARIABLE) {
        Some(path) => Some(path.into()),
        None => Some(Path::new(&named(HOME_VARIABLE)?).join(FILE)),
    }
}

/// The file's text, and a warning where everyone may read it.
fn read(path: &Path) -> io::Result<(String, Option<String>)> {
    let file = read_file(path, MAX_FILE_KIB)?;
    let text = String::from_utf8(file.bytes).map_err(|_| io::Error::other("is not UTF-8"))?;
    let warning = file.is_readable_by_all.then(|| {
        format!(
            "{} holds secret keys and can be read by everyone on this machine",
            path.display()
        )
    });
    Ok((text, warning))
}

/// A field of the section: `name = value`, where lines that begin with `#` or `;` are comments.
/// Nothing in a value means anything else.
fn field(text: &str, name: &str) -> Option<String> {
    let mut is_in_section = false;
    let mut found = None;
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            is_in_section = section.trim_end().strip_suffix(']').map(str::trim) == Some(SECTION);
        } else if is_in_section && !line.starts_with(['#', ';']) {
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            if key.trim().eq_ignore_ascii_case(name) && !value.trim().is_empty() {
                found = Some(value.trim().to_owned());
            }
        }
    }
    found
}

fn nothing(ending: &str) -> Error {
    let names = VARIABLES.iter().flat_map(|[access_key, ..]| [*access_key]);
    let names = names.collect::<Vec<_>>().join(", ");
    failed(&format!("{names} are not set, {ending}"))
}

fn failed(reason: &str) -> Error {
    Error::new(
        Status::CREDENTIALS_FAILED,
        &format!("credentials of the environment: {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_that_of_its_section() {
        let text = "\u{feff}ak = outside\n[global]\nak=other\n[ basic ]\r\n# ak = no\n; ak = no\n\
                    AK = one; not a comment\r\nsk=%a=b\nsecurity_token=\nproject_id = p\n[other]\nsk = c\n";
        for (name, value) in [
            ("ak", Some("one; not a comment")),
            ("sk", Some("%a=b")),
            ("security_token", None),
            ("domain_id", None),
        ] {
            assert_eq!(field(text, name).as_deref(), value, "{name}");
        }
        assert_eq!(field("", "ak"), None);
        assert_eq!(field("[basic", "ak"), None);
    }
}
