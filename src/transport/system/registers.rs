//! What a call leaves behind it where no allocator wipes: in registers.

/// Overwrites the wide registers, which hold what was copied or compared last, perhaps of a token: the
/// dynamic linker, for one, writes them to the stack when the host calls a function for the first time.
#[allow(unsafe_code)]
#[cfg(target_arch = "x86_64")]
pub fn clear_registers() {
    use std::arch::{asm, is_x86_feature_detected, x86_64};

    if is_x86_feature_detected!("avx") {
        // SAFETY: the processor has it.
        unsafe { x86_64::_mm256_zeroall() };
    }
    if is_x86_feature_detected!("avx512vl") {
        // SAFETY: the processor has them, and nobody relies on what they hold.
        unsafe {
            asm!(
                ".irp number, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
                "vpxorq xmm\\number, xmm\\number, xmm\\number",
                ".endr",
                clobber_abi("sysv64"),
                options(nomem, nostack, preserves_flags),
            );
        }
    }
}

/// The same. Of eight registers a half is the caller's, and stays.
#[allow(unsafe_code)]
#[cfg(target_arch = "aarch64")]
pub fn clear_registers() {
    // SAFETY: every processor of this kind has them, and nobody relies on what they hold.
    unsafe {
        std::arch::asm!(
            ".irp number, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31",
            "movi v\\number\\().2d, #0",
            ".endr",
            ".irp number, 8, 9, 10, 11, 12, 13, 14, 15",
            "fmov d\\number, d\\number",
            ".endr",
            clobber_abi("C"),
            options(nomem, nostack, preserves_flags),
        );
    }
}

/// What other processors leave was not looked into.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn clear_registers() {}
