//! Many devices' state is in many places of memory, and waiting for one after the other is most of
//! what a commit would cost. So what the next messages will need is read first, a handful of
//! messages at a time: the processor waits for all of these reads at once.
//!
//! No lock is taken between them: it would make the processor wait for each.
//!
//! The reads go to [`std::hint::black_box`], or the compiler would leave them out.

/// Readings whose devices are.
pub(super) const READINGS_AHEAD: usize = 80;
/// Messages whose devices are brought into the caches together: a few lines of memory each, which
/// fit the nearest cache.
pub(super) const AHEAD: usize = 8;
