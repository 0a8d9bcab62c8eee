//! A Rust program that has the sources in a crate of its own keeps its own allocator: with another in
//! that crate, this would not compile.

use std::alloc::System;

use fpga_associate::capi;

#[global_allocator]
static OWN: System = System;

#[test]
fn a_rust_program_keeps_its_own_allocator() {
    let config = capi::fpga_assoc_config_new();
    assert!(config.is_some());
    capi::fpga_assoc_config_free(config);
}
