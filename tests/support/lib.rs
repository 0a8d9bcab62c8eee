//! What the tests have in common.

// It serves these tests alone: no type of it is to be like others, and the pointers that they give are their matter.
#![allow(
    clippy::len_without_is_empty,
    clippy::new_without_default,
    clippy::not_unsafe_ptr_arg_deref
)]

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
pub mod harness;
pub mod header;
pub mod itself;
pub mod languages;
pub mod lists;
pub mod machines;
pub mod man;
pub mod markdown;
pub mod needs;
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
pub mod soak;
pub mod times;
pub mod traces;
pub mod trust;
pub mod wine;
pub mod wine_calls;
