//! Gives memory back to the system: a bundle's engine is many small pieces, which the C library keeps after they are freed,
//! between pieces that live on.

#![expect(unsafe_code, reason = "malloc_trim(3) has no safe form")]

/// Returns free pages to the system, wherever they lie (`malloc_trim(3)`). Takes milliseconds: to be called seldom, when
/// much was freed. Does nothing without the GNU C library.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the function takes a number and may be called from any thread at any time (glibc manual, "MT-Safe").
    unsafe {
        libc::malloc_trim(0);
    }
}
