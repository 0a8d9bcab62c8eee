#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fpga_associate_fuzz::lists::run(data));
