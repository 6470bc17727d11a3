//! Lets threads that can take their time give way to those that take packets and tell what is new.

/// How nice such a thread is (sched(7)): while another wants the same processor, it gets a tenth of
/// it.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lets the calling thread give way, for good. Where the system does not allow it, the thread does
/// the same and others wait longer.
#[cfg(target_os = "linux")]
pub(super) fn give_way() {
    use rustix::process::{getpriority_process, setpriority_process};
    // Under Linux each thread has a priority of its own; no process is the calling thread.
    let own = getpriority_process(None).unwrap_or(0);
    let _ = setpriority_process(None, own.max(NICE));
}

/// Elsewhere the priority is that of the whole process.
#[cfg(not(target_os = "linux"))]
pub(super) fn give_way() {}
