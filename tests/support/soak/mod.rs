//! Many calls of a host of its own at once, through a gateway that fails one request in twenty in every way
//! that there is, and an account of them all.
//!
//! The host (`programs/soak.c`) tells of each call in a [`line`], the [`gateway`] notes each request in a
//! [`book`] before the service, the emulator, gets it. The [`account`] puts the two together and has the
//! [`rules`] checked.

pub mod account;
pub mod book;
mod connection;
pub mod deck;
pub mod gateway;
pub mod host;
pub mod line;
mod outcome;
mod rules;
pub mod vault;
