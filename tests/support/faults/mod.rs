//! A service that breaks, lies and dawdles as told, and the promises that a call keeps all the same.
//!
//! It shares nothing with the emulator. A [`cases::Case`] says how a call goes and what the [`service::Service`]
//! does to it; [`run::run`] makes the call and has the [`promises`] checked against what the service knows.

pub mod answers;
mod book;
pub mod breaks;
pub mod cases;
mod connection;
pub mod fault;
pub mod journal;
mod ledger;
mod listing;
mod promises;
pub mod random;
pub mod run;
mod service;
