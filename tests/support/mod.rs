//! What the tests have in common.

#![allow(dead_code)]

pub mod abi;
pub mod archives;
pub mod arguments;
pub mod asked;
pub mod attempts;
pub mod c;
pub mod call;
pub mod certificates;
pub mod changes;
pub mod client;
pub mod credentials;
pub mod elsewhere;
pub mod examples;
pub mod faults;
pub mod given;
pub mod header;
pub mod itself;
pub mod languages;
pub mod lists;
pub mod man;
pub mod markdown;
pub mod one_answer;
pub mod package;
pub mod parts;
pub mod plan_program;
pub mod plans;
pub mod proxied;
pub mod proxies;
pub mod raw;
pub mod real;
pub mod relay;
pub mod routes;
pub mod settings;
pub mod slow;
pub mod times;
pub mod traces;
pub mod trust;
pub mod wine;
pub mod wine_calls;

use std::env;
use std::path::Path;
use std::process::Command;

/// Whether a tool is there. In CI it must be: a test that skips there would say nothing.
pub fn tool(name: &str) -> bool {
    is_there(name, Command::new(name).arg("--version").output().is_ok())
}

/// As [`tool`], for a file that a package brings.
pub fn file(path: &Path) -> bool {
    is_there(&path.display().to_string(), path.exists())
}

/// Whether something that a test needs is there.
pub fn is_there(name: &str, is_there: bool) -> bool {
    if !is_there {
        assert!(env::var_os("CI").is_none(), "{name} is missing");
        println!("skipped: {name} is missing");
    }
    is_there
}
