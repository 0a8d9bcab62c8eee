//! Associates Huawei Cloud FPGA images with ECS images, for programs in C and in every language
//! that can call C.
//!
//! The interface is the C header `include/fpga_associate.h`, generated from [`capi`]. A call walks
//! down the floors once, and up again once:
//!
//! - [`capi`]: pointers, panics, the last error. All translation, no thinking, and nearly all of
//!   the `unsafe` code.
//! - [`plan`]: what is wanted of many pairs, brought about with many calls.
//! - [`client`]: one call under one deadline.
//! - [`association`]: what the service's documents say about identifiers, the request, statuses and
//!   error bodies. No I/O.
//! - [`transport`]: bytes: names, sockets, TLS and connections that are kept. The only place that
//!   knows the HTTP library.
//!
//! [`status`], [`error`], [`log`], [`text`], [`secret`], [`masked`] and [`memory`] are the ground that
//! all of them stand on. Imports point downwards only.

#![deny(unsafe_code, missing_docs)]
// Nothing that input can reach ends a call otherwise than by a value. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

pub mod association;
pub mod capi;
pub mod client;
pub mod error;
pub mod log;
pub mod masked;
pub mod memory;
pub mod plan;
pub mod secret;
pub mod status;
pub mod text;
pub mod transport;
