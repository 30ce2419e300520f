//! How long a thread has been at work, so that a busy machine costs a codec none of its time.

use std::time::Duration;

/// How long the calling thread has had a core; counts from any moment.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
pub(crate) fn busy() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// The time that has passed, where the system does not tell it by thread.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(crate) fn busy() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}
