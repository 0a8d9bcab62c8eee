//! What the tests have in common.

#![allow(dead_code)]

pub mod c;
pub mod call;
pub mod certificates;
pub mod raw;
