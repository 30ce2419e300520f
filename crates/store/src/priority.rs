//! Who waits when there is more to do than there are cores.

/// By how much threads that answer queries give way: their share of a core that others want too is
/// a thirtieth of the others' (`sched(7)`). A core that nobody else wants is all theirs.
#[cfg(target_os = "linux")]
const NICER: i32 = 15;

/// The same of threads that answer what is asked all the time: with others that want as much they
/// share three to one.
#[cfg(target_os = "linux")]
const A_LITTLE_NICER: i32 = 5;

/// Lets the calling thread, for the rest of its life, give way to those that take readings in. To
/// be called first by threads that answer long queries. Elsewhere than on Linux it does nothing.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    be_nicer(NICER);
}

/// The same for threads that answer short requests, which somebody waits for.
pub fn give_way_a_little() {
    #[cfg(target_os = "linux")]
    be_nicer(A_LITTLE_NICER);
}

#[cfg(target_os = "linux")]
fn be_nicer(by: i32) {
    // On Linux priorities are of threads, not of processes: no process means the calling thread.
    if let Err(error) = rustix::process::getpriority_process(None)
        .and_then(|nice| rustix::process::setpriority_process(None, (nice + by).min(19)))
    {
        tracing::debug!(error.cause = %error, "the priority of a thread that answers queries cannot be lowered");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;

    #[test]
    fn only_the_calling_thread_gives_way() {
        let before = getpriority_process(None).expect("a priority");
        let there = std::thread::spawn(|| {
            super::give_way();
            getpriority_process(None).expect("a priority")
        });
        assert_eq!(there.join().expect("ends"), (before + super::NICER).min(19));
        assert_eq!(getpriority_process(None).expect("a priority"), before);
    }
}
